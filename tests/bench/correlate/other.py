"""A second generator, built otherwise: a fixed fleet, and rates as products.

The first one draws whole landscapes. This one is one service as it is known: eight workers on
four hosts, four engines, thirty voices, a release that is on some workers before it is on the
others, and differences that have always been there. What is found in both is no trick of either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator

from app.domain.correlation.cube import Integers
from tests.bench.correlate.scenario import WINDOW_S, Booleans, Floats, Rows, Scenario, fits

_NAMES: Final = ("worker", "host", "engine", "voice", "release", "length", "source")
_VALUES: Final = (
    tuple(f"w{number}" for number in range(8)),
    tuple(f"h{number}" for number in range(4)),
    ("volc", "azure", "espeak", "edge"),
    tuple(f"v{number:02}" for number in range(30)),
    ("1.3.9", "1.4.1", "1.4.2"),
    ("<100", "100-499", "500-1999", "2000-4999", ">=5000"),
    ("page", "api", "cli"),
)
_FINGERPRINTS: Final = (
    "timeout",
    "reset",
    "5xx",
    "decode",
    "quota",
    "killed",
    "fresh-a",
    "fresh-b",
)
#: Frequencies of the fingerprints that are always there.
_COMMON: Final = np.array([0.35, 0.25, 0.15, 0.1, 0.1, 0.05])
_BASELINE: Final = 7
_BASE: Final = 0.02

#: Where chance has it that there are hardly more failures than before, nothing rose.
_LEAST_RISE: Final = {"global": 1.7, "mix": 1.25}
#: Suites and what is planted: dimensions of each cause.
SUITES: Final[dict[str, tuple[int, ...]]] = {
    "single": (1,),
    "pair": (2,),
    "triple": (3,),
    "two": (2, 1),
    "onset": (2,),
    "global": (),
    "mix": (),
    "null-pure": (),
    "null-chronic": (),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fleet:
    """What is the same in window and baseline."""

    voice_share: Floats
    engine_of: Integers
    worker_factor: Floats
    canary: Booleans


def generate(suite: str, seed: int) -> Scenario:
    """The scenario of a suite with this seed."""
    rng = np.random.default_rng([7, seed, sorted(SUITES).index(suite)])
    while True:
        made = _attempt(rng, suite)
        if made is not None:
            return made


def _attempt(rng: Generator, suite: str) -> Scenario | None:
    size = int(rng.choice([1_000, 3_000, 10_000, 50_000]))
    fleet = _fleet(rng)
    window = _codes(rng, fleet, size, mixed=suite == "mix", is_window=True)
    baseline = _codes(rng, fleet, size * _BASELINE, mixed=False, is_window=False)
    is_pure = suite == "null-pure"
    usual = _nature(fleet, baseline, is_pure=is_pure)
    scale = _BASE / float(usual.mean())
    factor = float(rng.choice([2.0, 2.5, 3.0])) if suite == "global" else 1.0
    if factor == 2.0 and size < 3_000:
        factor = 3.0
    rates = np.clip(_nature(fleet, window, is_pure=is_pure) * scale * factor, 0, 0.9)
    failure = _failures(rng, rates)
    at = np.sort(rng.uniform(0, WINDOW_S, size))
    began = float(rng.uniform(0.15, 0.8)) if suite == "onset" else None
    planted: list[Mapping[int, int]] = []
    for place, dims in enumerate(SUITES[suite]):
        active = np.ones(size, dtype=np.bool_) if began is None else at >= began * WINDOW_S
        where = _plant(rng, window, failure, active, size=dims, before=planted, place=place)
        if where is None:
            return None
        planted.append(where)
    made = Scenario(
        suite=suite,
        names=_NAMES,
        values=_VALUES,
        fingerprints=_FINGERPRINTS,
        window=Rows(codes=window, failure=failure, at=at),
        baseline=Rows(
            codes=baseline,
            failure=_failures(rng, np.clip(usual * scale, 0, 0.9)),
            at=np.sort(rng.uniform(-_BASELINE * WINDOW_S, 0, size * _BASELINE)),
        ),
        planted=tuple(planted),
        onset=began,
        overall={"global": "global_rise", "mix": "mix_shift"}.get(suite),
        mixed="engine" if suite == "mix" else None,
    )
    return made if made.rise() >= _LEAST_RISE.get(suite, 0.0) else None


def _fleet(rng: Generator) -> _Fleet:
    share = 1 / (1 + np.arange(30)) ** 0.7
    return _Fleet(
        voice_share=rng.permutation(share / share.sum()),
        engine_of=rng.permutation(np.arange(30) % 4),
        worker_factor=rng.lognormal(0, 0.15, 8),
        canary=np.isin(np.arange(8), rng.choice(8, size=2, replace=False)),
    )


def _codes(rng: Generator, fleet: _Fleet, n: int, *, mixed: bool, is_window: bool) -> Integers:
    share = fleet.voice_share.copy()
    if mixed:
        share[fleet.engine_of == 0] *= 6
    voice = rng.choice(30, size=n, p=share / share.sum())
    worker = rng.integers(0, 8, n)
    canary = 0.8 if is_window else 0.1
    release = np.where(
        fleet.canary[worker] & (rng.random(n) < canary), 2, (rng.random(n) < 0.7).astype(np.int64)
    )
    length = rng.choice(5, size=n, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    source = rng.choice(3, size=n, p=[0.5, 0.4, 0.1])
    columns = (worker, worker // 2, fleet.engine_of[voice], voice, release, length, source)
    return np.stack(columns, axis=1).astype(np.int64)


def _nature(fleet: _Fleet, codes: Integers, *, is_pure: bool) -> Floats:
    """How often attempts fail by nature, but for a factor."""
    if is_pure:
        return np.ones(len(codes))
    return np.asarray(
        np.where(codes[:, 2] == 0, 2.5, 1.0)
        * np.where(codes[:, 5] == 4, 2.0, 1.0)
        * np.where(codes[:, 3] == 5, 1.5, 1.0)
        * fleet.worker_factor[codes[:, 0]]
    )


def _failures(rng: Generator, rates: Floats) -> Integers:
    kinds = rng.choice(6, size=rates.size, p=_COMMON)
    return np.where(rng.random(rates.size) < rates, kinds, -1).astype(np.int64)


def _plant(
    rng: Generator,
    codes: Integers,
    failure: Integers,
    active: Booleans,
    *,
    size: int,
    before: list[Mapping[int, int]],
    place: int,
) -> Mapping[int, int] | None:
    """Lets attempts of a predicate fail, in place; None where none is big and small enough."""
    for _ in range(80):
        dims = [int(dim) for dim in rng.choice(len(_NAMES), size=size, replace=False)]
        if {0, 1} <= set(dims) or {2, 3} <= set(dims):
            continue
        where = {dim: int(rng.integers(len(_VALUES[dim]))) for dim in dims}
        inside = fits(codes, where)
        rate = float(rng.choice([0.15, 0.3, 0.6, 0.9]))
        struck = inside & active
        common = [(fits(codes, one) & inside).sum() / fits(codes, one).sum() for one in before]
        taken = sum((fits(codes, one) & inside).sum() for one in before) / max(inside.sum(), 1)
        if struck.sum() * (rate - _BASE) < 10 or inside.mean() > 0.5:
            continue
        if taken > 0.3 or any(part > 0.3 for part in common):
            continue
        if size > 1 and any(_is_nearly(codes, inside, where, dim) for dim in dims):
            continue
        kind = int(rng.integers(3)) if rng.random() < 0.5 else 6 + place
        failure[struck & (rng.random(len(codes)) < rate)] = kind
        return where
    return None


def _is_nearly(codes: Integers, inside: Booleans, where: Mapping[int, int], dim: int) -> bool:
    """Whether the predicate without a dimension has nearly the same attempts."""
    wider = fits(codes, {other: code for other, code in where.items() if other != dim})
    return bool(inside.sum() >= 0.95 * wider.sum())

"""Scenarios by suite and seed: traffic, chronic differences, and what is planted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.random import Generator

from app.domain.correlation.cube import Integers
from tests.bench.correlate.scenario import WINDOW_S, Floats, Rows, Scenario, fits
from tests.bench.correlate.shapes import Shape, labels, shape_of

#: Attempts of a window; the baseline has seven times as many.
SIZES: Final = (1_000, 3_000, 10_000, 50_000)
#: How often what is planted makes an attempt fail.
RATES: Final = (0.15, 0.3, 0.6, 0.9)
_BASE: Final = 0.02
_BASELINE: Final = 7
#: Failures that a planted cause adds at least, and attempts that it takes at most.
_EXTRA: Final = 10
_MOST: Final = 0.5
#: How many times as many failures a shifted mix lets expect, at least.
_LEAST_SHIFT: Final = 1.35
#: And how many times as many there are: where chance has it that there are no more, nothing rose.
_LEAST_RISE: Final = 1.25
_LEAST_GLOBAL: Final = 1.7
#: Of a value that grows: its share before, so that the baseline knows how often it fails.
_KNOWN_SHARE: Final = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Rows of both sides and how often each fails by nature."""

    shape: Shape
    window: Integers
    baseline: Integers
    odds: tuple[Floats, ...]
    base: float
    known: Floats
    tied: Integers


def generate(suite: str, seed: int) -> Scenario:
    """The scenario of a suite with this seed."""
    rng = np.random.default_rng([seed, sorted(SUITES).index(suite)])
    while True:
        made = SUITES[suite](rng)
        if made is not None:
            return replace(made, suite=suite)


def _traffic(rng: Generator, *, chronic: float = 1.0, base: float = _BASE) -> Traffic:
    shape = shape_of(rng)
    size = int(rng.choice(SIZES))
    window, baseline = (
        shape.draw(rng, size, "window"),
        shape.draw(rng, size * _BASELINE, "baseline"),
    )
    odds = tuple(_chronic(rng, len(values), chronic) for values in shape.values)
    known = np.asarray((1 + np.arange(8)) ** -0.8, dtype=np.float64)
    tied = rng.integers(0, len(shape.values[2 % len(shape.values)]), 8)
    return Traffic(
        shape=shape, window=window, baseline=baseline, odds=odds, base=base, known=known, tied=tied
    )


def _chronic(rng: Generator, values: int, strength: float) -> Floats:
    """Log odds by which the values of a dimension always differ."""
    if strength == 0:
        return np.zeros(values)
    kind = rng.random()
    found = rng.normal(0, 0.15 * strength, values)
    if kind < 0.4:
        found[rng.integers(values)] += np.log(rng.uniform(1.5, 1 + 1.5 * strength))
    return np.asarray(found)


def _rates(traffic: Traffic, codes: Integers, shift: float = 0.0) -> Floats:
    """How often each row fails by nature."""
    middle = np.log(traffic.base / (1 - traffic.base))
    log_odds = sum(odds[codes[:, dim]] for dim, odds in enumerate(traffic.odds))
    centre = float(
        np.mean(sum(odds[traffic.baseline[:, dim]] for dim, odds in enumerate(traffic.odds)))
    )
    return np.asarray(1 / (1 + np.exp(-(middle + shift + log_odds - centre))))


def _kinds(rng: Generator, traffic: Traffic, codes: Integers) -> Integers:
    """Fingerprints of failures by nature: some come more with one value of a dimension."""
    dim = 2 % codes.shape[1]
    weights = np.repeat(traffic.known[None, :], len(codes), axis=0)
    weights[:, 4:] *= np.where(traffic.tied[None, 4:] == codes[:, dim, None], 4.0, 0.2)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray((rng.random(len(codes))[:, None] > weights.cumsum(axis=1)).sum(axis=1))


def _rows(rng: Generator, traffic: Traffic, codes: Integers, start: float, shift: float) -> Rows:
    failed = rng.random(len(codes)) < _rates(traffic, codes, shift)
    failure = np.full(len(codes), -1, dtype=np.int64)
    failure[failed] = np.minimum(_kinds(rng, traffic, codes[failed]), 7)
    end = 0.0 if start < 0 else WINDOW_S
    shown = codes[:, : len(traffic.shape.names)]
    return Rows(codes=shown, failure=failure, at=np.sort(rng.uniform(start, end, len(codes))))


def _scenario(rng: Generator, traffic: Traffic, *, shift: float = 0.0) -> Scenario:
    return Scenario(
        suite="",
        names=traffic.shape.names,
        values=traffic.shape.values,
        fingerprints=(*labels("fp-", 8), "new-1", "new-2"),
        window=_rows(rng, traffic, traffic.window, 0.0, shift),
        baseline=_rows(rng, traffic, traffic.baseline, -_BASELINE * WINDOW_S, 0.0),
    )


def _plant(
    rng: Generator, traffic: Traffic, made: Scenario, size: int, onset: float | None = None
) -> Scenario | None:
    """One cause more of so many dimensions; None where none is big and small enough."""
    codes = traffic.window
    for _ in range(60):
        dims = sorted(rng.choice(codes.shape[1], size=size, replace=False))
        row = codes[rng.integers(len(codes))]
        where = {int(dim): int(row[dim]) for dim in dims}
        rate = float(rng.choice(RATES)) if rng.random() < 0.7 else float(rng.uniform(0.15, 0.9))
        inside = fits(codes, where)
        active = inside if onset is None else inside & (made.window.at >= onset * WINDOW_S)
        extra = rate * (1 - _rates(traffic, codes[active])).sum()
        parts = [fits(codes, {d: c for d, c in where.items() if d != dim}) for dim in dims]
        is_own = size == 1 or all(inside.sum() < 0.9 * part.sum() for part in parts)
        apart = all(_are_apart(fits(codes, one), inside) for one in made.planted)
        if extra >= _EXTRA and inside.mean() <= _MOST and is_own and apart:
            return _with(rng, made, where, active, rate=rate, onset=onset)
    return None


def _are_apart(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether neither is mostly a part of the other: else it would be one cause with a core."""
    return bool((one & other).sum() < 0.5 * min(one.sum(), other.sum()))


def _with(
    rng: Generator,
    made: Scenario,
    where: Mapping[int, int],
    active: np.ndarray,
    *,
    rate: float,
    onset: float | None,
) -> Scenario:
    struck = active & (rng.random(active.size) < rate)
    if struck.sum() < 0.6 * _EXTRA:
        struck = active & (rng.random(active.size) < rate)
    fingerprint = int(rng.integers(0, 4)) if rng.random() < 0.5 else 8 + len(made.planted)
    failure = np.where(struck, fingerprint, made.window.failure)
    return replace(
        made,
        window=replace(made.window, failure=failure),
        planted=(*made.planted, where),
        onset=onset,
    )


def _planted(size: int) -> Callable[[Generator], Scenario | None]:
    def make(rng: Generator) -> Scenario | None:
        traffic = _traffic(rng)
        return _plant(rng, traffic, _scenario(rng, traffic), size)

    return make


def _two(rng: Generator) -> Scenario | None:
    traffic = _traffic(rng)
    first = _plant(rng, traffic, _scenario(rng, traffic), int(rng.integers(1, 3)))
    return first and _plant(rng, traffic, first, int(rng.integers(1, 4)))


def _onset(rng: Generator) -> Scenario | None:
    traffic = _traffic(rng)
    began = float(rng.uniform(0.1, 0.85))
    return _plant(rng, traffic, _scenario(rng, traffic), int(rng.integers(1, 3)), began)


def _global(rng: Generator) -> Scenario | None:
    traffic = _traffic(rng)
    least = 1.0 if len(traffic.window) < 3_000 else 0.7
    made = _scenario(rng, traffic, shift=float(rng.uniform(least, 1.6)))
    if made.rise() < _LEAST_GLOBAL:
        return None
    return replace(made, overall="global_rise")


def _mix(rng: Generator) -> Scenario | None:
    """More of the value that has always failed often; nothing broke."""
    traffic = _traffic(rng)
    dim = int(rng.choice([dim for dim in traffic.shape.shares if len(traffic.odds[dim]) < 40]))
    shares = traffic.shape.shares[dim]
    bad = int(rng.integers(len(shares)))
    share = float(shares[bad] / shares.sum())
    if not _KNOWN_SHARE <= share <= 0.3:
        return None
    traffic.odds[dim][bad] += np.log(rng.uniform(2.5, 5))
    wanted = share + float(rng.uniform(0.3, 0.5))
    shares[bad] = wanted / (1 - wanted) * (shares.sum() - shares[bad])
    traffic = replace(traffic, window=traffic.shape.draw(rng, len(traffic.window), "window"))
    by_nature = [
        float(_rates(traffic, codes).mean()) for codes in (traffic.window, traffic.baseline)
    ]
    if by_nature[0] < _LEAST_SHIFT * by_nature[1]:
        return None
    made = _scenario(rng, traffic)
    if made.rise() < _LEAST_RISE:
        return None
    return replace(made, overall="mix_shift", mixed=traffic.shape.names[dim])


def _null(chronic: float, base: float, *, joint: bool = False) -> Callable[[Generator], Scenario]:
    def make(rng: Generator) -> Scenario:
        traffic = _traffic(rng, chronic=chronic, base=base)
        if joint:
            traffic = _with_joint(rng, traffic)
        return replace(_scenario(rng, traffic), overall="none")

    return make


def _with_joint(rng: Generator, traffic: Traffic) -> Traffic:
    """Two values that fail more often together than apart, always: a dimension less is known."""
    first, second = (int(dim) for dim in rng.choice(len(traffic.odds), size=2, replace=False))
    row = traffic.window[rng.integers(len(traffic.window))]
    extra = float(np.log(rng.uniform(1.5, 3)))
    card = len(traffic.odds[second])
    pair = np.zeros((len(traffic.odds[first]), card))
    pair[row[first], row[second]] = extra
    column = [
        codes[:, [first]] * card + codes[:, [second]]
        for codes in (traffic.window, traffic.baseline)
    ]
    return replace(
        traffic,
        window=np.hstack([traffic.window, column[0]]),
        baseline=np.hstack([traffic.baseline, column[1]]),
        odds=(*traffic.odds, pair.ravel()),
    )


#: Suites by name.
SUITES: Final[dict[str, Callable[[Generator], Scenario | None]]] = {
    "single": _planted(1),
    "pair": _planted(2),
    "triple": _planted(3),
    "two": _two,
    "onset": _onset,
    "global": _global,
    "mix": _mix,
    "null-pure": _null(0.0, _BASE),
    "null-chronic": _null(2.0, _BASE),
    "null-joint": _null(1.0, _BASE, joint=True),
    "null-quiet": _null(1.0, 0.003),
}

"""Traffic: which dimensions there are, how their values are spread and depend on each other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

from app.domain.correlation.cube import Integers

Side = Literal["window", "baseline"]
#: Makes codes of so many rows, of a side.
Draw = Callable[[Generator, int, Side], Integers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Traffic without its failures.

    Attributes:
        draw: Codes of n rows; of the window or of the baseline, which has other releases.
        shares: Dimensions whose shares can be moved, with their place in `draw`'s state.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    draw: Draw
    shares: dict[int, np.ndarray]


def shape_of(rng: Generator) -> Shape:
    """One of four kinds."""
    return _KINDS[int(rng.integers(len(_KINDS)))](rng)


def labels(prefix: str, count: int) -> tuple[str, ...]:
    """Names of values."""
    return tuple(f"{prefix}{number}" for number in range(1, count + 1))


def _spread(rng: Generator, count: int, exponent: float) -> np.ndarray:
    weights = (1 + np.arange(count)) ** -exponent * rng.lognormal(0, 0.25, count)
    return np.asarray(rng.permutation(weights / weights.sum()))


def _pick(rng: Generator, shares: np.ndarray, n: int) -> Integers:
    return rng.choice(len(shares), size=n, p=shares / shares.sum()).astype(np.int64)


def _speech(rng: Generator) -> Shape:
    """Workers on hosts, voices of engines, a release that some workers have before others."""
    workers = int(rng.integers(4, 17))
    hosts = rng.integers(0, max(2, workers // int(rng.integers(1, 4))), workers)
    engines = int(rng.integers(2, 6))
    voices = int(rng.integers(engines * 2, 45))
    engine_of = np.concatenate([np.arange(engines), rng.integers(0, engines, voices - engines)])
    language_of = rng.integers(0, 3, voices)
    releases = int(rng.integers(2, 6))
    canary = rng.random(workers) < 0.35
    shares = {
        0: _spread(rng, workers, 0.2),
        3: _spread(rng, voices, float(rng.uniform(0.3, 1.1))),
        6: _spread(rng, 6, 0.5),
        7: _spread(rng, 4, 0.7),
    }
    rolled = float(rng.uniform(0.02, 0.6))

    def draw(rng: Generator, n: int, side: Side) -> Integers:
        worker = _pick(rng, shares[0], n)
        voice = _pick(rng, shares[3], n)
        length, source = _pick(rng, shares[6], n), _pick(rng, shares[7], n)
        language = np.where(rng.random(n) < 0.9, language_of[voice], rng.integers(0, 3, n))
        if side == "window":
            release = np.where(canary[worker], releases - 1, releases - 2)
            release = np.where(rng.random(n) < 0.05, releases - 1, release)
        else:
            new = canary[worker] & (rng.random(n) < rolled)
            release = np.where(new, releases - 1, rng.integers(0, releases - 1, n))
        columns = (
            worker,
            hosts[worker],
            engine_of[voice],
            voice,
            language,
            release,
            length,
            source,
        )
        return np.stack(columns, axis=1).astype(np.int64)

    return Shape(
        names=("worker", "host", "engine", "voice", "language", "release", "length", "source"),
        values=(
            labels("w", workers),
            labels("h", int(hosts.max()) + 1),
            labels("engine", engines),
            labels("voice", voices),
            ("en", "zh", "de"),
            labels("1.", releases),
            labels("len", 6),
            labels("src", 4),
        ),
        draw=draw,
        shares=shares,
    )


def _independent(rng: Generator) -> Shape:
    """Three to six dimensions that know nothing of each other, some of many values."""
    count = int(rng.integers(3, 7))
    cards = [int(rng.choice([2, 3, 5, 8, 12, 30])) for _ in range(count)]
    shares = {dim: _spread(rng, card, float(rng.uniform(0, 1.2))) for dim, card in enumerate(cards)}

    def draw(rng: Generator, n: int, _side: Side) -> Integers:
        return np.stack([_pick(rng, shares[dim], n) for dim in range(count)], axis=1)

    return Shape(
        names=tuple(f"d{number}" for number in range(count)),
        values=tuple(labels(f"{chr(97 + dim)}", card) for dim, card in enumerate(cards)),
        draw=draw,
        shares=shares,
    )


def _nested(rng: Generator) -> Shape:
    """Regions, zones in them, nodes in these; versions by node; paths and their customers."""
    regions, zones, nodes = 3, int(rng.integers(5, 9)), int(rng.integers(10, 40))
    zone_of = rng.integers(0, zones, nodes)
    region_of = rng.integers(0, regions, zones)
    version_of = rng.integers(0, 3, nodes)
    paths, customers = int(rng.integers(6, 25)), int(rng.integers(20, 300))
    plan_of = rng.integers(0, 3, customers)
    shares = {
        2: _spread(rng, nodes, 0.3),
        4: _spread(rng, paths, 0.9),
        5: _spread(rng, customers, 1.1),
    }

    def draw(rng: Generator, n: int, side: Side) -> Integers:
        node, path, customer = (_pick(rng, shares[dim], n) for dim in (2, 4, 5))
        zone = zone_of[node]
        moved = rng.random(n) < (0.1 if side == "window" else 0.5)
        version = np.where(moved, rng.integers(0, 3, n), version_of[node])
        columns = (region_of[zone], zone, node, version, path, customer, plan_of[customer])
        return np.stack(columns, axis=1).astype(np.int64)

    return Shape(
        names=("region", "zone", "node", "version", "path", "customer", "plan"),
        values=(
            labels("r", regions),
            labels("z", zones),
            labels("n", nodes),
            labels("v", 3),
            labels("/p", paths),
            labels("c", customers),
            ("free", "pro", "team"),
        ),
        draw=draw,
        shares=shares,
    )


_KINDS = (_speech, _speech, _independent, _nested)

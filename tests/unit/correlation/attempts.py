"""Attempts of a small service, made up for the tests of the search."""

import random
from collections.abc import Callable, Iterator, Mapping

from app.domain.correlation.cube import Cube
from tests.support.cells import Cell, encode

NAMES = ("worker", "host", "engine", "voice", "length")
#: How often an attempt fails, and with what, by its values.
Rate = Callable[[Mapping[str, str]], tuple[float, str]]


def usual(_values: Mapping[str, str]) -> tuple[float, str]:
    """Two of a hundred, in one of three ways."""
    return 0.02, ""


def cells(count: int, rate: Rate, *, seed: int) -> Iterator[Cell]:
    """Attempts of eight workers on four hosts, six voices of three engines."""
    rng = random.Random(seed)  # noqa: S311 - rows that can be made again
    for _ in range(count):
        worker, voice = rng.randrange(8), rng.randrange(6)
        values = (
            f"w{worker}", f"h{worker // 2}", f"e{voice % 3}", f"v{voice}", rng.choice("abcd"),
        )  # fmt: skip
        often, how = rate(dict(zip(NAMES, values, strict=True)))
        has_failed = rng.random() < often
        failure = (how or f"f{rng.randrange(3)}") if has_failed else None
        yield values, failure, 1


def cubes(
    rate: Rate, *, before: Rate = usual, count: int = 3_000, seed: int = 1
) -> tuple[Cube, Cube]:
    """A window with this rate, and seven times as much before it."""
    return encode(
        NAMES,
        cells(count, rate, seed=seed),
        cells(7 * count, before, seed=seed + 1_000),
    )


def where(rate: float, how: str = "", **wanted: str) -> Rate:
    """Attempts with these values fail at this rate, all others as usual."""

    def of(values: Mapping[str, str]) -> tuple[float, str]:
        fits = all(values[name] == value for name, value in wanted.items())
        return (rate, how) if fits else usual(values)

    return of

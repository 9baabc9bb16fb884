"""Two cubes out of lines of attempts: the values that occur in either, with codes for both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cube import Cube, Integers

Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Attempts of a stretch of time.

    Attributes:
        codes: Shape (lines, dimensions): places in the texts of each dimension.
        failure: Shape (lines,): -1 where they are not selected, else a place in the texts of
            failures.
        n: Shape (lines,): attempts, at least 1.
    """

    codes: Integers
    failure: Integers
    n: Integers

    def only(self, kept: Truths) -> "Lines":
        """Some of the lines."""
        return Lines(codes=self.codes[kept], failure=self.failure[kept], n=self.n[kept])

    def of_dimensions(self, places: Sequence[int]) -> "Lines":
        """All lines, with some of the dimensions."""
        return replace(self, codes=self.codes[:, list(places)])

    def of_one_kind(self) -> "Lines":
        """All lines, of which those that are selected failed in the same way."""
        return replace(self, failure=np.minimum(self.failure, 0))


def together(parts: Sequence[Lines]) -> Lines:
    """Lines of several stretches as those of one; at least one."""
    return Lines(
        codes=np.concatenate([part.codes for part in parts]),
        failure=np.concatenate([part.failure for part in parts]),
        n=np.concatenate([part.n for part in parts]),
    )


def cubes(
    names: Sequence[str],
    texts: Sequence[Sequence[str]],
    failures: Sequence[str],
    window: Lines,
    baseline: Lines,
) -> tuple[Cube, Cube]:
    """The cubes of a window and its baseline.

    Args:
        names: The dimensions.
        texts: What the codes of each dimension stand for.
        failures: What the codes of failures stand for.
        window: Its lines.
        baseline: Its lines.
    """
    both = (window, baseline)
    columns: list[tuple[Integers, ...]] = []
    values: list[tuple[str, ...]] = []
    for place in range(len(names)):
        found, used = _compact([one.codes[:, place] for one in both], texts[place])
        columns.append(found)
        values.append(used)
    failed, fingerprints = _compact([one.failure for one in both], failures)
    made = [
        Cube(
            names=tuple(names),
            values=tuple(values),
            codes=np.stack([column[side] for column in columns], axis=1)
            if columns
            else np.zeros((len(one.n), 0), np.int64),
            failure=failed[side],
            n=one.n,
            fingerprints=fingerprints,
        )
        for side, one in enumerate(both)
    ]
    return made[0], made[1]


def _compact(
    columns: Sequence[Integers], texts: Sequence[str]
) -> tuple[tuple[Integers, ...], tuple[str, ...]]:
    """Codes of the texts that occur, in their order; -1 stays."""
    known = np.zeros(len(texts) + 1, np.bool_)
    for column in columns:
        known[column] = True  # -1 is the last one
    used = sorted(np.flatnonzero(known[:-1]).tolist(), key=texts.__getitem__)
    codes = np.full(len(texts) + 1, -1, np.int64)
    codes[used] = np.arange(len(used))
    return tuple(codes[column] for column in columns), tuple(texts[code] for code in used)


def telling(window: Cube, baseline: Cube) -> tuple[Cube, Cube]:
    """The cubes without dimensions that have one value on both sides: they tell nothing apart."""
    kept = [place for place, values in enumerate(window.values) if len(values) > 1]
    if len(kept) == len(window.names):
        return window, baseline
    found = [
        replace(
            cube,
            names=tuple(cube.names[place] for place in kept),
            values=tuple(cube.values[place] for place in kept),
            codes=cube.codes[:, kept],
        )
        for cube in (window, baseline)
    ]
    return found[0], found[1]

"""Likeness: which of some attempts is most like another one, but for what is suspected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain import lengths
from app.domain.correlation.dimensions import DIMENSIONS, HOUR
from app.domain.correlation.found import Where
from app.domain.window import HOUR_US
from app.store.exemplar_rows import AT, CHARS, COLUMNS, NAMES, AttemptRow, Raw, row_of

#: What it costs to differ in a dimension that is not suspected. Length is told by `_LENGTH`.
_COSTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "worker": 0.2,
        "host": 0.3,
        "engine": 2.0,
        "voice": 1.0,
        "language": 1.0,
        "release": 0.4,
        "length": 0.0,
        "source": 0.3,
    }
)
#: What each doubling of the text's length costs; short texts are much alike.
_LENGTH: Final = 1.0
_SHORT: Final = 50
#: What an hour between them costs, and the most that time does.
_HOUR: Final = 0.5
_HOURS_MOST: Final = 2.0
#: What it costs to differ in all of the predicate, or in nothing of it, rather than in one.
_NONE_DIFFERS: Final = 2.0
_MORE_DIFFER: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Attempts among which a likeness is looked for; rows as they were read, and as arrays.

    Attributes:
        names: Their values, in the order of the columns: all dimensions but the length.
    """

    rows: Sequence[Raw]
    names: NDArray[np.object_]
    chars: NDArray[np.int64]
    at: NDArray[np.int64]


def crowd_of(rows: Sequence[Raw]) -> Crowd:
    """The attempts of these rows."""
    table = np.array([tuple(row) for row in rows], dtype=object).reshape(len(rows), COLUMNS)
    return Crowd(
        rows=rows,
        names=table[:, NAMES],
        chars=table[:, CHARS].astype(np.int64),
        at=table[:, AT].astype(np.int64),
    )


def nearest(of: AttemptRow, among: Crowd, where: Where) -> AttemptRow | None:
    """The attempt most like `of`: it differs in one of the predicate's dimensions at best.

    Else it differs in none of them (the same predicate fails now and then, or did not before), or
    in more; then what else is alike decides, the length of the text, and the time between them.
    """
    if not among.rows:
        return None
    return row_of(among.rows[int(np.argmin(costs(of, among, where)))])


def costs(of: AttemptRow, among: Crowd, where: Where) -> NDArray[np.float64]:
    """How unlike `of` each of these is; the least is the nearest."""
    differs = _differs(of, among)
    suspected = np.array([name in where for name in DIMENSIONS])
    weights = np.array([_COSTS[name] for name in DIMENSIONS])
    count = differs[:, suspected].sum(axis=1) + _hours(of, among, where)
    total = differs[:, ~suspected] @ weights[~suspected] + _predicate_cost(count, where)
    ratio = (among.chars + _SHORT) / (of.char_count + _SHORT)
    apart = np.abs(among.at - of.at) / HOUR_US
    result: NDArray[np.float64] = (
        total + _LENGTH * np.abs(np.log2(ratio)) + np.minimum(apart * _HOUR, _HOURS_MOST)
    )
    return result


def _differs(of: AttemptRow, among: Crowd) -> NDArray[np.bool_]:
    """In which dimensions each differs, in the order of `DIMENSIONS`."""
    place = DIMENSIONS.index("length")
    own = np.array([*of.values[:place], *of.values[place + 1 :]], dtype=object)
    others = np.asarray(among.names != own, dtype=np.bool_)
    buckets = np.searchsorted(lengths.STARTS, among.chars, side="right")
    length = buckets != lengths.bucket(of.char_count)
    return np.insert(others, place, length, axis=1)


def differing(one: AttemptRow, other: AttemptRow) -> tuple[str, ...]:
    """The dimensions in which two attempts differ."""
    pairs = zip(DIMENSIONS, one.values, other.values, strict=True)
    return tuple(name for name, left, right in pairs if left != right)


def _predicate_cost(count: NDArray[np.int64], where: Where) -> NDArray[np.float64]:
    if not where:
        return np.zeros(len(count))
    more = np.maximum(count - 1, 0) * _MORE_DIFFER
    return np.where(count == 0, _NONE_DIFFERS, more).astype(np.float64)


def _hours(of: AttemptRow, among: Crowd, where: Where) -> NDArray[np.int64]:
    if HOUR not in where:
        return np.zeros(len(among.rows), dtype=np.int64)
    differs: NDArray[np.int64] = (among.at // HOUR_US % 24 != of.at // HOUR_US % 24).astype(
        np.int64
    )
    return differs

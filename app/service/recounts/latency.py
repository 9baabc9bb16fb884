"""Kept histograms of an hour or a day, judged: each by its tasks, or by what is counted of them.

Where all tasks of a value are there (or all hours of a day have theirs) it is made anew, and must
be the same. Where some were removed it can be judged only: whether it can be read, holds as many
tasks as it says, not more than are counted, with durations that add up to what is counted, and
whether all values of a dimension add up to all tasks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.domain.drift import Difference, Key, Values
from app.domain.histogram import BOUNDS, MEASURES, Histogram, is_of, merged, readable, unpack
from app.domain.sums import DIMENSIONS, NAMES
from app.domain.task import Status
from app.domain.window import Grain
from app.service.recounts import words
from app.store.recount_counters import KEYS
from app.store.recount_latencies import ALL, Changes, Of, Packed

#: The place of what is told of kept histograms.
PLACE: Final = "stat_latency"
_SUMS: Final = tuple(NAMES.index(f"{measure}_ms") for measure in MEASURES)
_ARCHIVED, _STATUS = (KEYS["stat_cube"].index(name) for name in ("archived", "status"))
_OF: Final[Of] = (ALL, "")

Shapes = Mapping[str, Histogram]


@dataclass(slots=True, kw_only=True)
class Known:
    """What is counted of the completed tasks of a value.

    Attributes:
        removed: How many of them are gone.
        sums: What they ran, waited and took, in the order of `MEASURES`, in milliseconds.
    """

    n: int = 0
    removed: int = 0
    sums: tuple[int, ...] = (0,) * len(MEASURES)


@dataclass(slots=True, kw_only=True)
class Judged:
    """What is to be said of the kept histograms, and what to be done.

    Attributes:
        fresh: To be written at once: what was not kept before, or is of tasks that came since.
        mended: To be written by who mends; empty: nothing is wrong, or nothing can be done.
    """

    differences: list[Difference] = field(default_factory=list)
    fresh: dict[Of, tuple[int, bytes] | None] = field(default_factory=dict)
    mended: dict[Of, tuple[int, bytes] | None] = field(default_factory=dict)


def known(cells: Mapping[Key, Values]) -> dict[Of, Known]:
    """What cells of the cube say of completed tasks, by each dimension and of all."""
    found: dict[Of, Known] = {}
    for key, values in cells.items():
        if key[_STATUS] != Status.COMPLETED or not any(values):
            continue
        for of in (_OF, *zip(DIMENSIONS, key[_STATUS + 1 :], strict=True)):
            one = found.setdefault(of, Known())
            one.n += values[0]
            one.removed += values[0] if key[_ARCHIVED] else 0
            one.sums = tuple(
                was + values[place] for was, place in zip(one.sums, _SUMS, strict=True)
            )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What kept histograms are judged by.

    Attributes:
        when: The hour or day, in words.
        exact: Those that can be made anew.
        whole: Whose tasks are all in `exact` (those of which there is no task are not in it);
        known: what is counted of the others. None: counters contradict each other, nothing is sure.
        follows: Whether tasks came since these were written: another number of them is no damage.
    """

    when: str
    kept: Packed
    exact: Packed
    whole: frozenset[Of]
    known: Mapping[Of, Known] | None
    follows: bool


def judge(case: Case) -> Judged:
    """Compares what can be made anew, and looks at the rest for what cannot be."""
    found = Judged()
    is_whole = _OF in case.whole
    opened = {
        of: readable(packed)
        for of, (n, packed) in case.kept.items()
        if not is_whole or case.exact.get(of) != (n, packed)
    }
    for of in sorted(case.kept.keys() | case.exact.keys()):
        if case.known is not None and (of in case.whole or of not in case.known):
            _compare(case, found, of, opened.get(of))
        elif of in case.kept:
            one = _doubt(case, of, opened[of])
            _wrong(found, one, of, None)
    if case.known is not None:
        _add_up(case, found, opened)
    return found


def _compare(case: Case, found: Judged, of: Of, got: Shapes | None) -> None:
    """A histogram against the one that its tasks make."""
    kept, right = case.kept.get(of), case.exact.get(of)
    if kept == right:
        return
    n, right_n = (kept or (0,))[0], (right or (0,))[0]
    if kept is None or (case.follows and n != right_n):
        found.fresh[of] = right
    elif n != right_n or not is_of(got, n):
        one = _readable(case, of, n, got) or _told(case, of, ("n",), (right_n,), (n,))
        _wrong(found, one, of, right)
    elif right is not None and got is not None:
        _wrong(found, _apart(case, of, unpack(right[1]), got), of, right)


def _doubt(case: Case, of: Of, got: Shapes | None) -> Difference | None:
    """What is wrong with a histogram of which tasks are gone."""
    n = case.kept[of][0]
    wrong = _readable(case, of, n, got)
    if wrong is not None or case.known is None or got is None:
        return wrong
    counted = case.known[of]
    if n > counted.n:
        return _told(case, of, ("n",), (counted.n,), (n,))
    # of fewer: tasks were removed before it was made, and nobody takes it for all of them
    return _sums(case, of, got, counted) if n == counted.n else None


def _readable(case: Case, of: Of, n: int, got: Shapes | None) -> Difference | None:
    if got is None:
        return _told(case, of, ("readable",), (1,), (0,))
    names = tuple(f"{measure}_n" for measure in MEASURES)
    numbers = tuple(got[measure].n for measure in MEASURES)
    wanted = (n,) * len(MEASURES)
    return None if numbers == wanted else _told(case, of, names, wanted, numbers)


def _sums(case: Case, of: Of, got: Shapes, counted: Known) -> Difference | None:
    """Durations add up to what is counted, as far as buckets tell."""
    nearest = tuple(
        min(max(total, _least(got[measure])), _most(got[measure], total))
        for measure, total in zip(MEASURES, counted.sums, strict=True)
    )
    names = tuple(f"{measure}_ms" for measure in MEASURES)
    return None if nearest == counted.sums else _told(case, of, names, counted.sums, nearest)


def _least(shape: Histogram) -> int:
    return sum(BOUNDS[place] * n for place, n in shape.counts.items())


def _most(shape: Histogram, without_end: int) -> int:
    """The most that durations can add up to; the last bucket has no end."""
    if shape.counts.get(len(BOUNDS) - 1):
        return without_end
    return sum((BOUNDS[place + 1] - 1) * n for place, n in shape.counts.items())


def _add_up(case: Case, found: Judged, opened: Mapping[Of, Shapes | None]) -> None:
    """All values of a dimension are all tasks; where they are not, the fewer are wrong."""
    whole = opened.get(_OF)
    if _OF in case.whole or whole is None or _OF in found.mended:
        return
    apart: dict[str, Difference] = {}
    agree = 0
    for dimension in DIMENSIONS:
        mine = [of for of in case.kept if of[0] == dimension]
        is_complete = sum(case.kept[of][0] for of in mine) == case.kept[_OF][0]
        if not is_complete or any(of in found.mended or of in found.fresh for of in mine):
            continue
        one = _apart(case, _OF, _merged(opened[of] for of in mine), whole)
        if one is None:
            agree += 1
        else:
            apart[dimension] = one
    if len(apart) > agree:
        _wrong(found, next(iter(apart.values())), _OF, None)
        return
    for of in sorted(case.kept):
        if of[0] in apart and of not in case.whole:
            one = apart[of[0]]
            _wrong(found, _told(case, of, one.columns, one.expected, one.got), of, None)


def _merged(found: Iterable[Shapes | None]) -> Shapes:
    readable = [one for one in found if one is not None]
    return {measure: merged([one[measure] for one in readable]) for measure in MEASURES}


def _apart(case: Case, of: Of, right: Shapes, got: Shapes) -> Difference | None:
    """How many tasks are in another bucket than they must; None where none is."""
    names = tuple(f"{measure}_misplaced" for measure in MEASURES)
    numbers = tuple(_misplaced(right[measure], got[measure]) for measure in MEASURES)
    return _told(case, of, names, (0,) * len(MEASURES), numbers) if any(numbers) else None


def _misplaced(right: Histogram, got: Histogram) -> int:
    return sum(max(0, n - right.counts.get(place, 0)) for place, n in got.counts.items())


def _told(
    case: Case, of: Of, columns: tuple[str, ...], expected: Values, got: Values
) -> Difference:
    name = words.latencies(case.when, of)
    return Difference(place=PLACE, name=name, columns=columns, expected=expected, got=got)


def _wrong(found: Judged, one: Difference | None, of: Of, right: tuple[int, bytes] | None) -> None:
    if one is not None:
        found.differences.append(one)
        found.mended[of] = right


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Histograms to be written for an hour or a day.

    Attributes:
        fresh, mended: As of `Judged`; in which place (`grain`, `start`).
        made_of: The hours' that a day's are made of: they are written only while these stand.
    """

    grain: Grain
    start: int
    fresh: Changes
    mended: Changes
    made_of: list[tuple[str, str, int, bytes]] | None = None

"""The histograms of all time, bucket by bucket, from the rows."""

from dataclasses import dataclass
from itertools import pairwise

from app.domain.drift import Key, Scope, Values
from app.domain.histogram import BOUNDS, MEASURES, place_of
from app.service.core import Core
from app.service.recounts import cells, words
from app.service.recounts.found import Found, snapshot
from app.store import recount_counters, recount_rows

#: Tasks that one look reads, unless one bucket has more.
TASKS = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Buckets of a measure by their places, from `first` to before `end`."""

    measure: str
    first: int
    end: int


def parts(core: Core) -> list[Part]:
    """All buckets, cut so that a look reads some `TASKS` entries of an index."""
    with snapshot(core) as now:
        counted = recount_counters.whole(now.conn, "stat_hist")
    return [part for measure in MEASURES for part in _cut(measure, counted)]


def _cut(measure: str, counted: dict[Key, Values]) -> list[Part]:
    edges, tasks = [0], 0
    for place, low_ms in enumerate(BOUNDS):
        (n,) = counted.get((0, measure, low_ms), (0,))
        if tasks and tasks + n > TASKS:
            edges.append(place)
            tasks = 0
        tasks += max(0, n)
    edges.append(len(BOUNDS))
    return [Part(measure=measure, first=first, end=end) for first, end in pairwise(edges)]


def look(core: Core, part: Part) -> Found:
    """Counts some buckets anew in one snapshot; only an index is read."""
    low_ms = BOUNDS[part.first]
    high_ms = BOUNDS[part.end] if part.end < len(BOUNDS) else None
    with snapshot(core) as now:
        durations = recount_rows.durations(now.conn, part.measure, low_ms, high_ms)
        got = recount_counters.histogram(now.conn, part.measure, low_ms, high_ms)
    expected: dict[Key, Values] = {}
    for ms, n in durations:
        key = (0, part.measure, BOUNDS[place_of(ms)])
        expected[key] = (expected.get(key, (0,))[0] + n,)
    return Found(
        scope=_scope(part),
        moment=now.moment,
        n=sum(n for _, n in durations),
        differences=tuple(cells.timeless("stat_hist", expected, got)),
        empty=("stat_hist",) if cells.has_empty(got) else (),
    )


def _scope(part: Part) -> Scope:
    """Its buckets; of the first part also what is in the table and no bucket at all."""
    begin = words.durations(words.ALL_TIME, (0, part.measure))
    if part.first:
        return Scope(
            parts=(("stat_hist", f"{begin} from "),),
            names=_names(part.measure, part.first, part.end),
        )
    return Scope(
        parts=(("stat_hist", f"{begin} from "),),
        but=_names(part.measure, part.end, len(BOUNDS)),
    )


def _names(measure: str, first: int, end: int) -> tuple[str, ...]:
    keys = ((0, measure, low_ms) for low_ms in BOUNDS[first:end])
    return tuple(f"{words.durations(words.ALL_TIME, key)} n" for key in keys)

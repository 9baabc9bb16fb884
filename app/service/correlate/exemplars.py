"""Exemplars: a few failed attempts of a finding, each with the success that is most like it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app import clock
from app.domain.correlation.found import Where
from app.domain.window import DAY_US
from app.service.core import Core
from app.service.correlate import likeness, links
from app.service.correlate.likeness import Crowd
from app.store import exemplar_rows
from app.store.attempt_filter import Sides
from app.store.database import Connection
from app.store.exemplar_rows import AttemptRow, Near, TaskFacts

#: Exemplars of a finding at most.
MOST: Final = 5
#: Failures of each group among which they are chosen, and of the first ones of the largest.
NEWEST: Final = 16
FIRST: Final = 8
#: Groups of failures of which they are taken, the largest first.
GROUPS: Final = 3
#: Attempts that are looked at before and after a failure, for the success most like it.
WALK: Final = 300
#: Failures around which they are read; the others have those of the nearest of them.
PLACES: Final = 3
#: How far before the window a success may lie.
BACK_US: Final = 7 * DAY_US

#: Attempts that did not fail, by the moment around which they were read.
Surroundings = dict[int, Crowd]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What exemplars are wanted of.

    Attributes:
        where, fingerprint: As of the finding.
        groups: Fingerprints that selected attempts of the predicate have, the most frequent first;
            without them, and without `fingerprint`, all attempts of the window are looked at.
        onset_at: Since when it is so; None: all window long.
        sides: The window, which attempts are selected, and which are looked at at all.
    """

    where: Where
    fingerprint: str | None
    groups: Sequence[str] = ()
    onset_at: int | None
    sides: Sides


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An attempt that is shown: where it is, and where its trace is, if it was seen there."""

    task_id: int
    attempt: int
    trace_id: str
    span_id: str
    at: int
    url: str
    jaeger_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A selected attempt, and the success most like it (None: there was none near).

    Attributes:
        differs: The dimensions in which the two differ.
    """

    failure: Example
    success: Example | None
    differs: tuple[str, ...]

    @property
    def compare_url(self) -> str | None:
        """The page that shows both side by side."""
        if self.success is None:
            return None
        return links.compare_url(_key(self.failure), _key(self.success))


def nowhere() -> Surroundings:
    """Nothing was read yet."""
    return {}


def find(
    core: Core, conn: Connection, wanted: Wanted, around: Surroundings | None = None
) -> tuple[Exemplar, ...]:
    """A few exemplars: seen in Jaeger if possible, the newest, the first, of several workers.

    Args:
        core: Where Jaeger is set.
        conn: Where to read.
        wanted: What they are wanted of.
        around: What was read for other findings with the same sides; it is added to.
    """
    known = _candidates(conn, wanted)
    told = exemplar_rows.facts(conn, [row.task_id for row in known])
    chosen = choose(known, told, wanted.onset_at)
    known_around = nowhere() if around is None else around
    pairs = list(zip(chosen, _nearest(conn, wanted, chosen, known_around), strict=True))
    told |= exemplar_rows.facts(conn, [row.task_id for _, row in pairs if row is not None])
    now = wanted.sides.now_us
    return tuple(
        Exemplar(
            failure=_example(core, failure, told, now),
            success=None if success is None else _example(core, success, told, now),
            differs=() if success is None else likeness.differing(failure, success),
        )
        for failure, success in pairs
    )


def shape(found: Exemplar) -> dict[str, Any]:
    """An exemplar as JSON carries it."""
    success = found.success
    return {
        **_shape(found.failure),
        "success": None if success is None else {**_shape(success), "differs": list(found.differs)},
        "compare_url": found.compare_url,
    }


def choose(
    known: Sequence[AttemptRow], told: dict[int, TaskFacts], onset_at: int | None
) -> list[AttemptRow]:
    """At most five of these: those whose trace was seen, the newest of them, the first, a spread.

    After the newest and the first since the onset come those whose worker and whose text is among
    the chosen ones least often, the newest first.
    """
    left = sorted(known, key=lambda row: (row.at, row.task_id, row.attempt), reverse=True)
    seen = [row for row in left if told[row.task_id].trace_seen_at is not None]
    chosen: list[AttemptRow] = []
    for pool in (seen, [row for row in left if row not in seen]):
        _choose_from(pool, chosen, told, onset_at)
    return chosen


def _choose_from(
    pool: list[AttemptRow],
    chosen: list[AttemptRow],
    told: dict[int, TaskFacts],
    onset_at: int | None,
) -> None:
    """Moves attempts of the pool, the newest first, to the chosen ones while these are too few."""
    since = [row for row in pool if onset_at is None or row.at >= onset_at]
    for row in (pool[:1], since[-1:]) if not chosen else ():
        chosen += [one for one in row if one not in chosen]
    left = [row for row in pool if row not in chosen]
    while left and len(chosen) < MOST:
        workers = Counter(row.values[0] for row in chosen)
        texts = Counter(told[row.task_id].text_id for row in chosen)
        best = min(
            left,
            key=lambda row: (
                texts[told[row.task_id].text_id],
                workers[row.values[0]],
                -row.at,
            ),
        )
        chosen.append(best)
        left.remove(best)


def _candidates(conn: Connection, wanted: Wanted) -> list[AttemptRow]:
    """The newest selected attempts of each of the largest groups, and the first of the largest."""
    groups: Sequence[str | None] = (
        [wanted.fingerprint] if wanted.fingerprint is not None else wanted.groups[:GROUPS] or [None]
    )
    fits, sides = links.predicate(wanted.where), wanted.sides
    onset = sides.start if wanted.onset_at is None else wanted.onset_at
    by_group = groups[0] is not None
    of = exemplar_rows.selected_of(conn, sides, fits, by_group=by_group, newest=True)
    found: list[AttemptRow] = []
    for group in groups:
        found += exemplar_rows.selected(conn, of, sides.start, sides.end, group=group, most=NEWEST)
    if len(found) >= NEWEST:
        of = exemplar_rows.selected_of(conn, sides, fits, by_group=by_group, newest=False)
        found += exemplar_rows.selected(conn, of, onset, sides.end, group=groups[0], most=FIRST)
    return list({(row.task_id, row.attempt): row for row in found}.values())


def _nearest(
    conn: Connection, wanted: Wanted, chosen: Sequence[AttemptRow], around: Surroundings
) -> list[AttemptRow | None]:
    """Of each chosen attempt the success most like it."""
    of = exemplar_rows.near_of(conn, wanted.sides)
    own: Surroundings = {}
    found = []
    for row in chosen:
        crowd = _covering(around | own, row.at)
        if crowd is None and len(own) >= PLACES:
            crowd = own[min(own, key=lambda at: abs(at - row.at))]
        if crowd is None:
            crowd = own[row.at] = _around(conn, of, wanted, row.at)
        found.append(likeness.nearest(row, crowd, wanted.where))
    around |= own
    return found


def _covering(known: Surroundings, at: int) -> Crowd | None:
    """What was read around another moment, where this one lies within it."""
    crowds = (crowd for crowd in known.values() if crowd.rows)
    return next((one for one in crowds if one.at.min() <= at <= one.at.max()), None)


def _around(conn: Connection, of: Near, wanted: Wanted, at: int) -> Crowd:
    """Successes around a moment; where there are none, those before the failures began."""
    back = wanted.sides.start - BACK_US
    found = exemplar_rows.near(conn, of, at, back, wanted.sides.end, walk=WALK)
    if not found:
        onset = wanted.sides.start if wanted.onset_at is None else wanted.onset_at
        found = exemplar_rows.near(conn, of, onset, back, onset, walk=5 * WALK)
    return likeness.crowd_of(found)


def _example(core: Core, row: AttemptRow, told: dict[int, TaskFacts], now: int) -> Example:
    task = told[row.task_id]
    return Example(
        task_id=row.task_id,
        attempt=row.attempt,
        trace_id=task.trace_id,
        span_id=row.span_id,
        at=row.at,
        url=links.attempt_url(row.task_id, row.attempt),
        jaeger_url=links.jaeger_url(
            core,
            trace_id=task.trace_id,
            seen_at=task.trace_seen_at,
            ended_at=row.at if task.finished_at is None else task.finished_at,
            now=now,
        ),
    )


def _shape(example: Example) -> dict[str, Any]:
    return {
        "task_id": example.task_id,
        "attempt": example.attempt,
        "trace_id": example.trace_id,
        "span_id": example.span_id,
        "at": clock.iso(example.at),
        "url": example.url,
        "jaeger_url": example.jaeger_url,
    }


def _key(example: Example) -> tuple[int, int]:
    return example.task_id, example.attempt

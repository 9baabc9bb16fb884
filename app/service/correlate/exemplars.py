"""Exemplars: a few failed attempts of a finding, each with the success that is most like it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app import clock
from app.domain.correlation.found import Where
from app.service.core import Core
from app.service.correlate import likeness, links
from app.store import exemplar_rows
from app.store.attempt_filter import Sides
from app.store.database import Connection
from app.store.exemplar_rows import AttemptRow, Stretch, TaskFacts

#: Exemplars of a finding at most.
MOST: Final = 5
#: Failures of one group among which they are chosen: the newest, and the first ones.
NEWEST: Final = 24
FIRST: Final = 8
#: Groups of failures of which they are taken, the largest first.
GROUPS: Final = 4
#: Attempts that are looked at before and after each, and how many of them are weighed.
WALK: Final = 400
WEIGHED: Final = 200
#: How far before the window a success may lie, and how near two failures share their surroundings.
BACK_US: Final = 7 * 86_400_000_000
NEAR_US: Final = 30_000_000


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


def find(core: Core, conn: Connection, wanted: Wanted) -> tuple[Exemplar, ...]:
    """A few exemplars: seen in Jaeger if possible, the newest, the first, of several workers."""
    known = _candidates(conn, wanted)
    told = exemplar_rows.facts(conn, [row.task_id for row in known])
    chosen = choose(known, told, wanted.onset_at)
    pairs = list(zip(chosen, _nearest(conn, wanted, chosen), strict=True))
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
    """The newest and the first selected attempts, of each of the largest groups."""
    fits = links.predicate(wanted.where)
    groups: Sequence[str | None] = (
        [wanted.fingerprint] if wanted.fingerprint is not None else wanted.groups[:GROUPS] or [None]
    )
    onset = wanted.sides.start if wanted.onset_at is None else wanted.onset_at
    newest = Stretch(start=wanted.sides.start, end=wanted.sides.end)
    first = Stretch(start=onset, end=wanted.sides.end, is_newest_first=False)
    found: dict[tuple[int, int], AttemptRow] = {}
    for group in groups:
        for stretch, limit in ((newest, NEWEST), (first, FIRST)):
            rows = exemplar_rows.selected(
                conn, wanted.sides, fits, stretch, group=group, limit=limit
            )
            found |= {(row.task_id, row.attempt): row for row in rows}
            if len(rows) < limit:
                break
    return list(found.values())


def _nearest(
    conn: Connection, wanted: Wanted, chosen: Sequence[AttemptRow]
) -> Iterator[AttemptRow | None]:
    """Of each chosen attempt the success most like it."""
    pools: list[tuple[int, list[AttemptRow]]] = []
    for row in chosen:
        pool = next((rows for at, rows in pools if abs(at - row.at) <= NEAR_US), None)
        if pool is None:
            pool = _around(conn, wanted, row.at)
            pools.append((row.at, pool))
        yield likeness.nearest(row, pool, wanted.where)


def _around(conn: Connection, wanted: Wanted, at: int) -> list[AttemptRow]:
    """Successes near a moment: first of those that fit all of the predicate but one dimension."""
    back = wanted.sides.start - BACK_US
    before = Stretch(start=back, end=at)
    after = Stretch(start=at, end=wanted.sides.end, is_newest_first=False)
    least = max(0, len(wanted.where) - 1)
    for shared in sorted({least, 0}, reverse=True):
        found = [
            row
            for stretch in (before, after)
            for row in _near(conn, wanted, stretch, least=shared, walk=WALK)
        ]
        if found:
            return found
    onset = wanted.sides.start if wanted.onset_at is None else wanted.onset_at
    return _near(conn, wanted, Stretch(start=back, end=onset), least=0, walk=5 * WALK)


def _near(
    conn: Connection, wanted: Wanted, stretch: Stretch, *, least: int, walk: int
) -> list[AttemptRow]:
    return exemplar_rows.near(
        conn, wanted.sides, stretch, wanted.where, least=least, walk=walk, limit=WEIGHED
    )


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

"""What the rows of the last hour say of predicates: what two share, and whether one is over."""

from functools import cache

from app.domain.correlation.found import Where
from app.domain.query.query import Query, both, named
from app.domain.quiet import Attempt, well_since
from app.domain.watching import Overlap
from app.service.correlate import links
from app.service.correlate.question import FAILED
from app.store import attempt_filter
from app.store.attempt_filter import Sides
from app.store.database import Connection

#: Attempts that are counted of a predicate at most.
_MANY = 200_000


def overlap_in(conn: Connection, start: int, end: int) -> Overlap:
    """How much the attempts of two predicates have in common (Jaccard) in a stretch of time."""

    @cache
    def count(query: Query) -> int:
        sides = Sides(start=start, end=end, within=query, selection=Query(), now_us=end)
        return attempt_filter.count_up_to(conn, sides, _MANY)

    def overlap(one: Where, other: Where) -> float:
        if dict(one) == dict(other):
            return 1.0
        if any(other.get(name, value) != value for name, value in one.items()):
            return 0.0
        first, second = links.predicate(one), links.predicate(other)
        shared = count(links.predicate({**one, **other}))
        return shared / max(1, count(first) + count(second) - shared)

    return overlap


def is_over(
    conn: Connection,
    *,
    where: Where,
    fingerprint: str | None,
    expected_rate: float,
    start: int,
    end: int,
    quiet_us: int,
) -> bool:
    """Whether failures of a predicate have stopped, by what came after the last of them.

    A release that was replaced does not run any more: that its workers fare well with another one
    is what says that it is over.

    Args:
        conn: Where to read.
        where: What fails.
        fingerprint: How it fails; None: in any way.
        expected_rate: The part of the attempts that should fail.
        start: Since when it is so, an hour before `end` at most.
        end: Now.
        quiet_us: For how long they must have fared well.
    """
    group = Query() if fingerprint is None else Query(terms=(named("fingerprint", fingerprint),))
    failures = both(FAILED, group)
    within = _still_run(conn, where, failures, start, end)
    sides = Sides(start=start, end=end, within=within, selection=failures, now_us=end)
    found = [Attempt(at=at, failed=failed) for at, failed in attempt_filter.moments(conn, sides)]
    since = well_since(found, expected=expected_rate)
    return since is not None and end - since >= quiet_us


def _still_run(conn: Connection, where: Where, failures: Query, start: int, end: int) -> Query:
    """Attempts that fit; for a release, those of the workers that failed with it, whatever runs."""
    if "release" not in where:
        return links.predicate(where)
    rest = {name: value for name, value in where.items() if name != "release"}
    if "worker" in where:
        return links.predicate(rest)
    within = links.predicate(where)
    sides = Sides(start=start, end=end, within=within, selection=failures, now_us=end)
    cells = attempt_filter.cells_of_rows(conn, sides)
    workers = sorted({cell.values[0] for cell in cells if cell.selected})
    if not workers:
        return within
    return both(links.predicate(rest), Query(terms=(named("worker", *workers),)))

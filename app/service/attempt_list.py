"""Lists of attempts: a page of those that completed or failed, last ended first, by a filter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.errors import AskedError, RequestError
from app.domain.query.amounts import is_backwards
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.order import Cursor, Key, Order, Sort, cursor_of
from app.domain.query.parse import parse
from app.domain.query.query import Query, Term, both
from app.domain.query.value import Window
from app.service import task_count
from app.service.core import Core
from app.service.correlate import links
from app.service.stats import faults
from app.service.stats.request import moment_of
from app.service.task_count import Count
from app.service.task_walk import MAX_EXAMINED, Walker
from app.store import attempt_rows
from app.store.attempt_rows import AttemptRow
from app.store.database import Connection
from app.store.lists.attempt_paths import path_of
from app.store.lists.terms import Asking

#: Attempts of one page at most.
MAX_LIMIT: Final = 1000
#: The one order: those that ended last come first.
ORDER: Final = Order(sort=Sort.ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAttempt:
    """An attempt of a list; `jaeger_url`: its trace in Jaeger, None unless it was seen there."""

    row: AttemptRow
    jaeger_url: str | None

    @property
    def dur_ms(self) -> int:
        """Whole milliseconds that it ran, as its filter counts them."""
        attempt = self.row.attempt
        return ((attempt.finished_at or attempt.claimed_at) - attempt.claimed_at) // 1000

    @property
    def url(self) -> str:
        """Where the page of its task shows it."""
        attempt = self.row.attempt
        return links.attempt_url(attempt.task_id, attempt.attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptPage:
    """A page of a list.

    Attributes:
        attempts: Last ended first, whichever way the page was reached.
        query: The filter, whose text says it in one way.
        next: Where the next page begins; None: this is the last one.
        previous: Where the page before ends; of the first page where later attempts will be.
        is_first: Whether there is nothing before this page.
        searched_to: The place down to which attempts were looked at, where the looking ended
            before the page was full; `next` goes on from there.
        count: None where it was not asked for.
        now: The database's time, which "so long ago" counts from.
    """

    attempts: tuple[ListedAttempt, ...]
    query: Query
    next: Cursor | None
    previous: Cursor
    is_first: bool
    searched_to: Key | None
    count: Count | None
    now: int


def wanted(text: str, start: str = "", end: str = "") -> Query:
    """The filter that an address asks for: a filter, and a window of ends.

    Raises:
        AskedError: One of them is wrong; `QueryError`, with the place, for the filter.
    """
    query = parse(text, ATTEMPTS)
    low, high = moment_of("from", start), moment_of("to", end)
    if is_backwards(Window(low=low, high=high)):
        raise faults.fault(reason="empty")
    sides = (("since", low), ("until", high))
    window = [Term(name=name, values=(at,)) for name, at in sides if at is not None]
    return both(query, Query(terms=tuple(window)))


def page(
    core: Core,
    query: Query | str = "",
    *,
    cursor: str | None = None,
    limit: int = 50,
    with_count: bool = False,
    examined: int = MAX_EXAMINED,
) -> AttemptPage:
    """A page of attempts in one snapshot; canaries are in none, nor is what counts on no side.

    Args:
        core: Where they are.
        query: A filter.
        cursor: From another page of the same list.
        limit: Attempts of the page, 1 to `MAX_LIMIT`.
        with_count: Whether to say how many there are in all.
        examined: Attempts that are looked at, at most, where no index answers.

    Raises:
        AskedError: A filter or a place that is none.
        RequestError: A limit that is none.
    """
    asked = parse(query, ATTEMPTS) if isinstance(query, str) else query
    begin = Cursor(order=ORDER) if cursor is None else _begin(cursor)
    if not 1 <= limit <= MAX_LIMIT:
        message = f"limit must be a whole number from 1 to {MAX_LIMIT}, got {limit}"
        raise RequestError(message)
    with core.database.read() as conn:
        asking = Asking(dialect=conn.dialect.name, now_us=core.database.now_us(conn))
        walker = Walker(conn=conn, path=path_of(asked, asking), asking=asking, examined=examined)
        walked = walker.walk(begin, limit)
        return AttemptPage(
            attempts=_listed(core, conn, walked.keys, asking.now_us),
            query=asked,
            next=walked.next,
            previous=walked.previous,
            is_first=walked.is_first,
            searched_to=walked.searched_to,
            count=task_count.of_walk(walker, begin, walked) if with_count else None,
            now=asking.now_us,
        )


def _begin(text: str) -> Cursor:
    found = cursor_of(text)
    if found.order != ORDER or found.begun is not None:
        message = f"cursor must be one that an earlier page of this list gave, got {text[:60]!r}"
        raise AskedError(message, reason="cursor", values={"got": text[:40]})
    return found


def _listed(
    core: Core, conn: Connection, keys: Sequence[Key], now: int
) -> tuple[ListedAttempt, ...]:
    if not keys:
        return ()
    wanted_rows = [(key[1], key[2]) for key in keys]
    rows = attempt_rows.many(conn, wanted_rows)
    return tuple(
        ListedAttempt(row=row, jaeger_url=_jaeger_url(core, row, now))
        for key in wanted_rows
        if (row := rows.get(key)) is not None
    )


def _jaeger_url(core: Core, row: AttemptRow, now: int) -> str | None:
    if row.task_ended_at is None:
        return None
    return links.jaeger_url(
        core,
        trace_id=row.trace_id,
        seen_at=row.trace_seen_at,
        ended_at=row.task_ended_at,
        now=now,
    )

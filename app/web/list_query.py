"""The filter of a request for tasks: `query`, and `status` as it was asked for before."""

from collections.abc import Mapping

from app.domain.errors import AskedError
from app.domain.query.parse import parse
from app.domain.query.query import Query, both, named
from app.domain.task import Status
from app.web import filters


def of(args: Mapping[str, str]) -> Query:
    """The filter that the parameters of an address say.

    Raises:
        QueryError: `query` is no filter.
        AskedError: `status` is no status.
    """
    query = parse(args.get("query", ""))
    status = args.get("status")
    if not status:
        return query
    if status not in set(Status):
        message = f"status {status[:20]!r} is none; allowed: {', '.join(Status)}"
        values = {"got": status[:40], "allowed": ", ".join(Status)}
        raise AskedError(message, reason="status", values=values)
    return both(query, Query(terms=(named("status", status),)))


def before_of(args: Mapping[str, str]) -> int | None:
    """The task before whose place a page begins; None: none is named.

    Raises:
        AskedError: It is no number of a task.
    """
    before = args.get("before")
    if not before:
        return None
    found = filters.id_of(before)
    if not found:
        message = f"before must be the number of a task, got {before[:40]!r}"
        raise AskedError(message, reason="before", values={"got": before[:40]})
    return found

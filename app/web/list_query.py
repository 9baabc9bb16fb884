"""The filter of a request for tasks: `query`, and `status` as it was asked for before."""

from collections.abc import Mapping

from app.domain.errors import RequestError
from app.domain.query.parse import parse
from app.domain.query.query import Query, both, named
from app.domain.task import Status


def of(args: Mapping[str, str]) -> Query:
    """The filter that the parameters of an address say.

    Raises:
        QueryError: `query` is no filter.
        RequestError: `status` is no status.
    """
    query = parse(args.get("query", ""))
    status = args.get("status")
    if not status:
        return query
    if status not in set(Status):
        message = f"status {status[:20]!r} is none; allowed: {', '.join(Status)}"
        raise RequestError(message)
    return both(query, Query(terms=(named("status", status),)))

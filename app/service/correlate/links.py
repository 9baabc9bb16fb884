"""Addresses of what an answer speaks of: lists of attempts, questions, tasks, traces.

A list of attempts is named by a filter that parses back to the very conditions, whatever the
values are; moments are absolute, so that an address opens the same rows later.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote_plus, urlencode

from app.domain.correlation.found import Where
from app.domain.query.query import Query, Term, named, within
from app.service.core import Core
from telemetry import provider

#: Attempts that failed as the same text had before are evidence on no side.
NO_REPEATS: Final = Query(terms=(named("is", "repeat", is_negated=True),))
_NOTHING: Final[Where] = {}


def predicate(where: Where) -> Query:
    """A predicate as a filter of attempts: all its values hold; "" is "has none"."""
    return Query(terms=tuple(named(name, value) for name, value in where.items()))


class Lists:
    """Lists of attempts of one stretch, by predicate: what they share is written once.

    Args:
        start: They ended from this moment on, microseconds since the epoch.
        end: And before this one.
        terms: Conditions beside the predicate, such as `outcome:failure`.
        with_repeats: Whether attempts are listed that a scan leaves out as repeats.
    """

    def __init__(
        self, *, start: int, end: int, terms: Query | None = None, with_repeats: bool = False
    ) -> None:
        self._common = dict.fromkeys((terms or Query()).terms)
        last = () if with_repeats else NO_REPEATS.terms
        rest = (term for term in last if term not in self._common)
        self._head = [_quoted(term) for term in self._common]
        self._tail = [_quoted(term) for term in (*rest, within("ended", start, end))]

    def url(self, where: Where = _NOTHING, fingerprint: str | None = None) -> str:
        """The address of the list of a predicate's attempts.

        Args:
            where: The predicate.
            fingerprint: Only failures of this group; None: of any.
        """
        group = (named("fingerprint", fingerprint),) if fingerprint is not None else ()
        own = dict.fromkeys((*predicate(where).terms, *group))
        said = [_quoted(term) for term in own if term not in self._common]
        return f"/attempts?q={'+'.join((*self._head, *said, *self._tail))}"


def _quoted(term: Term) -> str:
    return quote_plus(str(term))


def attempts_url(
    *,
    start: int,
    end: int,
    terms: Query | None = None,
    where: Where = _NOTHING,
    fingerprint: str | None = None,
    with_repeats: bool = False,
) -> str:
    """The address of one list, as `Lists` writes it."""
    lists = Lists(start=start, end=end, terms=terms, with_repeats=with_repeats)
    return lists.url(where, fingerprint)


def correlate_url(given: Mapping[str, str]) -> str:
    """The address of a question by the names of its parameters; empty ones are left out."""
    said = {name: text for name, text in given.items() if text}
    return f"/correlate?{urlencode(said)}" if said else "/correlate"


def attempt_url(task_id: int, attempt: int) -> str:
    """The page of an attempt's task, at the attempt."""
    return f"/tasks/{task_id}?tab=attempts#attempt-{attempt}"


def compare_url(left: tuple[int, int], right: tuple[int, int]) -> str:
    """The page that shows two attempts (task id, number) side by side."""
    return f"/correlate/compare?left={left[0]}.{left[1]}&right={right[0]}.{right[1]}"


def jaeger_url(
    core: Core, *, trace_id: str, seen_at: int | None, ended_at: int, now: int
) -> str | None:
    """The page of a trace in Jaeger; None unless it was seen there, and is kept there still.

    Args:
        core: Where Jaeger is set.
        trace_id: The trace.
        seen_at: When a look found the whole trace there; None: none did.
        ended_at: When its task ended, from which on Jaeger's retention counts.
        now: The moment.
    """
    jaeger = core.settings.jaeger_public_url
    if not jaeger or seen_at is None or not provider.is_enabled():
        return None
    if ended_at < now - round(core.settings.jaeger_retention_h * 3_600_000_000):
        return None
    return f"{jaeger}/trace/{trace_id}"

"""What is asked: which attempts of a window are compared with the rest, against which past."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import quote

from app.domain.correlation.dimensions import ROW_DIMENSIONS
from app.domain.query.amounts import FIRST_YEAR, LAST_YEAR, OutsideError, TooLongError, moment
from app.domain.query.attempt_qualifiers import FAILURE, OUTCOMES
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import MAX_BYTES_WITH_ROOM, parse_with_room
from app.domain.query.query import Query, Term, both
from app.domain.query.value import Ago, At, Moment, Range, Value, Window, Word, at_us
from app.domain.window import DAY_US, HOUR_US
from app.service.correlate.faults import fault
from app.store.attempt_filter import Sides

#: How long the window is, and the baseline before it, where nothing else is asked for.
WINDOW_US: Final = DAY_US
BASELINE_US: Final = 7 * DAY_US
#: What ended less than so long ago may not be written yet: a window ends before it.
SETTLE_US: Final = 1_000_000
#: A longer window is answered by a duty.
LIVE_US: Final = 48 * HOUR_US
#: Which of the attempts that completed are slow, where nothing else is asked for.
QUANTILE: Final = 0.95
LEAST_QUANTILE: Final = 0.5
MOST_QUANTILE: Final = 0.999
#: Names of what can be asked for.
NAMES: Final = ("from", "to", "baseline", "query", "within", "outcome", "quantile")
#: Qualifiers that fix a dimension of another name.
_FIXES: Final[Mapping[str, str]] = MappingProxyType({"chars": "length"})
#: What selected attempts are called.
Kind = Literal["failures", "slow", "selected"]
_NUMBER: Final = re.compile(r"0?\.\d{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Attempts of a window, two sides of them, and their past; moments in microseconds.

    Attributes:
        start, end: The window: attempts that ended from `start` on and before `end`.
        baseline_start: The past begins here, and ends with `start`.
        query: "These"; without terms: those that failed. The rest are "those".
        within: Of which attempts both sides are.
        quantile: These are the slowest of those that completed, from this part on; None: `query`
            says which.
    """

    start: int
    end: int
    baseline_start: int
    query: Query = field(default_factory=Query)
    within: Query = field(default_factory=Query)
    quantile: float | None = None

    @property
    def is_long(self) -> bool:
        """Whether the window is longer than a request may wait for."""
        return self.end - self.start > LIVE_US

    @property
    def selection(self) -> Query:
        """These, as a filter that says it: that of failures where nothing is asked for."""
        if self.query or self.quantile is not None:
            return self.query
        return FAILED

    @property
    def sides(self) -> Sides:
        """The attempts of the window, and those selected, for the store; moments are fixed."""
        return Sides(
            start=self.start,
            end=self.end,
            within=self.within,
            selection=self.selection,
            now_us=self.end,
        )

    @property
    def kind(self) -> Kind:
        """What the selected attempts are: those that failed, the slowest, or what a filter says."""
        if self.quantile is not None:
            return "slow"
        if fingerprint_of(self.query) is not None:
            return "failures"
        return "failures" if any(map(_is_failure, self.selection.terms)) else "selected"

    @property
    def fixed(self) -> tuple[str, ...]:
        """Dimensions that say which attempts are selected: they explain nothing."""
        names = (_FIXES.get(term.name, term.name) for term in self.query.terms)
        return tuple(dict.fromkeys(name for name in names if name in ROW_DIMENSIONS))

    def of_slow(self, ms: int) -> "Question":
        """The question of the slowest with the duration from which on an attempt is one of them."""
        slow = Query(terms=(Term(name="dur", values=(Range(low=ms),)),))
        return replace(self, query=slow, within=both(COMPLETED, self.within), quantile=None)


def fingerprint_of(query: Query) -> str | None:
    """The one fingerprint that a filter asks for; None where it asks for none, or for several."""
    for term in query.terms:
        if term.name == "fingerprint" and not term.is_negated and len(term.values) == 1:
            value = term.values[0]
            return value.text if isinstance(value, Word) else None
    return None


def _is_failure(term: Term) -> bool:
    """Whether only attempts that failed fit a term."""
    if term.name != "outcome":
        return False
    return (Word(text=OUTCOMES[0]) in term.values) == term.is_negated


#: Every attempt that failed.
FAILED: Final = Query(terms=(Term(name="outcome", values=(Word(text=FAILURE),)),))
COMPLETED: Final = Query(terms=(Term(name="outcome", values=(Word(text=OUTCOMES[0]),)),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks for; moments may be so long ago, whenever that is.

    Attributes:
        baseline: How long it is (`Ago`), or where it begins; None: seven days.
        said: What was said, by `NAMES`, as it is kept with an analysis; nothing that was not said.
    """

    start: Moment | None = None
    end: Moment | None = None
    baseline: Moment | None = None
    query: Query = field(default_factory=Query)
    within: Query = field(default_factory=Query)
    quantile: float | None = None
    said: Mapping[str, str] = field(default_factory=dict)

    def at(self, now: int) -> Question:
        """What is asked for, where it is `now`; a second of it is left to what is being written.

        Raises:
            AskedError: The window is empty, or its past does not lie before it.
        """
        now -= SETTLE_US
        end = now if self.end is None else min(at_us(self.end, now), now)
        start = end - WINDOW_US if self.start is None else at_us(self.start, now)
        start = max(start, 0)
        if start >= now:
            raise fault(reason="future")
        if start >= end:
            raise fault(reason="empty")
        return Question(
            start=start,
            end=end,
            baseline_start=self._baseline(start),
            query=fixed(self.query, now),
            within=fixed(self.within, now),
            quantile=self.quantile,
        )

    def _baseline(self, start: int) -> int:
        given = self.baseline
        if given is None:
            return max(start - BASELINE_US, 0)
        begins = start - given.ms * 1000 if isinstance(given, Ago) else given.us
        if begins >= start:
            raise fault(reason="baseline", got=self.said.get("baseline", "")[:40])
        return max(begins, 0)


def asked(given: Mapping[str, str]) -> Asked:
    """What texts ask for, by `NAMES`; an empty one says nothing.

    Raises:
        AskedError: One of them is wrong; `QueryError`, with the place, for the filters.
    """
    said = {name: text.strip() for name in NAMES if (text := given.get(name, "")).strip()}
    query = _filter(said.get("query", ""))
    within = _filter(said.get("within", ""))
    size = len(quote(str(both(query, within)), safe=""))
    if size > MAX_BYTES_WITH_ROOM:
        raise fault(reason="long", n=size, most=MAX_BYTES_WITH_ROOM)
    return Asked(
        start=_moment("from", said),
        end=_moment("to", said),
        baseline=_moment("baseline", said),
        query=query,
        within=within,
        quantile=_quantile(said, query),
        said=said,
    )


def _filter(text: str) -> Query:
    query = parse_with_room(text, ATTEMPTS)
    if any(term.name == "is" and Word(text="repeat") in term.values for term in query.terms):
        raise fault(reason="repeat")
    return query


def _quantile(said: Mapping[str, str], query: Query) -> float | None:
    """The part from which on attempts are slow; None where it is not asked for the slow ones."""
    outcome, text = said.get("outcome", FAILURE), said.get("quantile", "")
    if outcome not in {FAILURE, "slow"}:
        raise fault(reason="outcome", got=outcome[:40])
    if outcome != "slow":
        if text:
            raise fault(reason="stray")
        return None
    if query:
        raise fault(reason="both")
    found = QUANTILE if not text else float(text) if _NUMBER.fullmatch(text) else 0.0
    if not LEAST_QUANTILE <= found <= MOST_QUANTILE:
        raise fault(
            reason="quantile", least=str(LEAST_QUANTILE), most=str(MOST_QUANTILE), got=text[:40]
        )
    return found


def _moment(name: str, said: Mapping[str, str]) -> Moment | None:
    text = said.get(name, "")
    if not text:
        return None
    try:
        return moment(text)
    except (OutsideError, TooLongError) as error:
        raise fault(
            reason="outside", name=name, first=FIRST_YEAR, last=LAST_YEAR, got=text[:40]
        ) from error
    except ValueError as error:
        raise fault(reason="moment", name=name, got=text[:40]) from error


def fixed(query: Query, now: int) -> Query:
    """The filter with every moment that is so long ago as the moment that it is `now`."""
    return Query(
        terms=tuple(
            replace(term, values=tuple(_fixed(value, now) for value in term.values))
            for term in query.terms
        )
    )


def _fixed(value: Value, now: int) -> Value:
    match value:
        case Ago():
            return At(us=at_us(value, now))
        case Window():
            return replace(
                value,
                low=None if value.low is None else At(us=at_us(value.low, now)),
                high=None if value.high is None else At(us=at_us(value.high, now)),
            )
        case _:
            return value

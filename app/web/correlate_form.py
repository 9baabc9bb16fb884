"""The question of the correlate page: its form, the address that keeps it, what is wrong in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from app.domain.errors import AskedError, QueryError
from app.domain.query.amounts import written_moment
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse_with_room
from app.domain.query.value import At
from app.service.correlate import links
from app.service.correlate.question import NAMES, Asked, Question, asked
from app.web import query_words
from app.web.words import Words

#: Windows at hand: how long they are, as filters write it.
WINDOWS: Final = ("1h", "6h", "24h", "48h", "7d", "30d")
_MS_US: Final = 1000
#: The field beside which a fault is told, where the fault does not name it.
_FIELDS: Final[Mapping[str, str]] = {
    "empty": "from",
    "future": "from",
    "baseline": "baseline",
    "outcome": "outcome",
    "quantile": "quantile",
    "stray": "quantile",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """What is wrong, and in which field; of a filter with the place."""

    field: str
    says: Markup
    before: str = ""
    wrong: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A question whose moments are all absolute.

    Attributes:
        given: The parameters of its address; what is usual is left out.
        path: That address.
    """

    given: Mapping[str, str]
    question: Question

    @property
    def path(self) -> str:
        """The address that asks it again, whenever that is."""
        return links.correlate_url(self.given)


def given_of(args: Mapping[str, str]) -> dict[str, str]:
    """What an address says, by the names of a question; "" for what it does not say."""
    return {name: args.get(name, "").strip() for name in NAMES}


def kept(given: Mapping[str, str], now_us: int) -> Kept:
    """The question with every moment that is so long ago as the moment that it is.

    Raises:
        AskedError: Something cannot be asked; `QueryError` for a filter.
    """
    wanted: Asked = asked(given)
    now = -(-now_us // _MS_US) * _MS_US
    question = wanted.at(now)
    return Kept(
        question=question,
        given={
            **written_span(question.start, question.end),
            "baseline": _baseline(wanted),
            "query": str(question.query),
            "within": str(question.within),
            "outcome": "slow" if question.quantile is not None else "",
            "quantile": given.get("quantile", ""),
        },
    )


def written_span(start: int | None, end: int | None) -> dict[str, str]:
    """A window as an address keeps it; a side that is open is left out."""
    ends = {"from": start, "to": end}
    return {name: written_moment(At(us=at)) for name, at in ends.items() if at is not None}


def _baseline(wanted: Asked) -> str:
    """How long it is, which goes with any window; else where it begins; "" where not said."""
    return written_moment(wanted.baseline) if wanted.baseline is not None else ""


def windows(given: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    """Windows at hand: name, address, whether the question has it; the rest of it stays."""
    rest = {name: text for name, text in given.items() if name not in {"from", "to"}}
    return [
        (key, links.correlate_url({"from": key} | rest), given["from"] == key and not given["to"])
        for key in WINDOWS
    ]


def fault_of(error: AskedError, given: Mapping[str, str], t: Words) -> FieldFault:
    """What is wrong, beside the field that it is about."""
    field = _field(error, given)
    told = query_words.fault_of(error, given.get(field, ""), t, "correlate")
    return FieldFault(
        field=field, says=told.says, before=told.before, wrong=told.wrong, after=told.after
    )


def _field(error: AskedError, given: Mapping[str, str]) -> str:
    if isinstance(error, QueryError) or error.reason in {"repeat", "long", "both"}:
        return "query" if _is_wrong(given["query"]) or not given["within"] else "within"
    return _FIELDS.get(error.reason) or str(error.values.get("name", "from"))


def _is_wrong(text: str) -> bool:
    try:
        query = parse_with_room(text, ATTEMPTS)
    except QueryError:
        return True
    return any(term.name == "is" for term in query.terms)

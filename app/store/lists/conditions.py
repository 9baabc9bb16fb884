"""The terms of a filter as conditions on a row of `task`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, not_, or_

from app.domain.query.order import NEVER_US
from app.domain.query.qualifiers import QUALIFIERS, Kind
from app.domain.query.query import Term
from app.domain.query.value import Glob, Missing, Value, Word
from app.store.lists import contains
from app.store.lists.columns import TASK
from app.store.lists.spans import span_of
from app.store.tables import submission_table, text_search_table

#: A task that has not ended ends after every moment.
ENDED_AT: Final[ColumnElement[int]] = func.coalesce(TASK["finished_at"], literal(NEVER_US))
_RETRIES: Final = TASK["attempt"] - 1 - TASK["capacity_count"]
#: Columns of qualifiers that are not called by them.
_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = MappingProxyType(
    {
        "worker": TASK["worker_name"],
        "error-type": TASK["error_type"],
        "chars": TASK["char_count"],
        "attempts": TASK["attempt"],
        "retries": case((_RETRIES > 0, _RETRIES), else_=0),
        "tries": TASK["tries_used"],
        "lost": TASK["lost_count"],
        "capacity": TASK["capacity_count"],
        "dur": TASK["run_ms"],
        "wait": TASK["wait_ms"],
        "total": TASK["total_ms"],
        **dict.fromkeys(("submitted", "since", "until"), TASK["submitted_at"]),
        "ended": ENDED_AT,
        "trace": TASK["trace_id"],
    }
)
_FLAGS: Final[Mapping[str, ColumnElement[bool]]] = MappingProxyType(
    {
        "live": TASK["finished_at"].is_(None),
        "ended": TASK["finished_at"].is_not(None),
        "late": TASK["timed_out_at"].is_not(None),
        "rescued": TASK["rescued_at"].is_not(None),
        "retried": TASK["tries_used"] > 0,
        "retry": TASK["retry_of"].is_not(None),
        "followed": exists().where(
            submission_table.c.task_id == TASK["id"], submission_table.c.disposition == "followed"
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks: the dialect of the database, and the moment that "so long ago" counts from."""

    dialect: str
    now_us: int


def condition(term: Term, asking: Asking) -> ColumnElement[bool]:
    """What a term asks of a row: true or false of every row, never unknown where it is negated."""
    reads = _READERS[QUALIFIERS[term.name].kind]
    holds = or_(*(reads(term.name, value, asking) for value in term.values))
    if term.name == "text":
        # one look-up for all alternatives
        holds = exists().where(text_search_table.c.text_id == TASK["text_id"], holds)
    return not_(func.coalesce(holds, false())) if term.is_negated else holds


def column_of(name: str) -> ColumnElement[Any]:
    """The column, or expression, that a qualifier looks at."""
    found = _COLUMNS.get(name)
    return TASK[name] if found is None else found


def _name(name: str, value: Value, asking: Asking) -> ColumnElement[bool]:
    column = column_of(name)
    match value:
        case Word():
            return column == value.text
        case Glob():
            return contains.glob(column, value.parts, asking.dialect)
        case Missing():
            return column.is_(None)
        case _:
            raise TypeError(value)


def _choice(name: str, value: Value, _asking: Asking) -> ColumnElement[bool]:
    word = _text(value)
    return _FLAGS[word] if name == "is" else column_of(name) == word


def _within(name: str, value: Value, asking: Asking) -> ColumnElement[bool]:
    span = span_of(name, value, asking.now_us)
    column = column_of(name)
    parts = [] if span.low is None else [column >= span.low]
    return and_(*parts, *([] if span.high is None else [column < span.high]))


def _words(name: str, value: Value, asking: Asking) -> ColumnElement[bool]:
    if name == "text":
        return contains.contains(text_search_table.c.body, _text(value), asking.dialect)
    if isinstance(value, Missing):
        return TASK["error_type"].is_(None)
    error = TASK["error_type"].concat("\n").concat(func.coalesce(TASK["error_message"], ""))
    return contains.contains(error, _text(value), asking.dialect)


def _text(value: Value) -> str:
    if not isinstance(value, Word):
        raise TypeError(value)
    return value.text


_READERS: Final[Mapping[Kind, Callable[[str, Value, Asking], ColumnElement[bool]]]] = (
    MappingProxyType(
        {
            Kind.NAME: _name,
            Kind.CHOICE: _choice,
            Kind.NUMBER: _within,
            Kind.DURATION: _within,
            Kind.MOMENT: _within,
            Kind.SIDE: _within,
            Kind.WORDS: _words,
            Kind.TRACE: _name,
        }
    )
)

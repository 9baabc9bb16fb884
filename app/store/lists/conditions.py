"""The terms of a filter as conditions on a row of `task`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, false, func, literal, not_, or_

from app.domain.query.order import NEVER_US
from app.domain.query.qualifiers import QUALIFIERS, Kind
from app.domain.query.query import Term
from app.domain.query.value import Ago, At, Glob, Missing, Range, Value, Window, Word, at_us
from app.store.lists import contains
from app.store.tables import submission_table, task_table, text_search_table

_T = task_table.c
#: A task that has not ended ends after every moment.
ENDED_AT: Final[ColumnElement[int]] = func.coalesce(_T.finished_at, literal(NEVER_US))
#: Columns of qualifiers that are not called by them.
_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = MappingProxyType(
    {
        "worker": _T.worker_name,
        "error-type": _T.error_type,
        "chars": _T.char_count,
        "attempts": _T.attempt,
        "tries": _T.tries_used,
        "lost": _T.lost_count,
        "capacity": _T.capacity_count,
        "dur": _T.run_ms,
        "wait": _T.wait_ms,
        "total": _T.total_ms,
        "submitted": _T.submitted_at,
        "ended": ENDED_AT,
        "trace": _T.trace_id,
    }
)
_FLAGS: Final[Mapping[str, ColumnElement[bool]]] = MappingProxyType(
    {
        "live": _T.finished_at.is_(None),
        "ended": _T.finished_at.is_not(None),
        "late": _T.timed_out_at.is_not(None),
        "rescued": _T.rescued_at.is_not(None),
        "retried": _T.tries_used > 0,
        "retry": _T.retry_of.is_not(None),
        "followed": exists().where(
            submission_table.c.task_id == _T.id, submission_table.c.disposition == "followed"
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
    return not_(func.coalesce(holds, false())) if term.is_negated else holds


def column_of(name: str) -> ColumnElement[Any]:
    """The column, or expression, that a qualifier looks at."""
    found = _COLUMNS.get(name)
    return _T[name] if found is None else found


def bounds_us(window: Window, now_us: int) -> tuple[int | None, int | None]:
    """The first moment of a window, and the first after it; None: no bound."""
    low = None if window.low is None else at_us(window.low, now_us) + int(window.is_low_open)
    high = None if window.high is None else at_us(window.high, now_us)
    if high is not None and not window.is_high_open:
        high += 1
    return low, high


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


def _amount(name: str, value: Value, _asking: Asking) -> ColumnElement[bool]:
    if not isinstance(value, Range):
        raise TypeError(value)
    column = column_of(name)
    low, high = value.low, value.high
    parts: list[ColumnElement[bool]] = []
    if low is not None:
        parts.append(column > low if value.is_low_open else column >= low)
    if high is not None:
        parts.append(column < high if value.is_high_open else column <= high)
    return and_(*parts)


def _window(name: str, value: Value, asking: Asking) -> ColumnElement[bool]:
    if not isinstance(value, Window):
        raise TypeError(value)
    low, high = bounds_us(value, asking.now_us)
    column = column_of(name)
    parts = [] if low is None else [column >= low]
    return and_(*parts, *([] if high is None else [column < high]))


def _side(name: str, value: Value, asking: Asking) -> ColumnElement[bool]:
    if not isinstance(value, At | Ago):
        raise TypeError(value)
    at = at_us(value, asking.now_us)
    return _T.submitted_at >= at if name == "since" else _T.submitted_at < at


def _words(name: str, value: Value, asking: Asking) -> ColumnElement[bool]:
    if name == "text":
        body = text_search_table.c.body
        found = contains.contains(body, _text(value), asking.dialect)
        return exists().where(text_search_table.c.text_id == _T.text_id, found)
    if isinstance(value, Missing):
        return _T.error_type.is_(None)
    error = _T.error_type.concat("\n").concat(func.coalesce(_T.error_message, ""))
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
            Kind.NUMBER: _amount,
            Kind.DURATION: _amount,
            Kind.MOMENT: _window,
            Kind.SIDE: _side,
            Kind.WORDS: _words,
            Kind.TRACE: _name,
        }
    )
)

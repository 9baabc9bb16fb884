"""What a filter of attempts looks at in a row of `task_attempt`."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Integer, and_, literal_column, or_, select

from app.domain import lengths
from app.domain.query.attempt_qualifiers import FAILURE, OUTCOMES
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.value import Value
from app.domain.task import FAILED_OUTCOMES
from app.store.lists.columns import ATTEMPT
from app.store.lists.terms import Asking, Rows, error_of, one_of, word_of
from app.store.tables import task_table

#: The order of ends, in which the three indexes of attempts that count are.
BY_END: Final = (ATTEMPT["finished_at"], ATTEMPT["task_id"], ATTEMPT["attempt"])
#: Whole milliseconds that it ran.
DUR_MS: Final = literal_column(
    "((task_attempt.finished_at - task_attempt.claimed_at) / 1000)", BigInteger
)
#: The hour of the day (UTC) that it ended in.
HOUR: Final = literal_column("((task_attempt.finished_at / 3600000000) % 24)", Integer)
_IS_OUTCOME: Final[Mapping[str, ColumnElement[bool]]] = MappingProxyType(
    {
        **{word: ATTEMPT["outcome"] == word for word in OUTCOMES},
        FAILURE: ATTEMPT["outcome"].in_(FAILED_OUTCOMES),
    }
)
_FLAGS: Final[Mapping[str, ColumnElement[bool]]] = MappingProxyType(
    {"repeat": ATTEMPT["is_repeat"], "late": ATTEMPT["timed_out_at"].is_not(None)}
)


def _is_length(bucket: int) -> ColumnElement[bool]:
    """Whether a text is of a bucket, as `lengths.bucket` says."""
    chars = ATTEMPT["char_count"]
    low = [chars >= lengths.STARTS[bucket - 1]] if bucket else []
    high = [chars < lengths.STARTS[bucket]] if bucket < len(lengths.STARTS) else []
    return and_(*low, *high)


def _hour(values: Sequence[Value], _asking: Asking) -> ColumnElement[bool]:
    return HOUR.in_([int(word_of(value)) for value in values])


def _trace(values: Sequence[Value], _asking: Asking) -> ColumnElement[bool]:
    """By its task (ix_task_trace)."""
    traces = [task_table.c.trace_id == word_of(value) for value in values]
    return ATTEMPT["task_id"].in_(select(task_table.c.id).where(or_(*traces)))


_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = MappingProxyType(
    {
        **{name: ATTEMPT[name] for name in ("host", "engine", "voice", "language", "release")},
        **{name: ATTEMPT[name] for name in ("source", "fingerprint", "attempt")},
        "worker": ATTEMPT["worker_name"],
        "error-type": ATTEMPT["error_type"],
        "chars": ATTEMPT["char_count"],
        "dur": DUR_MS,
        **dict.fromkeys(("since", "until", "ended"), ATTEMPT["finished_at"]),
        "task": ATTEMPT["task_id"],
    }
)
#: Attempts, as their filters look at them.
ATTEMPT_ROWS: Final = Rows(
    table="task_attempt",
    grammar=ATTEMPTS,
    columns=_COLUMNS,
    readers=MappingProxyType(
        {
            "outcome": one_of(_IS_OUTCOME),
            "is": one_of(_FLAGS),
            "length": one_of({name: _is_length(at) for at, name in enumerate(lengths.LABELS)}),
            "hour": _hour,
            "error": error_of(ATTEMPT["error_type"], ATTEMPT["error_message"]),
            "trace": _trace,
        }
    ),
    has_blanks=True,
)

"""Attempts of all kinds, written past the product, and a naive look at them: for tests of lists."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from app.domain import lengths
from app.domain.query.query import Query, Term
from app.domain.query.value import Ago, At, Range, Value, Window, Word, at_us
from app.domain.records import AttemptRecord
from app.store.rows import record
from app.store.tables import attempt_table, task_table, text_table
from tests.support.listed_rows import ENGINES, ERRORS, is_named, within

#: The end of the days in which the attempts end.
NOW_US: Final = 1_772_323_200_000_000
DAY_US: Final = 86_400_000_000
WORKERS: Final = ("w1", "w2", "w 3", "w*4", "")
VOICES: Final = ("auto", "zh-female-1", "", 'q"x', "a%b", "两 个", "x[1]")
COUNTED: Final = ("completed", "failed", "timeout", "retry", "lost")
_OUTCOMES: Final = (*("completed",) * 5, *COUNTED[1:], "cancelled", "capacity", "handed_back", None)
_SOURCES: Final = ("page", "api", "legacy", "cli", "import", "canary")
_CHARS: Final = (1, 99, 100, 499, 500, 1999, 2000, 4999, 5000, 19_999, 20_000, 90_000)


def populate(conn: Connection, *, count: int, seed: int) -> None:
    """Writes so many attempts, up to three of a task; canaries, and such as do not count, too."""
    rng = random.Random(seed)  # noqa: S311 - rows that can be made again
    made = 0
    while made < count:
        source = rng.choice(_SOURCES)
        task_id = _task(conn, rng, made, source)
        for attempt in range(1, rng.randint(1, 3) + 1):
            conn.execute(insert(attempt_table).values(_attempt(rng, task_id, attempt, source)))
            made += 1


def _task(conn: Connection, rng: random.Random, number: int, source: str) -> int:
    text_id = conn.execute(
        insert(text_table)
        .values(
            title=f"text {number}",
            content="x",
            char_count=1,
            content_hash="h",
            source=source,
            created_at=NOW_US,
        )
        .returning(text_table.c.id)
    ).scalar_one()
    values = {
        "text_id": text_id,
        "content_key": f"k{number}",
        "status": "completed",
        "engine": rng.choice(ENGINES),
        "engine_version": "1",
        "voice": "auto",
        "format": "mp3",
        "source": source,
        "char_count": 1,
        "timeout_us": 1,
        "max_attempts": 3,
        "give_up_at": 1,
        "submitted_at": NOW_US,
        "queued_at": NOW_US,
        "not_before": NOW_US,
        "finished_at": NOW_US,
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "trace_seen_at": rng.choice((None, NOW_US)),
    }
    made = conn.execute(insert(task_table).values(values).returning(task_table.c.id))
    return int(made.scalar_one())


def _attempt(rng: random.Random, task_id: int, attempt: int, source: str) -> dict[str, Any]:
    outcome = rng.choice(_OUTCOMES)
    ended = NOW_US - rng.randrange(3 * DAY_US) // 10**8 * 10**8  # so that some are equal
    is_failed = outcome in COUNTED[1:]
    error_type, message = rng.choice(ERRORS) if is_failed else (None, None)
    return {
        "task_id": task_id,
        "attempt": attempt,
        "span_id": f"{task_id:012x}{attempt:04x}",
        "worker_id": "w",
        "worker_name": rng.choice(WORKERS),
        "host": rng.choice(("h1", "h2")),
        "release": rng.choice(("1.0", "1.1")),
        "engine": rng.choice(ENGINES),
        "queued_at": ended,
        "wait_reason": "claimed",
        "claimed_at": ended - rng.randrange(600_000_000),
        "deadline_at": ended,
        "timed_out_at": ended if rng.random() < 0.1 else None,
        "finished_at": None if outcome is None else ended,
        "outcome": outcome,
        "error_type": error_type,
        "error_message": message,
        "voice": rng.choice(VOICES),
        "language": rng.choice(("", "en", "zh")),
        "source": source,
        "char_count": rng.choice(_CHARS),
        "fingerprint": f"v2:{rng.randrange(4):016x}" if is_failed else None,
        "template": message or "" if is_failed else None,
        "is_repeat": is_failed and rng.random() < 0.3,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An attempt that may be listed, with all that a filter may ask of it."""

    row: AttemptRecord
    trace_id: str

    @property
    def key(self) -> tuple[int, int, int]:
        """Its place in a list, ascending."""
        return self.ended_at, self.row.task_id, self.row.attempt

    @property
    def ended_at(self) -> int:
        """When it ended: what is listed has."""
        assert self.row.finished_at is not None
        return self.row.finished_at

    @property
    def dur_ms(self) -> int:
        """How long it ran."""
        return (self.ended_at - self.row.claimed_at) // 1000


def listed(conn: Connection) -> Iterator[Listed]:
    """Every attempt that completed or failed, but those of canaries."""
    traces = {row.id: row.trace_id for row in conn.execute(select(task_table))}
    for row in conn.execute(select(attempt_table)):
        attempt = record(AttemptRecord, row)
        assert attempt is not None
        if attempt.outcome in COUNTED and attempt.source != "canary":
            yield Listed(row=attempt, trace_id=traces[attempt.task_id])


def holds(query: Query, one: Listed, now_us: int = NOW_US) -> bool:
    """Whether a filter holds for an attempt, looked at one by one."""
    return all(_holds(term, one, now_us) for term in query.terms)


def _holds(term: Term, one: Listed, now_us: int) -> bool:
    return any(_fits(term.name, value, one, now_us) for value in term.values) != term.is_negated


def _fits(name: str, value: Value, one: Listed, now_us: int) -> bool:
    if isinstance(value, Range | Window):
        return within(value, int(value_of(name, one)), now_us)
    if isinstance(value, At | Ago):
        return (one.ended_at >= at_us(value, now_us)) == (name == "since")
    match name, value:
        case "error", Word(text=part):
            return part.lower() in (value_of(name, one) or "").lower()
        case "outcome", Word(text="failure"):
            return one.row.outcome != "completed"
        case "is", Word(text=flag):
            return one.row.is_repeat if flag == "repeat" else one.row.timed_out_at is not None
        case _:
            return is_named(value, value_of(name, one) or None)


#: What an attempt has where a filter asks for a name that is not one of its row's.
_VALUES: Final[Mapping[str, Callable[[Listed], Any]]] = {
    "worker": lambda one: one.row.worker_name,
    "length": lambda one: lengths.label(one.row.char_count),
    "hour": lambda one: f"{one.ended_at // 3_600_000_000 % 24:02}",
    "chars": lambda one: one.row.char_count,
    "dur": lambda one: one.dur_ms,
    "ended": lambda one: one.ended_at,
    "task": lambda one: one.row.task_id,
    "trace": lambda one: one.trace_id,
    "error": lambda one: (
        one.row.error_type and f"{one.row.error_type}\n{one.row.error_message or ''}"
    ),
}


def value_of(name: str, one: Listed) -> Any:
    """What an attempt has where a filter asks for `name`."""
    look = _VALUES.get(name)
    return look(one) if look else getattr(one.row, name.replace("-", "_"))

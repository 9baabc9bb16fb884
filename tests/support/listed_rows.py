"""Tasks of all kinds, written past the product, and a naive look at them: for tests of lists."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert, select, text

from app.domain.query.query import Query, Term
from app.domain.query.value import Ago, At, Glob, Missing, Range, Value, Window, Word, at_us
from app.domain.records import TaskRecord
from app.store.rows import record
from app.store.tables import submission_table, task_table, text_table

#: The end of the days in which the tasks are submitted.
NOW_US: Final = 1_772_323_200_000_000
DAY_US: Final = 86_400_000_000
#: The end of a task that has none.
NEVER_US: Final = 2**63 - 1
VOICES: Final = (
    *("auto", "zh-female-1", "zh-male-2", "en-1"),
    *("a*b", 'q"x', "a_b", "a%b", "两 个", "x[1]", "y?"),
)
ENGINES: Final = ("tone", "espeak", "volc")
WORKERS: Final = (None, "w1", "w2", "w3")
WORDS: Final = (
    *("alpha", "Beta", "GAMMA", "rabbit hole", "100 %", "snake_case", "back\\slash", 'a "quote"'),
    *("孙悟空", "猴王出世", "第一回", "Größe", "ПРИВЕТ мир"),
)
ERRORS: Final = (
    ("engine_error", "code 45000292: quota"),
    ("worker_lost", "killed by signal 9"),
    ("audio_invalid", "音频太短"),
    ("engine_timeout", None),
    ("engine_error", "100 % of a_b"),
)
_FINAL: Final = ("completed", "completed", "completed", "failed", "timeout", "cancelled")
_STATUSES: Final = (*_FINAL, *_FINAL, "pending", "processing")


def populate(conn: Connection, *, count: int, seed: int) -> None:
    """Writes so many tasks, their texts, and followers of some; canaries among them."""
    rng = random.Random(seed)  # noqa: S311 - rows that can be made again
    texts = [_text(conn, rng) for _ in range(max(1, count // 2))]
    for number in range(count):
        values = _task(rng, number, rng.choice(texts))
        task_id = conn.execute(insert(task_table).values(values).returning(task_table.c.id))
        _submissions(conn, rng, values["text_id"], int(task_id.scalar_one()))


def _text(conn: Connection, rng: random.Random) -> int:
    values = {
        "title": " ".join(rng.sample(WORDS, 2)),
        "content": " ".join(rng.choice(WORDS) for _ in range(rng.choice((1, 5, 800)))),
        "char_count": 1,
        "content_hash": "h",
        "source": rng.choice(("api", "api", "page", "canary")),
        "created_at": NOW_US,
        "deleted_at": rng.choice((None, None, None, NOW_US)),
    }
    made = conn.execute(insert(text_table).values(values).returning(text_table.c.id))
    return int(made.scalar_one())


def _task(rng: random.Random, number: int, text_id: int) -> dict[str, Any]:
    status = rng.choice(_STATUSES)
    submitted = NOW_US - rng.randrange(3 * DAY_US) // 10**7 * 10**7  # so that some are equal
    is_final = status not in {"pending", "processing"}
    worker = rng.choice(WORKERS)
    has_error = status in {"failed", "timeout"} or (not is_final and rng.random() < 0.2)
    error_type, message = rng.choice(ERRORS) if has_error else (None, None)
    return {
        "text_id": text_id,
        "content_key": f"k{number}",
        "status": status,
        "engine": rng.choice(ENGINES),
        "engine_version": "1",
        "voice": rng.choice(VOICES),
        "language": rng.choice((None, "en", "zh")),
        "format": rng.choice(("mp3", "wav")),
        "source": rng.choice(("page", "api", "legacy", "cli", "canary")),
        "char_count": rng.randrange(10_000),
        "timeout_us": 1,
        "max_attempts": 3,
        "give_up_at": 1,
        "submitted_at": submitted,
        "queued_at": submitted,
        "not_before": submitted,
        "claimed_at": submitted,
        "deadline_at": submitted,
        "timed_out_at": submitted if rng.random() < 0.1 else None,
        "finished_at": submitted + rng.randrange(3_600_000_000) if is_final else None,
        "run_us": rng.randrange(600_000_000),
        "attempt": rng.randrange(5),
        "tries_used": rng.choice((0, 0, 1, 2)),
        "lost_count": rng.choice((0, 0, 0, 1)),
        "capacity_count": rng.choice((0, 0, 2)),
        "retry_of": rng.choice((None, None, 1)),
        "rescued_at": submitted if rng.random() < 0.1 else None,
        "worker_id": "w",
        "worker_name": worker,
        "host": rng.choice((None, "h1", "h2")),
        "release": rng.choice((None, "1.0", "1.1")),
        "error_type": error_type,
        "error_message": message,
        "fingerprint": f"v1:{rng.randrange(4):04x}" if has_error else None,
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
    }


def _submissions(conn: Connection, rng: random.Random, text_id: int, task_id: int) -> None:
    for disposition in ("new", *rng.choice(((), (), ("followed",), ("skipped",)))):
        values = {
            "text_id": text_id,
            "task_id": task_id,
            "disposition": disposition,
            "source": "api",
            "created_at": NOW_US,
        }
        conn.execute(insert(submission_table).values(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A task with all that a filter may ask of it; `body` None: there is none to search."""

    task: TaskRecord
    body: str | None
    is_followed: bool

    @property
    def ended_at(self) -> int:
        """When it ended; later than everything where it has not."""
        return NEVER_US if self.task.finished_at is None else self.task.finished_at


def listed(conn: Connection) -> Iterator[Listed]:
    """Every task that is not a canary."""
    bodies = {
        row.id: f"{row.title}\n{row.content[:4000]}"
        for row in conn.execute(select(text_table))
        if row.deleted_at is None and row.source != "canary"
    }
    query = "SELECT DISTINCT task_id FROM submission WHERE disposition = 'followed'"
    followed = set(conn.execute(text(query)).scalars())
    for row in conn.execute(select(task_table).where(task_table.c.source != "canary")):
        task = record(TaskRecord, row)
        assert task is not None
        yield Listed(task=task, body=bodies.get(task.text_id), is_followed=task.id in followed)


def holds(query: Query, one: Listed, now_us: int = NOW_US) -> bool:
    """Whether a filter holds for a task, looked at one by one."""
    return all(_holds(term, one, now_us) for term in query.terms)


def _holds(term: Term, one: Listed, now_us: int) -> bool:
    return any(_fits(term.name, value, one, now_us) for value in term.values) != term.is_negated


def _fits(name: str, value: Value, one: Listed, now_us: int) -> bool:
    task = one.task
    if name == "is":
        assert isinstance(value, Word)
        return _flag(value.text, one)
    if name in {"text", "error"}:
        return _has(value, one.body if name == "text" else _error(task))
    if name in {"since", "until"}:
        assert isinstance(value, At | Ago)
        at = at_us(value, now_us)
        return task.submitted_at >= at if name == "since" else task.submitted_at < at
    if name == "ended":
        return within(value, one.ended_at, now_us)
    if name == "retries":
        return within(value, max(0, task.attempt - 1 - task.capacity_count), now_us)
    found = getattr(task, _COLUMNS.get(name, name.replace("-", "_")))
    is_range = isinstance(value, Range | Window)
    return within(value, found, now_us) if is_range else is_named(value, found)


_COLUMNS: Final = {
    "worker": "worker_name",
    "chars": "char_count",
    "attempts": "attempt",
    "tries": "tries_used",
    "lost": "lost_count",
    "capacity": "capacity_count",
    "dur": "run_ms",
    "wait": "wait_ms",
    "total": "total_ms",
    "submitted": "submitted_at",
    "trace": "trace_id",
}


def _flag(flag: str, one: Listed) -> bool:
    task = one.task
    return {
        "live": task.finished_at is None,
        "ended": task.finished_at is not None,
        "late": task.timed_out_at is not None,
        "rescued": task.rescued_at is not None,
        "retried": task.tries_used > 0,
        "retry": task.retry_of is not None,
        "followed": one.is_followed,
    }[flag]


def _error(task: TaskRecord) -> str | None:
    return None if task.error_type is None else f"{task.error_type}\n{task.error_message or ''}"


def _has(value: Value, body: str | None) -> bool:
    if isinstance(value, Missing):
        return body is None
    assert isinstance(value, Word)
    return body is not None and value.text.lower() in body.lower()


def is_named(value: Value, found: str | None) -> bool:
    """Whether a name is a value; None is the name that is missing."""
    match value:
        case Missing():
            return found is None
        case Word():
            return found == value.text
        case Glob():
            pattern = ".*".join(re.escape(part) for part in value.parts)
            return found is not None and re.fullmatch(pattern, found, re.DOTALL) is not None
        case _:
            raise TypeError(value)


def within(value: Value, found: int | None, now_us: int) -> bool:
    """Whether a number, or a moment, is in a range; None is in none."""
    assert isinstance(value, Range | Window)
    if found is None:
        return False
    low, high = (
        at_us(bound, now_us) if isinstance(bound, At | Ago) else bound
        for bound in (value.low, value.high)
    )
    is_above = low is None or (found > low if value.is_low_open else found >= low)
    is_below = high is None or (found < high if value.is_high_open else found <= high)
    return is_above and is_below

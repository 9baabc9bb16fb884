"""Attempts of eight days, written past the product, with a cause that is known: for its search.

In the last 40 minutes worker w3 fails with engine volc in nine of ten, a minute after release 1.4.2
started there, and worker w1 takes ten times as long with engine tone. Before and beside it two of
a hundred fail, in ways of their own.
"""

import random
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, insert

from app.domain.correlation.found import Where
from app.store.tables import (
    attempt_table,
    failure_group_table,
    system_event_table,
    task_table,
    text_table,
)

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
MINUTE_US: Final = 60_000_000
#: The end of the attempts: within an hour.
NOW_US: Final = 1_772_323_200_000_000 + 37 * MINUTE_US + 123_456
ONSET_US: Final = NOW_US - 40 * MINUTE_US
RELEASED_US: Final = ONSET_US - MINUTE_US
CAUSE: Final = "v2:00000000000000ca"
OTHERS: Final = ("v2:0000000000000001", "v2:0000000000000002")
TEMPLATE: Final = "code 45000292: quota of <n> exceeded"
WHERE: Final[Where] = {"worker": "w3", "engine": "volc"}
SLOW: Final = ("w1", "tone")
ENGINES: Final = ("volc", "tone", "espeak")
WORKERS: Final = ("w1", "w2", "w3", "w4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How many attempts there are in which part; all have rows, none of them is a canary."""

    before: int = 1200
    day: int = 1200
    last: int = 150


def fill(conn: Connection, numbers: Numbers | None = None, *, seed: int = 3) -> None:
    """Writes texts, tasks, attempts, groups of failures and what changed in the system."""
    rng = random.Random(seed)  # noqa: S311 - rows that can be made again
    found = numbers or Numbers()
    ends = [
        *(NOW_US - DAY_US - rng.randrange(7 * DAY_US) for _ in range(found.before)),
        *(ONSET_US - rng.randrange(DAY_US - 40 * MINUTE_US) for _ in range(found.day)),
        *(ONSET_US + rng.randrange(NOW_US - ONSET_US) for _ in range(found.last)),
    ]
    conn.execute(insert(text_table), [_text()])
    ends.sort()
    conn.execute(insert(task_table), [_task(number, at) for number, at in enumerate(ends, 1)])
    attempts = [_attempt(rng, number, at) for number, at in enumerate(ends, 1)]
    conn.execute(insert(attempt_table), attempts)
    conn.execute(insert(failure_group_table), [_group(CAUSE), *map(_group, OTHERS)])
    conn.execute(insert(system_event_table), _events())


def _text() -> dict[str, Any]:
    return {
        "id": 1,
        "title": "text",
        "content": "x",
        "char_count": 1,
        "content_hash": "h",
        "source": "api",
        "created_at": NOW_US - 9 * DAY_US,
    }


def _task(number: int, at: int) -> dict[str, Any]:
    return {
        "id": number,
        "text_id": 1,
        "content_key": f"k{number}",
        "status": "completed",
        "engine": "tone",
        "engine_version": "1",
        "voice": "auto",
        "format": "mp3",
        "source": "api",
        "char_count": 1,
        "timeout_us": 1,
        "max_attempts": 3,
        "give_up_at": at,
        "submitted_at": at - MINUTE_US,
        "queued_at": at - MINUTE_US,
        "not_before": at - MINUTE_US,
        "finished_at": at,
        "trace_id": f"{number:032x}",
        "span_id": f"{number:016x}",
        "trace_seen_at": at,
    }


def _attempt(rng: random.Random, number: int, at: int) -> dict[str, Any]:
    worker, engine = rng.choice(WORKERS), rng.choice(ENGINES)
    is_caused = at >= ONSET_US and (worker, engine) == ("w3", "volc")
    failed = rng.random() < (0.9 if is_caused else 0.02)
    fingerprint = CAUSE if is_caused else rng.choice(OTHERS)
    is_slow = at >= ONSET_US and (worker, engine) == SLOW
    ran_us = rng.randrange(2_000_000, 9_000_000) * (10 if is_slow else 1)
    return {
        "task_id": number,
        "attempt": 1,
        "span_id": f"{number:016x}",
        "worker_id": worker,
        "worker_name": worker,
        "host": "h1" if worker in WORKERS[:2] else "h2",
        "release": "1.4.2" if worker == "w3" and at >= RELEASED_US else "1.4.1",
        "engine": engine,
        "queued_at": at - MINUTE_US,
        "wait_reason": "queued",
        "claimed_at": at - ran_us * (3 if engine == "espeak" else 1),
        "deadline_at": at + MINUTE_US,
        "finished_at": at,
        "outcome": rng.choice(("failed", "retry", "timeout", "lost")) if failed else "completed",
        "error_type": "engine_error" if failed else None,
        "error_message": "quota" if failed else None,
        "voice": f"{engine}-{rng.randrange(3)}",
        "language": rng.choice(("en", "zh", "")),
        "source": rng.choice(("api", "page")),
        "char_count": rng.choice((50, 700, 3000, 12_000)),
        "fingerprint": fingerprint if failed else None,
        "template": TEMPLATE if failed else None,
        "is_repeat": failed and not is_caused and rng.random() < 0.3,
    }


def _group(fingerprint: str) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint,
        "error_type": "engine_error",
        "template": TEMPLATE if fingerprint == CAUSE else "something else",
        "first_at": NOW_US - DAY_US,
    }


def _events() -> list[dict[str, Any]]:
    return [
        {
            "at": NOW_US - 8 * DAY_US,
            "kind": "start",
            "worker": "w3",
            "host": "h2",
            "release": "1.4.1",
            "before": None,
            "by": "test",
        },
        {
            "at": RELEASED_US,
            "kind": "release",
            "worker": "w3",
            "host": "h2",
            "release": "1.4.2",
            "before": "1.4.1",
            "by": "test",
        },
    ]

"""Rows of attempts as they may be, written past the product; and what the cube must say of them."""

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text

from app.domain.lengths import bucket
from app.store.tables import attempt_table
from tests.support.task_rows import HOUR_US, START_US

#: Microseconds of a grain.
GRAINS = {"hour": HOUR_US, "day": 24 * HOUR_US}
COUNTED = frozenset({"completed", "failed", "timeout", "retry", "lost"})
OUTCOMES = ("completed", "failed", "timeout", "cancelled", "retry", "capacity", "handed_back",
            "lost")  # fmt: skip
#: Columns of a profile, in the order of the keys here.
PROFILE = ("worker", "host", "engine", "voice", "language", "release", "length", "source",
           "failure", "is_repeat")  # fmt: skip
#: (grain, start, archived, what a profile has) -> attempts.
Counted = Counter[tuple[Any, ...]]

INSERT = text(
    "INSERT INTO task_attempt (task_id, attempt, span_id, worker_id, worker_name, host, release,"
    " engine, queued_at, wait_reason, claimed_at, deadline_at, finished_at, outcome, error_type,"
    " voice, language, source, char_count, fingerprint, is_repeat) VALUES (:task, :attempt, 's',"
    " 'w', :worker, :host, :release, :engine, 0, 'queued', 0, 0, :finished, :outcome, :error,"
    " :voice, :language, :source, :chars, :fingerprint, :repeat)"
)
#: An attempt that completed.
ATTEMPT: dict[str, Any] = {
    "task": 1,
    "attempt": 1,
    "worker": "w1",
    "host": "h1",
    "release": "1.0",
    "engine": "tone",
    "finished": START_US + 5_000_000,
    "outcome": "completed",
    "error": None,
    "voice": "v1",
    "language": "en",
    "source": "api",
    "chars": 100,
    "fingerprint": None,
    "repeat": False,
}


@st.composite
def columns(draw: st.DrawFn) -> dict[str, Any]:
    """Columns of an attempt that agree with each other; it may run."""
    outcome = draw(st.one_of(st.none(), st.sampled_from(OUTCOMES)))
    finished = START_US + draw(st.integers(-2 * HOUR_US, 2 * HOUR_US))
    return ATTEMPT | {
        "task": draw(st.integers(1, 3)),
        "worker": draw(st.sampled_from(("w1", "w2"))),
        "release": draw(st.sampled_from(("1.0", "1.1"))),
        "finished": None if outcome is None else finished,
        "outcome": outcome,
        "error": draw(st.sampled_from((None, "engine_crashed", "e" * 60))),
        "voice": draw(st.sampled_from(("v1", "v2"))),
        "language": draw(st.sampled_from(("", "zh"))),
        "source": draw(st.sampled_from(("api", "api", "page", "canary"))),
        "chars": draw(st.sampled_from((0, 99, 100, 1999, 20_000))),
        "fingerprint": draw(st.sampled_from((None, "", "v2:0123456789abcdef"))),
        "repeat": draw(st.booleans()),
    }


def put(conn: Connection, *changes: dict[str, Any]) -> None:
    """Inserts attempts, each with what it has otherwise than `ATTEMPT`, after those of its task."""
    rows: list[dict[str, Any]] = []
    for one in changes:
        row = {**ATTEMPT, **one}
        last = "SELECT coalesce(max(attempt), 0) FROM task_attempt WHERE task_id = :task"
        before = conn.execute(text(last), {"task": row["task"]}).scalar_one()
        row["attempt"] = before + 1 + sum(other["task"] == row["task"] for other in rows)
        rows.append(row)
    conn.execute(INSERT, rows)


def put_at_once(conn: Connection, rows: list[dict[str, Any]]) -> None:
    """Inserts first attempts in one statement, each with what it has otherwise than `ATTEMPT`."""
    names = {"task": "task_id", "worker": "worker_name", "finished": "finished_at",
             "error": "error_type", "chars": "char_count", "repeat": "is_repeat"}  # fmt: skip
    fixed = {"span_id": "s", "worker_id": "w", "queued_at": 0, "wait_reason": "queued",
             "claimed_at": 0, "deadline_at": 0}  # fmt: skip
    told = [
        fixed | {names.get(name, name): value for name, value in {**ATTEMPT, **one}.items()}
        for one in rows
    ]
    conn.execute(insert(attempt_table).values(told))


def put_tasks(conn: Connection, count: int = 3) -> None:
    """Inserts the tasks 1, 2, … that attempts are of, and their text."""
    conn.execute(
        text(
            "INSERT INTO text (id, title, content, char_count, content_hash, source, created_at)"
            " VALUES (1, 't', 'c', 1, 'h', 'api', 0)"
        )
    )
    conn.execute(
        text(
            "INSERT INTO task (id, text_id, content_key, status, engine, engine_version, voice,"
            " format, source, char_count, timeout_us, max_attempts, give_up_at, submitted_at,"
            " queued_at, not_before, trace_id, span_id) VALUES (:id, 1, :key, 'pending', 'tone',"
            " '1', 'v', 'mp3', 'api', 1, 1, 1, 1, 1, 1, 1, :trace, :span)"
        ),
        [
            {"id": n, "key": f"k{n}", "trace": f"{n:032x}", "span": f"{n:016x}"}
            for n in range(1, count + 1)
        ],
    )


def counted_by(row: Any) -> tuple[Any, ...] | None:
    """What an attempt is counted by: its end, and what its profile has; None: it does not count."""
    if row["outcome"] not in COUNTED or row["source"] == "canary":
        return None
    failure = row["fingerprint"] or f"v0:{row['error_type'] or 'unknown'}"[:40]
    return (
        row["finished_at"],
        (row["worker_name"], row["host"], row["engine"], row["voice"], row["language"],
         row["release"], bucket(row["char_count"]), row["source"],
         "" if row["outcome"] == "completed" else failure, int(row["is_repeat"])),
    )  # fmt: skip


def from_rows(conn: Connection) -> Counted:
    """What the cube must say of the attempts that are there."""
    found: Counted = Counter()
    for row in conn.execute(text("SELECT * FROM task_attempt")).mappings():
        count(found, counted_by(row))
    return found


def count(found: Counted, one: tuple[Any, ...] | None, *, archived: int = 0) -> None:
    """Adds an attempt to its hour and its day."""
    if one is not None:
        at, profile = one
        for grain, us in GRAINS.items():
            found[(grain, at - at % us, archived, *profile)] += 1


def kept(conn: Connection) -> Counted:
    """What the cube says; what is zero is left out."""
    listed = ", ".join(f"p.{name}" for name in PROFILE)
    rows = conn.execute(
        text(
            f"SELECT a.grain, a.start, a.archived, {listed}, a.n FROM stat_attempt a"  # noqa: S608
            " LEFT JOIN stat_profile p ON p.id = a.profile_id"
        )
    )
    return Counter({tuple(row[:-1]): row[-1] for row in rows if row[-1]})

"""Rows of tasks as they may be, written past the product, and a database for them."""

from typing import Any

from hypothesis import strategies as st
from sqlalchemy import text

from app.store import schema
from app.store.database import Database

HOUR_US = 3_600_000_000
#: The end of a day and of a month, so that tasks end on both sides of it.
START_US = 1_767_225_600_000_000

INSERT = text(
    "INSERT INTO task (text_id, content_key, status, engine, engine_version, voice, language,"
    " format, source, char_count, timeout_us, max_attempts, give_up_at, submitted_at, queued_at,"
    " not_before, claimed_at, deadline_at, finished_at, run_us, attempt, worker_id, worker_name,"
    " host, release, audio_duration_ms, timed_out_at, lost_count, capacity_count, capacity_us,"
    " trace_id, span_id) VALUES (1, :key, :status, :engine, '1', :voice, :language, 'mp3', :source,"
    " :chars, 1, 1, 1, :submitted, 0, 0, 1, 1, :finished, :run, :attempt, 'w', :worker, :worker,"
    " :release, :audio, :late, :lost, :waits, :waited, 't', 's')"
)

FINAL = ("completed", "failed", "timeout", "cancelled")
LIVE = ("pending", "processing")
statuses = st.sampled_from((*LIVE, *FINAL))


@st.composite
def columns(draw: st.DrawFn) -> dict[str, Any]:
    """Columns of a task that agree with each other."""
    status = draw(statuses)
    submitted = START_US - draw(st.integers(0, 3 * HOUR_US))
    return {
        "status": status,
        "engine": draw(st.sampled_from(("tone", "espeak"))),
        "voice": draw(st.sampled_from(("a", "b"))),
        "language": draw(st.sampled_from((None, "en", "zh"))),
        "source": draw(st.sampled_from(("api", "api", "page", "canary"))),
        "chars": draw(st.integers(0, 9000)),
        "submitted": submitted,
        "finished": _end(status, submitted, draw(st.integers(-1000, 6 * HOUR_US))),
        "run": draw(st.integers(0, 5 * HOUR_US)),
        "attempt": draw(st.integers(0, 4)),
        "worker": draw(st.sampled_from((None, "w1", "w2"))),
        "release": draw(st.sampled_from((None, "1.0"))),
        "audio": draw(st.one_of(st.none(), st.integers(0, 100_000))),
        "late": draw(st.sampled_from((None, 1))),
        "lost": draw(st.integers(0, 2)),
        "waits": draw(st.integers(0, 3)),
        "waited": draw(st.integers(0, HOUR_US)),
    }


def _end(status: str, submitted: int, after: int) -> int | None:
    return submitted + after if status in FINAL else None


def empty(url: str) -> Database:
    """A database with the schema and one text, for tasks of whatever text."""
    database = Database(url, role="migrate", pool_size=1)
    schema.migrate(database)
    with database.write() as conn:
        conn.execute(
            text(
                "INSERT INTO text (title, content, char_count, content_hash, source, created_at)"
                " VALUES ('t', 'c', 1, 'h', 'api', 0)"
            )
        )
    return database

"""The whole of a task: real attempts, a lost worker, a deadline, and what is told of them."""

import pytest

from app.domain.errors import NotFoundError
from app.service import cancel, task_view, verdict
from app.service.task_view import TaskView
from app.store import workers
from telemetry import outbox_table
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker, submitted
from tests.support.spans import spans_of


def _view(home: Home, task_id: int) -> TaskView:
    return task_view.task_view(home.core, task_id)


def test_waterfall_shows_every_span_of_a_finished_task(home: Home) -> None:
    """Each span in the outbox but the start marker is a row, with the same times."""
    task = spoken(home.core, "One sentence. Another one. A third.")
    spans = {
        span.span_id: (span.start_us, span.end_us)
        for span in spans_of(home.core, task.id)
        if span.name != "attempt started"
    }
    drawn = _view(home, task.id).waterfall
    rows = {
        row.span_id: (row.start_us + drawn.zero_at, (row.end_us or 0) + drawn.zero_at)
        for row in drawn.rows
    }
    assert drawn.source == "outbox"
    assert rows == spans


def test_waterfall_from_rows_agrees_once_the_outbox_is_gone(home: Home) -> None:
    """After the window the rows stand for the spans: the same waits, attempts and segments."""
    task = spoken(home.core, "One sentence. Another one.")
    before = _view(home, task.id).waterfall
    with home.core.database.write() as conn:
        conn.execute(outbox_table.OUTBOX.delete())
    after = _view(home, task.id).waterfall
    assert (before.source, after.source) == ("outbox", "rows")
    kept = {"tts task", "queue wait", "process tts", "segment"}
    told = [
        [(row.name, row.start_us + drawn.zero_at, row.end_us) for row in drawn.rows]
        for drawn in (before, after)
    ]
    assert {row[0] for row in told[1]} == kept
    for name in ("tts task", "queue wait", "process tts"):
        same = [[row for row in rows if row[0] == name] for rows in told]
        assert same[0] == same[1]


def test_lost_worker_is_told_with_what_was_kept(home: Home) -> None:
    """A rescue shows in path, attempts, reason and waterfall; the total time adds up."""
    core = home.core
    task = submitted(core, "One sentence. " * 40).task
    first = claimed(core, start_worker(core))
    assert verdict.lose(core, task.id, first.attempt, reason="signal 9", exit_signal=9)
    waiting = _view(home, task.id)
    assert waiting.reason.en.headline == "Rescued, waiting for a worker."
    assert [step.why for step in waiting.path] == ["submitted", "claim", "lose_worker"]
    rebuilt = [row for row in waiting.waterfall.rows if row.is_rebuilt]
    assert [dict(row.notes)["exit_signal"] for row in rebuilt] == [9]
    done = run(core, claimed(core, start_worker(core, name="w2")))
    view = _view(home, task.id)
    assert view.reason.en.headline.endswith(", after 1 rescue.")
    assert [attempt.record.outcome for attempt in view.attempts] == ["lost", "completed"]
    assert view.spent.total_us == (done.finished_at or 0) - done.submitted_at
    assert view.spent.lost > 0
    assert view.segments.done == view.segments.total
    assert view.waterfall.source == "outbox"


def test_running_task_tells_deadline_and_open_spans(home: Home) -> None:
    """While it runs: the sum behind the deadline, the share that is used, open ends."""
    core = home.core
    task = submitted(core, "Some words.", timeout_s=60).task
    claim = claimed(core, start_worker(core))
    view = _view(home, task.id)
    assert view.deadline is not None
    assert view.deadline.deadline_at == claim.claimed_at + view.deadline.timeout_us
    assert 0 <= view.deadline.used_ratio < 1
    assert view.deadline.moved_us == 0
    opened = [row.name for row in view.waterfall.rows if row.end_us is None]
    assert opened == ["tts task", "process tts"]
    assert view.can_cancel
    assert not view.can_retry


def test_gone_worker_is_told_before_the_reaper_acts(home: Home) -> None:
    """A running row whose worker is dead says so at once."""
    core = home.core
    task = submitted(core, "Some words.").task
    worker_id = start_worker(core)
    claimed(core, worker_id)
    with core.database.write() as conn:
        workers.end(conn, worker_id, core.database.now_us(conn), state="dead", reason="test")
    assert _view(home, task.id).reason.en.headline == "Its worker is gone."


def test_followers_and_cancelled_requests_are_told(home: Home) -> None:
    """A task names the texts that follow it, and every request with what became of it."""
    core = home.core
    first = submitted(core, "Shared.")
    second = submitted(core, "Shared.")
    view = _view(home, first.task.id)
    assert [text.id for text in view.followers] == [second.text.id]
    cancel.cancel_text(core, second.text.id)
    view = _view(home, first.task.id)
    assert [one.cancelled_at is None for one in view.submissions] == [True, False]


def test_failed_task_can_be_retried_and_says_what_failed(home: Home) -> None:
    """The error's type is told in words, its message on the attempt."""
    task = spoken(home.core, "@fail permanent no such voice\nWords.", engine="scripted")
    view = _view(home, task.id)
    assert view.can_retry
    assert view.reason.en.headline.startswith("Failed")
    assert "no such voice" in (view.attempts[0].record.error_message or "")
    assert view.path[-1].status == "failed"


def test_reading_is_the_text(home: Home) -> None:
    """The segments' words put together are the text, a page at a time, with their moments."""
    content = "第一句话。第二句话！ A third one follows, with some words. " * 20
    task = spoken(home.core, content)
    whole, total = task_view.reading(home.core, task.id, with_marks=True)
    assert "".join(one.text for one in whole) == content
    assert total == len(whole) == task.segment_count
    offsets = [one.offset_ms for one in whole if one.offset_ms is not None]
    assert offsets == sorted(offsets)
    assert any(one.marks for one in whole)
    page, _ = task_view.reading(home.core, task.id, first=1, limit=1)
    assert [one.idx for one in page] == [1]


def test_unknown_task_is_not_found(home: Home) -> None:
    """There is no view of nothing."""
    with pytest.raises(NotFoundError, match="task 99 does not exist"):
        _view(home, 99)
    with pytest.raises(NotFoundError):
        task_view.reading(home.core, 99)

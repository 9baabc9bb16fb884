"""A canary's way, step by step, on both databases: what it proves, leaves and blames."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from app.domain.errors import NotFoundError
from app.domain.records import CanaryRecord, TaskRecord
from app.duties.canary import Canary
from app.service import cancel, library, limits, retry, task_list
from app.service.canaries import canary, canary_remains
from app.service.canaries.canary import Watch
from app.service.core import Core
from app.store import audios, texts, workers
from app.store.tables import (
    attempt_table,
    audio_table,
    canary_table,
    caption_table,
    metadata,
    segment_table,
    submission_table,
    task_table,
    text_table,
)
from telemetry import outbox
from telemetry.jaeger import JaegerError, JaegerTrace
from tests.support.home import Home
from tests.support.service import claimed, run, start_worker, submitted
from tests.support.traces import written
from tests.support.wait import wait_until

SECOND = 1_000_000
KEPT_HERE = Watch(exports=False, jaeger=None)


@dataclass(slots=True)
class Traces:
    """Traces as a Jaeger would tell of them: none at first, an error on command."""

    known: dict[str, JaegerTrace] = field(default_factory=dict)
    trouble: str = ""

    def trace(self, trace_id: str) -> JaegerTrace | None:
        """What is known."""
        if self.trouble:
            raise JaegerError(self.trouble)
        return self.known.get(trace_id)


def _newest(core: Core) -> CanaryRecord:
    row, _ = canary.newest(core)
    assert row is not None
    return row


def _task(core: Core) -> TaskRecord:
    return task_list.get(core, _newest(core).task_id or 0)


def _begun(core: Core) -> CanaryRecord:
    canary.begin(core)
    return _newest(core)


def _look(core: Core, watch: Watch = KEPT_HERE) -> CanaryRecord:
    canary.look(core, _newest(core), watch)
    return _newest(core)


def _age(core: Core, seconds: float, *columns: str) -> None:
    """Moves moments of the newest canary's task into the past."""
    moved = {name: task_table.c[name] - round(seconds * SECOND) for name in columns}
    with core.database.write() as conn:
        conn.execute(
            update(task_table).where(task_table.c.id == _newest(core).task_id).values(**moved)
        )


def _sent(core: Core) -> None:
    with core.database.write() as conn:
        conn.execute(text("UPDATE span_outbox SET state = 'sent', sent_at = 1"))


def test_canary_goes_the_whole_way_and_leaves_no_audio(any_home: Home) -> None:
    """Queue, run, audio, trace: each look moves it by a stage; then its text and audio are gone."""
    core = any_home.core
    worker = start_worker(core)
    assert _begun(core).stage == "queue"
    claim = claimed(core, worker)
    assert (_look(core).stage, _task(core).source) == ("run", "canary")
    assert _look(core).stage == "run"
    task = run(core, claim)
    assert task.status == "completed"
    found = Traces()
    watch = Watch(exports=True, jaeger=found)
    assert _look(core, watch).stage == "trace"
    assert _look(core, watch).finished_at is None, "its spans wait for the collector"
    _sent(core)
    assert _look(core, watch).finished_at is None, "Jaeger does not have it yet"
    found.known[task.trace_id] = written(core, task.id)
    row = _look(core, watch)
    assert (row.stage, row.is_ok, row.cause) == ("done", True, "found")
    assert row.queue_us == (task.started_at or 0) - task.submitted_at
    assert row.run_us == task.run_us
    assert (row.trace_us or 0) > 0
    with core.database.read() as conn:
        assert texts.get(conn, task.text_id) is None
        assert audios.get(conn, task.audio_id or 0) is None
        key = conn.execute(select(audio_table.c.storage_key)).scalar_one()
    assert not core.storage.exists(key)


@pytest.mark.parametrize(
    ("watch", "cause"),
    [(KEPT_HERE, "kept"), (Watch(exports=True, jaeger=None), "sent")],
)
def test_without_jaeger_it_ends_where_its_spans_are(home: Home, watch: Watch, cause: str) -> None:
    """The last stage is as far as spans can be seen: sent to the collector, or kept here."""
    core = home.core
    worker = start_worker(core)
    canary.begin(core)
    run(core, claimed(core, worker))
    _look(core, watch)
    if cause == "sent":
        assert _look(core, watch).finished_at is None
        _sent(core)
    assert (_look(core, watch).is_ok, _newest(core).cause) == (True, cause)


def test_no_trace_is_awaited_where_tracing_is_turned_off(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTEL_SDK_DISABLED: it comes through without a trace, and says why there is none."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    core = home.core
    worker = start_worker(core)
    _begun(core)
    run(core, claimed(core, worker))
    _look(core)
    row = _look(core)
    assert (row.is_ok, row.cause) == (True, "off")
    assert row.detail == "tracing is turned off: OTEL_SDK_DISABLED"


def _drain(core: Core) -> None:
    worker = start_worker(core)
    with core.database.write() as conn:
        workers.drain(conn, worker)


def _pause(core: Core) -> None:
    start_worker(core)
    limits.set_max_concurrent(core, 0)


def _fill(core: Core) -> None:
    worker = start_worker(core, concurrency=1)
    submitted(core, "Other work.")
    claimed(core, worker)


def _pause_engine(core: Core) -> None:
    start_worker(core)
    limits.set_engine_limit(core, "tone", 0)


@pytest.mark.parametrize(
    ("arrange", "cause", "is_ok", "patience_s"),
    [
        (lambda _core: None, "no_worker", False, canary.QUEUE_US / SECOND),
        (_drain, "draining", False, canary.QUEUE_US / SECOND),
        (start_worker, "unclaimed", False, canary.QUEUE_US / SECOND),
        (_pause, "paused", None, canary.BUSY_US / SECOND),
        (_pause_engine, "paused", None, canary.BUSY_US / SECOND),
        (_fill, "busy", None, canary.BUSY_US / SECOND),
    ],
)
def test_it_gives_up_and_says_what_held_it(
    any_home: Home,
    *,
    arrange: Callable[[Core], Any],
    cause: str,
    is_ok: bool | None,
    patience_s: float,
) -> None:
    """After its patience it cancels its own task and says why; what is no fault is no verdict."""
    core = any_home.core
    arrange(core)
    canary.begin(core)
    _age(core, patience_s - 30, "submitted_at")
    assert _look(core).finished_at is None
    _age(core, 60, "submitted_at")
    row = _look(core)
    assert (row.stage, row.is_ok, row.cause) == ("queue", is_ok, cause)
    assert re.match(r"queued for \d+ s: .", row.detail or "")
    assert _task(core).status == "cancelled"
    assert core.settings.default_engine == "tone"


def test_it_gives_up_on_a_task_that_does_not_end(any_home: Home) -> None:
    """Two minutes after it began it is over, and its slot is free."""
    core = any_home.core
    worker = start_worker(core)
    canary.begin(core)
    claimed(core, worker)
    _age(core, canary.RUN_US / SECOND + 5, "started_at")
    row = _look(core)
    assert (row.stage, row.is_ok, row.cause) == ("queue", False, "slow")
    assert _task(core).status == "cancelled"


def test_audio_that_is_gone_fails_it(any_home: Home) -> None:
    """A task that completed is not believed: the file must be there, whole."""
    core = any_home.core
    worker = start_worker(core)
    canary.begin(core)
    task = run(core, claimed(core, worker))
    with core.database.read() as conn:
        audio = audios.get(conn, task.audio_id or 0)
    assert audio is not None
    core.storage.path(audio.storage_key).unlink()
    row = _look(core)
    assert (row.stage, row.is_ok, row.cause) == ("audio", False, "no_audio")


@pytest.mark.parametrize(
    ("trouble", "is_sent", "cause"),
    [
        ("", False, "unsent"),
        ("", True, "not_in_jaeger"),
        ("http://j does not answer: refused", True, "no_jaeger"),
    ],
)
def test_a_trace_that_stays_away_fails_it(
    home: Home, *, trouble: str, is_sent: bool, cause: str
) -> None:
    """After a minute it says where the trace is not: still here, lost behind, or nobody answers."""
    core = home.core
    worker = start_worker(core)
    canary.begin(core)
    run(core, claimed(core, worker))
    watch = Watch(exports=True, jaeger=Traces(trouble=trouble))
    _look(core, watch)
    if is_sent:
        _sent(core)
    assert _look(core, watch).finished_at is None
    _age(core, 61, "finished_at")
    row = _look(core, watch)
    assert (row.stage, row.is_ok, row.cause) == ("trace", False, cause)


def test_it_goes_before_all_that_waits(any_home: Home) -> None:
    """Behind a long queue it would prove nothing for hours: it takes the next free slot."""
    core = any_home.core
    first = submitted(core, "First.").task
    canary.begin(core)
    worker = start_worker(core)
    assert claimed(core, worker).task_id == _newest(core).task_id
    assert claimed(core, worker).task_id == first.id


def test_a_task_that_someone_cancels_is_no_verdict(home: Home) -> None:
    """Nothing was proven, and nothing is wrong."""
    core = home.core
    canary.begin(core)
    cancel.cancel_task(core, _newest(core).task_id or 0)
    row = _look(core)
    assert (row.stage, row.is_ok, row.cause) == ("run", None, "cancelled")


def test_duty_sends_one_at_a_time_and_a_new_leader_goes_on(home: Home) -> None:
    """The first comes after a while, one at a time; who leads next goes on with it."""
    home.environ["VOXTRACE_CANARY_MIN"] = "10"
    core = home.core
    duty = Canary(core, KEPT_HERE, first_s=0.3)
    assert 0 < duty.step() <= 0.3
    with core.database.read() as conn:
        assert conn.execute(select(func.count()).select_from(canary_table)).scalar_one() == 0
    _wait_for_first(duty, core)
    other = Canary(core, KEPT_HERE, first_s=0)
    other.step()
    other.step()
    first = _newest(core)
    assert first.id == 1
    run(core, claimed(core, start_worker(core)))
    while _newest(core).finished_at is None:
        other.step()
    assert _newest(core).is_ok
    assert other.step() == 5.0, "the next one is due in ten minutes, or a minute for a new leader"
    assert _newest(core).id == first.id


def test_duty_sends_the_next_after_the_minutes_that_are_set(home: Home) -> None:
    """VOXTRACE_CANARY_MIN after the last one began, and no earlier, the same duty sends another."""
    home.environ["VOXTRACE_CANARY_MIN"] = "10"
    core = home.core
    duty = Canary(core, KEPT_HERE, first_s=0)
    _wait_for_first(duty, core)
    run(core, claimed(core, start_worker(core)))
    while _newest(core).finished_at is None:
        duty.step()
    _begin_earlier(core, 9 * 60)
    duty.step()
    assert _newest(core).id == 1
    _begin_earlier(core, 60)
    duty.step()
    assert (_newest(core).id, _newest(core).stage) == (2, "queue")
    assert _task(core).status == "pending"


def _begin_earlier(core: Core, seconds: float) -> None:
    with core.database.write() as conn:
        began_at = canary_table.c.started_at - round(seconds * SECOND)
        conn.execute(update(canary_table).values(started_at=began_at))


def _wait_for_first(duty: Canary, core: Core) -> None:
    wait_until(lambda: duty.step() and canary.newest(core)[0], 10, what="the first canary")


def test_texts_are_new_each_time_and_a_hundred_rows_are_kept(home: Home) -> None:
    """No canary is answered by an earlier one's audio; the table does not grow."""
    core = home.core
    for _ in range(canary.KEPT + 3):
        canary.begin(core)
    with core.database.read() as conn:
        assert conn.execute(select(func.count()).select_from(canary_table)).scalar_one() == 100
        keys = conn.execute(select(task_table.c.content_key)).scalars().all()
    assert len(set(keys)) == canary.KEPT + 3


def test_old_canaries_are_removed_whole_and_nothing_else(any_home: Home) -> None:
    """Once Jaeger has forgotten them their rows go, with all that hangs on them."""
    core = any_home.core
    worker = start_worker(core)
    spoken = run(core, claimed(core, _submit(core, worker)))
    canary.begin(core)
    run(core, claimed(core, worker))
    _look(core)
    canary.begin(core)
    young = _newest(core).task_id
    assert canary_remains.remove_old(core) == 0
    week_s = core.settings.jaeger_retention_h * 3600
    with core.database.write() as conn:
        conn.execute(
            update(task_table)
            .where(task_table.c.status == "completed")
            .values(finished_at=task_table.c.finished_at - round((week_s + 60) * SECOND))
        )
    assert canary_remains.remove_old(core) == 1
    assert canary_remains.remove_old(core) == 0
    with core.database.read() as conn:
        assert set(conn.execute(select(task_table.c.id)).scalars()) == {spoken.id, young}
        for table in (submission_table, attempt_table, segment_table, audio_table):
            left = set(conn.execute(select(table.c.task_id)).scalars())
            assert left <= {spoken.id, young}, table.name
        assert conn.execute(select(func.count()).select_from(text_table)).scalar_one() == 2
        assert conn.execute(select(func.count()).select_from(caption_table)).scalar_one() == 2
        assert len(outbox.spans_of_task(conn, spoken.id)) > 0


def _submit(core: Core, worker: str) -> str:
    submitted(core, "A text of a user.")
    return worker


def test_every_table_that_hangs_on_a_task_is_emptied() -> None:
    """A new table with a foreign key to task, text or audio must be thought of."""
    hanging = {
        table.name
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in {"task", "text", "audio"}
    }
    assert hanging == {
        "submission",
        "task",
        "task_attempt",
        "segment",
        "audio",
        "caption",
        "event",
        "task_log",
    }


def test_a_person_can_look_at_it_but_not_make_it_again(home: Home) -> None:
    """Its task can be read by its id; its text is deleted, and so is spoken no second time."""
    core = home.core
    worker = start_worker(core)
    canary.begin(core)
    task = run(core, claimed(core, worker))
    _look(core)
    assert task_list.get(core, task.id).source == "canary"
    with pytest.raises(NotFoundError):
        library.get(core, task.text_id)
    with pytest.raises(NotFoundError):
        retry.retry_text(core, task.text_id, source="api")

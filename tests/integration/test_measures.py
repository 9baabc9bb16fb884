"""Measures: every number is what the rows say, on both databases, through every change."""

import json
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text

from app import bootstrap
from app.service import cancel, leader, limits, measures, verdict, watch
from app.service.core import Core
from app.service.process_counts import ProcessCounts
from app.store import canaries, counts, duties, reports, workers
from telemetry import metric_names as m
from telemetry import outbox
from telemetry.samples import Histogram, Sample
from tests.support.found import closed, opened
from tests.support.home import Home
from tests.support.service import claimed, run, start_worker, submitted
from tests.support.statements import plan, recorded

_HOUR_US = 3_600_000_000


def _read(core: Core) -> list[Sample]:
    with core.database.read() as conn:
        state = outbox.measure(conn)
    return measures.read(core, state, exports=True)


def _values(samples: list[Sample], metric: m.Metric) -> dict[str, float]:
    """The values of a metric by their attributes' values."""
    return {
        " ".join(sample.attributes.values()): sample.value
        for sample in samples
        if sample.metric is metric and not isinstance(sample.value, Histogram)
    }


def _one(samples: list[Sample], metric: m.Metric) -> float:
    (value,) = _values(samples, metric).values()
    return value


def _grouped(core: Core, sql: str) -> dict[str, int]:
    with core.database.read() as conn:
        return {str(key): int(n or 0) for key, n in conn.execute(text(sql))}


def _check(core: Core) -> list[Sample]:
    """Holds the samples against naive counts over the rows."""
    samples = _read(core)
    tasks = _grouped(
        core, "SELECT status, count(*) FROM task WHERE source <> 'canary' GROUP BY status"
    )
    told = _values(samples, m.TASKS)
    assert len(told) == 6
    assert {status: n for status, n in told.items() if n} == tasks
    assert _one(samples, m.QUEUE_DEPTH) == tasks.get("pending", 0)
    finished = _values(samples, m.TASKS_FINISHED)
    assert all(finished[status] >= tasks.get(status, 0) for status in finished)
    flagged = _grouped(
        core,
        "SELECT 1, count(*) FROM task_attempt JOIN task ON task.id = task_id"
        " WHERE task_attempt.timed_out_at IS NOT NULL AND task.source <> 'canary'",
    )
    assert _one(samples, m.DEADLINE_FLAGS) == flagged["1"]
    rows = _grouped(core, "SELECT state, count(*) FROM span_outbox GROUP BY state")
    sizes = _grouped(core, "SELECT state, sum(size_bytes) FROM span_outbox GROUP BY state")
    for state in ("new", "sent", "poison"):
        assert _values(samples, m.OUTBOX_ROWS)[state] == rows.get(state, 0)
        assert _values(samples, m.OUTBOX_BYTES)[state] == sizes.get(state, 0)
    slots = _values(samples, m.SLOTS)
    assert slots["busy"] + slots["dead"] == tasks.get("processing", 0)
    return samples


def test_numbers_are_those_of_the_rows_through_every_move(any_home: Home) -> None:
    """After each of: nothing, submit, claim, end, failure, time-out, cancel, retry, dead worker."""
    core = any_home.core
    samples = _check(core)
    assert _values(samples, m.WORKERS) == {"up": 0, "draining": 0, "silent": 0}
    assert _one(samples, m.QUEUE_OLDEST_AGE) == 0
    worker = start_worker(core, concurrency=3)
    submitted(core, "One.")
    submitted(core, "@fail permanent\nTwo.", engine="scripted")
    submitted(core, "A canary.", source="canary")
    _check(core)
    for _ in range(3):
        claim = claimed(core, worker)
        _check(core)
        run(core, claim)
        _check(core)
    late = submitted(core, "Late.")
    claim = claimed(core, worker)
    with core.database.write() as conn:
        conn.execute(text("UPDATE task SET deadline_at = claimed_at WHERE status = 'processing'"))
        conn.execute(text("UPDATE task_attempt SET deadline_at = claimed_at"))
    verdict.flag_deadline(core, late.task.id, claim.attempt)
    assert _one(_check(core), m.DEADLINE_FLAGS) == 1
    verdict.time_out(core, late.task.id, claim.attempt, reason="late")
    cancel.cancel_task(core, submitted(core, "Taken back.").task.id, everyone=True)
    submitted(core, "@fail retryable\nOnce more.", engine="scripted")
    assert run(core, claimed(core, worker)).status == "pending"
    samples = _check(core)
    final = {"completed": 1, "failed": 1, "timeout": 1, "cancelled": 1}
    assert _values(samples, m.TASKS_FINISHED) == final
    assert _values(samples, m.WORKERS)["up"] == 1


def test_slots_and_workers_tell_the_dead_from_the_living(any_home: Home) -> None:
    """configured, usable, busy, held by the dead and free; up, draining and silent."""
    core = any_home.core
    living, dying = start_worker(core, concurrency=2), start_worker(core, name="w2", concurrency=2)
    limits.set_max_concurrent(core, 5)
    for number in range(3):
        submitted(core, f"Text {number}.")
    claimed(core, living)
    claimed(core, dying)
    expected = {"configured": 5, "usable": 4, "busy": 2, "dead": 0, "free": 2}
    assert _values(_check(core), m.SLOTS) == expected
    with core.database.write() as conn:
        conn.execute(text("UPDATE worker SET heartbeat_at = 1 WHERE id = :id"), {"id": dying})
    samples = _check(core)
    assert _values(samples, m.SLOTS) == {**expected, "usable": 2, "busy": 1, "dead": 1, "free": 1}
    assert _values(samples, m.WORKERS) == {"up": 1, "draining": 0, "silent": 1}
    with core.database.write() as conn:
        workers.drain(conn, living)
    assert _values(_check(core), m.WORKERS)["draining"] == 1


def test_ages_are_those_of_the_oldest(any_home: Home) -> None:
    """The queue's and the outbox's ages are of their oldest rows, by the database's clock."""
    core = any_home.core
    submitted(core, "Old.")
    submitted(core, "New.")
    with core.database.write() as conn:
        now = core.database.now_us(conn)
        conn.execute(
            text("UPDATE task SET queued_at = :at WHERE id = (SELECT min(id) FROM task)"),
            {"at": now - _HOUR_US},
        )
        for age_us in (0, 2 * _HOUR_US):
            outbox.add(
                conn, payload=b"x", n_spans=3, rank=1, created_at_us=now - age_us, task_id=None
            )
        conn.execute(
            text(
                "INSERT INTO span_outbox_loss (rank, row_count, span_count, last_at)"
                " VALUES (1, 2, 7, 1), (0, 1, 1, 1)"
            )
        )
    samples = _check(core)
    assert 3600 <= _one(samples, m.QUEUE_OLDEST_AGE) < 3700
    assert 7200 <= _one(samples, m.OUTBOX_OLDEST_AGE) < 7300
    assert _one(samples, m.OUTBOX_LOST_SPANS) == 8


def test_engine_histogram_is_that_of_the_calls(any_home: Home) -> None:
    """Counts by bucket add up to the calls; each engine and outcome has a series of its own."""
    core = any_home.core
    worker = start_worker(core)
    for content in ("@sleep 0.3\nSlow.\n\nQuick.", "@fail permanent\nNever."):
        submitted(core, content, engine="scripted")
        run(core, claimed(core, worker))
    shapes = {
        sample.attributes["outcome"]: sample.value
        for sample in _read(core)
        if isinstance(sample.value, Histogram)
    }
    assert (shapes["ok"].count, shapes["error"].count) == (2, 1)
    assert shapes["ok"].sum >= 0.3
    assert shapes["ok"].cumulative[-1] == 2
    quarter = shapes["ok"].bounds.index(0.25)
    assert shapes["ok"].cumulative[quarter] == 1


def test_duties_forwarder_and_processes_are_told_from_their_rows(any_home: Home) -> None:
    """Who leads, when each duty last did its work, its failures; counts of processes summed."""
    core = any_home.core
    assert _one(_read(core), m.DUTIES_LEADING) == 0
    leader.lead(core, "h/1/a")
    with core.database.read() as conn:
        now = core.database.now_us(conn)
    state = {"failures": 4, "last_success_us": now - 5_000_000, "rejected_spans": 9}
    leader.note_success(core, "forwarder", "h/1/a", json.dumps(state))
    leader.note_failure(core, "reaper", "h/1/a", "it broke")
    leader.note_failure(core, "reaper", "h/1/a", "it broke again")
    for program, n in (("web", 2), ("web", 3), ("duties", 1)):
        labels = json.dumps({"place": "x"})
        found = {(m.TELEMETRY_FAILURES.name, labels): n, ("not.in.the.table", "{}"): 1}
        ProcessCounts(program, lambda found=found: found).tell(core)  # type: ignore[misc]
    rejected = {(m.FORWARDER_REJECTED_SPANS.name, "{}"): 9}
    ProcessCounts("duties", lambda: rejected).tell(core)
    samples = _read(core)
    assert _one(samples, m.DUTIES_LEADING) == 1
    assert _values(samples, m.DUTY_FAILURES) == {"forwarder": 0, "reaper": 2}
    assert list(_values(samples, m.DUTY_LAST_SUCCESS_AGE)) == ["forwarder"]
    assert _one(samples, m.FORWARDER_FAILING) == 4
    assert 5 <= _one(samples, m.FORWARDER_LAST_SUCCESS_AGE) < 30
    assert _one(samples, m.FORWARDER_LAST_SUCCESS) == pytest.approx(now / 1e6 - 5)
    assert _one(samples, m.FORWARDER_REJECTED_SPANS) == 9
    assert _one(samples, m.FORWARDER_SENT_SPANS) == 0
    failures = _values(samples, m.TELEMETRY_FAILURES)  # those of this test's process among them
    assert {key: n for key, n in failures.items() if key.endswith(" x")} == {
        "web x": 5,
        "duties x": 1,
    }
    leader.step_down(core, "h/1/a")
    assert _one(_read(core), m.DUTIES_LEADING) == 0


def test_rows_of_duties_that_no_longer_run_are_not_told(home: Home) -> None:
    """Without a collector, a Jaeger, canaries: their rows of before do not grow old for ever."""
    core = home.core
    for name in ("forwarder", "look-up", "canary", "ping", "sweeper"):
        leader.note_success(core, name, "h")
    with core.database.read() as conn:
        samples = measures.read(core, outbox.measure(conn), exports=False)
    assert list(_values(samples, m.DUTY_FAILURES)) == ["sweeper"]
    assert not _values(samples, m.OUTBOX_OLDEST_AGE)
    optional = ("voxtrace.forwarder", "voxtrace.trace", "voxtrace.canary")
    assert not [sample for sample in samples if sample.metric.name.startswith(optional)]


def test_findings_and_calls_are_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    """How many are open, and were opened; when it was looked; what waits. Nothing where unset."""
    path = tmp_path_factory.mktemp("home")
    with Home.make(path / "off") as home:
        samples = _read(home.core)
        assert not _values(samples, m.FINDINGS_OPEN)
        assert not _values(samples, m.WEBHOOK_WAITING)
    watched = {
        "VOXTRACE_WATCH_EVERY_S": "60",
        "VOXTRACE_WEBHOOK_URL": "http://127.0.0.1:9/",
        "VOXTRACE_WEBHOOK_SECRET": "0123456789abcdef",
    }
    with Home.make(path / "on", **watched) as home:
        core = home.core
        samples = _read(core)
        assert (_one(samples, m.FINDINGS_OPEN), _one(samples, m.FINDINGS_OPENED)) == (0, 0)
        assert not _values(samples, m.WATCH_LAST_SUCCESS)
        closed(core, opened(core))
        opened(core, {"worker": "w4"})
        with core.database.write() as conn:
            now = core.database.now_us(conn)
            counts.add(conn, "findings_opened", 2)
            counts.add(conn, "webhook.failed", 3)
        state = json.dumps({"scanned_at": now - 90_000_000, "took_ms": 31.5})
        leader.note_success(core, "watch", "h/1/x", state)
        samples = _read(core)
        assert (_one(samples, m.FINDINGS_OPEN), _one(samples, m.FINDINGS_OPENED)) == (1, 2)
        assert _one(samples, m.WATCH_LAST_SUCCESS) == (now - 90_000_000) / 1e6
        assert 90 <= _one(samples, m.WATCH_LAST_SUCCESS_AGE) < 120
        assert _one(samples, m.WATCH_DURATION) == 0.0315
        assert _one(samples, m.WEBHOOK_WAITING) == 3
        assert 0 <= _one(samples, m.WEBHOOK_OLDEST_AGE) < 60
        assert _values(samples, m.WEBHOOK_CALLS) == {"delivered": 0, "failed": 3, "given_up": 0}


def test_canary_is_told_by_its_last_verdict(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Result, age and stages of the last canary that ended with one; nothing before the first."""
    with Home.make(tmp_path_factory.mktemp("home"), VOXTRACE_CANARY_MIN="5") as home:
        core = home.core
        assert not _values(_read(core), m.CANARY_OK)
        with core.database.write() as conn:
            now = core.database.now_us(conn)
            over = {"stage": "done", "finished_at": now - 60_000_000}
            for values in (
                over | {"is_ok": True, "queue_us": 1_500_000, "run_us": 2_000_000},
                over | {"is_ok": None},
                {"stage": "run"},
            ):
                canaries.insert_canary(conn, {"started_at": now - 90_000_000} | values)
        samples = _read(core)
        assert _one(samples, m.CANARY_OK) == 1
        assert 60 <= _one(samples, m.CANARY_AGE) < 90
        assert _values(samples, m.CANARY_STAGE) == {"queue": 1.5, "run": 2.0}


READS: dict[str, Callable[[Connection], object]] = {
    "counts": counts.every,
    "engine calls": counts.engine_calls,
    "counts of processes": counts.of_processes,
    "oldest waiting": reports.oldest_waiting,
    "processing": reports.processing,
    "workers": workers.live,
    "duties": duties.every,
}
#: Tables whose rows grow with the work.
_GROWING = ("task", "task_attempt", "text", "event", "segment", "span_outbox", "worker")


def test_cost_does_not_grow_with_the_tasks(home: Home) -> None:
    """No statement of a snapshot scans a table that grows, but by an index of what is open."""
    core = home.core
    with core.database.write() as conn:
        with recorded(conn.engine) as statements:
            for read in READS.values():
                read(conn)
        for sql, values in statements:
            for line in plan(conn, sql, values):
                words = line.split()
                if words[0] == "SCAN" and words[1] in _GROWING:
                    assert "ix_" in line, f"{line}\n{sql}"
    assert len(statements) == len(READS)


def test_reads_are_kept_for_a_second(home: Home) -> None:
    """A hundred scrapes in a moment read the tables once."""
    core = home.core
    gauge = watch.OutboxGauge(core)
    kept = measures.Measures(core, gauge, exports=False)
    with core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        first = kept.read()
        once = len(statements)
        assert all(kept.read() is first for _ in range(100))
        assert len(statements) == once


@pytest.fixture
def two_cores(any_home: Home) -> Iterator[list[Core]]:
    """Two processes' Cores on one database."""
    made = [bootstrap.make_core(any_home.settings, role="web", actor="web") for _ in range(2)]
    yield made
    for core in made:
        core.database.close()


def test_two_processes_tell_the_same(any_home: Home, two_cores: list[Core]) -> None:
    """The numbers come from the rows alone: only ages differ between two that ask."""
    worker = start_worker(any_home.core)
    for number in range(3):
        submitted(any_home.core, f"Text {number}.")
    run(any_home.core, claimed(any_home.core, worker))
    told = [
        {
            (sample.metric.name, *sample.attributes.values()): sample.value
            for sample in _read(core)
            if not sample.metric.name.endswith("age")
        }
        for core in two_cores
    ]
    assert told[0] == told[1]
    assert len(told[0]) >= 30

"""Samples made from the rows of one snapshot: pure functions, one for each part of the service."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.engine_calls import BOUNDS_S, Bucket
from app.domain.records import CanaryRecord, DutyRecord
from app.domain.task import Status
from app.service.checks.check_watch import last_verdict
from app.service.duty_counts import COUNTED
from app.service.duty_state import state_of
from app.service.findings.counted import CALLS, OPENED
from app.service.leader import LEADER
from app.service.recounts.verdict import Verdict
from app.service.report import Slots, WorkerView
from app.store.counts import ProcessCount
from app.store.webhook_deliveries import Waiting
from telemetry import metric_names as m
from telemetry.outbox import OutboxState
from telemetry.samples import Histogram, Sample

_OF_PROCESSES: Final = {
    metric.name: metric
    for metric in (
        *(metric for fields in COUNTED.values() for metric, _ in fields.values()),
        m.TELEMETRY_FAILURES,
        m.SDK_SPAN_STARTED,
        m.SDK_SPAN_PROCESSED,
        m.SDK_SPAN_EXPORTED,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What one snapshot has.

    Attributes:
        now: The database's time, microseconds since the epoch, as every moment here.
        statuses: Tasks of all time by status.
        archived: Those of them that retention removed, by status.
        counted: Counts that never fall, by name.
        oldest_waiting_at: When the task that waits longest was queued; None: nothing waits.
        workers: Those that are up or draining by their rows.
        duties: Those that are wanted here, and the leader's row.
        recount: What the recounts of the statistics say.
        canaries: The newest first; none where none are wanted.
        outbox: None where it could not be measured.
        exports: Whether a collector is set: without one, spans wait for nobody.
        findings: How many are open, of which nobody is told (True) and others; None where nobody
            watches.
        webhook: What waits for the webhook; None where none is set.
    """

    now: int
    release: str
    statuses: Mapping[str, int]
    archived: Mapping[str, int]
    counted: Mapping[str, int]
    oldest_waiting_at: int | None
    slots: Slots
    workers: Sequence[WorkerView]
    calls: Sequence[Bucket]
    duties: Sequence[DutyRecord]
    recount: Verdict
    canaries: Sequence[CanaryRecord]
    processes: Mapping[ProcessCount, int]
    outbox: OutboxState | None
    exports: bool
    findings: Mapping[bool, int] | None
    webhook: Waiting | None

    def duty(self, name: str) -> DutyRecord | None:
        """A duty's row."""
        return next((duty for duty in self.duties if duty.name == name), None)


def samples_of(rows: Rows) -> list[Sample]:
    """Everything that is measured."""
    return [
        *_of_tasks(rows),
        *_of_workers(rows),
        *_of_engines(rows.calls),
        *_of_outbox(rows),
        *_of_duties(rows),
        *_of_forwarder(rows),
        *_of_statistics(rows.recount),
        *_of_canaries(rows),
        *_of_findings(rows),
        *_of_webhook(rows),
        *_of_processes(rows),
        _sample(m.BUILD_INFO, 1, release=rows.release),
    ]


def _sample(metric: m.Metric, value: float | Histogram, **attributes: str) -> Sample:
    return Sample(metric=metric, value=value, attributes=attributes)


def _age_s(rows: Rows, at: int | None) -> float:
    return 0.0 if at is None else max(0, rows.now - at) / 1_000_000


def _of_tasks(rows: Rows) -> Iterator[Sample]:
    for status in Status:
        yield _sample(m.TASKS, rows.statuses.get(status, 0), status=str(status))
    for status in Status:
        if status.is_final:
            yield _sample(m.TASKS_FINISHED, rows.statuses.get(status, 0), status=str(status))
            yield _sample(m.TASKS_ARCHIVED, rows.archived.get(status, 0), status=str(status))
    yield _sample(m.DEADLINE_FLAGS, rows.counted.get("deadline_flags", 0))
    yield _sample(m.QUEUE_DEPTH, rows.statuses.get(Status.PENDING, 0))
    yield _sample(m.QUEUE_OLDEST_AGE, _age_s(rows, rows.oldest_waiting_at))


def _of_workers(rows: Rows) -> Iterator[Sample]:
    slots = rows.slots
    by_state = {
        "configured": slots.configured,
        "usable": slots.usable,
        "busy": slots.busy,
        "dead": slots.held_by_dead,
        "free": slots.free,
    }
    for state, n in by_state.items():
        yield _sample(m.SLOTS, n, state=state)
    states = [view.worker.state if view.is_alive else "silent" for view in rows.workers]
    for state in ("up", "draining", "silent"):
        yield _sample(m.WORKERS, states.count(state), state=state)


def _of_engines(calls: Sequence[Bucket]) -> Iterator[Sample]:
    """A histogram for each engine and outcome that was ever seen."""
    for engine, outcome in sorted({(one.engine, one.outcome) for one in calls}):
        mine = [one for one in calls if (one.engine, one.outcome) == (engine, outcome)]
        counts = {one.bucket: one.n for one in mine}
        shape = Histogram(
            bounds=BOUNDS_S,
            counts=tuple(counts.get(bucket, 0) for bucket in range(len(BOUNDS_S) + 1)),
            sum=sum(one.sum_us for one in mine) / 1_000_000,
        )
        yield _sample(m.ENGINE_CALL, shape, engine=engine, outcome=outcome)


def _of_outbox(rows: Rows) -> Iterator[Sample]:
    state = rows.outbox
    if state is None:
        return
    sizes = {
        "new": (state.pending, state.pending_bytes),
        "sent": (state.sent, state.sent_bytes),
        "poison": (state.poison, state.poison_bytes),
    }
    for name, (n_rows, size_bytes) in sizes.items():
        yield _sample(m.OUTBOX_ROWS, n_rows, state=name)
        yield _sample(m.OUTBOX_BYTES, size_bytes, state=name)
    if rows.exports:
        yield _sample(m.OUTBOX_OLDEST_AGE, _age_s(rows, state.oldest_pending_us))
    yield _sample(m.OUTBOX_LOST_SPANS, state.lost_spans)


def _of_duties(rows: Rows) -> Iterator[Sample]:
    leader = rows.duty(LEADER)
    is_led = leader is not None and leader.lease_until > rows.now
    yield _sample(m.DUTIES_LEADING, int(is_led))
    for duty in rows.duties:
        if duty.name == LEADER:
            continue
        failures = rows.counted.get(f"duty_failures.{duty.name}", 0)
        yield _sample(m.DUTY_FAILURES, failures, duty=duty.name)
        if duty.succeeded_at is not None:
            yield _sample(m.DUTY_LAST_SUCCESS_AGE, _age_s(rows, duty.succeeded_at), duty=duty.name)


def _of_forwarder(rows: Rows) -> Iterator[Sample]:
    duty = rows.duty("forwarder")
    if duty is None:
        return
    state = state_of(duty)
    failures, success = state.get("failures"), state.get("last_success_us")
    if isinstance(failures, int):
        yield _sample(m.FORWARDER_FAILING, failures)
    if isinstance(success, int):
        yield _sample(m.FORWARDER_LAST_SUCCESS, success / 1_000_000)
        yield _sample(m.FORWARDER_LAST_SUCCESS_AGE, _age_s(rows, success))


def _of_statistics(told: Verdict) -> Iterator[Sample]:
    """What the recounts found, and how old that is."""
    yield _sample(m.STATISTICS_DRIFT, told.drift_count)
    yield _sample(m.STATISTICS_WAITING, told.waiting_count)
    if told.age_us is not None:
        yield _sample(m.STATISTICS_CHECK_AGE, told.age_us / 1_000_000)


def _of_canaries(rows: Rows) -> Iterator[Sample]:
    """The last canary that ended with a verdict."""
    last = last_verdict(rows.canaries)
    if last is None:
        return
    yield _sample(m.CANARY_OK, int(last.is_ok or False))
    yield _sample(m.CANARY_AGE, _age_s(rows, last.finished_at))
    stages = {"queue": last.queue_us, "run": last.run_us, "trace": last.trace_us}
    for stage, took_us in stages.items():
        if took_us is not None:
            yield _sample(m.CANARY_STAGE, took_us / 1_000_000, stage=stage)


def _of_findings(rows: Rows) -> Iterator[Sample]:
    """What the watch found, and when it looked."""
    if rows.findings is None:
        return
    yield _sample(m.FINDINGS_OPEN, rows.findings.get(False, 0))
    yield _sample(m.FINDINGS_MUTED, rows.findings.get(True, 0))
    yield _sample(m.FINDINGS_OPENED, rows.counted.get(OPENED, 0))
    state = state_of(rows.duty("watch"))
    scanned_at, took_ms = state.get("scanned_at"), state.get("took_ms")
    if isinstance(scanned_at, int) and isinstance(took_ms, int | float):
        yield _sample(m.WATCH_LAST_SUCCESS, scanned_at / 1_000_000)
        yield _sample(m.WATCH_LAST_SUCCESS_AGE, _age_s(rows, scanned_at))
        yield _sample(m.WATCH_DURATION, took_ms / 1000)


def _of_webhook(rows: Rows) -> Iterator[Sample]:
    """What waits to be told, and how calls went."""
    if rows.webhook is None:
        return
    yield _sample(m.WEBHOOK_WAITING, rows.webhook.n)
    yield _sample(m.WEBHOOK_OLDEST_AGE, _age_s(rows, rows.webhook.oldest_at))
    for result, name in CALLS.items():
        yield _sample(m.WEBHOOK_CALLS, rows.counted.get(name, 0), result=result)


def _of_processes(rows: Rows) -> Iterator[Sample]:
    """What processes counted, and zeros for what was not counted yet but could be."""
    names = {duty.name for duty in rows.duties}
    totals: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
    for duty, fields in COUNTED.items():
        if duty in names:
            for metric, result in fields.values():
                totals[metric.name, (("result", result),) if result else ()] = 0
    for key, n in rows.processes.items():
        if key.name in _OF_PROCESSES:
            attributes = {"program": key.program, **json.loads(key.labels)}
            wanted = _OF_PROCESSES[key.name].attributes
            kept = tuple((name, attributes[name]) for name in wanted if name in attributes)
            totals[key.name, kept] = totals.get((key.name, kept), 0) + n
    for (name, kept), n in totals.items():
        yield Sample(metric=_OF_PROCESSES[name], value=n, attributes=dict(kept))

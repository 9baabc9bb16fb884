"""Reports: the statistics and what runs now, each answer made in one read snapshot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from app.domain.finding import FindingRecord
from app.domain.records import CanaryRecord, DutyRecord, TaskRecord, WorkerRecord
from app.service import limits
from app.service.canaries.canary import KEPT
from app.service.checks.check import Check, needing
from app.service.checks.checks import row_checks
from app.service.checks.facts import Facts
from app.service.core import Core
from app.service.findings import deliveries
from app.service.progress import progress_ratio
from app.service.recounts.verdict import verdict
from app.service.retention.archived import archived
from app.service.task_view import is_alive
from app.store import canaries, duties, findings, reports, texts, totals, workers
from app.store.database import Connection
from app.store.reports import ActiveText
from app.store.totals import Total
from telemetry import provider
from telemetry.outbox import OutboxState

#: Room at the engine, the next try, a free slot, or only that a worker takes it.
WaitsFor = Literal["capacity", "try", "slot", "turn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Totals of live texts, each in one state: pending + active + completed + failed = total.

    Attributes:
        failed: Texts whose task failed, timed out or was cancelled.
        success_ratio: completed / total, as the old service defined it; 0 where there is nothing.
        finished_ratio: Completed tasks among those that completed, failed or timed out; None
            before the first.
        mean_run_ms: Mean run time of completed tasks; None before the first.
        by_status: Tasks by status.
    """

    pending: int
    active: int
    completed: int
    failed: int
    success_ratio: float
    finished_ratio: float | None
    mean_run_ms: float | None
    by_state: dict[str, int]
    by_status: dict[str, int]
    max_concurrent: int
    now: int

    @property
    def total(self) -> int:
        """All live texts."""
        return self.pending + self.active + self.completed + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsWithActive:
    """The statistics and the texts that run, of one moment."""

    stats: Stats
    active: tuple[ActiveText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Slots, derived from rows.

    Attributes:
        configured: `max_concurrent`.
        usable: What living workers offer, `configured` at most.
        busy: Held by tasks of living workers.
        held_by_dead: Held by tasks whose worker gives no sign of life; the reaper frees them.
    """

    configured: int
    usable: int
    busy: int
    held_by_dead: int

    @property
    def free(self) -> int:
        """Where something could begin now."""
        return max(0, min(self.usable - self.busy, self.configured - self.busy - self.held_by_dead))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveTask:
    """A task that runs."""

    task: TaskRecord
    title: str
    progress: float
    ran_us: int
    is_worker_lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A start of a worker: whether it lives, and how many tasks it runs."""

    worker: WorkerRecord
    is_alive: bool
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorView:
    """What the monitor shows, at one moment (`now`, the database's time).

    Attributes:
        oldest_waiting_at: When the task that waits longest was queued; None: nothing waits.
        waits_for: What the head of the queue waits for, the most telling first.
        workers: The living, and those that ended within a day, newest first.
        outbox: None where it was not measured.
        canaries: The newest first.
        findings: Those that are open, the oldest first.
        checks: Those that are told from rows.
        last_event_id: Grows whenever any task moves.
    """

    stats: Stats
    slots: Slots
    oldest_waiting_at: int | None
    waits_for: tuple[WaitsFor, ...]
    active: tuple[ActiveTask, ...]
    workers: tuple[WorkerView, ...]
    duties: tuple[DutyRecord, ...]
    outbox: OutboxState | None
    exports: bool
    is_traced: bool
    canaries: tuple[CanaryRecord, ...]
    findings: tuple[FindingRecord, ...]
    checks: tuple[Check, ...]
    last_event_id: int
    now: int

    @property
    def alerts(self) -> tuple[Check, ...]:
        """Those of the checks that need a person now, the worst first."""
        return needing(self.checks)


#: Microseconds that a worker that ended stays on the monitor.
_SHOWN_US = 86_400_000_000


def stats(core: Core) -> StatsWithActive:
    """The statistics and the active list, which agree."""
    with core.database.read() as conn:
        return StatsWithActive(
            stats=_stats(core, conn, totals.of_tasks(conn), core.database.now_us(conn)),
            active=tuple(reports.active_texts(conn)),
        )


def _stats(core: Core, conn: Connection, counted: Sequence[Total], now: int) -> Stats:
    states = totals.texts_by_state(conn)
    statuses = totals.by_status(counted)
    failed = sum(states.get(name, 0) for name in ("failed", "timeout", "cancelled"))
    completed = states.get("completed", 0)
    pending, active = states.get("pending", 0), states.get("processing", 0)
    total = pending + active + completed + failed
    done = statuses.get("completed")
    ended = sum(statuses[name].n for name in ("completed", "failed", "timeout") if name in statuses)
    return Stats(
        pending=pending,
        active=active,
        completed=completed,
        failed=failed,
        success_ratio=completed / total if total else 0.0,
        finished_ratio=(done.n if done else 0) / ended if ended else None,
        mean_run_ms=done.run_ms / done.n if done and done.n else None,
        by_state=states,
        by_status={status: value.n for status, value in statuses.items()},
        max_concurrent=limits.in_snapshot(core, conn).max_concurrent,
        now=now,
    )


def monitor(core: Core, *, outbox: OutboxState | None, exports: bool) -> MonitorView:
    """What the monitor shows.

    Args:
        core: Where to read.
        outbox: What lies in the span outbox (measured less often than this is asked).
        exports: Whether a collector is set.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        running = reports.processing(conn)
        known = _workers(conn, running, now)
        counted = totals.of_tasks(conn)
        figures = _stats(core, conn, counted, now)
        slots = slots_of(figures.max_concurrent, running, known)
        facts = Facts(
            now=now,
            waiting=figures.by_status.get("pending", 0),
            configured=slots.configured,
            usable=slots.usable,
            held_by_dead=slots.held_by_dead,
            late=sum(task.timed_out_at is not None for task in running),
            workers=tuple(view.worker for view in known),
            duties=tuple(duties.every(conn)),
            outbox=outbox,
            outbox_max_bytes=core.settings.outbox_max_bytes,
            exports=exports,
            is_traced=provider.is_enabled(),
            canaries=tuple(canaries.latest(conn, KEPT)),
            canary_period_us=round(core.settings.canary_min * 60_000_000),
            recount=verdict(conn, now),
            archived=archived(conn, counted),
            watch_period_us=round(core.settings.watch_every_s * 1_000_000),
            findings=tuple(findings.open_ones(conn)),
            deliveries=deliveries.read(core, conn),
        )
        checks = row_checks(facts)
        return MonitorView(
            stats=figures,
            slots=slots,
            oldest_waiting_at=reports.oldest_waiting(conn),
            waits_for=waits_for(reports.waits(conn, now), slots),
            active=_active(conn, running, known, now),
            workers=tuple(known),
            duties=tuple(facts.duties),
            outbox=outbox,
            exports=exports,
            is_traced=facts.is_traced,
            canaries=tuple(facts.canaries),
            findings=tuple(facts.findings),
            checks=checks,
            last_event_id=reports.last_event(conn),
            now=now,
        )


def worker_list(core: Core) -> tuple[WorkerView, ...]:
    """The living workers, and those that ended within a day, newest first."""
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        return tuple(_workers(conn, reports.processing(conn), now))


def _workers(conn: Connection, running: Sequence[TaskRecord], now: int) -> list[WorkerView]:
    shown = {worker.id: worker for worker in workers.live(conn)}
    for worker in workers.latest(conn):
        if (worker.ended_at or now) > now - _SHOWN_US:
            shown.setdefault(worker.id, worker)
    holding = [task.worker_id for task in running]
    shown |= reports.workers(conn, sorted({name for name in holding if name} - set(shown)))
    return [
        WorkerView(worker=worker, is_alive=is_alive(worker, now), running=holding.count(worker.id))
        for worker in sorted(shown.values(), key=lambda worker: -worker.started_at)
    ]


def slots_of(configured: int, running: Sequence[TaskRecord], known: Sequence[WorkerView]) -> Slots:
    """The slots, from what runs and who lives."""
    living = {view.worker.id for view in known if view.is_alive}
    offered = sum(
        view.worker.concurrency for view in known if view.is_alive and view.worker.state == "up"
    )
    held_by_dead = sum(task.worker_id not in living for task in running)
    return Slots(
        configured=configured,
        usable=min(configured, offered),
        busy=len(running) - held_by_dead,
        held_by_dead=held_by_dead,
    )


def waits_for(waits: Iterable[tuple[str, bool]], slots: Slots) -> tuple[WaitsFor, ...]:
    """What tasks wait for, from (reason, whether until a later moment) of each."""
    found: set[WaitsFor] = set()
    for reason, is_held in waits:
        if is_held:
            found.add("capacity" if reason == "capacity" else "try")
        else:
            found.add("turn" if slots.free else "slot")
    return tuple(one for one in get_args(WaitsFor) if one in found)


def _active(
    conn: Connection, running: Sequence[TaskRecord], known: Sequence[WorkerView], now: int
) -> tuple[ActiveTask, ...]:
    titles = texts.titles(conn, [task.text_id for task in running])
    living = {view.worker.id for view in known if view.is_alive}
    return tuple(
        ActiveTask(
            task=task,
            title=titles.get(task.text_id, ""),
            progress=progress_ratio(task),
            ran_us=now - (task.claimed_at or now),
            is_worker_lost=task.worker_id not in living,
        )
        for task in running
    )

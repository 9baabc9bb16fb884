"""What the checks are made from: rows of one snapshot, as values."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.finding import FindingRecord
from app.domain.records import CanaryRecord, DutyRecord, WorkerRecord
from app.service.findings.deliveries import Deliveries
from app.service.leader import LEADER, LEADER_LATE_US
from app.service.recounts.verdict import Verdict
from app.service.retention.archived import Archived
from telemetry.outbox import OutboxState


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One moment of the service; see `report.monitor`.

    Attributes:
        now: The database's time, microseconds since the epoch, as every moment here.
        waiting: Tasks that wait.
        late: Running tasks past their deadline.
        workers: The living, and those that ended within a day.
        outbox: None where it was not measured.
        exports: Whether a collector is set for the process that asks.
        is_traced: Whether that process makes spans at all.
        canaries: The newest first.
        canary_period_us: Pause between two; 0 for none.
        recount: What the recounts of the statistics say.
        archived: What was ever removed, by retention or by hand.
        watch_period_us: Pause between two scans of the failures; 0 for none.
        findings: Those that are open, the oldest first.
        deliveries: What the webhook is told.
    """

    now: int
    waiting: int
    configured: int
    usable: int
    held_by_dead: int
    late: int
    workers: Sequence[WorkerRecord]
    duties: Sequence[DutyRecord]
    outbox: OutboxState | None
    outbox_max_bytes: int
    exports: bool
    is_traced: bool
    canaries: Sequence[CanaryRecord]
    canary_period_us: int
    recount: Verdict
    archived: Archived
    watch_period_us: int
    findings: Sequence[FindingRecord]
    deliveries: Deliveries

    def duty(self, name: str) -> DutyRecord | None:
        """A duty's row."""
        return next((duty for duty in self.duties if duty.name == name), None)

    @property
    def has_leader(self) -> bool:
        """Whether a duties process leads: what only it can tell is known."""
        leader = self.duty(LEADER)
        return leader is not None and self.now - leader.ticked_at <= LEADER_LATE_US

"""What an attempt tells in the log of its task: what a person wants to know, not each step."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app import clock
from app.domain.records import AttemptRecord, TaskRecord
from app.domain.task import KILL_GRACE_US
from app.logs.logger import logger_of
from app.service.task_logs.task_log import Told
from telemetry import names

log = logger_of(__name__)

#: Seconds between two lines of progress at least, and percent between them.
PROGRESS_S: Final = 5.0
PROGRESS_PERCENT: Final = 10
#: Reasons for which an engine's program is started that are no trouble.
_USUAL: Final = frozenset({"first", "jobs", "memory"})


def claimed(task: TaskRecord, row: AttemptRecord) -> Told:
    """A worker takes the task."""
    return Told(
        task=task,
        logger=__name__,
        event="claimed",
        attempt=row.attempt,
        span_id=row.span_id,
        fields={
            "worker": row.worker_name,
            "waited_s": _seconds(row.claimed_at - row.queued_at),
            "wait_reason": row.wait_reason,
            "limit_s": _seconds(task.timeout_us),
        },
    )


def deadline_passed(task: TaskRecord, row: AttemptRecord) -> Told:
    """The deadline passed while the attempt runs."""
    return Told(
        task=task,
        logger=__name__,
        event="the deadline passed: the attempt is killed where it does not end",
        level=logging.WARNING,
        attempt=row.attempt,
        span_id=row.span_id,
        fields={"limit_s": _seconds(task.timeout_us), "kill_in_s": _seconds(KILL_GRACE_US)},
    )


def event(name: str, attributes: Mapping[str, str | float | bool]) -> None:
    """Something that is noted on the attempt's span too."""
    is_usual = name == names.EVENT_HOST_STARTED and attributes.get("reason") in _USUAL
    log.log(logging.INFO if is_usual else logging.WARNING, name, **attributes)


@dataclass(slots=True, kw_only=True)
class Milestones:
    """Says when progress is worth a line: each tenth of the way, and not more often than 5 s.

    A short attempt has none; a long one at most nine for each phase.
    """

    told_percent: int
    told_at_s: float

    @classmethod
    def begin(cls, ratio: float = 0.0) -> "Milestones":
        """From here on; what an earlier attempt had done is no progress of this one."""
        return cls(told_percent=int(100 * ratio), told_at_s=clock.monotonic_s())

    def passed(self, ratio: float) -> int | None:
        """The percentage to tell, or None for nothing yet; 100 is told by the end of the phase."""
        percent = int(100 * ratio)
        now_s = clock.monotonic_s()
        if percent >= 100 or percent - self.told_percent < PROGRESS_PERCENT:
            return None
        if now_s - self.told_at_s < PROGRESS_S:
            return None
        self.told_percent, self.told_at_s = percent - percent % PROGRESS_PERCENT, now_s
        return percent


def _seconds(us: int) -> float:
    return round(us / 1_000_000, 3)

"""How far a task is: the share of its work that is done, from the row alone."""

from typing import Final

from app.domain.records import TaskRecord

#: Where each phase of an attempt begins and ends, as shares of its work.
_PHASES: Final = {
    "start": (0.0, 0.0),
    "split": (0.0, 0.02),
    "speak": (0.02, 0.9),
    "encode": (0.9, 0.99),
    "store": (0.99, 1.0),
}


def progress_ratio(task: TaskRecord) -> float:
    """0 to 1; of a task that waits again, what its finished segments are worth."""
    if task.status == "completed":
        return 1.0
    begin, end = _PHASES.get(task.phase or "start", (0.0, 0.0))
    inside = begin + (end - begin) * task.phase_permille / 1000
    kept = 0.0
    if task.segment_count:
        kept = 0.02 + 0.88 * task.segments_done / task.segment_count
    return round(min(1.0, max(inside, kept) if task.segments_done else inside), 4)

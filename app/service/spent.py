"""Where the time went: a task's whole time, parted without gaps and overlaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.domain.records import AttemptRecord, SegmentRecord, TaskRecord
from app.service.pieces import Piece

Part = Literal["waiting", "quota", "engine", "own", "lost"]
#: In the order of showing.
PARTS: Final[tuple[Part, ...]] = ("waiting", "quota", "engine", "own", "lost")
#: Outcomes of attempts whose work after the last checkpoint had to be done again.
_LOSING: Final = frozenset(
    {"lost", "retry", "failed", "timeout", "handed_back", "cancelled", "capacity"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Microseconds by part; they sum to the time from submission to the end (or now).

    waiting: in the queue, or between tries. quota: for room at the engine. engine: it spoke.
    own: everything else an attempt did. lost: what an attempt did after its last checkpoint,
    where it did not complete.
    """

    waiting: int
    quota: int
    engine: int
    own: int
    lost: int

    @property
    def total_us(self) -> int:
        """All parts together."""
        return self.waiting + self.quota + self.engine + self.own + self.lost


@dataclass(slots=True)
class _Sum:
    parts: dict[Part, int]

    def add(self, part: Part, us: int) -> None:
        self.parts[part] += max(0, us)


def spent(
    task: TaskRecord,
    attempts: Sequence[AttemptRecord],
    segments: Sequence[SegmentRecord],
    calls: Sequence[Piece],
    now: int,
) -> Spent:
    """Parts a task's time.

    Args:
        task: The task.
        attempts: First to last.
        segments: Committed or not.
        calls: Pieces of engine calls, where they are kept; else a segment's time counts as the
            engine's.
        now: The database's time, for what still runs.
    """
    total = _Sum(dict.fromkeys(PARTS, 0))
    engine = _engine_intervals(segments, calls)
    at = task.submitted_at
    for attempt in attempts:
        total.add(_waiting(attempt.wait_reason), attempt.claimed_at - at)
        end = attempt.finished_at if attempt.finished_at is not None else now
        begin = max(at, attempt.claimed_at)
        _add_run(total, attempt, begin, max(begin, end), engine)
        at = max(begin, end)
    end = task.finished_at if task.finished_at is not None else now
    if task.status != "processing":
        total.add(_waiting(task.wait_reason), end - at)
    return Spent(**total.parts)


def _waiting(reason: str) -> Part:
    return "quota" if reason == "capacity" else "waiting"


def _add_run(
    total: _Sum,
    attempt: AttemptRecord,
    begin: int,
    end: int,
    engine: Mapping[int, Sequence[tuple[int, int]]],
) -> None:
    mine = engine.get(attempt.attempt, ())
    kept_until = end
    if attempt.outcome in _LOSING:
        kept_until = min(end, max((stop for _, stop in mine if stop <= end), default=begin))
    spoken = sum(max(0, min(stop, kept_until) - max(start, begin)) for start, stop in mine)
    spoken = min(spoken, kept_until - begin)
    total.add("engine", spoken)
    total.add("own", kept_until - begin - spoken)
    total.add("quota" if attempt.outcome == "capacity" else "lost", end - kept_until)


def _engine_intervals(
    segments: Sequence[SegmentRecord], calls: Sequence[Piece]
) -> dict[int, list[tuple[int, int]]]:
    """(start, end) of what the engine did, by attempt."""
    attempts = {row.span_id: row.attempt for row in segments if row.span_id}
    found: dict[int, list[tuple[int, int]]] = {}
    for call in calls:
        _note(found, attempts.get(call.parent_id or ""), call.start, call.end)
    if not found:
        for row in segments:
            if not row.reused:
                _note(found, row.attempt, row.started_at, row.finished_at)
    return found


def _note(
    found: dict[int, list[tuple[int, int]]],
    attempt: int | None,
    start: int | None,
    end: int | None,
) -> None:
    if attempt is not None and start is not None and end is not None:
        found.setdefault(attempt, []).append((start, end))

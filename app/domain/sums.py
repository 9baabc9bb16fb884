"""Sums over tasks: whole numbers that add up exactly, whatever the order, and what follows."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over some tasks, fields named as the columns of the statistics; times in milliseconds.

    Attributes:
        n: Tasks.
        run_ms, wait_ms, total_ms: How long they ran, waited, and were there (of ended ones).
        char_count: Characters of their texts.
        audio_ms: Length of the audio that they made.
        retry_count: Attempts after the first, but for those that waited for capacity.
        lost_count: Attempts that were lost with their worker or child.
        capacity_count, capacity_ms: Waits for capacity at the engine.
        late_count: Tasks with an attempt past its deadline.
    """

    n: int = 0
    run_ms: int = 0
    wait_ms: int = 0
    total_ms: int = 0
    char_count: int = 0
    audio_ms: int = 0
    retry_count: int = 0
    lost_count: int = 0
    capacity_count: int = 0
    capacity_ms: int = 0
    late_count: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            n=self.n + other.n,
            run_ms=self.run_ms + other.run_ms,
            wait_ms=self.wait_ms + other.wait_ms,
            total_ms=self.total_ms + other.total_ms,
            char_count=self.char_count + other.char_count,
            audio_ms=self.audio_ms + other.audio_ms,
            retry_count=self.retry_count + other.retry_count,
            lost_count=self.lost_count + other.lost_count,
            capacity_count=self.capacity_count + other.capacity_count,
            capacity_ms=self.capacity_ms + other.capacity_ms,
            late_count=self.late_count + other.late_count,
        )

    def per_task(self, name: str) -> float | None:
        """A sum divided by the number of tasks; None where there are none."""
        value: int = getattr(self, name)
        return value / self.n if self.n else None


#: The fields in their order: the order of the columns too.
NAMES = tuple(field.name for field in fields(Sums))
#: What ended tasks are told apart by in the rollups, in the order of their key.
DIMENSIONS = ("engine", "voice", "language", "worker", "host", "release")

"""Sums over tasks: whole numbers that add up exactly, whatever the order, and what follows."""

from dataclasses import astuple, dataclass, fields


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
            **dict(
                zip(NAMES, map(sum, zip(astuple(self), astuple(other), strict=True)), strict=True)
            )
        )

    def per_task(self, name: str) -> float | None:
        """A sum divided by the number of tasks; None where there are none."""
        value: int = getattr(self, name)
        return value / self.n if self.n else None


#: The fields in their order: the order of the columns too.
NAMES = tuple(field.name for field in fields(Sums))

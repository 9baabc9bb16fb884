"""Memory of processes, as the kernel counts it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of one process, or of several together, in KiB.

    Attributes:
        rss_kib: Everything that is in memory, what it shares with others included.
        pss_kib: The same with its share only of what it shares with others.
        anonymous_kib: What it has written to: heap and stacks, no program text, no files.
        pids: Whose it is: other pids in a later measure are processes that were replaced.
    """

    rss_kib: int
    pss_kib: int
    anonymous_kib: int
    pids: tuple[int, ...]


def memory_of(pids: Iterable[int]) -> Memory:
    """The memory of processes that run, on average."""
    found = [(pid, _rollup(pid)) for pid in pids]
    return Memory(
        rss_kib=_mean([one["Rss"] for _, one in found]),
        pss_kib=_mean([one["Pss"] for _, one in found]),
        anonymous_kib=_mean([one["Anonymous"] for _, one in found]),
        pids=tuple(pid for pid, _ in found),
    )


def _mean(values: Sequence[int]) -> int:
    return round(sum(values) / len(values))


def _rollup(pid: int) -> dict[str, int]:
    """Lines of /proc/PID/smaps_rollup, in KiB (proc(5))."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    words = [line.split() for line in lines]
    return {name.rstrip(":"): int(value) for name, value, *_ in words}

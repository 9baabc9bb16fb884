"""Cells of failures, added up: how many, in which parts of the window, with which values."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from app.service.failures.views import Counts, Part
from app.store.failure_counts import Cell


def by_group(cells: Iterable[Cell], names: Sequence[str], bin_count: int) -> dict[str, Counts]:
    """The counts of each fingerprint that has cells."""
    told: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        told[cell.fingerprint].append(cell)
    return {key: counts(found, names, bin_count) for key, found in told.items()}


def counts(cells: Sequence[Cell], names: Sequence[str], bin_count: int) -> Counts:
    """The counts of one group; cells of another bin than there are count in none."""
    bins = [0] * bin_count
    parts: list[Counter[str]] = [Counter() for _ in names]
    for cell in cells:
        if 0 <= cell.at < bin_count:
            bins[cell.at] += cell.n
        for counter, value in zip(parts, cell.values, strict=True):
            counter[value] += cell.n
    return Counts(
        count=sum(cell.n for cell in cells),
        repeats=sum(cell.n for cell in cells if cell.is_repeat),
        bins=tuple(bins),
        trend=trend(bins),
        parts={name: _parts(one) for name, one in zip(names, parts, strict=True)},
    )


def none(names: Sequence[str], bin_count: int) -> Counts:
    """The counts of a group that did not fail in the window."""
    return counts((), names, bin_count)


def trend(bins: Sequence[int]) -> float:
    """The last quarter against the three before it, one failure added on both sides."""
    last = max(1, len(bins) // 4)
    if len(bins) <= last:
        return 1.0
    expected = sum(bins[:-last]) * last / (len(bins) - last)
    return round((sum(bins[-last:]) + 1) / (expected + 1), 3)


def _parts(counter: Counter[str]) -> tuple[Part, ...]:
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Part(value=value, count=n) for value, n in ranked)

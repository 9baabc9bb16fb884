"""Results of benchmarks: rows of numbers, as a table for people and as JSON for programs."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence

#: One row: column to value.
Row = Mapping[str, float | str]
#: Row to its columns; rows with other columns are another table.
Result = Mapping[str, Row]

#: Key of a result that says in words why nothing was measured.
SKIPPED = "skipped"


def skipped(words: str) -> Result:
    """The result where nothing can be measured; the words say why."""
    return {SKIPPED: words}  # type: ignore[dict-item]


def table(result: Result) -> str:
    """The rows as tables: neighbours with the same columns share one. Or why there are none."""
    if SKIPPED in result:
        return f"SKIPPED: {result[SKIPPED]}"
    blocks: list[list[str]] = []
    columns: Sequence[str] = ()
    for name, row in result.items():
        if not blocks or list(row) != columns:
            columns = list(row)
            blocks.append([name])
        else:
            blocks[-1].append(name)
    return "\n\n".join(_block({name: result[name] for name in block}) for block in blocks)


def _block(rows: Result) -> str:
    columns = list(next(iter(rows.values())))
    cells = [[name, *(_shown(row[column]) for column in columns)] for name, row in rows.items()]
    cells.insert(0, ["", *columns])
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns) + 1)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        ).rstrip()
        for line in cells
    )


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:g}" if abs(value) < 100_000 else f"{value:.0f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie (nearest rank)."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


def main(measure: Callable[[], Result]) -> None:
    """A benchmark's own entry: prints its tables, or with `--json` one line of JSON."""
    result = measure()
    print(json.dumps(result) if "--json" in sys.argv else table(result))

"""Rows of a file scanned, with the onset of each finding."""

from dataclasses import dataclass, replace

from app.domain.correlation.found import Found, Onset, Scan
from app.domain.correlation.onset import onset
from app.domain.correlation.rows import Rows
from app.domain.correlation.scan import scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the rows from a moment on show, against those before it.

    Attributes:
        scan: The findings, and what became of the whole.
        onsets: Of each finding, in seconds since the epoch; None: it was so all the window long.
        n: Rows of the window.
        failed: Those of them that failed.
        baseline_n: Rows before it.
        baseline_failed: Those of them that failed.
        end: The last moment of the rows.
    """

    scan: Scan
    onsets: tuple[Onset | None, ...]
    n: int
    failed: int
    baseline_n: int
    baseline_failed: int
    end: float


def answer(rows: Rows, start: float) -> Answer:
    """Scans the rows from `start` on (seconds since the epoch)."""
    window, baseline = rows.cubes(start)
    found = scan(window, baseline)
    notes = list(rows.notes)
    if not window.total:
        notes.append("no row is at or after the start of the window")
    elif not baseline.total:
        notes.append("no row is before the start of the window: what always failed is not known")
    end = float(rows.at.max()) if rows.at.size else start
    return Answer(
        scan=replace(found, notes=(*found.notes, *notes)),
        onsets=tuple(_since(rows, one, start, end) for one in found.findings),
        n=window.total,
        failed=window.failed,
        baseline_n=baseline.total,
        baseline_failed=baseline.failed,
        end=end,
    )


def _since(rows: Rows, found: Found, start: float, end: float) -> Onset | None:
    inside = rows.fits(found.where) & (rows.at >= start)
    return onset(
        rows.at[inside],
        rows.is_case(found.fingerprint)[inside],
        start=start,
        end=end,
        expected_rate=found.expected / found.n,
    )

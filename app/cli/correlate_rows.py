"""`voxtrace correlate --rows`: the scan on the rows of a CSV file, no database needed."""

from pathlib import Path
from typing import Any, Final

import click

from app.cli.work import print_json
from app.domain.correlation.answering import Answer, answer
from app.domain.correlation.found import Found, Onset
from app.domain.correlation.row_faults import WrongRowsError
from app.domain.correlation.rows import Rows, read
from app.service.correlate import words
from app.service.correlate.words import About, Reader, Whole

#: Exit code of a file that is wrong.
USAGE: Final = 2
_US: Final = 1_000_000


def correlate_rows(options: dict[str, Any]) -> int:
    """Reads, scans, prints; 2 where the file cannot be read, or is wrong."""
    try:
        rows = _read(Path(options["rows"]))
    except (WrongRowsError, OSError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        click.echo(f"voxtrace: {options['rows']}: {what}", err=True)
        return USAGE
    found = answer(rows, options["window_start"])
    if options["json"]:
        for note in found.scan.notes:
            click.echo(f"voxtrace: note: {note}", err=True)
        print_json(shape(found))
        return 0
    for line in _lines(found, options["lang"]):
        click.echo(line)
    return 0


def _read(path: Path) -> Rows:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return read(lines)
    except UnicodeDecodeError as error:
        raise _undecodable(path) from error


def _undecodable(path: Path) -> WrongRowsError:
    """The line that is not UTF-8."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                before = line[: error.start].decode(errors="replace")
                column = before.count(",") + 1
                what = f"byte {line[error.start]:#04x} is no UTF-8"
                return WrongRowsError(number, str(column), what)
    return WrongRowsError(1, None, "is no UTF-8")


def shape(found: Answer) -> dict[str, Any]:
    """The answer as JSON: moments are seconds since the epoch."""
    pairs = zip(found.scan.findings, found.onsets, strict=True)
    overall = found.scan.overall
    return {
        "findings": [_finding(one, since) for one, since in pairs],
        "overall": {
            "kind": overall.kind,
            "dimension": overall.dimension,
            "observed": overall.observed,
            "expected": overall.expected,
        },
    }


def _finding(found: Found, since: Onset | None) -> dict[str, Any]:
    return {
        "where": dict(found.where),
        "observed": found.observed,
        "expected": found.expected,
        "lift": found.lift,
        "q": found.q,
        "fingerprint": found.fingerprint,
        "onset": None if since is None else since.at,
        "onset_low": None if since is None else since.low,
        "onset_high": None if since is None else since.high,
        "indistinguishable": [dict(one) for one in found.indistinguishable],
    }


def _lines(found: Answer, language: Any) -> list[str]:
    """The same for people."""
    reader = Reader(lang=language, now_us=round(found.end * _US))
    whole = Whole(
        n=found.n,
        baseline_n=found.baseline_n,
        baseline_selected=found.baseline_failed,
        findings=len(found.scan.findings),
    )
    lines = [words.overall(found.scan.overall, whole, About(), reader)]
    for place, (one, since) in enumerate(
        zip(found.scan.findings, found.onsets, strict=True), start=1
    ):
        about = About(onset=_in_us(since), template=one.fingerprint)
        lines.append(f"{place}. {words.sentence(one, about, reader)}; q = {one.q:.2g}")
    return lines + [f"note: {note}" for note in found.scan.notes]


def _in_us(since: Onset | None) -> Onset | None:
    if since is None:
        return None
    return Onset(at=since.at * _US, low=since.low * _US, high=since.high * _US)

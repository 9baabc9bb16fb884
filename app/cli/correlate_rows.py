"""`voxtrace correlate --rows`: the scan on the rows of a CSV file, no database needed."""

import csv
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from app.cli.work import print_json
from app.domain.correlation.answering import Answer, answer
from app.domain.correlation.found import Found, Onset, Where
from app.domain.correlation.row_faults import WrongRowsError
from app.domain.correlation.rows import Rows, read
from app.service.correlate import words
from app.service.correlate.since import Reader, later, since
from app.service.correlate.words import About, Whole
from app.service.figures import Language, count, percent

#: Exit code of a file that is wrong.
USAGE: Final = 2
_US: Final = 1_000_000
#: What a byte that is no UTF-8 becomes.
_HALF: Final = re.compile("[\udc80-\udcff]")
#: A value that is not there, as filters write it.
_NONE: Final = '""'
_WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "fails": "{where}: {observed} of {n} failed{how} (expected {expected})",
        "how": " with `{}`",
        "later": "{} of {} ",
        "share": "{} of all failures of the window",
        "or": "not told apart from {}",
        "comma": "; ",
        "note": "note: {}",
    },
    "zh": {
        "fails": "{where}：{n} 次中 {observed} 次失败{how}（预期 {expected} 次）",
        "how": "，指纹为 `{}`",
        "later": "，此后 {1} 次中 {0} 次失败",
        "share": "占此时段全部失败的 {}",
        "or": "与 {} 无法区分",
        "comma": "；",
        "note": "注意：{}",
    },
}


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
    """The line and the column of the first byte that is no UTF-8."""
    header: list[str] = []
    begin = 1
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        reader = csv.reader(lines)
        with suppress(csv.Error):
            for row in reader:
                for place, cell in enumerate(row):
                    wrong = _HALF.search(cell)
                    if wrong:
                        name = header[place] if place < len(header) else str(place + 1)
                        what = f"byte {ord(wrong[0]) & 0xFF:#04x} is no UTF-8"
                        return WrongRowsError(begin, name, what)
                begin = reader.line_num + 1
                header = header if any(header) else [cell.strip() for cell in row]
    return WrongRowsError(begin, None, "is no UTF-8")


def shape(found: Answer) -> dict[str, Any]:
    """The answer as JSON: moments are seconds since the epoch."""
    pairs = zip(found.scan.findings, found.onsets, strict=True)
    overall = found.scan.overall
    return {
        "findings": [_finding(one, onset) for one, onset in pairs],
        "overall": {
            "kind": overall.kind,
            "dimension": overall.dimension,
            "observed": overall.observed,
            "expected": overall.expected,
        },
    }


def _finding(found: Found, onset: Onset | None) -> dict[str, Any]:
    return {
        "where": dict(found.where),
        "observed": found.observed,
        "expected": found.expected,
        "lift": found.lift,
        "q": found.q,
        "fingerprint": found.fingerprint,
        "onset": None if onset is None else onset.at,
        "onset_low": None if onset is None else onset.low,
        "onset_high": None if onset is None else onset.high,
        "indistinguishable": [dict(one) for one in found.indistinguishable],
    }


def _lines(found: Answer, language: Language) -> list[str]:
    """The same for people."""
    reader = Reader(lang=language, now_us=round(found.end * _US))
    whole = Whole(
        n=found.n,
        baseline_n=found.baseline_n,
        baseline_selected=found.baseline_failed,
        findings=len(found.scan.findings),
    )
    lines = [words.overall(found.scan.overall, whole, About(), reader)]
    pairs = zip(found.scan.findings, found.onsets, strict=True)
    for place, (one, onset) in enumerate(pairs, start=1):
        lines.append(f"{place}. {_sentence(one, onset, reader)}")
    says = _WORDS[language]["note"]
    return lines + [says.format(note) for note in found.scan.notes]


def _sentence(found: Found, onset: Onset | None, reader: Reader) -> str:
    """A finding; its dimensions are anybody's, so they have no words of their own."""
    says = _WORDS[reader.lang]
    told = says["fails"].format(
        where=_pairs(found.where),
        how=says["how"].format(found.fingerprint) if found.fingerprint else "",
        observed=count(found.observed),
        n=count(found.n),
        expected=words.amount(found.expected),
    )
    parts = [told, says["share"].format(percent(found.share)), f"q = {found.q:.2g}"]
    if onset is not None:
        parts.insert(1, _since(found, onset, reader))
    parts += [says["or"].format(_pairs(other)) for other in found.indistinguishable]
    return says["comma"].join(parts)


def _since(found: Found, onset: Onset, reader: Reader) -> str:
    """Since when, and how many of its rows are from then on, where some are from before."""
    told = since(_in_us(onset), reader)
    after = later(onset, found.n)
    if after is None:
        return told
    n, observed = after
    counted = _WORDS[reader.lang]["later"].format(count(observed), count(n))
    return f"{told}{counted}" if reader.lang == "zh" else f"{counted}{told}"


def _pairs(where: Where) -> str:
    return ", ".join(f"{name}={value or _NONE}" for name, value in where.items())


def _in_us(onset: Onset) -> Onset:
    moments = {name: getattr(onset, name) * _US for name in ("at", "low", "high")}
    return replace(onset, **moments)

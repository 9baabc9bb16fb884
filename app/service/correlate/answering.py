"""A question answered: read, scanned, and what was found looked at, in one snapshot."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from app import clock
from app.domain.correlation.found import Found
from app.domain.correlation.scan import scan
from app.service.core import Core
from app.service.correlate import bars, looking, reading, released, whole
from app.service.correlate.answer import Answer, Note
from app.service.correlate.cubes import telling
from app.service.correlate.looking import Place
from app.service.correlate.progress import BEGINS, Tell, nobody
from app.service.correlate.question import Question, fingerprint_of
from app.service.correlate.reading import MAX_BY_HOUR, Reading
from app.store import attempt_filter, system_events
from app.store.database import Connection

#: Failures below which nothing is found, however they lie.
LEAST: Final = 5
#: Changes of the system that are told at most, the last ones.
MAX_EVENTS: Final = 200


def look(core: Core, conn: Connection, question: Question, now: int, tell: Tell = nobody) -> Answer:
    """The answer to a question, in the caller's snapshot.

    Args:
        core: What it works with.
        conn: Where to read.
        question: What is asked.
        now: The database's moment.
        tell: Told how far it is.
    """
    begun_s = clock.monotonic_s()
    asked, slow_ms = _with_slow(conn, question)
    read = reading.read(core.database, conn, asked, tell)
    tell("scanning", BEGINS["scanning"])
    found = scan(*telling(read.window, read.baseline))
    tell("looking", BEGINS["looking"])
    place = Place(question=read.question, window=read.window, has_rows=not read.lacks_rows)
    findings = [
        _of_group(one, question)
        for one in released.with_worker(read.window, read.baseline, found.findings)
    ]
    rise = whole.rise(found.overall, read.window, read.baseline)
    wanted = [*findings, *([rise] if rise is not None else [])]
    looked = looking.look(core, conn, place, wanted)
    told = read.question
    return Answer(
        question=told,
        kind=question.kind,
        slow_ms=slow_ms,
        grain=read.grain,
        is_whole_hours=read.is_whole_hours,
        now=now,
        n=read.window.total,
        selected=read.window.failed,
        repeats=read.repeats,
        baseline_n=read.baseline.total,
        baseline_selected=read.baseline.failed,
        overall=found.overall,
        rise=looked[-1] if rise is not None else None,
        mix_value=whole.shifted_to(found.overall, read.window, read.baseline),
        findings=tuple(looked[: len(findings)]),
        dimensions=bars.of_cube(read.window),
        strip=read.strip,
        hourly=read.hourly,
        events=tuple(system_events.between(conn, told.start, told.end, limit=MAX_EVENTS)),
        tests=found.tests,
        cells=len(read.window.n) + len(read.baseline.n),
        notes=tuple(_notes(question, read, slow_ms)),
        took_us=round((clock.monotonic_s() - begun_s) * 1_000_000),
    )


def _with_slow(conn: Connection, question: Question) -> tuple[Question, int | None]:
    """The question with the slowest as a filter, and from how many milliseconds on they are."""
    if question.quantile is None:
        return question, None
    slow_ms = attempt_filter.duration_ms(conn, question.sides, question.quantile)
    return question.of_slow(slow_ms or 0), slow_ms


def _of_group(found: Found, question: Question) -> Found:
    """Where the question is about one group of failures, so is what was found."""
    group = fingerprint_of(question.query)
    return found if group is None else replace(found, fingerprint=group)


def _notes(question: Question, read: Reading, slow_ms: int | None) -> Iterable[Note]:
    """What the answer does not say."""
    if question.quantile is not None:
        yield _slow(question.quantile, slow_ms)
    if read.repeats:
        yield Note(reason="repeats", values={"n": read.repeats})
    if read.is_whole_hours:
        yield Note(reason="whole_hours")
    if 0 < read.window.failed < LEAST:
        yield Note(reason="few", values={"least": LEAST})
    if read.window.total and not read.baseline.total:
        yield Note(reason="no_baseline")
    if read.lacks_rows:
        yield Note(reason="rows_only" if read.grain == "rows" else "no_rows")
    if read.wants_hours and not read.is_by_hour:
        yield Note(reason="hours", values={"most": MAX_BY_HOUR})
    if question.fixed:
        yield Note(reason="fixed", values={"names": ", ".join(question.fixed)})


def _slow(quantile: float, slow_ms: int | None) -> Note:
    if slow_ms is None:
        return Note(reason="none_completed")
    part = f"{(1 - quantile) * 100:.2g} %"
    return Note(reason="slow", values={"ms": slow_ms, "part": part})

"""One scan of the watch: the last hour against the seven days before it, and what becomes of it.

Rows are read in one snapshot; findings, what the webhook is told of them, and the span of the scan
are written in one transaction after it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain import watching
from app.domain.finding import ClosedWhy, FindingRecord, Sighting
from app.domain.watching import Plan
from app.domain.window import HOUR_US
from app.service.core import Core
from app.service.correlate import answering
from app.service.correlate.answer import Answer
from app.service.correlate.question import BASELINE_US, Question
from app.service.findings import evidence, sightings, webhook
from app.service.findings.counted import OPENED
from app.service.findings.scan_span import ScanSpan
from app.store import counts, findings
from app.store.database import Connection
from telemetry import names

#: How long the window of a scan is.
WINDOW_US: Final = HOUR_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a scan saw and did."""

    at: int
    took_us: int
    attempts: int
    selected: int
    seen: int
    opened: Sequence[FindingRecord]
    closed: Sequence[FindingRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    answer: Answer
    seen: Sequence[Sighting]
    plan: Plan


def scan(core: Core, *, quiet_us: int) -> Scanned:
    """Scans once.

    Args:
        core: What it works with.
        quiet_us: For how long attempts must have fared well before a finding is closed.
    """
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        span = ScanSpan(started_us=now)
        read = _read(core, conn, now, quiet_us)
    return core.database.run(lambda conn: _write(core, conn, read, span))


def close_all(core: Core) -> int:
    """Closes what is open, since nobody watches any more; how many that were."""

    def work(conn: Connection) -> int:
        now = core.database.now_us(conn)
        rows = findings.open_ones(conn)
        return len(_close(core, conn, [(row, "off") for row in rows], now))

    return core.database.run(work)


def _read(core: Core, conn: Connection, now: int, quiet_us: int) -> _Read:
    start = now - WINDOW_US
    question = Question(start=start, end=now, baseline_start=max(0, start - BASELINE_US))
    answer = answering.look(core, conn, question, now)
    seen = sightings.of_answer(answer)
    rows = findings.open_ones(conn)
    matched = watching.match(rows, seen, evidence.overlap_in(conn, start, now))
    is_over = _over(conn, start, now, quiet_us)
    again = {row.id: one for row, one in matched.seen}
    over = {row.id for row in rows if is_over(again.get(row.id) or sightings.of_row(row))}
    over_now = {one.key for one in matched.new if is_over(one)}
    return _Read(answer=answer, seen=seen, plan=watching.plan(rows, matched, over, over_now))


def _over(conn: Connection, start: int, now: int, quiet_us: int) -> Callable[[Sighting], bool]:
    def is_over(one: Sighting) -> bool:
        return evidence.is_over(
            conn,
            where=one.where,
            fingerprint=one.fingerprint,
            expected_rate=one.expected / max(1, one.n),
            start=max(start, one.onset_at or 0),
            end=now,
            quiet_us=quiet_us,
        )

    return is_over


def _write(core: Core, conn: Connection, read: _Read, span: ScanSpan) -> Scanned:
    now = core.database.now_us(conn)
    plan = read.plan
    for row, one in plan.seen:
        findings.change(conn, row.id, sightings.again(row, one, now))
    for row in plan.missed:
        findings.change(conn, row.id, {"misses": row.misses + 1, "updated_at": now})
    closed = _close(core, conn, plan.closed, now)
    opened = [_open(core, conn, one, span, now) for one in plan.opened]
    if opened:
        counts.add(conn, OPENED, len(opened))
    span.store(
        core,
        conn,
        now=now,
        numbers=_numbers(read, len(opened), len(closed)),
        shown=_shown(read.seen),
    )
    return Scanned(
        at=now,
        took_us=now - span.started_us,
        attempts=read.answer.n,
        selected=read.answer.selected,
        seen=len(read.seen),
        opened=opened,
        closed=closed,
    )


def _open(core: Core, conn: Connection, one: Sighting, span: ScanSpan, now: int) -> FindingRecord:
    row = findings.add(conn, {**sightings.first(one, now), **span.ids})
    webhook.tell(core, conn, row, "opened", now)
    return row


def _close(
    core: Core, conn: Connection, over: Iterable[tuple[FindingRecord, ClosedWhy]], now: int
) -> list[FindingRecord]:
    closed = []
    for row, why in over:
        values = {"state": "closed", "closed_at": now, "closed_why": why, "updated_at": now}
        after = findings.change(conn, row.id, values)
        if after is not None:
            webhook.tell(core, conn, after, "closed", now)
            closed.append(after)
    return closed


def _numbers(read: _Read, opened: int, closed: int) -> dict[str, int]:
    answer = read.answer
    return {
        names.CORRELATE_ATTEMPTS: answer.n,
        names.CORRELATE_SELECTED: answer.selected,
        names.CORRELATE_BASELINE: answer.baseline_n,
        names.CORRELATE_TESTS: answer.tests,
        names.CORRELATE_FINDINGS: len(read.seen),
        names.FINDINGS_OPENED: opened,
        names.FINDINGS_CLOSED: closed,
    }


def _shown(seen: Iterable[Sighting]) -> list[tuple[str, str]]:
    """Attempt spans that findings show as examples, each once."""
    shown: dict[tuple[str, str], Any] = {}
    for one in seen:
        for example in one.answer["exemplars"]:
            shown[example["trace_id"], example["span_id"]] = None
    return list(shown)

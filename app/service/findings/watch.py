"""One scan of the watch: the last hour against the seven days before it, and what becomes of it.

Rows are read in one snapshot; findings, what the webhook is told of them, and the span of the scan
are written in one transaction after it. Where somebody else has written meanwhile, who led before
or leads next, what was judged holds no more, and nothing of it is written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.finding import ClosedWhy, FindingRecord, Sighting
from app.domain.window import HOUR_US
from app.service.core import Core
from app.service.correlate import answering
from app.service.correlate.answer import Answer
from app.service.correlate.question import BASELINE_US, Question
from app.service.findings import judging, sightings, webhook
from app.service.findings.counted import OPENED
from app.service.findings.judging import Judged, New
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
class Read:
    """What a scan read and thinks of it.

    Attributes:
        at: The moment at which it looked; None: when it was.
        span: Its span.
        answer: What failures have in common.
        seen: The findings of it.
        judged: What is to be written.
    """

    at: int | None
    span: ScanSpan
    answer: Answer
    seen: Sequence[Sighting]
    judged: Judged


def scan(core: Core, *, quiet_us: int, at: int | None = None) -> Scanned:
    """Scans once.

    Args:
        core: What it works with.
        quiet_us: For how long attempts must have fared well before a finding is closed.
        at: The moment at which it looks; None: now.
    """
    return write(core, read(core, quiet_us=quiet_us, at=at))


def close_all(core: Core) -> int:
    """Closes what is open, since nobody watches any more; how many that were."""

    def work(conn: Connection) -> int:
        findings.lock(conn)
        now = core.database.now_us(conn)
        rows = findings.open_ones(conn)
        return len(_close(core, conn, [(row, "off") for row in rows], now))

    return core.database.run(work)


def read(core: Core, *, quiet_us: int, at: int | None = None) -> Read:
    """The first half of a scan: looks, in one snapshot."""
    with core.database.read() as conn:
        now = core.database.now_us(conn) if at is None else at
        span = ScanSpan(started_us=now)
        start = now - WINDOW_US
        question = Question(start=start, end=now, baseline_start=max(0, start - BASELINE_US))
        answer = answering.look(core, conn, question, now)
        seen = sightings.of_answer(answer)
        judged = judging.judge(core, conn, seen, now, quiet_us)
    return Read(at=at, span=span, answer=answer, seen=seen, judged=judged)


def write(core: Core, found: Read) -> Scanned:
    """The second half: writes what is to be written, in one transaction."""
    return core.database.run(lambda conn: _write(core, conn, found))


def _write(core: Core, conn: Connection, read: Read) -> Scanned:
    findings.lock(conn)
    now = core.database.now_us(conn) if read.at is None else read.at
    span = read.span
    judged = read.judged if findings.open_ones(conn) == read.judged.known else Judged.nothing()
    plan = judged.plan
    for row, one in plan.seen:
        _change(core, conn, judged, row, sightings.again(row, one, now))
    for row in judged.unseen:
        misses = row.misses + 1 if row in plan.missed else 0
        if misses != row.misses or (row.id in judged.muted) != row.is_muted:
            _change(core, conn, judged, row, {"misses": misses, "updated_at": now})
    closed = _close(core, conn, plan.closed, read.answer.now)
    made = (_open(core, conn, one, span, now) for one in judged.opened)
    opened = [row for row in made if row is not None]
    if opened:
        counts.add(conn, OPENED, len(opened))
    span.store(
        core,
        conn,
        now=now,
        found=read.answer,
        changed={names.FINDINGS_OPENED: len(opened), names.FINDINGS_CLOSED: len(closed)},
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


def _change(
    core: Core, conn: Connection, judged: Judged, row: FindingRecord, values: dict[str, Any]
) -> None:
    """Changes a finding that goes on; where nobody is silent about it any more, it is told."""
    is_muted = row.id in judged.muted
    after = findings.change(conn, row.id, values | {"is_muted": is_muted})
    if after is not None and row.is_muted and not is_muted:
        webhook.tell(core, conn, after, "opened", after.updated_at)


def _open(core: Core, conn: Connection, new: New, span: ScanSpan, now: int) -> FindingRecord | None:
    """Opens a finding; None where another leader just has."""
    quiet = {"is_muted": new.is_muted, "break_us": new.break_us}
    row = findings.add(conn, {**sightings.first(new.sighting, now), **span.ids, **quiet})
    if row is not None and not new.is_muted:
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

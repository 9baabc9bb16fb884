"""What a scan makes of the findings that last and of what it sees, by the attempts of the hour."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from app.domain import watching
from app.domain.finding import FindingRecord, Sighting
from app.domain.watching import Plan
from app.domain.window import HOUR_US
from app.service.core import Core
from app.service.findings import attempts, evidence, sightings
from app.service.findings.attempts import Attempts
from app.store import failure_groups, findings
from app.store.database import Connection

#: A finding that came back must have fared well for so many of its breaks before it is closed.
_BREAKS: Final = 1.5
#: But no longer than that, in microseconds: what is older is out of sight.
_LONGEST_US: Final = 50 * 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """What is to be opened.

    Attributes:
        sighting: As it was seen.
        is_muted: All that is unusual of its failures is of groups that are muted.
        break_us: After what break it came back; None: it was not there within the hour before.
    """

    sighting: Sighting
    is_muted: bool
    break_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is to be written.

    Attributes:
        known: The findings that were open.
        plan: What becomes of them.
        opened: What is new and tells something new.
        muted: Ids of those that are open, and muted now.
    """

    known: list[FindingRecord]
    plan: Plan
    opened: Sequence[New]
    muted: frozenset[int]

    @classmethod
    def nothing(cls) -> Self:
        """Nothing is to be written."""
        return cls(known=[], plan=Plan(), opened=(), muted=frozenset())

    @property
    def unseen(self) -> list[FindingRecord]:
        """Those that go on although the scan did not see them."""
        told = {row.id for row, _ in (*self.plan.seen, *self.plan.closed)}
        return [row for row in self.known if row.id not in told]


def judge(
    core: Core, conn: Connection, seen: Sequence[Sighting], now: int, quiet_us: int
) -> Judged:
    """Weighs what was seen against the attempts of the last hour.

    Args:
        core: What it works with.
        conn: The snapshot of the scan.
        seen: What the scan saw, the strongest first.
        now: The moment.
        quiet_us: For how long attempts must have fared well before a finding is closed.
    """
    rows = findings.open_ones(conn)
    if not rows and not seen:
        return Judged.nothing()
    start = now - HOUR_US
    hour = attempts.read(core, conn, start, now)
    before = {row.id: sightings.of_row(row) for row in rows}
    matched = watching.match(
        rows,
        seen,
        evidence.overlap_in(hour),
        lambda row, one: evidence.narrows(hour, before[row.id], one),
    )
    as_seen = before | {row.id: one for row, one in matched.seen}

    def is_over(one: Sighting, began_at: int | None, break_us: int | None) -> bool:
        since = evidence.well_since(hour, one, start=began_at or start, end=now)
        wanted = max(quiet_us, min(_LONGEST_US, round(_BREAKS * (break_us or 0))))
        return since is not None and now - since >= wanted

    over = {row.id for row in rows if is_over(as_seen[row.id], row.onset_at, row.break_us)}
    going_on = {row.id for row in rows if evidence.goes_on(hour, as_seen[row.id])}
    plan = watching.plan(rows, matched, over, going_on)
    closed = {row.id for row, _ in plan.closed}
    known = [replace(row, closed_at=now) if row.id in closed else row for row in rows]
    known += findings.closed_since(conn, start)
    muted = failure_groups.muted(conn)
    opened = [
        New(
            sighting=one,
            is_muted=evidence.is_muted(hour, one, muted),
            break_us=_break_us(hour, one, known),
        )
        for one in plan.opened
        if not is_over(one, one.onset_at, None)
        and evidence.is_news(hour, one, beside=seen, known=known)
    ]
    return Judged(
        known=rows,
        plan=plan,
        opened=opened,
        muted=frozenset(row.id for row in rows if evidence.is_muted(hour, as_seen[row.id], muted)),
    )


def _break_us(hour: Attempts, one: Sighting, known: Sequence[FindingRecord]) -> int | None:
    """For how long a sighting's failures, which were told of before, had stopped."""
    breaks = [
        evidence.break_us(hour, one, row)
        for row in known
        if evidence.shares_failures(hour, one, row)
    ]
    return min((one for one in breaks if one is not None), default=None)

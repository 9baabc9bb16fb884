"""The verdict on the statistics: whether they say what the rows say, and how old that is."""

from dataclasses import dataclass
from typing import Final, Literal

from app.domain.drift import Drift
from app.service.recounts import totals
from app.store import recount_results
from app.store.database import Connection
from app.store.recount_results import Summary

#: Drift that is told one by one: notes may stand among what is known.
SHOWN: Final = recount_results.LISTED // 2
#: Microseconds without any check after which nothing is known: there is one every five minutes.
STALE_US: Final = 1_800_000_000

#: ok: equal where looked, and all is looked at; drift: numbers are wrong; stale: nobody looks;
#: pending: equal where looked, and hours wait for their first look.
State = Literal["ok", "drift", "pending", "stale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all recounts together say at a moment.

    Attributes:
        checked_count: Closed hours that were counted anew at least once.
        waiting_count: Closed hours with tasks that were not, as far as is known.
        last_checked_at: The moment that the last check spoke of; None: there was none.
        age_us: How long ago that was.
        drift_count: Numbers that are wrong.
        drifts: The first `SHOWN` of them.
        notes: What is told though every number is right.
    """

    state: State
    checked_count: int
    waiting_count: int
    last_checked_at: int | None
    age_us: int | None
    drift_count: int
    drifts: tuple[Drift, ...] = ()
    notes: tuple[Drift, ...] = ()


def verdict(conn: Connection, now: int, summary: Summary | None = None) -> Verdict:
    """The verdict, in the snapshot of the caller; a second statement only where there is drift.

    A count below zero is drift at once, before any recount has met it.

    Args:
        conn: Where to read.
        now: The database's time.
        summary: What the recounts say, where it is read already.
    """
    found = summary or recount_results.summary(conn)
    is_told = found.drift_count or found.note_count != 0
    first = recount_results.first_drifts(conn) if is_told else []
    if found.below_zero_count and not found.drift_count:
        first += totals.below_zero(conn)
    drift_count = found.drift_count or found.below_zero_count
    at = found.last_checked_at
    age_us = None if at is None else max(0, now - at)
    return Verdict(
        state=_state(drift_count, found.waiting_count, age_us),
        checked_count=found.checked_count,
        waiting_count=found.waiting_count,
        last_checked_at=at,
        age_us=age_us,
        drift_count=drift_count,
        drifts=tuple(one for one in first if not one.is_note)[:SHOWN],
        notes=tuple(one for one in first if one.is_note),
    )


def _state(drift_count: int, waiting_count: int, age_us: int | None) -> State:
    if drift_count:
        return "drift"
    if age_us is None:
        return "pending"
    if age_us > STALE_US:
        return "stale"
    return "pending" if waiting_count else "ok"

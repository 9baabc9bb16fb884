"""Reconcile: everything counted anew at once, told, and mended where that is asked for.

Hour by hour, each in a snapshot of its own: nobody waits for it, and it is right while others
write. Totals come last, since they are held against what was mended before them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from app import clock
from app.domain.drift import Drift
from app.domain.window import DAY_US, floor_to
from app.service.core import Core
from app.service.recounts import all_time, day, histogram, hour, mend, rounds, texts, totals
from app.service.recounts.found import Found, keep
from app.service.recounts.rounds import Hours
from app.store import schema

#: Differences that are told one by one; all of them are counted.
MAX_DIFFERENCES: Final = 10_000
#: What comes after the hours.
HISTOGRAMS, TEXTS, LAST_STEP = "histograms", "texts", "totals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is: hours that are counted, of how many, and what comes after them."""

    hours: int
    of_hours: int
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What was found, and what was done.

    Attributes:
        since: Hours from this one on were counted anew, microseconds since the epoch; 0: all.
        hours, days: How many were looked at.
        tasks: Ended tasks that were counted anew.
        texts: Texts that were counted anew; None where `since` left them out.
        drifts: What differed, the first `MAX_DIFFERENCES`, as it was found before it was mended.
        drift_count: How many numbers differed.
        notes: What is told though every number is right.
        triggers: Names of triggers that were restored.
        mended: How many cells were mended, by table.
        left: What still differs.
        took_s: Seconds.
    """

    since: int
    hours: int
    days: int
    tasks: int
    texts: int | None
    drifts: Sequence[Drift]
    drift_count: int
    notes: Sequence[Drift]
    triggers: Sequence[str]
    mended: Counter[str]
    left: Sequence[Drift]
    took_s: float

    @property
    def is_equal(self) -> bool:
        """Whether rows and counters say the same now."""
        return not self.left


@dataclass(slots=True, kw_only=True)
class _Pass:
    """One pass over everything, and what it has found so far."""

    core: Core
    rebuild: bool
    hours: int = 0
    days: int = 0
    tasks: int = 0
    texts: int | None = None
    drifts: list[Drift] = field(default_factory=list)
    drift_count: int = 0
    notes: list[Drift] = field(default_factory=list)
    left: list[Drift] = field(default_factory=list)
    mended: Counter[str] = field(default_factory=Counter)


def reconcile(
    core: Core,
    *,
    since: int = 0,
    rebuild: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Reconciled:
    """Counts everything anew; what was found is written down for the verdict.

    Args:
        core: Where.
        since: Only hours from the one on in which this moment lies, and their days; texts and
            histograms of all time are left out then.
        rebuild: Restore triggers that do not fire, and add to counters what they lack. What is
            archived is never counted anew: it stays as it is.
        on_progress: Called now and then.

    Raises:
        SchemaError: The schema is not this release's.
        StoreError: The database cannot be read or written.
    """
    begun_s = clock.monotonic_s()
    schema.check_revision(core.database)
    restored = mend.restore_triggers(core) if rebuild else {}
    if rebuild:
        mend.prepare(core)
    going = _Pass(core=core, rebuild=rebuild)
    _count_hours(going, rounds.hours(core, since=since), on_progress)
    for archived, status in all_time.PARTS:
        _look(going, partial(all_time.look, archived=archived, status=status))
    if not since:
        _count_the_rest(going, on_progress)
    on_progress(Progress(hours=going.hours, of_hours=going.hours, step=LAST_STEP))
    _look(going, totals.look)
    return Reconciled(
        since=since,
        hours=going.hours,
        days=going.days,
        tasks=going.tasks,
        texts=going.texts,
        drifts=tuple(going.drifts),
        drift_count=going.drift_count,
        notes=tuple(going.notes),
        triggers=tuple(restored),
        mended=going.mended,
        left=tuple(going.left),
        took_s=clock.monotonic_s() - begun_s,
    )


def _count_hours(going: _Pass, hours: Hours, on_progress: Callable[[Progress], None]) -> None:
    """Hours and the days that they are of, the newest first."""
    waiting, starts = set(hours.waiting), (*hours.closed, *hours.going)
    for start in rounds.days_of(starts):
        for one in sorted(one for one in starts if floor_to(one, DAY_US) == start):
            waiting.discard(one)
            found = _look(going, partial(hour.look, start=one), waiting_count=len(waiting))
            going.hours += 1
            going.tasks += found.n
            on_progress(Progress(hours=going.hours, of_hours=len(starts)))
        _look(going, partial(day.look, start=start))
        day.keep_latencies(going.core, start)
        going.days += 1


def _count_the_rest(going: _Pass, on_progress: Callable[[Progress], None]) -> None:
    """Histograms bucket by bucket, and texts."""
    on_progress(Progress(hours=going.hours, of_hours=going.hours, step=HISTOGRAMS))
    for part in histogram.parts(going.core):
        _look(going, partial(histogram.look, part=part))
    on_progress(Progress(hours=going.hours, of_hours=going.hours, step=TEXTS))
    first = last = texts.look_at_states(going.core)
    if going.rebuild and first.drifts:
        going.mended += Counter({texts.TEXTS: texts.mend_states(going.core)})
        last = texts.look_at_states(going.core)
    _note(going, first, last)
    going.texts = _look(going, texts.look).n


def _look(
    going: _Pass, look: Callable[[Core], Found], *, waiting_count: int | None = None
) -> Found:
    """Looks, mends where that is asked for, and writes down what was found last."""
    if going.rebuild:
        done = mend.mend(going.core, look)
        first, last = done.first, done.last
        going.mended += done.cells
    else:
        first = last = look(going.core)
    _note(going, first, last, waiting_count=waiting_count)
    return last


def _note(going: _Pass, first: Found, last: Found, *, waiting_count: int | None = None) -> None:
    keep(going.core, last, waiting_count=waiting_count)
    wrong = [one for one in first.drifts if not one.is_note]
    going.drift_count += len(wrong)
    going.drifts += wrong[: MAX_DIFFERENCES - len(going.drifts)]
    going.notes += [one for one in last.drifts if one.is_note]
    left = [one for one in last.drifts if not one.is_note]
    going.left += left[: MAX_DIFFERENCES - len(going.left)]

"""Reconcile: everything counted anew at once, told, and mended where that is asked for.

Hour by hour, each in a snapshot of its own: nobody waits for it, and it is right while others
write.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from app import clock
from app.domain.drift import ACCEPTED, Drift
from app.service.core import Core
from app.service.recounts import totals, words
from app.service.recounts.found import write
from app.service.recounts.mend import restore_triggers
from app.service.recounts.rebuild import Rebuilt
from app.service.recounts.rebuild import rebuild as mend_all
from app.service.recounts.survey import (
    LAST_STEP,
    MENDING,
    Progress,
    Survey,
    Tell,
    look_at_everything,
)
from app.store import recount_results, schema, trigger_state
from app.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What was found, and what was done.

    Attributes:
        since: Hours from this one on were counted anew, microseconds since the epoch; 0: all.
        hours, days: How many were looked at.
        tasks: Ended tasks that were counted anew.
        requests, attempts: Requests, and ended attempts, that were counted anew.
        texts: Texts that were counted anew; None where `since` left them out.
        drifts: What differed, the first `MAX_DIFFERENCES`, before anything was mended.
        drift_count: How many numbers differed.
        notes: What is told though every number is right.
        triggers: Names of triggers that were restored.
        strange: (name, table) of triggers that no release made; they are left.
        mended: How many cells were mended, by table.
        left: What still differs.
        lost: How many of them are of what was removed, where no other counter says what they were:
            nobody can mend them.
        accepted: What cannot be mended, and was accepted: no difference any more.
        took_s: Seconds.
    """

    since: int
    hours: int
    days: int
    tasks: int
    requests: int
    attempts: int
    texts: int | None
    drifts: Sequence[Drift]
    drift_count: int
    notes: Sequence[Drift]
    triggers: Sequence[str]
    strange: Sequence[tuple[str, str]]
    mended: Counter[str]
    left: Sequence[Drift]
    lost: int
    accepted: Sequence[Drift]
    took_s: float

    @property
    def is_equal(self) -> bool:
        """Whether rows and counters say the same now."""
        return not self.left


def reconcile(
    core: Core,
    *,
    since: int = 0,
    rebuild: bool = False,
    accept: bool = False,
    on_progress: Tell = lambda _: None,
) -> Reconciled:
    """Counts everything anew; what was found is written down for the verdict.

    The same damage is told the same, whether it is mended then or not.

    Args:
        core: Where.
        since: Only hours from the one on in which this moment lies, and their days; texts and
            histograms of all time are left out then.
        rebuild: Restore triggers that do not count as they must, and, once all is looked at, add to
            counters what they lack. What was removed is mended where two counters agree.
        accept: Call what is left of that accepted, and forget what was before. Only with `rebuild`,
            and without `since`.
        on_progress: Called now and then.

    Raises:
        SchemaError: The schema is not this release's.
        StoreError: The database cannot be read or written.
    """
    begun_s = clock.monotonic_s()
    schema.check_revision(core.database)
    survey = Survey(core=core)
    if accept:
        write(core, recount_results.forget_accepted)
    restored = restore_triggers(core) if rebuild else {}
    survey.note([one for some in totals.of_triggers(restored) for one in some.drifts(None)])
    look_at_everything(survey, since, on_progress)
    last = Rebuilt(core=core, left=survey.drifts, notes=survey.notes)
    if rebuild:
        last = _mend(survey, on_progress, accept=accept)
    with core.database.read() as conn:
        strange, accepted = trigger_state.strange(conn), recount_results.accepted(conn)
    return Reconciled(
        since=since,
        hours=survey.hours,
        days=survey.days,
        tasks=survey.tasks,
        requests=survey.requests,
        attempts=survey.attempts,
        texts=survey.texts,
        drifts=tuple(survey.drifts),
        drift_count=survey.drift_count,
        notes=tuple(last.notes),
        triggers=tuple(restored),
        strange=tuple(strange),
        mended=last.cells,
        left=tuple(last.left),
        lost=_lost(survey, last, rebuilt=rebuild),
        accepted=tuple(accepted),
        took_s=clock.monotonic_s() - begun_s,
    )


def _mend(survey: Survey, tell: Tell, *, accept: bool) -> Rebuilt:
    tell(Progress(hours=survey.hours, of_hours=survey.hours, step=MENDING))
    last = mend_all(survey)
    if accept and last.left:
        last = _accept(survey, last)
    tell(Progress(hours=survey.hours, of_hours=survey.hours, step=LAST_STEP))
    return last


def _lost(survey: Survey, last: Rebuilt, *, rebuilt: bool) -> int:
    """How much of what is left nobody can mend, as far as is known."""
    count = sum(words.is_of_removed(one.name) for one in last.left)
    if rebuilt or not count:
        return count
    return 0 if survey.look_at_removed(survey.core).differences else count


def _accept(survey: Survey, last: Rebuilt) -> Rebuilt:
    """Writes down what is left of what was removed; all that differs is looked at once more."""
    lost = [
        Drift(start=None, place=ACCEPTED, name=one.label, expected=one.expected, got=one.got)
        for one in last.left
        if words.is_of_removed(one.name)
    ]

    def work(conn: Connection) -> None:
        recount_results.note_drift(conn, lost, survey.core.database.now_us(conn))

    write(survey.core, work)
    again = mend_all(survey)
    again.cells += last.cells
    return again

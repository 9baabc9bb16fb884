"""Rebuild: what a survey found is mended, and then whatever is made of it.

From hours to days, all time and totals: each is held against what was mended before it, so more
cells may be mended than were found.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from app.domain.drift import Drift
from app.service.core import Core
from app.service.recounts import all_time, day, hour, mend, texts, totals, words
from app.service.recounts.found import keep
from app.service.recounts.survey import MAX_DIFFERENCES, Look, Survey


@dataclass(slots=True, kw_only=True)
class Rebuilt:
    """What was done.

    Attributes:
        cells: How many cells were mended, by table.
        left: What still differs, the first `MAX_DIFFERENCES`.
        notes: What is told though every number is right.
    """

    core: Core
    cells: Counter[str] = field(default_factory=Counter)
    left: list[Drift] = field(default_factory=list)
    notes: list[Drift] = field(default_factory=list)


def rebuild(survey: Survey) -> Rebuilt:
    """Adds to counters what they lack; of what was removed where others say so.

    Raises:
        StoreError: The database cannot be read or written.
    """
    done = Rebuilt(core=survey.core)
    mend.prepare(survey.core)
    if any(words.is_of_removed(one.name) for one in survey.drifts):
        done.cells += mend.mend(done.core, survey.look_at_removed)[1]
    for start in survey.wrong_hours:
        _mend(done, partial(hour.look, start=start))
    days = survey.days_in_doubt
    for start in sorted(days, reverse=True):
        _mend(done, partial(day.look, start=start))
    for archived, status in all_time.PARTS if days else ():
        _mend(done, partial(all_time.look, archived=archived, status=status))
    for look in survey.wrong:
        if look is texts.look_at_states:
            done.cells += Counter({texts.TEXTS: texts.mend_states(survey.core)})
            _mend(done, texts.look)
        _mend(done, look)
    _mend(done, totals.look)
    return done


def _mend(done: Rebuilt, look: Look) -> None:
    last, cells = mend.mend(done.core, look)
    keep(done.core, last)
    done.cells += cells
    done.notes += [one for one in last.drifts if one.is_note]
    left = [one for one in last.drifts if not one.is_note]
    done.left += left[: MAX_DIFFERENCES - len(done.left)]

"""Survey: everything compared with what it must be, and no counter changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from app.domain.drift import Drift
from app.domain.window import DAY_US, floor_to
from app.service.core import Core
from app.service.recounts import all_time, day, histogram, hour, removed, rounds, texts, totals
from app.service.recounts.found import Found, keep
from app.service.recounts.mend import tidy
from app.service.recounts.rounds import Hours

#: Differences that are told one by one; all of them are counted.
MAX_DIFFERENCES: Final = 10_000
#: What comes after the hours.
HISTOGRAMS, TEXTS, MENDING, LAST_STEP = "histograms", "texts", "mending", "totals"

#: A check of something.
Look: TypeAlias = Callable[[Core], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is: hours that are counted, of how many, and what comes after them."""

    hours: int
    of_hours: int
    step: str = ""


Tell: TypeAlias = Callable[[Progress], None]


@dataclass(slots=True, kw_only=True)
class Survey:
    """What one pass over everything found.

    Attributes:
        hours, days: How many were looked at.
        tasks: Ended tasks that were counted anew.
        requests, attempts: Requests, and ended attempts, that were counted anew.
        texts: Texts that were counted anew; None where they were left out.
        drifts: What differs, the first `MAX_DIFFERENCES`; `drift_count` is of all.
        notes: What is told though every number is right.
        wrong_hours, wrong_days: Hours and days in which something differs.
        wrong: Other checks that found a difference, in their order.
    """

    core: Core
    hours: int = 0
    days: int = 0
    tasks: int = 0
    requests: int = 0
    attempts: int = 0
    texts: int | None = None
    drifts: list[Drift] = field(default_factory=list)
    drift_count: int = 0
    notes: list[Drift] = field(default_factory=list)
    wrong_hours: list[int] = field(default_factory=list)
    wrong_days: list[int] = field(default_factory=list)
    wrong: list[Look] = field(default_factory=list)

    @property
    def days_in_doubt(self) -> set[int]:
        """Days in which something differs, or in an hour of which."""
        return {*self.wrong_days, *(floor_to(start, DAY_US) for start in self.wrong_hours)}

    def look_at_removed(self, core: Core) -> Found:
        """What can be mended of what was removed."""
        return removed.look(core, self.days_in_doubt, is_all=self.texts is not None)

    def note(self, drifts: Sequence[Drift]) -> None:
        """Adds what differs."""
        wrong = [one for one in drifts if not one.is_note]
        self.drift_count += len(wrong)
        self.drifts += wrong[: MAX_DIFFERENCES - len(self.drifts)]


def look_at_everything(survey: Survey, since: int, tell: Tell) -> None:
    """Compares all, hour by hour, each in a snapshot of its own; writes down what was found.

    Args:
        survey: Gets what is found.
        since: Only hours from the one on in which this moment lies, and their days; where it is
            not 0, texts and histograms of all time are left out.
        tell: Called now and then.
    """
    _count_hours(survey, rounds.hours(survey.core, since=since), tell)
    for archived, status in all_time.PARTS:
        _look(survey, partial(all_time.look, archived=archived, status=status))
    if not since:
        _count_the_rest(survey, tell)
    tell(Progress(hours=survey.hours, of_hours=survey.hours, step=LAST_STEP))
    found = totals.look(survey.core)
    _keep(survey, found)
    survey.notes += [one for one in found.drifts if one.is_note]


def _count_hours(survey: Survey, hours: Hours, tell: Tell) -> None:
    """Hours and days, the newest day first."""
    waiting, starts = set(hours.waiting), (*hours.closed, *hours.going)
    for start in hours.days:
        for one in sorted(one for one in starts if floor_to(one, DAY_US) == start):
            waiting.discard(one)
            found = hour.look(survey.core, one)
            if _keep(survey, found, waiting_count=len(waiting)):
                survey.wrong_hours.append(one)
            survey.hours += 1
            survey.tasks += found.n
            survey.requests += found.requests
            survey.attempts += found.attempts
            tell(Progress(hours=survey.hours, of_hours=len(starts)))
        if _keep(survey, day.look(survey.core, start)):
            survey.wrong_days.append(start)
        survey.days += 1


def _count_the_rest(survey: Survey, tell: Tell) -> None:
    """Histograms bucket by bucket, and texts."""
    tell(Progress(hours=survey.hours, of_hours=survey.hours, step=HISTOGRAMS))
    for part in histogram.parts(survey.core):
        _look(survey, partial(histogram.look, part=part))
    tell(Progress(hours=survey.hours, of_hours=survey.hours, step=TEXTS))
    _look(survey, texts.look_at_states)
    survey.texts = _look(survey, texts.look).n


def _look(survey: Survey, look: Look) -> Found:
    found = look(survey.core)
    if _keep(survey, found):
        survey.wrong.append(look)
    return found


def _keep(survey: Survey, found: Found, *, waiting_count: int | None = None) -> bool:
    """Writes down what was found; returns whether a number is wrong."""
    keep(survey.core, found, waiting_count=waiting_count)
    tidy(survey.core, found)
    survey.note(found.drifts)
    return found.drift_count > 0

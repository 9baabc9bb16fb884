"""What a method found in a scenario, held against what was planted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.found import Found, Overall
from app.domain.correlation.onset import onset
from tests.bench.correlate.scenario import WINDOW_S, Booleans, Scenario

#: Two sets of rows are the same from this Jaccard index on.
SAME: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one method did in one scenario.

    Attributes:
        first: Whether its first answer is a planted one; None: nothing was planted.
        three: Whether all that was planted is among its first three answers.
        answers: How many answers it gave.
        overall: What it said of the whole; None: nothing.
        overall_right: None: not judged.
        onset_error: Part of the window by which its onset is wrong; None: not judged.
        onset_inside: Whether the onset lies in its interval.
    """

    first: bool | None
    three: bool | None
    answers: int
    overall: str | None = None
    overall_right: bool | None = None
    onset_error: float | None = None
    onset_inside: bool | None = None


def judged(scenario: Scenario, answers: Sequence[Mapping[str, str]]) -> Verdict:
    """The verdict on ranked predicates."""
    if not scenario.planted:
        return Verdict(first=None, three=None, answers=len(answers))
    wanted = [scenario.fits(one) for one in scenario.planted]
    given = [scenario.fits(scenario.where(one)) for one in answers[:3]]
    hit = [[jaccard(one, other) >= SAME for other in given] for one in wanted]
    return Verdict(
        first=any(row[0] for row in hit if row),
        three=all(any(row) for row in hit),
        answers=len(answers),
    )


def onset_of(scenario: Scenario, found: Found) -> tuple[float, bool]:
    """By how much of the window the onset of a finding is wrong, and whether its interval holds."""
    inside = scenario.fits(scenario.where(found.where))
    failure = scenario.window.failure[inside]
    failed = failure >= 0
    if found.fingerprint is not None:
        failed = failure == scenario.fingerprints.index(found.fingerprint)
    seen = onset(
        scenario.window.at[inside],
        failed,
        start=0.0,
        end=WINDOW_S,
        expected_rate=found.expected / found.n,
    )
    truth = (scenario.onset or 0.0) * WINDOW_S
    if seen is None:
        return truth / WINDOW_S, scenario.onset is None
    return abs(seen.at - truth) / WINDOW_S, bool(seen.low <= truth <= seen.high)


def is_right(scenario: Scenario, overall: Overall) -> bool:
    """Whether what is said of the whole is so; of a mix shift, where it is, too."""
    if overall.kind != scenario.overall:
        return False
    return scenario.mixed is None or overall.dimension is not None


def jaccard(one: Booleans, other: Booleans) -> float:
    """Common rows by all rows of both."""
    return float(np.logical_and(one, other).sum() / max(np.logical_or(one, other).sum(), 1))

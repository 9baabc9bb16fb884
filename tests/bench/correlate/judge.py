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
    """

    first: bool | None
    three: bool | None
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """An onset that was told, against the true one.

    Attributes:
        error: Part of the window by which it is wrong.
        is_inside: Whether the true one lies in its interval.
    """

    error: float
    is_inside: bool


def judged(scenario: Scenario, answers: Sequence[Mapping[str, str]]) -> Verdict:
    """The verdict on ranked predicates."""
    if not scenario.planted:
        return Verdict(first=None, three=None, answers=len(answers))
    wanted = [scenario.fits(one) for one in scenario.planted]
    given = [scenario.fits(scenario.where(one)) for one in answers[:3]]
    hits = [[jaccard(one, other) >= SAME for other in given] for one in wanted]
    return Verdict(
        first=any(row[0] for row in hits if row),
        three=all(any(row) for row in hits),
        answers=len(answers),
    )


def onset_of(scenario: Scenario, found: Found) -> Since:
    """The onset of a finding; one that is not told counts as the window's start."""
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
        return Since(error=truth / WINDOW_S, is_inside=scenario.onset is None)
    return Since(
        error=abs(seen.at - truth) / WINDOW_S, is_inside=bool(seen.low <= truth <= seen.high)
    )


def is_right(scenario: Scenario, overall: Overall) -> bool:
    """Whether what is said of the whole is so."""
    return overall.kind == scenario.overall


def jaccard(one: Booleans, other: Booleans) -> float:
    """Common rows by all rows of both."""
    return float(np.logical_and(one, other).sum() / max(np.logical_or(one, other).sum(), 1))

"""A candidate that was found: named as simply as can be, and counted over all its attempts."""

import math
from typing import Final

import numpy as np

from app.domain.correlation.candidates import Candidates, predicate_at
from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found
from app.domain.correlation.outcomes import Outcomes
from app.domain.correlation.predicates import Booleans, Predicate
from app.domain.correlation.ranking import Ranking
from app.domain.correlation.tally import Tally

#: A simpler name has to have so much of the failures that are left.
_NEARLY_ALL: Final = 0.9


def simplest_of(
    ranking: Ranking, tally: Tally, best: int, same: list[Predicate]
) -> tuple[int, Predicate]:
    """Of predicates that are told apart no more, the shortest; of these the strongest.

    Of those with the very same attempts, the one whose dimensions come first. One whose attempts an
    earlier finding has explained is none of them, though the window has the same of both.
    """
    found = tally.candidates
    known = [
        (place, one)
        for one in same
        for place in _places(found, one, int(found.outcome[best]))
        if tally.o[place] >= _NEARLY_ALL * tally.o[best]
    ]
    if not known:
        return best, predicate_at(found, best)
    shortest = min(len(one.dims) for _, one in known)
    short = [(place, one) for place, one in known if len(one.dims) == shortest]
    strongest, _ = max(short, key=lambda pair: ranking.gain[pair[0]])
    counts = (tally.n[strongest], tally.o[strongest])
    equal = [pair for pair in short if (tally.n[pair[0]], tally.o[pair[0]]) == counts]
    return min(equal, key=lambda pair: pair[1])


def _places(found: Candidates, one: Predicate, outcome: int) -> list[int]:
    fits = (found.size == len(one.dims)) & (found.outcome == outcome)
    for place, (dim, code) in enumerate(zip(one.dims, one.codes, strict=True)):
        fits &= (found.dims[:, place] == dim) & (found.codes[:, place] == code)
    return [int(place) for place in np.flatnonzero(fits)]


def found_at(
    ranking: Ranking,
    tally: Tally,
    place: int,
    named: Predicate,
    *,
    baseline: Cube,
    outcomes: Outcomes,
) -> Found:
    """The finding. What an earlier one explains of its attempts is counted all the same."""
    window, seen = tally.window, ranking.evidence
    outcome = int(tally.candidates.outcome[place])
    n, observed = _counts(window, named.fits(window), outcomes.is_case(window, outcome))
    before, failed = _counts(baseline, named.fits(baseline), outcomes.is_case(baseline, outcome))
    expected = float(seen.expected[place]) * n / float(tally.n[place])
    return Found(
        where=named.where(window),
        fingerprint=outcomes.fingerprint(window, outcome),
        n=n,
        observed=observed,
        expected=expected,
        lift=observed / expected,
        p=math.exp(seen.log_p[place]),
        q=math.exp(ranking.log_q[place]),
        share=observed / window.failed,
        baseline_n=before,
        baseline_failed=failed,
    )


def _counts(cube: Cube, inside: Booleans, is_case: Booleans) -> tuple[int, int]:
    return int(cube.n[inside].sum()), int(cube.n[inside & is_case].sum())

"""The candidates ranked: which predicate explains most, after its own past has been heard.

The baseline's count of a conjunction costs a pass over the baseline for each combination of
dimensions. So all are tested by what their values let expect, and only the strongest are asked for
their own past, the best first, until none that is left can be better.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.candidates import Candidates
from app.domain.correlation.cells import Floats
from app.domain.correlation.chronic import Chronic
from app.domain.correlation.cube import Integers
from app.domain.correlation.evidence import Evidence, Null, corrected, counts_of, evidence
from app.domain.correlation.past import Past
from app.domain.correlation.rules import Rules

#: Standard deviation, in log odds, of a conjunction from the sum of its values.
JOINT_SPREAD: Final = 0.35
#: How many are asked for their past at once.
_CHUNK: Final = 16


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every candidate with what speaks for it.

    Attributes:
        candidates: The candidates.
        evidence: What speaks for each.
        log_q: Corrected for all that was tried.
        score: The higher the better; -inf: it is none.
        best: The place of the best; None: nothing is sure.
    """

    candidates: Candidates
    evidence: Evidence
    log_q: Floats
    score: Floats
    best: int | None


def rank(
    found: Candidates,
    expected: Floats,
    totals: Floats,
    past: Past,
    *,
    tried: tuple[int, ...],
    rules: Rules,
) -> Ranking:
    """Tests all candidates and finds the best.

    Args:
        found: The candidates.
        expected: Failures that are expected of each, by the values of its attempts.
        totals: The same of everything, by outcome.
        past: The baseline.
        tried: How many predicates of each size were tried, of all outcomes.
        rules: What counts as a finding.
    """
    null = _null(found, expected, totals[found.outcome], past.model)
    every = np.arange(found.n.size)
    hoped = Null(null.log_odds, _hoped_variance(found, totals[found.outcome], null, past))
    seen = evidence(counts_of(found, every), hoped, rules)
    cost = np.log(np.maximum(np.array(tried, dtype=np.float64), 1))[found.size - 1]
    score = np.where(seen.log_p < math.log(rules.p), seen.gain - cost, -np.inf)
    log_q = corrected(seen.log_p, found.size, tried, rules.budget)
    sure = np.unique(found.outcome[log_q < math.log(rules.q)])
    score[~np.isin(found.outcome, sure)] = -np.inf
    asked = np.zeros(found.n.size, dtype=np.bool_)
    while True:
        best = int(np.argmax(score))
        if not math.isfinite(score[best]):
            return Ranking(found, seen, log_q, score, None)
        if asked[best]:
            log_q = corrected(seen.log_p, found.size, tried, rules.budget)
            if (log_q[asked] < math.log(rules.q)).any():
                return Ranking(found, seen, log_q, score, best)
        places = _next(score, asked)
        if not places.size:
            return Ranking(found, seen, log_q, score, None)
        _hear(found, places, null, past, seen=seen, rules=rules)
        asked[places] = True
        fits = seen.log_p[places] < math.log(rules.p)
        score[places] = np.where(fits, seen.gain[places] - cost[places], -np.inf)


def _next(score: Floats, asked: np.ndarray) -> Integers:
    """The best that were not asked yet."""
    left = np.flatnonzero(np.isfinite(score) & ~asked)
    return left[np.argsort(-score[left], kind="stable")[:_CHUNK]]


def _null(found: Candidates, expected: Floats, totals: Floats, model: Chronic) -> Null:
    """By the values of each candidate."""
    expected = np.maximum(expected, 1e-9)
    rest = np.maximum(totals - expected, 1e-9)
    rest_n = np.maximum(found.total_n - found.n, 1.0)
    log_odds = np.log(
        expected / np.maximum(found.n - expected, 1e-3)
        / (rest / np.maximum(rest_n - rest, 1e-3))
    )  # fmt: skip
    variance = np.where(found.size > 1, JOINT_SPREAD**2, 0.0)
    for dim, uncertain in enumerate(model.variance()):
        row, place = np.nonzero(found.dims == dim)
        variance[row] += uncertain[found.outcome[row], found.codes[row, place]]
    return Null(log_odds, variance)


def _hoped_variance(found: Candidates, totals: Floats, null: Null, past: Past) -> Floats:
    """The variance that is left if the baseline has as much of each conjunction as the window."""
    share = found.n / found.total_n
    odds = np.exp(null.log_odds) * share / np.maximum(1 - share, 1e-9)
    expected = totals * odds / (1 + odds) * (past.cube.total / found.total_n)
    error = 1 / (expected + 0.5)
    trust = np.where(found.size > 1, null.variance / (null.variance + error), 0.0)
    left: Floats = null.variance * (1 - trust)
    return left


def _hear(
    found: Candidates, places: Integers, null: Null, past: Past, *, seen: Evidence, rules: Rules
) -> None:
    """Puts what the baseline says of these conjunctions into what is expected of them."""
    before = past.of(found, places)
    wide = null.variance[places]
    error = 1 / (before.expected + 0.5)
    trust = np.where(found.size[places] > 1, wide / (wide + error), 0.0)
    shift = np.log((before.o + 0.5) / (before.expected + 0.5))
    null.log_odds[places] += trust * shift
    null.variance[places] = wide * (1 - trust)
    again = evidence(
        counts_of(found, places), Null(null.log_odds[places], null.variance[places]), rules
    )
    for whole, part in zip(
        (seen.expected, seen.lift, seen.log_p, seen.gain),
        (again.expected, again.lift, again.log_p, again.gain),
        strict=True,
    ):
        whole[places] = part

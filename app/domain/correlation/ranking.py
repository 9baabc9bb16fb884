"""The candidates ranked: which predicate explains most, after its own past has been heard.

The baseline's count of a conjunction costs a pass over the baseline for each combination of
dimensions. So all are tested by what their values let expect, and only the strongest are asked for
their own past, the best first, until none that is left can be better.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.candidates import Candidates, predicate_at
from app.domain.correlation.cells import Floats
from app.domain.correlation.cube import Integers
from app.domain.correlation.evidence import Counts, Evidence, Null, corrected, counts_of, evidence
from app.domain.correlation.gain import gains
from app.domain.correlation.joints import JOINT_SPREAD
from app.domain.correlation.past import Before, Past
from app.domain.correlation.predicates import Booleans
from app.domain.correlation.present import such_before
from app.domain.correlation.rules import Rules
from app.domain.correlation.tally import Tally

#: How many are asked for their past at once.
_CHUNK: Final = 16
#: What a predicate has to explain better for each dimension that it names (log likelihood).
EACH_DIMENSION: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every candidate with what speaks for it.

    Attributes:
        evidence: What speaks for each.
        gain: How much better it explains the window; 0 where nothing is sure of its outcome.
        log_q: Corrected for all that was tried.
        best: The place of the best; None: nothing is sure.
    """

    evidence: Evidence
    gain: Floats
    log_q: Floats
    best: int | None


def rank(tally: Tally, past: Past, *, tried: tuple[int, ...], rules: Rules) -> Ranking:
    """Tests all candidates and finds the best.

    Args:
        tally: What is left to be explained.
        past: The baseline.
        tried: How many predicates of each size were tried, of all outcomes.
        rules: What counts as a finding.
    """
    found = tally.candidates
    counts = counts_of(tally)
    null = _null(tally, past)
    hoped = Null(null.log_odds, null.level, _hoped_variance(tally, null, past))
    seen = evidence(counts, hoped, rules)
    log_q = corrected(seen.log_p, found.size, tried, rules.budget)
    sure = frozenset(np.unique(found.outcome[log_q < math.log(rules.q)]).tolist())
    gain = gains(tally, sure)
    cost = np.log(np.maximum(np.array(tried, dtype=np.float64), 1))[found.size - 1]
    cost = cost + EACH_DIMENSION * found.size
    good = (seen.log_p < math.log(rules.p)) & np.isin(found.outcome, list(sure))
    score = np.where(good, gain - cost, -np.inf)
    asked = np.zeros(found.size.size, dtype=np.bool_)
    while True:
        best = int(np.argmax(score))
        if not math.isfinite(score[best]):
            return Ranking(seen, gain, log_q, None)
        if asked[best]:
            _hear_present(tally, best, null, past, seen=seen, rules=rules)
            log_q = corrected(seen.log_p, found.size, tried, rules.budget)
            if log_q[best] < math.log(rules.q):
                return Ranking(seen, gain, log_q, best)
            score[best] = -np.inf
            continue
        places = _next(score, asked)
        _hear(found, places, null, past, counts=counts, seen=seen, rules=rules)
        asked[places] = True
        score[places[seen.log_p[places] >= math.log(rules.p)]] = -np.inf


def _next(score: Floats, asked: Booleans) -> Integers:
    """The best that were not asked yet."""
    left = np.flatnonzero(np.isfinite(score) & ~asked)
    return left[np.argsort(-score[left], kind="stable")[:_CHUNK]]


def _null(tally: Tally, past: Past) -> Null:
    """By the values of each candidate."""
    found = tally.candidates
    expected = np.maximum(tally.expected, 1e-9)
    rest = np.maximum(tally.total_expected[found.outcome] - expected, 1e-9)
    rest_n = np.maximum(tally.total_n[found.outcome] - tally.n, 1.0)
    odds = expected / np.maximum(tally.n - expected, 1e-3)
    rest_odds = rest / np.maximum(rest_n - rest, 1e-3)
    variance = np.where(found.size > 1, JOINT_SPREAD**2, 0.0)
    for dim, uncertain in enumerate(past.model.variance()):
        row, place = np.nonzero(found.dims == dim)
        variance[row] += uncertain[found.outcome[row], found.codes[row, place]]
    level = np.log(odds) if past.cube.total else np.full_like(odds, -np.inf)
    return Null(np.log(odds / rest_odds), level, variance)


def _hoped_variance(tally: Tally, null: Null, past: Past) -> Floats:
    """The variance that is left if the baseline has as much of each conjunction as the window."""
    found = tally.candidates
    more = past.cube.total / np.maximum(tally.total_n, 1)
    error = 1 / (tally.expected * more[found.outcome] + 0.5)
    trust = np.where(found.size > 1, null.variance / (null.variance + error), 0.0)
    left: Floats = null.variance * (1 - trust)
    return left


def _hear(
    found: Candidates,
    places: Integers,
    null: Null,
    past: Past,
    *,
    counts: Counts,
    seen: Evidence,
    rules: Rules,
) -> None:
    """Puts what the baseline says of these conjunctions into what is expected of them."""
    before = past.of(found, places)
    wide = null.variance[places]
    error = 1 / (before.expected + 0.5)
    trust = np.where(found.size[places] > 1, wide / (wide + error), 0.0)
    _shift(places, trust, before, null)
    _test_again(places, null, counts=counts, seen=seen, rules=rules)


def _hear_present(
    tally: Tally, place: int, null: Null, past: Past, *, seen: Evidence, rules: Rules
) -> None:
    """The same of what its attempts are now, where such attempts have failed more than others."""
    found = tally.candidates
    before = such_before(
        tally.window,
        past,
        predicate_at(found, place),
        int(found.outcome[place]),
        nearly_all=rules.same_rows,
    )
    wide = null.variance[place] + JOINT_SPREAD**2
    trust = wide / (wide + 1 / (before.expected + 0.5))
    more = trust * np.log((before.o + 0.5) / (before.expected + 0.5))
    if more.max(initial=0.0) > 0:
        most = int(np.argmax(more))
        null.log_odds[place] += more[most]
        null.level[place] += more[most]
        null.variance[place] = wide * (1 - trust[most])
        _test_again(np.array([place]), null, counts=counts_of(tally), seen=seen, rules=rules)


def _shift(places: Integers, trust: Floats, before: Before, null: Null) -> None:
    """Moves what is expected towards what was before, by as much as that is trusted."""
    shift = trust * np.log((before.o + 0.5) / (before.expected + 0.5))
    null.log_odds[places] += shift
    null.level[places] += shift
    null.variance[places] *= 1 - trust


def _test_again(
    places: Integers, null: Null, *, counts: Counts, seen: Evidence, rules: Rules
) -> None:
    again = evidence(counts.at(places), null.at(places), rules)
    for whole, part in zip(
        (seen.expected, seen.lift, seen.log_p),
        (again.expected, again.lift, again.log_p),
        strict=True,
    ):
        whole[places] = part

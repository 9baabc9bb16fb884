"""How sure it is that a predicate fails more often than the rest and its own past explain."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.binomial import log_mixed_tail, nodes
from app.domain.correlation.candidates import Candidates
from app.domain.correlation.cells import Floats
from app.domain.correlation.chronic import chronic
from app.domain.correlation.cube import Integers
from app.domain.correlation.rules import Rules

#: Standard deviations that leave 5 % below.
_SURE: Final = 1.645


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for each candidate.

    Attributes:
        expected: Failures, by the rest of the window and the baseline's odds.
        lift: Observed over expected.
        log_p: Logarithm of the probability of so many, were nothing there; 0 where the lift is too
            small to look.
        log_q: The same, corrected for all that was tried.
        score: By what the best is taken; -inf: it is none.
    """

    expected: Floats
    lift: Floats
    log_p: Floats
    log_q: Floats
    score: Floats


def evidence(found: Candidates, tried: tuple[int, ...], rules: Rules) -> Evidence:
    """Tests all candidates, and ranks those that pass.

    Args:
        found: The candidates.
        tried: How many predicates of each size were tried, of all outcomes.
        rules: What counts as a finding.
    """
    prior = chronic(found)
    inside, outside = null_rates(np.exp(prior.mean), found)
    beside = _beside(prior.mean, found)
    expected = found.n * beside
    lift = found.o / expected
    looked = np.flatnonzero(
        (lift >= rules.min_lift)
        & (_sure_lift(found, lift, prior.variance) >= rules.min_sure_lift)
        & (found.o > found.n * inside)
    )
    log_p = np.zeros_like(lift)
    if looked.size:
        deviation = np.sqrt(prior.variance[looked])
        some = _taken(found, looked)
        rates = np.stack(
            [null_rates(np.exp(prior.mean[looked] + z * deviation), some)[0] for z in nodes()]
        )
        log_p[looked] = log_mixed_tail(found.o[looked], found.n[looked], rates)
    log_q = _corrected(log_p, found.size, tried, rules.budget)
    good = (log_p < math.log(rules.p)) & (log_p < 0)
    cost = np.log(np.maximum(np.array(tried, dtype=np.float64), 1))[found.size - 1]
    score = np.where(good, _log_likelihood_ratio(found, inside, outside) - cost, -np.inf)
    return Evidence(expected=expected, lift=lift, log_p=log_p, log_q=log_q, score=score)


@dataclass(frozen=True, slots=True)
class _Counts:
    n: Floats
    total_n: float
    total_o: Floats


def _taken(found: Candidates, places: Integers) -> _Counts:
    return _Counts(found.n[places], found.total_n, found.total_o[places])


def null_rates(odds: Floats, found: Candidates | _Counts) -> tuple[Floats, Floats]:
    """Rates inside and outside where all failures are as many, and the odds differ by this factor.

    n inside + (N - n) outside = O, a quadratic equation in the outside rate.
    """
    rest = found.total_n - found.n
    a = rest * (odds - 1)
    b = found.n * odds + rest - found.total_o * (odds - 1)
    outside = 2 * found.total_o / (b + np.sqrt(b * b + 4 * a * found.total_o))
    inside = odds * outside / (1 - outside + odds * outside)
    return np.clip(inside, 1e-12, 1 - 1e-12), np.clip(outside, 1e-12, 1 - 1e-12)


def _beside(log_odds: Floats, found: Candidates) -> Floats:
    """The rate that is expected inside by what fails outside; half an expected failure is added."""
    share = np.clip((found.total_ob + found.total_o) / (found.total_nb + found.total_n), 1e-9, 0.5)
    bad = found.total_o - found.o + 0.5
    good = (found.total_n - found.n) - (found.total_o - found.o) + 0.5 * (1 - share) / share
    odds = np.exp(log_odds) * bad / np.maximum(good, 0.5)
    return np.clip(odds / (1 + odds), 1e-12, 1 - 1e-12)


def _sure_lift(found: Candidates, lift: Floats, variance: Floats) -> Floats:
    """What the lift is at least."""
    rest = found.total_o - found.o + 0.5
    error = (1 - found.o / found.n) / found.o + variance + 1 / rest
    return lift * np.exp(-_SURE * np.sqrt(error))


def _corrected(
    log_p: Floats, size: Integers, tried: tuple[int, ...], budget: tuple[float, ...]
) -> Floats:
    """Benjamini and Hochberg's q, with more of the error allowed for the simple predicates."""
    cost = np.array(
        [math.log(max(count, 1) / part) for count, part in zip(tried, budget, strict=True)]
    )
    weighed = log_p + cost[size - 1]
    order = np.argsort(weighed, kind="stable")
    ranked = weighed[order] - np.log(np.arange(1, order.size + 1))
    found = np.empty_like(weighed)
    found[order] = np.minimum.accumulate(ranked[::-1])[::-1]
    return np.minimum(found, 0.0)


def _log_likelihood_ratio(found: Candidates, inside: Floats, outside: Floats) -> Floats:
    """How much better two rates of their own explain it than the rates of the null."""
    rest, rest_o = found.total_n - found.n, found.total_o - found.o
    gained: Floats = (
        _times_log(found.o, found.o / found.n / inside)
        + _times_log(found.n - found.o, (1 - found.o / found.n) / (1 - inside))
        + _times_log(rest_o, rest_o / np.maximum(rest, 1) / outside)
        + _times_log(rest - rest_o, (1 - rest_o / np.maximum(rest, 1)) / (1 - outside))
    )
    return gained


def _times_log(x: Floats, ratio: Floats) -> Floats:
    safe = np.where(x > 0, ratio, 1.0)
    return np.where(x > 0, x * np.log(safe), 0.0)

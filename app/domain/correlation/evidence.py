"""How sure it is that a predicate fails more often than the rest and its own past explain."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.domain.correlation.binomial import log_mixed_tail, nodes
from app.domain.correlation.cells import Floats
from app.domain.correlation.cube import Integers
from app.domain.correlation.rules import Rules
from app.domain.correlation.tally import Tally

#: Standard deviations that leave 5 % below.
_SURE: Final = 1.645


@dataclass(frozen=True, slots=True)
class Null:
    """What is expected of each candidate where nothing is there.

    Attributes:
        log_odds: Of failing inside, against outside.
        level: Log odds of failing inside, by the past alone; -inf where there is none.
        variance: Of both.
    """

    log_odds: Floats
    level: Floats
    variance: Floats

    def at(self, places: Integers) -> "Null":
        """Of some candidates."""
        return Null(self.log_odds[places], self.level[places], self.variance[places])


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for each candidate.

    Attributes:
        expected: Failures, by the rest of the window and the baseline's odds.
        lift: Observed over expected.
        log_p: Logarithm of the probability of so many, were nothing there; 0 where the lift is too
            small to look.
    """

    expected: Floats
    lift: Floats
    log_p: Floats


@dataclass(frozen=True, slots=True)
class Counts:
    """Attempts and failures, inside and in all."""

    n: Floats
    o: Floats
    total_n: Floats
    total_o: Floats

    def at(self, places: Integers) -> "Counts":
        """Of some candidates."""
        return Counts(self.n[places], self.o[places], self.total_n[places], self.total_o[places])


def counts_of(tally: Tally) -> Counts:
    """Of all candidates."""
    outcome = tally.candidates.outcome
    return Counts(tally.n, tally.o, tally.total_n[outcome], tally.total_o[outcome])


def evidence(counts: Counts, null: Null, rules: Rules) -> Evidence:
    """Tests candidates against the null: by the rest of the window, and by the past alone.

    Where the rest happens to fail less than ever, a predicate that fails as always is no finding;
    and neither is one that fails more than ever where everything does. The weaker test counts.
    """
    inside = _null_rates(np.exp(null.log_odds), counts)
    expected = np.maximum(counts.n * _beside(null.log_odds, counts), 1e-12)
    lift = counts.o / expected
    looked = np.flatnonzero(
        (counts.o >= rules.min_failures)
        & (lift >= rules.min_lift)
        & (_sure_lift(counts, lift, expected, null.variance) >= rules.min_sure_lift)
        & (counts.o > counts.n * inside)
    )
    log_p = np.zeros_like(lift)
    if looked.size:
        some = counts.at(looked)
        tested = _by_the_rest(some, null.at(looked))
        likely = np.flatnonzero(tested < math.log(rules.p))
        past = _by_the_past(some.at(likely), null.at(looked[likely]))
        tested[likely] = np.maximum(tested[likely], past)
        log_p[looked] = tested
    return Evidence(expected=expected, lift=lift, log_p=log_p)


def _by_the_rest(counts: Counts, null: Null) -> Floats:
    """Log p where all failures are given, and how they fall on what is inside is tested.

    Of fewer failures than attempts inside, each is a trial; else each attempt is one.
    """
    deviation = np.sqrt(null.variance)
    rates = np.stack([_null_rates(np.exp(null.log_odds + z * deviation), counts) for z in nodes()])
    trials = np.minimum(counts.n, counts.total_o)
    return log_mixed_tail(counts.o, trials, rates * (counts.n / trials))


def _by_the_past(counts: Counts, null: Null) -> Floats:
    """Log p where each attempt inside fails as often as the baseline lets expect."""
    deviation = np.sqrt(null.variance)
    odds = np.exp(np.stack([null.level + z * deviation for z in nodes()]))
    return log_mixed_tail(counts.o, counts.n, odds / (1 + odds))


def corrected(
    log_p: Floats, size: Integers, tried: tuple[int, ...], budget: tuple[float, ...]
) -> Floats:
    """Benjamini and Hochberg's log q, with more of the error allowed for the simple predicates.

    Args:
        log_p: Of all candidates.
        size: Dimensions of each.
        tried: How many predicates of each size were tried, of all outcomes.
        budget: What part of the error each size may take.
    """
    cost = np.array(
        [math.log(max(count, 1) / part) for count, part in zip(tried, budget, strict=True)]
    )
    weighed = log_p + cost[size - 1]
    order = np.argsort(weighed, kind="stable")
    ranked = weighed[order] - np.log(np.arange(1, order.size + 1))
    found = np.empty_like(weighed)
    found[order] = np.minimum.accumulate(ranked[::-1])[::-1]
    lowest: Floats = np.minimum(found, 0.0)
    return lowest


def _null_rates(odds: Floats, counts: Counts) -> Floats:
    """The rate inside where all failures are as many, and the odds to outside are by this factor.

    n inside + (N - n) outside = O, a quadratic equation in the outside rate.
    """
    rest = counts.total_n - counts.n
    a = rest * (odds - 1)
    b = counts.n * odds + rest - counts.total_o * (odds - 1)
    root = np.sqrt(np.maximum(b * b + 4 * a * counts.total_o, 0.0))
    outside = 2 * counts.total_o / np.maximum(b + root, 1e-9)
    inside = odds * outside / (1 - outside + odds * outside)
    clipped: Floats = np.clip(inside, 1e-12, 1 - 1e-12)
    return clipped


def _beside(log_odds: Floats, counts: Counts) -> Floats:
    """The rate that is expected inside by what fails outside; half an expected failure is added."""
    share = np.clip(counts.total_o / np.maximum(counts.total_n, 1), 1e-9, 0.5)
    bad = counts.total_o - counts.o + 0.5
    good = (counts.total_n - counts.n) - (counts.total_o - counts.o) + 0.5 * (1 - share) / share
    odds = np.exp(log_odds) * bad / np.maximum(good, 0.5)
    return np.clip(odds / (1 + odds), 1e-12, 1 - 1e-12)


def _sure_lift(counts: Counts, lift: Floats, expected: Floats, variance: Floats) -> Floats:
    """What the lift is at least.

    An error in log odds is as large in the logarithm of the expected rate where failures are rare,
    and smaller where they are not: a rate cannot be above one.
    """
    rest = counts.total_o - counts.o + 0.5
    o, n = np.maximum(counts.o, 0.5), np.maximum(counts.n, 1)
    in_rate = np.maximum(1 - expected / n, 0.0) ** 2
    error = (1 - counts.o / n) / o + (variance + 1 / rest) * in_rate
    least: Floats = lift * np.exp(-_SURE * np.sqrt(error))
    return least

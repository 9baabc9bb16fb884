"""Two other ways of looking for causes, in their simplest form, measured beside the scan.

BubbleUp-like: each value by its share of the failures less its share of the successes. MacroBase's
risk ratio: values and pairs whose attempts fail at least three times as often as all others, the
highest ratio first. Neither knows a baseline.
"""

import itertools
from collections.abc import Mapping
from typing import Final

import numpy as np

from tests.bench.correlate.scenario import Floats, Scenario

#: A value is told where its shares differ so much.
_DIFFERENCE: Final = 0.1
#: A predicate is told where its attempts fail so many times as often as the others.
_RATIO: Final = 3.0
_LEAST_FAILURES: Final = 5
_LEAST_SUPPORT: Final = 0.001


def bubble_up(scenario: Scenario) -> list[Mapping[str, str]]:
    """Values by the difference of their shares, the largest first."""
    found = []
    for dims in itertools.combinations(range(len(scenario.names)), 1):
        n, o = _counts(scenario, dims)
        failed, total = o.sum(), n.sum()
        difference = o / max(failed, 1) - (n - o) / max(total - failed, 1)
        found += [
            (float(difference[key]), _where(scenario, dims, int(key)))
            for key in np.flatnonzero((difference > _DIFFERENCE) & (o >= _LEAST_FAILURES))
        ]
    return [where for _, where in sorted(found, key=lambda one: -one[0])]


def risk_ratio(scenario: Scenario) -> list[Mapping[str, str]]:
    """Values and pairs by their risk ratio, the highest first."""
    found = []
    for size in (1, 2):
        for dims in itertools.combinations(range(len(scenario.names)), size):
            n, o = _counts(scenario, dims)
            failed, total = o.sum(), n.sum()
            others = np.maximum((failed - o) / np.maximum(total - n, 1), 1 / (2 * total))
            ratio = o / np.maximum(n, 1) / others
            told = (ratio >= _RATIO) & (o >= np.maximum(_LEAST_FAILURES, _LEAST_SUPPORT * failed))
            found += [
                (float(ratio[key]), _where(scenario, dims, int(key)))
                for key in np.flatnonzero(told)
            ]
    return [where for _, where in sorted(found, key=lambda one: -one[0])]


def _counts(scenario: Scenario, dims: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Attempts and failures by key."""
    codes, size = scenario.window.codes, 1
    key = np.zeros(len(codes), dtype=np.int64)
    for dim in dims:
        card = len(scenario.values[dim])
        key, size = key * card + codes[:, dim], size * card
    failed = scenario.window.failure >= 0
    return (
        np.bincount(key, minlength=size).astype(np.float64),
        np.bincount(key[failed], minlength=size).astype(np.float64),
    )


def _where(scenario: Scenario, dims: tuple[int, ...], key: int) -> Mapping[str, str]:
    where = {}
    for dim in reversed(dims):
        key, code = divmod(key, len(scenario.values[dim]))
        where[scenario.names[dim]] = scenario.values[dim][code]
    return where

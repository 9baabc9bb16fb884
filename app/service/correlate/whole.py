"""The whole window: a rise of everything as a finding of its own, and what a mix shifted to."""

import math

import numpy as np

from app.domain.correlation.binomial import log_tail
from app.domain.correlation.cells import by_value
from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Found, Overall


def rise(overall: Overall, window: Cube, baseline: Cube) -> Found | None:
    """A rise of everything: the predicate without conditions; None where there is none."""
    if overall.kind != "global_rise" or not window.total:
        return None
    rate = min(overall.expected / window.total, 1.0)
    p = math.exp(float(log_tail(overall.observed, window.total, rate)))
    return Found(
        where={},
        fingerprint=None,
        n=window.total,
        observed=overall.observed,
        expected=overall.expected,
        lift=overall.observed / max(overall.expected, 1e-9),
        p=p,
        q=p,
        share=overall.observed / max(window.failed, 1),
        baseline_n=baseline.total,
        baseline_failed=baseline.failed,
    )


def shifted_to(overall: Overall, window: Cube, baseline: Cube) -> str | None:
    """The value of a shifted mix that brings most failures: more runs of what often fails."""
    if overall.kind != "mix_shift" or overall.dimension not in window.names:
        return None
    place = window.names.index(overall.dimension)
    now, before = by_value(window, place), by_value(baseline, place)
    failed = by_value(baseline, place, baseline.failure >= 0)
    grown = now / max(now.sum(), 1) - before / max(before.sum(), 1)
    brought = grown * failed / np.maximum(before, 1)
    best = int(np.argmax(brought))
    return window.values[place][best] if brought[best] > 0 else None

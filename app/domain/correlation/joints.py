"""Pairs of values that have always failed more, or less, than their values alone let expect.

They matter where the window has another share of them than the baseline: a worker that fails
with the new release, as ever, fails more now that it runs nothing else. A pass over the baseline
for each pair of dimensions is too much for every scan: they are looked for once something is found.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from app.domain.correlation.cells import Floats, sums
from app.domain.correlation.chronic import Chronic, Joint
from app.domain.correlation.cube import Cube
from app.domain.correlation.dependencies import columns_of
from app.domain.correlation.predicates import Predicate

#: Standard deviation, in log odds, of a conjunction from the sum of its values.
JOINT_SPREAD: Final = 0.35
#: Standard deviations from what is expected, and failures, from which on a pair is one.
_SURE: Final = 4.0
_LEAST: Final = 10.0
_MOST_JOINTS: Final = 4
#: Of more dimensions than this the pairs are too many.
_MOST_DIMENSIONS: Final = 12


@dataclass(frozen=True, slots=True)
class _Pair:
    """The values of two dimensions that differ most: by how much better a factor explains them."""

    gain: float
    predicate: Predicate
    o: float
    expected: float


def with_joints(model: Chronic, baseline: Cube) -> Chronic:
    """The model with the pairs that matter most, one by one; itself where there is none."""
    if len(baseline.names) > _MOST_DIMENSIONS or not baseline.total:
        return model
    for _ in range(_MOST_JOINTS):
        pairs = list(_pairs(baseline, model.failing(baseline) * baseline.n))
        if not pairs:
            return model
        most = max(pairs, key=lambda pair: pair.gain)
        trust = JOINT_SPREAD**2 / (JOINT_SPREAD**2 + 1 / (most.expected + 0.5))
        shift = trust * float(np.log((most.o + 0.5) / (most.expected + 0.5)))
        model = replace(model, joints=(*model.joints, Joint(most.predicate, shift)))
    return model


def _pairs(cube: Cube, weights: Floats) -> Iterator[_Pair]:
    """Of each two dimensions the pair of values that differs most, where it surely does."""
    columns = columns_of(cube)
    failed = np.flatnonzero(cube.failure >= 0)
    n = cube.n.astype(np.float64)
    for dims in itertools.combinations(range(len(cube.names)), 2):
        key, size = columns.key(dims), columns.size(dims)
        keys, expected = sums(key, weights, size)
        cases, count = sums(key[failed], n[failed], size)
        o = np.zeros(keys.size)
        o[np.searchsorted(keys, cases)] = count
        sure = (np.abs(o - expected) > _SURE * np.sqrt(expected + 1)) & (o + expected > 2 * _LEAST)
        if sure.any():
            safe = np.maximum(o, 0.5)
            gain = np.where(sure, safe * np.log(safe / expected) - (safe - expected), 0.0)
            best = int(np.argmax(gain))
            [codes] = columns.members(keys[[best]], dims)
            predicate = Predicate(dims, tuple(int(code) for code in codes))
            yield _Pair(float(gain[best]), predicate, float(o[best]), float(expected[best]))

"""What the baseline lets expect: by all values together, and of pairs that always failed."""

import numpy as np
import pytest

from app.domain.correlation.chronic import chronic
from app.domain.correlation.joints import with_joints
from app.domain.correlation.outcomes import outcomes_of
from tests.support.cells import encode
from tests.unit.correlation.attempts import NAMES, cells, cubes, usual, where


def test_values_that_go_together_share_what_they_explain() -> None:
    """The workers of a host fail often: both together let expect what there is, not twice."""
    window, baseline = cubes(usual, before=where(0.2, host="h1"), count=4_000)
    model = chronic(baseline, outcomes_of(window, baseline, most=10, min_failures=5))
    expected = model.failing(baseline) * baseline.n
    for dim in range(len(NAMES)):
        for code in range(len(baseline.values[dim])):
            inside = baseline.codes[:, dim] == code
            observed = baseline.n[inside & (baseline.failure >= 0)].sum()
            assert expected[inside].sum() == pytest.approx(observed, rel=0.1)


def test_rates_of_fingerprints_are_parts_of_the_rate_of_any() -> None:
    """Of each cell: each between 0 and the rate of any failure."""
    window, baseline = cubes(usual, count=1_000)
    outcomes = outcomes_of(window, baseline, most=10, min_failures=5)
    rates = chronic(baseline, outcomes).rates(window)
    assert rates.shape == (outcomes.count, window.n.size)
    assert (rates > 0).all()
    assert (rates[1:] <= rates[0]).all()


def test_a_pair_that_always_failed_is_known() -> None:
    """It is named, and what is expected of it then is what there was."""
    before = where(0.3, worker="w3", length="b")
    window, baseline = cubes(usual, before=before, count=4_000)
    model = chronic(baseline, outcomes_of(window, baseline, most=10, min_failures=5))
    known = with_joints(model, baseline)
    assert known.joints[0].predicate.where(baseline) == {"worker": "w3", "length": "b"}
    inside = known.joints[0].predicate.fits(baseline)
    observed = baseline.n[inside & (baseline.failure >= 0)].sum()
    assert (model.failing(baseline) * baseline.n)[inside].sum() < 0.8 * observed
    assert (known.failing(baseline) * baseline.n)[inside].sum() > 0.8 * observed


def test_no_pair_is_known_where_values_explain_all() -> None:
    """Also where there is nothing before the window."""
    window, baseline = cubes(usual, before=where(0.1, engine="e1"), count=3_000)
    outcomes = outcomes_of(window, baseline, most=10, min_failures=5)
    assert with_joints(chronic(baseline, outcomes), baseline).joints == ()
    window, nothing = encode(NAMES, cells(500, usual, seed=1), [])
    empty = chronic(nothing, outcomes_of(window, nothing, most=10, min_failures=5))
    assert with_joints(empty, nothing).joints == ()
    assert np.isfinite(empty.rates(window)).all()

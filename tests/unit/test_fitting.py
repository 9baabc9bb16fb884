"""Effects that are fitted to a past: of several outcomes at once, each as if it were alone."""

import numpy as np
import pytest

from app.domain.correlation.cube import Cube
from app.domain.correlation.fitting import BLIND_SPREAD, Effects, fit


def _cube(rng: np.random.Generator, cells: int) -> Cube:
    cards = (7, 3, 12)
    return Cube(
        names=("a", "b", "c"),
        values=tuple(tuple(f"v{at}" for at in range(card)) for card in cards),
        codes=np.stack([rng.integers(0, card, cells) for card in cards], axis=1),
        failure=np.full(cells, -1),
        n=rng.integers(1, 40, cells),
        fingerprints=(),
    )


def _flat(found: Effects) -> np.ndarray:
    return np.concatenate([[found.base], *found.of, *found.variance])


@pytest.mark.parametrize("is_share", [False, True])
def test_outcomes_are_fitted_as_if_each_were_alone(*, is_share: bool) -> None:
    """Some settle sooner than others, and some have too few cases to tell anything."""
    rng = np.random.default_rng(5)
    cube = _cube(rng, 600)
    n = cube.n.astype(np.float64)
    skewed = 0.3 * (cube.codes[:, 0] == 2) + 0.01
    rates = [0.05, 0.0001, skewed, 0.4, 0.0]
    cases = np.stack([rng.binomial(cube.n, rate) for rate in rates]).astype(np.float64)
    together = fit(cube, n, cases, is_share=is_share)
    alone = [fit(cube, n, one[None], is_share=is_share)[0] for one in cases]
    assert len(together) == len(rates)
    for one, other in zip(together, alone, strict=True):
        assert np.allclose(_flat(one), _flat(other), rtol=1e-12, atol=1e-12)
    assert not together[4].of[0].any()
    assert set(together[4].variance[0]) == {BLIND_SPREAD**2}


def test_effect_is_found_where_it_is() -> None:
    """A value that fails often has the largest effect; values without any have hardly one."""
    rng = np.random.default_rng(6)
    cube = _cube(rng, 900)
    rate = np.where(cube.codes[:, 0] == 4, 0.3, 0.02)
    cases = rng.binomial(cube.n, rate).astype(np.float64)
    [found] = fit(cube, cube.n.astype(np.float64), cases[None])
    assert int(np.argmax(found.of[0])) == 4
    assert found.of[0][4] > 1.5
    assert max(np.abs(found.of[1]).max(), np.abs(found.of[2]).max()) < 0.4


def test_nothing_is_fitted_to_nothing() -> None:
    """Without cells or outcomes there are effects for each outcome that was asked for, all zero."""
    cube = _cube(np.random.default_rng(7), 0)
    [found] = fit(cube, cube.n.astype(np.float64), np.zeros((1, 0)))
    assert not any(effect.any() for effect in found.of)
    assert fit(cube, cube.n.astype(np.float64), np.zeros((0, 0)), is_share=True) == []

"""Likeness: what makes a success the nearest one, by small crowds."""

from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import lengths
from app.domain.correlation.dimensions import DIMENSIONS
from app.service.correlate.likeness import costs, crowd_of, differing, nearest
from app.store.exemplar_rows import row_of

_MIN: Final = 60_000_000
_AT: Final = 1_772_323_200_000_000
_USUAL: Final[dict[str, Any]] = {
    "task_id": 1,
    "attempt": 1,
    "span_id": "s",
    "at": _AT,
    "chars": 400,
    "worker": "w3",
    "host": "h2",
    "engine": "volc",
    "voice": "amy",
    "language": "en",
    "release": "1",
    "source": "api",
}


def _raw(**changed: Any) -> tuple[Any, ...]:
    return tuple((_USUAL | changed).values())


_FAILURE: Final = row_of(_raw())


def _nearest(where: dict[str, str], *crowd: tuple[Any, ...]) -> int:
    """The place of the nearest in the crowd."""
    numbered = [(place, *raw[1:]) for place, raw in enumerate(crowd)]
    found = nearest(_FAILURE, crowd_of(numbered), where)
    assert found is not None
    return found.task_id


def test_row_is_read_with_the_label_of_its_length() -> None:
    """Values stand in the order of the dimensions."""
    told = dict(zip(DIMENSIONS, _FAILURE.values, strict=True))
    assert told == {name: _USUAL.get(name, "100-499") for name in DIMENSIONS}


def test_nobody_is_nearest_in_an_empty_crowd() -> None:
    """No success at all is told as that."""
    assert nearest(_FAILURE, crowd_of([]), {"worker": "w3"}) is None


@pytest.mark.parametrize(
    ("where", "near", "far"),
    [
        ({"worker": "w3"}, {"worker": "w1"}, {"worker": "w3"}),
        ({"worker": "w3"}, {"worker": "w4", "host": "h2"}, {"worker": "w1", "host": "h1"}),
        ({"worker": "w3", "voice": "amy"}, {"worker": "w1"}, {"worker": "w1", "voice": "bob"}),
        ({"worker": "w3", "voice": "amy"}, {}, {"worker": "w1", "voice": "bob"}),
        ({"voice": "amy"}, {"voice": "bob"}, {"voice": "bob", "engine": "tone"}),
        ({"worker": "w3"}, {"worker": "w1", "chars": 420}, {"worker": "w1", "chars": 4000}),
        (
            {"worker": "w3"},
            {"worker": "w1", "at": _AT - _MIN},
            {"worker": "w1", "at": _AT - 99 * _MIN},
        ),
        ({"length": "100-499"}, {"chars": 600}, {"chars": 6000}),
        ({"hour": "00"}, {"at": _AT - _MIN}, {"at": _AT + 59 * _MIN}),
        ({}, {"worker": "w1"}, {"engine": "tone"}),
        ({}, {"source": "cli"}, {"language": "zh"}),
    ],
)
def test_nearer_one_is_chosen(
    where: dict[str, str], near: dict[str, Any], far: dict[str, Any]
) -> None:
    """One suspect less comes first, then what else is alike, the length, and the time."""
    assert _nearest(where, _raw(**far), _raw(**near)) == 1
    assert _nearest(where, _raw(**near), _raw(**far)) == 0


@given(
    chars=st.lists(st.integers(0, 10**6), min_size=1, max_size=8),
    away=st.lists(st.integers(-(10**12), 10**12), min_size=8, max_size=8),
)
def test_costs_are_finite_and_least_for_the_same(chars: list[int], away: list[int]) -> None:
    """Any lengths and times can be weighed; none is nearer than an equal attempt."""
    crowd = [_raw(chars=count, at=_AT + off) for count, off in zip(chars, away, strict=False)]
    found = costs(_FAILURE, crowd_of([_raw(), *crowd]), {})
    assert np.isfinite(found).all()
    assert found[0] == 0.0 == found.min()


@given(chars=st.integers(0, 30_000))
def test_length_differs_by_its_bucket(chars: int) -> None:
    """Two lengths of one bucket do not differ."""
    other = row_of(_raw(chars=chars))
    is_other = lengths.label(chars) != "100-499"
    assert differing(_FAILURE, other) == (("length",) if is_other else ())

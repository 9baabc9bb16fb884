"""Selections that are much of a window: what they have in common is found as that of failures."""

import random

from app.domain.correlation.scan import scan
from tests.support.cells import Cell, encode

_NAMES = ("release", "host", "voice", "length")


def _cells(count: int, *, is_released: float, seed: int) -> list[Cell]:
    """A quarter of the attempts are of worker w3 (selected), and half of its host's.

    Args:
        count: How many.
        is_released: Part of those that are selected that have the new release.
        seed: Of all else.
    """
    rng = random.Random(seed)  # noqa: S311 - rows that can be made again
    cells: list[Cell] = []
    for _ in range(count):
        worker = rng.randrange(4)
        release = "1.4.2" if worker == 3 and rng.random() < is_released else "1.4.1"
        values = (release, f"h{worker // 2}", f"v{rng.randrange(4)}", f"l{rng.randrange(3)}")
        cells.append((values, "" if worker == 3 else None, 1))
    return cells


def test_value_that_only_the_selection_has_is_found() -> None:
    """A release that runs on w3 alone, in a tenth of its attempts.

    Its host was half w3's before, too, which lets expect every second one.
    """
    window, baseline = encode(
        _NAMES, _cells(1300, is_released=0.1, seed=1), _cells(1300, is_released=0, seed=2)
    )
    [found] = scan(window, baseline).findings
    assert found.where == {"release": "1.4.2"}
    assert found.observed == found.n
    assert found.lift > 1.5


def test_what_the_selection_always_had_is_not_found() -> None:
    """Nothing is new: the release ran there before, too, and the host is the same."""
    window, baseline = encode(
        _NAMES, _cells(1300, is_released=0.1, seed=1), _cells(5000, is_released=0.1, seed=2)
    )
    assert scan(window, baseline).findings == ()

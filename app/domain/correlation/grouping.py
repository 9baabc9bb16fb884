"""Attempts in as few cells as there can be."""

from dataclasses import replace
from typing import Final

import numpy as np

from app.domain.correlation.cube import Cube

#: Keys of cells stay below, so that they fit into 64 bits.
_MOST_KEYS: Final = 2**62


def grouped(cube: Cube) -> Cube:
    """The same attempts in as few cells as there can be, in an order of their own."""
    key = np.zeros(cube.n.size, dtype=np.int64)
    size = 1
    columns = [*cube.codes.T, cube.failure + 1]
    cards = [*(len(values) for values in cube.values), len(cube.fingerprints) + 1]
    for column, card in zip(columns, cards, strict=True):
        if size * card > _MOST_KEYS:
            kinds, key = np.unique(key, return_inverse=True)
            size = kinds.size
        key = key * card + column
        size *= card
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    n = np.bincount(place, weights=cube.n, minlength=first.size).astype(np.int64)
    return replace(cube, codes=cube.codes[first], failure=cube.failure[first], n=n)

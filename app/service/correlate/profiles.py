"""Profiles that a process has read: what the cube's numbers stand for, as codes of values.

A profile never changes, so what was read once is good for as long as the database is the same. A
few are compared with their rows at each reading: after the import of a backup, ids are another's.
"""

import threading
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cube import Integers
from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.errors import StoreError
from app.store import attempt_cube
from app.store.attempt_cube import Profile
from app.store.database import Connection, Database

#: Profiles that a process keeps at most; above it, it begins anew.
MAX_KEPT: Final = 400_000
#: Of those that a reading needs, how many are compared with their rows.
_LOOKED_AT: Final = 24
#: A value of each dimension, then what it failed with: "" for an attempt that did not.
_WIDTH: Final = len(DIMENSIONS) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """Values of profiles, one line for each.

    Attributes:
        codes: Shape (lines, dimensions and the failure): places in `texts`.
        is_repeat: Shape (lines,).
        texts: Of each dimension and of failures; of those, "" is "it did not fail".
    """

    codes: Integers
    is_repeat: NDArray[np.bool_]
    texts: Sequence[Sequence[str]]


class Profiles:
    """The profiles of one database; several threads may ask at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin()

    def of(self, conn: Connection, ids: Integers) -> Coded:
        """What profiles stand for.

        Args:
            conn: Where to read what is not known yet.
            ids: Of profiles; each may come several times.

        Raises:
            StoreError: One is not there.
        """
        with self._lock:
            self._look(conn, ids[self._has(ids)])
            missing = np.unique(ids[~self._has(ids)])
            if len(missing):
                self._add(_of_ids(conn, missing.tolist()))
            at = np.searchsorted(self._ids, ids)
            return Coded(
                codes=self._codes[at], is_repeat=self._is_repeat[at], texts=tuple(self._texts)
            )

    def _has(self, ids: Integers) -> NDArray[np.bool_]:
        """Which of the profiles are known."""
        if not len(self._ids):
            return np.zeros(len(ids), np.bool_)
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        found: NDArray[np.bool_] = self._ids[at] == ids
        return found

    def _begin(self) -> None:
        self._places: list[dict[str, int]] = [{} for _ in range(_WIDTH)]
        self._texts: list[list[str]] = [[] for _ in range(_WIDTH)]
        self._ids = np.zeros(0, np.int64)
        self._codes = np.zeros((0, _WIDTH), np.int64)
        self._is_repeat = np.zeros(0, np.bool_)

    def _look(self, conn: Connection, known: Integers) -> None:
        """Begins anew where what was read is so no more, or has become too much."""
        if not len(known):
            return
        some = np.unique(known[np.linspace(0, len(known) - 1, _LOOKED_AT).astype(np.int64)])
        rows = sorted(attempt_cube.profiles(conn, some.tolist()), key=lambda row: row.id)
        at = np.searchsorted(self._ids, some)
        is_same = len(rows) == len(some) and np.array_equal(self._codes[at], self._coded(rows))
        if not is_same or len(self._ids) > MAX_KEPT:
            self._begin()

    def _add(self, rows: Sequence[Profile]) -> None:
        ids = np.concatenate([self._ids, np.array([row.id for row in rows], np.int64)])
        repeats = np.array([row.is_repeat for row in rows], np.bool_)
        order = np.argsort(ids)
        self._codes = np.concatenate([self._codes, self._coded(rows)])[order]
        self._is_repeat = np.concatenate([self._is_repeat, repeats])[order]
        self._ids = ids[order]

    def _coded(self, rows: Sequence[Profile]) -> Integers:
        columns = [
            self._column(place, (row.values[place] for row in rows))
            for place in range(len(DIMENSIONS))
        ]
        columns.append(self._column(len(DIMENSIONS), (row.failure for row in rows)))
        return np.array(columns, np.int64).reshape(_WIDTH, len(rows)).T

    def _column(self, place: int, texts: Iterable[str]) -> list[int]:
        """Codes of texts; a new one for each that has none yet."""
        known, kept = self._places[place], self._texts[place]
        found = []
        for text in texts:
            code = known.get(text)
            if code is None:
                code = known[text] = len(kept)
                kept.append(text)
            found.append(code)
        return found


def _of_ids(conn: Connection, ids: list[int]) -> list[Profile]:
    rows = attempt_cube.profiles(conn, ids)
    if len(rows) != len(ids):
        message = f"stat_attempt counts {len(ids) - len(rows)} profiles that are not there"
        raise StoreError(message)
    return rows


_MAKING: Final = threading.Lock()
_OF: "Final[weakref.WeakKeyDictionary[Database, Profiles]]" = weakref.WeakKeyDictionary()


def of_database(database: Database) -> Profiles:
    """The profiles that this process has read of a database."""
    with _MAKING:
        found = _OF.get(database)
        if found is None:
            found = _OF[database] = Profiles()
        return found

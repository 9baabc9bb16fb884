"""The attempts of a scan's window, one by one: which of them fit a predicate, and which failed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.correlation.cube import Integers
from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.correlation.found import Where
from app.service.core import Core
from app.service.correlate import profiles
from app.service.correlate.profiles import Coded
from app.store import attempt_ends
from app.store.database import Connection

Truths = NDArray[np.bool_]
_FAILURE = len(DIMENSIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Attempts in the order of their ends; repeats are left out.

    Attributes:
        at: When each ended, microseconds.
        values: What each has.
    """

    at: Integers
    values: Coded

    def fit(self, where: Where) -> Truths:
        """Which of them a predicate holds for."""
        found = np.ones(self.at.size, dtype=np.bool_)
        for name, value in where.items():
            found &= self._have(DIMENSIONS.index(name), value)
        return found

    def failed(self, fingerprint: str | None = None) -> Truths:
        """Which of them failed; with a fingerprint, so."""
        return (
            ~self._have(_FAILURE, "") if fingerprint is None else self._have(_FAILURE, fingerprint)
        )

    def values_of(self, name: str, some: Truths) -> list[str]:
        """What some of them have in a dimension, each once."""
        place = DIMENSIONS.index(name)
        return self._texts(place, some)

    def groups(self, some: Truths) -> list[str]:
        """The fingerprints of those of some that failed, each once."""
        return self._texts(_FAILURE, some & self.failed())

    def _have(self, place: int, text: str) -> Truths:
        texts = self.values.texts[place]
        code = texts.index(text) if text in texts else -1
        found: Truths = self.values.codes[:, place] == code
        return found

    def _texts(self, place: int, some: Truths) -> list[str]:
        codes = np.unique(self.values.codes[some, place])
        return sorted(self.values.texts[place][code] for code in codes.tolist())


def read(core: Core, conn: Connection, start: int, end: int) -> Attempts:
    """The attempts that ended from `start` on and before `end`."""
    at, ids = attempt_ends.between(conn, start, end)
    return Attempts(at=at, values=profiles.of_database(core.database).of(conn, ids))

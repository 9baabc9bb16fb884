"""Prune: everything that has had its time goes now, as gently as the duty would do it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from app import clock
from app.domain.errors import DatabaseBusyError
from app.service.core import Core
from app.service.retention.removal import Removed
from app.service.retention.rules import Rule
from app.service.retention.shrink import shrink
from app.service.retention.walk import LEAST_PAUSE_S, Step, Walk, pause_s

T = TypeVar("T")

#: Seconds to step aside where others hold the lock, and how often in a row before giving up.
_ASIDE_S: Final = 1.0
_PATIENCE: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What went, by kind; what of the last walk stayed; how many seconds it took.

    Attributes:
        freed_bytes: Of the database's file, given back to the disk (SQLite).
    """

    by_kind: dict[str, Removed]
    last: Removed
    freed_bytes: int
    took_s: float

    @property
    def total(self) -> Removed:
        """What went, of all kinds."""
        return sum(self.by_kind.values(), Removed())


def prune(
    core: Core,
    rules: Sequence[Rule],
    *,
    keeps_unsent: bool,
    on_step: Callable[[Step], None],
) -> Pruned:
    """Walks until a walk removes nothing: what one removes may have held what comes before it.

    Each transaction stands by itself: stopped at any moment, what went is gone and written down.

    Raises:
        DatabaseBusyError: Others held the lock for too long.
    """
    begun_s = clock.monotonic_s()
    by_kind = {rule.kind: Removed() for rule in rules}
    while True:
        last = Removed()
        for step in _gently(Walk(core, rules, keeps_unsent=keeps_unsent).step, pause_s):
            by_kind[step.kind] += step.removed
            last += step.removed
            on_step(step)
        if not last.tasks and not last.texts:
            break
    freed_bytes = sum(_gently(lambda: shrink(core) or None, lambda _freed: LEAST_PAUSE_S))
    took_s = clock.monotonic_s() - begun_s
    return Pruned(by_kind=by_kind, last=last, freed_bytes=freed_bytes, took_s=took_s)


def _gently(do: Callable[[], T | None], rest_s: Callable[[T], float]) -> Iterator[T]:
    """What `do` returns until it is None, with a rest after each; who holds the lock goes first.

    Raises:
        DatabaseBusyError: Others held the lock, `_PATIENCE` times in a row.
    """
    rest = threading.Event()
    busy_count = 0
    while True:
        try:
            done = do()
        except DatabaseBusyError:
            busy_count += 1
            if busy_count > _PATIENCE:
                raise
            rest.wait(_ASIDE_S)
            continue
        if done is None:
            return
        busy_count = 0
        yield done
        rest.wait(rest_s(done))

"""Prune: everything that has had its time goes now, as gently as the duty would do it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app import clock
from app.domain.errors import DatabaseBusyError
from app.service.core import Core
from app.service.retention.removal import Removed
from app.service.retention.rules import Rule
from app.service.retention.walk import Step, Walk, pause_s

#: Seconds to step aside where others hold the lock, and how often in a row before giving up.
_ASIDE_S: Final = 1.0
_PATIENCE: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What went, by kind; what of the last walk stayed; how many seconds it took."""

    by_kind: dict[str, Removed]
    last: Removed
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
        for step in _steps(Walk(core, rules, keeps_unsent=keeps_unsent)):
            by_kind[step.kind] += step.removed
            last += step.removed
            on_step(step)
        if not last.tasks and not last.texts:
            return Pruned(by_kind=by_kind, last=last, took_s=clock.monotonic_s() - begun_s)


def _steps(walk: Walk) -> Iterator[Step]:
    """The steps of a walk, with a rest after each."""
    rest = threading.Event()
    busy = 0
    while True:
        try:
            step = walk.step()
        except DatabaseBusyError:
            busy += 1
            if busy > _PATIENCE:
                raise
            rest.wait(_ASIDE_S)
            continue
        if step is None:
            return
        busy = 0
        yield step
        rest.wait(pause_s(step))

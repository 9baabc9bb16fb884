"""The retention duty: what has had its time goes: keys, records of failures, tasks with theirs."""

import json
from typing import Final

from app import bootstrap, clock
from app.domain.errors import DatabaseBusyError
from app.logs.logger import logger_of
from app.service import idempotency
from app.service.core import Core
from app.service.retention import records
from app.service.retention.removal import Removed
from app.service.retention.rules import days_of, rules_now
from app.service.retention.shrink import shrink
from app.service.retention.walk import LEAST_PAUSE_S, Walk, pause_s

log = logger_of(__name__)

#: Seconds between the end of a round and the next one.
ROUND_S: Final = 3600.0
#: Seconds between two steps while there is nothing to do, so that its age shows that it lives.
IDLE_S: Final = 60.0
#: Seconds after which the end of a round is noted on its row: more than between two notes.
NOTED_S: Final = 2.5
#: Seconds to step aside where others hold the lock, and how often in a row before that is a fault.
ASIDE_S: Final = 5.0
PATIENCE: Final = 10


class Retention:
    """A round an hour: one short transaction at a time, with a rest after each.

    Args:
        core: What it works with.
        sends: Whether a collector is set: then a task stays until its spans have left.
    """

    name = "retention"
    needs_leader = True

    def __init__(self, core: Core, *, sends: bool) -> None:
        self._core = bootstrap.with_actor(core, f"retention on {core.host}")
        self._sends = sends
        self._walk: Walk | None = None
        self._next_s = 0.0
        self._next_at: int | None = None
        self._busy_count = 0
        self._keys = 0
        self._records = 0
        self._freed_bytes = 0
        self._round = Removed()
        self._last = Removed()

    def step(self) -> float:
        """A batch of keys or of tasks, or a wait for the next round.

        Raises:
            DatabaseBusyError: Others held the lock, `PATIENCE` times in a row.
        """
        left_s = self._next_s - clock.monotonic_s()
        if self._walk is None and left_s > 0:
            return min(left_s, IDLE_S)
        try:
            wait_s = self._go_on(self._walk) if self._walk is not None else self._begin()
        except DatabaseBusyError:
            self._busy_count += 1
            if self._busy_count >= PATIENCE:
                raise
            return ASIDE_S
        self._busy_count = 0
        return wait_s

    def _begin(self) -> float:
        """Keys and records first; a walk over tasks once none of them is left."""
        freed = idempotency.sweep(self._core)
        self._keys += freed
        removed = 0 if freed else records.sweep(self._core)
        self._records += removed
        if not freed and not removed:
            self._round = Removed()
            self._walk = Walk(self._core, rules_now(self._core), keeps_unsent=self._sends)
        return LEAST_PAUSE_S

    def _go_on(self, walk: Walk) -> float:
        step = walk.step()
        if step is not None:
            self._round += step.removed
            return pause_s(step)
        freed_bytes = shrink(self._core)
        self._freed_bytes += freed_bytes
        return LEAST_PAUSE_S if freed_bytes else self._end()

    def _end(self) -> float:
        self._walk, self._last = None, self._round
        self._next_s = clock.monotonic_s() + ROUND_S
        self._next_at = clock.now_us() + round(ROUND_S * 1_000_000)
        if self._last.tasks or self._last.texts:
            log.info(
                "what had its time is removed",
                tasks=self._last.tasks,
                texts=self._last.texts,
                spans=self._last.spans,
                audio_bytes=self._last.audio_bytes,
            )
        return min(NOTED_S, ROUND_S)

    def state(self) -> str:
        """What went in this round (or the last one, where none goes on), and when the next is.

        `keys` that were freed, `records` of failures that went and `freed_bytes` of the database's
        file: since this process began;
        `held`: tasks that had their time and stayed, by why.
        """
        shown = self._last if self._walk is None else self._round
        return json.dumps(
            {
                "walks": self._walk is not None,
                "tasks": shown.tasks,
                "texts": shown.texts,
                "audio_bytes": shown.audio_bytes,
                "spans": shown.spans,
                "held": dict(shown.held),
                "keys": self._keys,
                "records": self._records,
                "freed_bytes": self._freed_bytes,
                "next_at": self._next_at,
                "is_off": not any(days_of(self._core.settings).values()),
            }
        )

"""The canary duty: sends a task of our own the whole way now and then, and looks how it fares."""

import json
from typing import Final

from app import bootstrap, clock
from app.domain.records import CanaryRecord
from app.logs.logger import logger_of
from app.service.canaries import canary, canary_remains
from app.service.canaries.canary import Watch
from app.service.core import Core

log = logger_of(__name__)

#: Seconds between two looks at one that is on its way, at its trace, and at the clock between two.
LOOK_S: Final = 0.25
TRACE_LOOK_S: Final = 1.0
REST_S: Final = 5.0
#: Seconds after this process began to lead until the first one.
FIRST_S: Final = 20.0
#: Seconds between two batches of old canaries' rows.
TIDY_S: Final = 60.0
#: Microseconds after the last one's start before which a new leader sends none.
_LEAST_PAUSE_US: Final = 60_000_000


class Canary:
    """One canary at a time; a new leader goes on with the one that is on its way.

    Args:
        core: What it works with.
        watch: Where its trace must arrive.
        first_s: Seconds until the first one.
    """

    name = "canary"
    needs_leader = True

    def __init__(self, core: Core, watch: Watch, *, first_s: float = FIRST_S) -> None:
        self._core = bootstrap.with_actor(core, f"canary on {core.host}")
        self._watch = watch
        self._period_us = round(core.settings.canary_min * 60_000_000)
        self._first_us = min(round(first_s * 1_000_000), self._period_us)
        self._first_at: int | None = None
        self._tidy_at_s = 0.0
        self._begun = 0

    def step(self) -> float:
        """One look, a new canary, or a batch of old rows."""
        row, now = canary.newest(self._core)
        if self._first_at is None:
            self._first_at = now + self._first_us
        if row is not None and row.finished_at is None:
            canary.look(self._core, row, self._watch)
            return TRACE_LOOK_S if row.stage == "trace" else LOOK_S
        left_us = self._due_at(row, self._first_at) - now
        if self._period_us and left_us <= 0:
            canary.begin(self._core)
            self._begun += 1
            return LOOK_S
        self._tidy()
        return min(REST_S, max(0.1, left_us / 1e6)) if self._period_us else REST_S

    def _due_at(self, last: CanaryRecord | None, first_at: int) -> int:
        """A pause after the last one; for this process's first a short one will do."""
        if last is None:
            return first_at
        if self._begun:
            return last.started_at + self._period_us
        return max(first_at, last.started_at + min(self._period_us, _LEAST_PAUSE_US))

    def _tidy(self) -> None:
        now_s = clock.monotonic_s()
        if now_s >= self._tidy_at_s:
            self._tidy_at_s = now_s + TIDY_S
            removed = canary_remains.remove_old(self._core)
            if removed:
                log.info("the rows of old canaries are removed", tasks=removed)

    def state(self) -> str:
        """How many canaries this process has sent."""
        return json.dumps({"begun": self._begun})

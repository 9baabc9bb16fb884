"""The reaper: gives what dead workers and late attempts held its verdict."""

import json
from typing import Final

from app import clock
from app.domain.task import LEASE_US
from app.logs.logger import logger_of
from app.service import reap
from app.service.core import Core

log = logger_of(__name__)

#: Seconds between rounds.
ROUND_S: Final = 0.5
#: Seconds between two rounds above which this process itself stood still and may judge nobody.
PAUSE_S: Final = 3.0


class Reaper:
    """Judges by heartbeats, but only while its own clock has run.

    After a pause of its own (a laptop that slept, a stalled disk) every heartbeat looks old.
    Then it waits one full lease, so that the living can show themselves, and moves live deadlines
    by the pause.
    """

    name = "reaper"
    needs_leader = True

    def __init__(self, core: Core) -> None:
        self._core = core
        self._last_s: float | None = None
        self._last_wall_us = 0
        self._hold_until_s = 0.0
        self._last = reap.Reaped()
        self._total_rescued = 0

    def step(self) -> float:
        """One round, or a wait after a pause."""
        now_s, wall_us = clock.monotonic_s(), clock.now_us()
        if self._last_s is not None:
            self._see_pause(now_s, wall_us)
        if now_s >= self._hold_until_s:
            self._last = reap.reap(self._core)
            self._total_rescued += self._last.rescued
            if self._last.any:
                self._core.ring()
        self._last_s, self._last_wall_us = clock.monotonic_s(), clock.now_us()
        return ROUND_S

    def _see_pause(self, now_s: float, wall_us: int) -> None:
        """A suspend shows on the wall clock only (monotonic stands still), a stall on both."""
        elapsed_s = max(now_s - (self._last_s or now_s), (wall_us - self._last_wall_us) / 1e6)
        if elapsed_s <= PAUSE_S:
            return
        self._hold_until_s = now_s + LEASE_US / 1e6
        moved = reap.forgive_pause(self._core, round((elapsed_s - ROUND_S) * 1e6))
        log.warning(
            "this process stood still: it judges nobody for a while, and moved live deadlines",
            for_s=round(elapsed_s, 1),
            judges_in_s=LEASE_US // 1_000_000,
            deadlines_moved=moved,
        )

    def state(self) -> str:
        """What the last round and all rounds of this process did."""
        is_holding = clock.monotonic_s() < self._hold_until_s
        return json.dumps({"rescued": self._total_rescued, "is_holding": is_holding})

"""The watch duty: compares the failures of the last hour with the past, every few minutes."""

import json
from typing import Any, Final

from app import bootstrap
from app.logs.logger import logger_of
from app.service import duty_state
from app.service.core import Core
from app.service.database_clock import DatabaseClock
from app.service.findings import watch
from app.service.findings.watch import Scanned

log = logger_of(__name__)

#: Seconds after this process began to lead until its first scan, at most.
FIRST_S: Final = 20.0
#: Seconds between two turns while no scan is due, so that its age shows that it lives.
IDLE_S: Final = 30.0


class WatchDuty:
    """One scan each `VOXTRACE_WATCH_EVERY_S` seconds; a new leader keeps the pace of the last.

    Args:
        core: What it works with.
    """

    name = "watch"
    needs_leader = True

    def __init__(self, core: Core) -> None:
        self._core = bootstrap.with_actor(core, f"watch on {core.host}")
        self._clock = DatabaseClock(core)
        self._every_us = round(core.settings.watch_every_s * 1_000_000)
        self._due_at: int | None = None
        self._told: dict[str, Any] = {"scanned_at": None}
        self._is_closed = False

    def step(self) -> float:
        """A scan where one is due."""
        if not self._every_us:
            self._close_all()
            return IDLE_S
        now = self._clock.now_us()
        if self._due_at is None:
            self._due_at = self._first_at(now)
        if now < self._due_at:
            return min(IDLE_S, max(0.02, (self._due_at - now) / 1e6))
        found = watch.scan(self._core, quiet_us=self._every_us)
        self._due_at = found.at + self._every_us
        self._told = _numbers(found)
        _tell(found)
        return min(IDLE_S, self._every_us / 1e6)

    def _first_at(self, now: int) -> int:
        """Soon after the start, but no sooner than the last leader's would have been."""
        soon = now + min(self._every_us, round(FIRST_S * 1_000_000))
        before = duty_state.read(self._core, self.name)
        scanned_at = before.get("scanned_at")
        if not isinstance(scanned_at, int) or scanned_at > now:
            return soon
        self._told = dict(before)
        return max(now, min(soon, scanned_at + self._every_us))

    def _close_all(self) -> None:
        """Of what was open when it was turned off, nobody will see the end."""
        if not self._is_closed:
            watch.close_all(self._core)
            self._is_closed = True

    def state(self) -> str:
        """The last scan, of the last leader where this process has made none yet, as JSON."""
        return json.dumps(self._told)


def _numbers(found: Scanned) -> dict[str, Any]:
    return {
        "scanned_at": found.at,
        "took_ms": round(found.took_us / 1000, 1),
        "attempts": found.attempts,
        "selected": found.selected,
        "findings": found.seen,
        "opened": len(found.opened),
        "closed": len(found.closed),
    }


def _tell(found: Scanned) -> None:
    for row in found.opened:
        log.warning(
            "failures have something in common", finding=row.id, where=row.key, failed=row.observed
        )
    for row in found.closed:
        log.info("a finding is over", finding=row.id, where=row.key, why=row.closed_why)

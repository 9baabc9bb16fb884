"""The ping duty: a sign of life to a place outside, each minute while all is well."""

import json
from typing import Final

from app.domain.errors import VoxtraceError
from app.logs.logger import logger_of
from app.service import duty_state, ping
from app.service.core import Core
from app.service.health import HealthProbe
from app.service.trouble import Trouble
from app.service.watch import OutboxGauge

log = logger_of(__name__)

#: Seconds between two calls, between two looks while it is held back, and before it is tried again.
ROUND_S: Final = 60.0
HELD_S: Final = 10.0
AGAIN_S: Final = 10.0


class Ping:
    """Calls VOXTRACE_PING_URL, which is never shown, not even in an error.

    Args:
        core: What it works with.
        outbox: Measures the span outbox.
        exports: Whether a collector is set.
    """

    name = "ping"
    needs_leader = True

    def __init__(self, core: Core, outbox: OutboxGauge, *, exports: bool) -> None:
        self._url = core.settings.ping_url
        self._health = HealthProbe(core, outbox=outbox, exports=exports)
        self._core = core
        self._has_begun = False
        self._accepted_at: int | None = None
        self._error: str | None = None
        self._held_by: list[str] = []
        self._trouble = Trouble(log, "the ping")

    def step(self) -> float:
        """One call, or none."""
        if self._url is None:
            return ROUND_S
        if not self._has_begun:
            self._accepted_at = duty_state.read(self._core, self.name).get("accepted_at")
            self._has_begun = True
        health = self._health.read()
        held_by = ping.held_by(health)
        self._tell(held_by)
        if held_by:
            return HELD_S
        self._error = ping.call(self._url)
        if self._error is not None:
            self._trouble.failed(VoxtraceError(self._error), advice="see VOXTRACE_PING_URL")
            return AGAIN_S
        self._trouble.over()
        self._accepted_at = health.now
        return ROUND_S

    def _tell(self, held_by: list[str]) -> None:
        """A line where it is held back, by something else than before, or goes on."""
        if held_by and held_by != self._held_by:
            log.warning("the ping is held back, so that it is missed", by=", ".join(held_by))
        elif self._held_by and not held_by:
            log.info("the ping goes on")
        self._held_by = held_by

    def state(self) -> str:
        """When it was accepted last, what went wrong, and what holds it back, as JSON."""
        return json.dumps(
            {
                "is_set": self._url is not None,
                "accepted_at": self._accepted_at,
                "error": self._error,
                "held_by": self._held_by,
            }
        )

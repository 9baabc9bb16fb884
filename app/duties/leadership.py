"""Leadership of this duties process: taken by a lease, renewed each second, read by every loop."""

from typing import Final

from app import clock
from app.domain.errors import VoxtraceError
from app.logs.logger import logger_of
from app.service import leader
from app.service.core import Core
from app.service.trouble import Trouble

log = logger_of(__name__)

#: Seconds between renewals of the lease.
RENEW_S: Final = 1.0


class Leadership:
    """Whether this process leads. One thread renews, others read `is_leader`.

    Args:
        core: What it works with.
        holder: Who holds the lease: host, pid and a random part.
    """

    def __init__(self, core: Core, holder: str) -> None:
        self._core = core
        self.holder = holder
        self.is_leader = False
        self._trouble = Trouble(log, "the lease of duties")
        self._renew_at_s = 0.0
        self._valid_until_s = 0.0

    def renew(self) -> float:
        """Takes or renews the lease when it is time; returns seconds until the next time."""
        now_s = clock.monotonic_s()
        if now_s < self._renew_at_s:
            return self._renew_at_s - now_s
        self._renew_at_s = now_s + RENEW_S
        try:
            is_leader = leader.lead(self._core, self.holder)
            self._valid_until_s = now_s + leader.LEASE_US / 1_000_000
            self._trouble.over()
        except VoxtraceError as error:
            self._trouble.failed(error)
            is_leader = self.is_leader and now_s < self._valid_until_s
        if is_leader != self.is_leader:
            event = "this process leads" if is_leader else "this process leads no more"
            log.info(event, holder=self.holder)
        self.is_leader = is_leader
        return RENEW_S

    def step_down(self) -> None:
        """Gives the lease up, so that another process leads at once."""
        if not self.is_leader:
            return
        self.is_leader = False
        try:
            leader.step_down(self._core, self.holder)
        except VoxtraceError as error:
            log.warning("the lease of duties could not be given up", error=error.message)

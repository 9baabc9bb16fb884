"""The loop of the duties process: leads or waits, and does each duty when it is due.

One thread, one database transaction at a time. A duty that fails is noted, shown and tried again;
it never stops the others.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Final

from app import clock
from app.domain.errors import VoxtraceError
from app.duties.duty import Duty
from app.service import leader
from app.service.core import Core

log = logging.getLogger(__name__)

#: Seconds between renewals of the lease.
RENEW_S: Final = 1.0
#: Seconds after which a success is noted again, so that its age shows that the duty lives.
NOTE_S: Final = 2.0


class Loop:
    """Runs duties until it is stopped.

    Args:
        core: What the duties work with.
        duties: The duties, in the order of their turns.
        holder: Who holds the lease: host, pid and a random part.
    """

    def __init__(self, core: Core, duties: Sequence[Duty], *, holder: str) -> None:
        self._core = core
        self._duties = duties
        self._holder = holder
        self._stop = threading.Event()
        self._is_leader = False
        self._renew_at_s = 0.0
        self._due_s = {duty.name: 0.0 for duty in duties}
        self._noted_s = {duty.name: 0.0 for duty in duties}

    def stop(self) -> None:
        """Ends the loop after the step in hand; safe in a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Leads and works until `stop`; gives the lease up at the end."""
        while not self._stop.is_set():
            wait_s = self._turn()
            self._stop.wait(min(max(wait_s, 0.02), RENEW_S))
        if self._is_leader:
            try:
                leader.step_down(self._core, self._holder)
            except VoxtraceError as error:
                log.warning("leadership could not be given up: %s", error)

    def _turn(self) -> float:
        """One round over what is due; returns seconds until something is."""
        now_s = clock.monotonic_s()
        if now_s >= self._renew_at_s:
            self._renew(now_s)
        for duty in self._duties:
            if duty.needs_leader and not self._is_leader:
                continue
            if clock.monotonic_s() >= self._due_s[duty.name]:
                self._do(duty)
        soonest = min(
            (
                self._due_s[duty.name]
                for duty in self._duties
                if self._is_leader or not duty.needs_leader
            ),
            default=self._renew_at_s,
        )
        return min(soonest, self._renew_at_s) - clock.monotonic_s()

    def _renew(self, now_s: float) -> None:
        self._renew_at_s = now_s + RENEW_S
        try:
            is_leader = leader.lead(self._core, self._holder)
        except VoxtraceError as error:
            log.warning("leadership: %s", error)
            return
        if is_leader != self._is_leader:
            log.info("duties: %s", "this process leads" if is_leader else "another process leads")
        self._is_leader = is_leader

    def _do(self, duty: Duty) -> None:
        try:
            wait_s = duty.step()
        except Exception as error:  # one of the four borders: a failing duty stops no other
            log.exception("duty %s failed", duty.name)
            self._due_s[duty.name] = clock.monotonic_s() + 1.0
            self._note(duty, f"{type(error).__name__}: {error}")
            return
        self._due_s[duty.name] = clock.monotonic_s() + wait_s
        if clock.monotonic_s() - self._noted_s[duty.name] >= NOTE_S:
            self._note(duty, None)

    def _note(self, duty: Duty, error: str | None) -> None:
        self._noted_s[duty.name] = clock.monotonic_s()
        try:
            if error is None:
                leader.note_success(self._core, duty.name, self._holder, duty.state())
            else:
                leader.note_failure(self._core, duty.name, self._holder, error)
        except VoxtraceError as failure:
            log.warning("duty %s could not be noted: %s", duty.name, failure)

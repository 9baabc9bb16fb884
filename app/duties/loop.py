"""A loop of the duties process: does each of its duties when it is due, in one thread.

There is one for what must never wait (it judges), one for each duty that waits for a network, one
for what walks through files. A duty that fails is noted, shown and tried again; it never stops
the others.
"""

import threading
from collections.abc import Sequence
from typing import Final

from app import clock
from app.domain.errors import VoxtraceError
from app.duties.duty import Duty
from app.duties.leadership import Leadership
from app.logs.logger import logger_of
from app.service import leader
from app.service.core import Core
from app.service.trouble import Trouble

log = logger_of(__name__)

#: Longest wait between two turns, in seconds.
TURN_S: Final = 1.0
#: Seconds after which a success is noted again, so that its age shows that the duty lives.
NOTE_S: Final = 2.0


class Loop:
    """Runs duties until it is stopped.

    Args:
        core: What the duties work with.
        duties: The duties, in the order of their turns.
        leadership: Asked before a duty that needs it.
        renews: Whether this loop keeps the lease (exactly one of a process does).
    """

    def __init__(
        self, core: Core, duties: Sequence[Duty], leadership: Leadership, *, renews: bool = False
    ) -> None:
        self._core = core
        self._duties = duties
        self._leadership = leadership
        self._renews = renews
        self._stop = threading.Event()
        self._due_s = {duty.name: 0.0 for duty in duties}
        self._noted_s = {duty.name: 0.0 for duty in duties}
        self._troubles = {duty.name: Trouble(log, f"duty {duty.name}") for duty in duties}
        self._noting = Trouble(log, "notes of duties")

    def stop(self) -> None:
        """Ends the loop after the step in hand; safe in a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Works until `stop`."""
        while not self._stop.is_set():
            if self._renews:
                self._leadership.renew()
            for duty in self._duties:
                may = self._leadership.is_leader or not duty.needs_leader
                if may and clock.monotonic_s() >= self._due_s[duty.name]:
                    self._do(duty)
            self._stop.wait(self._wait_s())

    def _wait_s(self) -> float:
        due_s = [
            self._due_s[duty.name]
            for duty in self._duties
            if self._leadership.is_leader or not duty.needs_leader
        ]
        until_s = min(due_s, default=clock.monotonic_s() + TURN_S)
        return min(max(until_s - clock.monotonic_s(), 0.02), TURN_S)

    def _do(self, duty: Duty) -> None:
        try:
            wait_s = duty.step()
        except Exception as error:  # noqa: BLE001 - one of the four borders: a failing duty stops no other
            self._troubles[duty.name].failed(error)
            self._due_s[duty.name] = clock.monotonic_s() + TURN_S
            self._note(duty, f"{type(error).__name__}: {error}")
            return
        self._troubles[duty.name].over()
        self._due_s[duty.name] = clock.monotonic_s() + wait_s
        if clock.monotonic_s() - self._noted_s[duty.name] >= NOTE_S:
            self._note(duty, None)

    def _note(self, duty: Duty, error: str | None) -> None:
        self._noted_s[duty.name] = clock.monotonic_s()
        holder = self._leadership.holder
        try:
            if error is None:
                leader.note_success(self._core, duty.name, holder, duty.state())
            else:
                leader.note_failure(self._core, duty.name, holder, error)
        except VoxtraceError as failure:
            self._noting.failed(failure)
        else:
            self._noting.over()

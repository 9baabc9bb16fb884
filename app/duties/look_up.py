"""The look-up: sees in Jaeger whether the traces of finished tasks are there."""

import json
import random
from typing import Final

from app import clock
from app.domain.errors import VoxtraceError
from app.logs.logger import logger_of
from app.service.core import Core
from app.service.database_clock import DatabaseClock
from app.service.traces import look_up
from telemetry.jaeger import JaegerClient, JaegerError

#: Seconds between rounds where nothing is due, and while there is more: so the rate is bounded.
ROUND_S: Final = 2.0
SOON_S: Final = 0.5
#: Seconds between two samples of traces that were seen.
SAMPLE_S: Final = 20.0
#: Seconds that Jaeger may take to answer.
TIMEOUT_S: Final = 5.0

log = logger_of(__name__)
_DICE: Final = random.SystemRandom()


class LookUp:
    """Looks for the traces that are due, at most `look_up.LOOKS_PER_CALL` each half second.

    Args:
        core: What it works with.
        url: Jaeger's query address.
    """

    name = "look-up"
    needs_leader = True

    def __init__(self, core: Core, url: str) -> None:
        self._core = core
        self._jaeger = JaegerClient(url, timeout_s=TIMEOUT_S)
        self._seen = self._resent = self._given_up = 0
        self._clock = DatabaseClock(core)
        self._answered_at: int | None = None
        self._lost_at: int | None = None
        self._sample_at_s = 0.0

    def step(self) -> float:
        """One round.

        Raises:
            VoxtraceError: Jaeger does not answer.
        """
        try:
            looked = look_up.look(self._core, self._jaeger)
            if clock.monotonic_s() >= self._sample_at_s:
                self._sample()
            elif not looked.total:
                self._jaeger.ping()  # nothing else has told whether it answers
        except JaegerError as error:
            message = str(error)
            raise VoxtraceError(message) from error
        self._answered_at = self._clock.now_us()
        self._seen += looked.seen
        self._resent += looked.resent
        self._given_up += looked.given_up
        return SOON_S if looked.is_full else ROUND_S

    def _sample(self) -> None:
        """Sees that Jaeger has lost nothing of what it had, however much is due."""
        self._sample_at_s = clock.monotonic_s() + SAMPLE_S
        if look_up.sample(self._core, self._jaeger, _DICE):
            self._lost_at = self._clock.now_us()
            log.warning(
                "jaeger lost traces that it had: all are looked for again", url=self._jaeger.url
            )

    def state(self) -> str:
        """What was seen, sent again and given up since this process began, as JSON."""
        return json.dumps(
            {
                "seen": self._seen,
                "resent": self._resent,
                "given_up": self._given_up,
                "answered_at": self._answered_at,
                "lost_at": self._lost_at,
                "url": self._jaeger.url,
            }
        )

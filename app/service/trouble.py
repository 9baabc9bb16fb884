"""Trouble: what fails again and again is told once, then each minute, and once when it is over."""

from dataclasses import dataclass, field
from typing import Final

import structlog

from app import clock
from app.domain.errors import VoxtraceError

#: Seconds between two lines about the same trouble.
AGAIN_S: Final = 60.0


@dataclass(slots=True)
class Trouble:
    """One thing that is tried again and again.

    Args:
        log: Where it is told.
        what: What fails, as the beginning of a sentence: "claims".
    """

    log: structlog.stdlib.BoundLogger
    what: str
    _since_s: float | None = field(default=None, init=False)
    told_at_s: float = field(default=0.0, init=False)
    _count: int = field(default=0, init=False)

    def failed(self, error: BaseException, *, advice: str = "it is tried again") -> None:
        """It failed: a line where that is news, with the frames of what nobody foresaw."""
        now_s = clock.monotonic_s()
        self._count += 1
        if self._since_s is None:
            self._since_s = now_s
        elif now_s - self.told_at_s < AGAIN_S:
            return
        self.told_at_s = now_s
        is_ours = isinstance(error, VoxtraceError)
        event = f"{self.what}: failed, {advice}"
        self.log.warning(
            event,
            error=error.message if isinstance(error, VoxtraceError) else None,
            failures=self._count,
            for_s=round(now_s - self._since_s, 1),
            exc_info=None if is_ours else error,
        )

    def over(self) -> None:
        """It works: a line where it failed before."""
        if self._since_s is None:
            return
        for_s = round(clock.monotonic_s() - self._since_s, 1)
        event = f"{self.what}: works again"
        self.log.info(event, failures=self._count, for_s=for_s)
        self._since_s, self._count = None, 0

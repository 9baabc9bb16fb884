"""Verdicts that must be written: now, or in their order as soon as the database takes them."""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from app.domain.claim import Claim, parse_key
from app.domain.errors import VoxtraceError
from app.logs.about import about, about_claim
from app.logs.logger import logger_of
from app.service.trouble import Trouble

log = logger_of(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A verdict, and the attempt that it is on."""

    key: str
    claim: Claim | None
    settle: Callable[[], object]

    def about(self) -> AbstractContextManager[None]:
        """The lines of a block are about this attempt."""
        if self.claim is not None:
            return about_claim(self.claim)
        parsed = parse_key(self.key)
        return about(task_id=parsed[0], attempt=parsed[1]) if parsed else nullcontext()


@dataclass(slots=True)
class KeptVerdicts:
    """Verdicts in the order in which they were given; true while any waits.

    Args:
        after_each: Called when one is written: a slot is free.
    """

    after_each: Callable[[], None]
    waiting: deque[Waiting] = field(default_factory=deque)
    trouble: Trouble = field(default_factory=lambda: Trouble(log, "a verdict"))

    def __bool__(self) -> bool:
        return bool(self.waiting)

    def give(self, key: str, claim: Claim | None, settle: Callable[[], object]) -> None:
        """Writes a verdict, or keeps it behind those that wait."""
        self.waiting.append(Waiting(key=key, claim=claim, settle=settle))
        self.write()

    def write(self) -> None:
        """Writes what waits, oldest first; stops at the first that the database refuses."""
        while self.waiting and self._write_one(self.waiting[0]):
            self.waiting.popleft()
            self.after_each()

    def _write_one(self, waiting: Waiting) -> bool:
        with waiting.about():
            try:
                waiting.settle()
            except VoxtraceError as error:
                self.trouble.failed(error)
                return False
            self.trouble.over()
        return True

"""The analyst: answers questions that take long, one after the other."""

import json
from typing import Final

from app import bootstrap
from app.service.core import Core
from app.service.correlate import analysing

#: Seconds between two looks for a question, and after an answer.
LOOK_S: Final = 1.0
SOON_S: Final = 0.05


class Analyst:
    """Works on analyses, the oldest first.

    Args:
        core: What it works with.
        holder: Names this process: what it holds is believed to be worked on.
    """

    name = "analyst"
    needs_leader = True

    def __init__(self, core: Core, holder: str) -> None:
        self._core = bootstrap.with_actor(core, f"analyst on {core.host}")
        self._holder = holder
        self._answered = 0
        self._last: int | None = None

    def step(self) -> float:
        """Answers one question, or looks whether there is one."""
        found = analysing.work_on_next(self._core, self._holder)
        if found is None:
            return LOOK_S
        self._answered += 1
        self._last = found.id
        return SOON_S

    def state(self) -> str:
        """How many it has worked on since this process began, and the last one, as JSON."""
        return json.dumps({"analyses": self._answered, "last": self._last})

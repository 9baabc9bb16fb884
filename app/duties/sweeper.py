"""The sweeper: removes audio files that no row refers to, files of the dead, and their old rows."""

import json
from typing import Final

from app.service import presence, sweep
from app.service.core import Core

#: Seconds between rounds.
ROUND_S: Final = 600.0


class Sweeper:
    """One round over the store every ten minutes; rows decide, under the writer's lock."""

    name = "sweeper"
    needs_leader = True

    def __init__(self, core: Core) -> None:
        self._core = core
        self._removed = 0
        self._workers = 0

    def step(self) -> float:
        """One round, and a batch of old workers' rows."""
        self._workers += presence.forget_old(self._core)
        self._removed += sweep.sweep(self._core)
        return ROUND_S

    def state(self) -> str:
        """How many files, and rows of workers, were removed since this process began."""
        return json.dumps({"removed": self._removed, "workers": self._workers})

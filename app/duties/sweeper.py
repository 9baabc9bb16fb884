"""The sweeper: removes audio files that no row refers to, and temporary files of the dead."""

import json
from typing import Final

from app.service import sweep
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

    def step(self) -> float:
        """One round."""
        self._removed += sweep.sweep(self._core)
        return ROUND_S

    def state(self) -> str:
        """How many files were removed since this process began."""
        return json.dumps({"removed": self._removed})

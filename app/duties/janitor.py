"""The janitor: kills what attempts left running on this host, for every host its own."""

import json
from typing import Final

from app import process
from app.service import remains
from app.service.core import Core

#: Seconds between rounds.
ROUND_S: Final = 2.0


class Janitor:
    """Kills the process groups of attempts that were taken from their process.

    A worker kills its own children; this is for groups whose worker died with them (a grandchild
    that ignored everything), and for processes of an earlier start whose supervisor is dead.
    """

    name = "janitor"
    needs_leader = False

    def __init__(self, core: Core) -> None:
        self._core = core
        self._killed = 0

    def step(self) -> float:
        """One round."""
        self._killed += remains.kill_groups(self._core)
        self._killed += process.kill_leftovers(self._core.settings.home)
        return ROUND_S

    def state(self) -> str:
        """How many processes were killed since this one began."""
        return json.dumps({"killed": self._killed})

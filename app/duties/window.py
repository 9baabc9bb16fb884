"""The window: keeps the span outbox inside its days and bytes."""

import json
from typing import Final

from app.service import window
from app.service.core import Core

#: Seconds between rounds; while there is more to remove, the next round follows soon.
ROUND_S: Final = 60.0
SOON_S: Final = 0.1


class Window:
    """Removes spans that were sent long ago, and above the bound the oldest detail."""

    name = "window"
    needs_leader = True

    def __init__(self, core: Core, *, sends: bool) -> None:
        self._core = core
        self._sends = sends
        self._removed = 0
        self._lost = 0

    def step(self) -> float:
        """One short transaction."""
        pruned = window.prune(self._core, sends=self._sends)
        self._removed += pruned.sent + pruned.poison + pruned.unsent_expired
        self._lost += pruned.unsent_lost
        return ROUND_S if pruned.is_done else SOON_S

    def state(self) -> str:
        """Rows removed, and rows lost unsent above the bound, since this process began."""
        return json.dumps({"removed": self._removed, "lost": self._lost})

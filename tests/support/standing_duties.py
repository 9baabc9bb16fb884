"""`voxtrace duties` in which the loop of one duty stands still once a file is there.

STANDS=reaper STANDS_ONCE=/tmp/now python -m tests.support.standing_duties duties
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.cli.main import main
from app.duties.forwarder import Forwarder
from app.duties.reaper import Reaper

_DUTIES = {duty.name: duty for duty in (Forwarder, Reaper)}


def _standing(step: Callable[[Any], float], once: Path) -> Callable[[Any], float]:
    """The step, from which nobody returns once the file is there."""

    def stand(duty: Any) -> float:
        if once.exists():
            threading.Event().wait()
        return step(duty)

    return stand


if __name__ == "__main__":
    chosen = _DUTIES[os.environ["STANDS"]]
    setattr(chosen, "step", _standing(chosen.step, Path(os.environ["STANDS_ONCE"])))  # noqa: B010 - a method
    main()

"""Processor time: what a call costs, however busy the machine is."""

import os
from pathlib import Path
from typing import Final

from tests.support.home import children_of

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def used_s(*pids: int) -> float:
    """Seconds that these processes and all that descend from them have worked so far."""
    return sum(_own_s(pid) + used_s(*children_of(pid)) for pid in pids)


def _own_s(pid: int) -> float:
    """A process's own time, and that of its children that have ended; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / _TICKS

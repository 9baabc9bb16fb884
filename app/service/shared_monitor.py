"""The monitor as one read shows it, shared by all who are told of the same change.

A version differs where a person would notice something; ages that merely grow are not among it,
unless something waits or runs, of which sentences tell how long.
"""

import re
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app import clock
from app.service.report import MonitorView

#: Seconds for which a look is good for those who do not ask for a later one.
MONITOR_S: Final = 1.0
#: Microseconds after a moment from which on a look holds all that was seen at it: the moment is
#: taken a little before the snapshot is.
_SLACK_US: Final = 100_000
#: Microseconds after which it is told anew how long something waits or runs, or is not well.
MOVING_US: Final = 5_000_000
UNWELL_US: Final = 15_000_000
_SEEN: Final = re.compile(r"([0-9.]{1,60})@(\d{1,17})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody was told of: a version, and when it was looked (microseconds)."""

    version: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorGlance:
    """The monitor at one moment."""

    view: MonitorView
    version: str

    @property
    def now(self) -> int:
        """The database's time."""
        return self.view.now

    @property
    def seen(self) -> str:
        """Names this look for those who come back for it; `seen_of` reads it."""
        return f"{self.version}@{self.now}"

    def covers(self, seen: Seen) -> bool:
        """Whether it shows all that was seen."""
        if self.version == seen.version:
            return self.now >= seen.at
        return self.now >= seen.at + _SLACK_US


class SharedMonitor:
    """Keeps the last look.

    Args:
        look: Reads the tables.
    """

    def __init__(self, look: Callable[[], MonitorView]) -> None:
        self._look = look
        #: One at a time reads for those who share.
        self._turn = threading.Lock()
        self._kept_lock = threading.Lock()
        self._kept: MonitorGlance | None = None
        self._until_s = 0.0

    def fresh(self) -> MonitorGlance:
        """A look of its own, for who has just done something.

        Raises:
            StoreError: The database cannot be read; of the others too.
        """
        begun_s = clock.monotonic_s()
        found = monitor_glance(self._look())
        with self._kept_lock:
            if self._kept is None or found.now >= self._kept.now:
                self._kept, self._until_s = found, begun_s + MONITOR_S
        return found

    def recent(self) -> MonitorGlance:
        """The look of the last `MONITOR_S`, or one now."""
        with self._turn:
            with self._kept_lock:
                kept, is_good = self._kept, clock.monotonic_s() < self._until_s
            return kept if kept is not None and is_good else self.fresh()

    def since(self, seen: Seen) -> MonitorGlance:
        """A look that shows all that was seen: the last one, or one now."""
        with self._turn:
            with self._kept_lock:
                kept = self._kept
            return kept if kept is not None and kept.covers(seen) else self.fresh()


def seen_of(text: str | None) -> Seen | None:
    """What `MonitorGlance.seen` named; None for anything else."""
    found = _SEEN.fullmatch(text or "")
    return None if found is None else Seen(version=found[1], at=int(found[2]))


def monitor_glance(view: MonitorView) -> MonitorGlance:
    """A view with its version."""
    parts = (
        view.last_event_id,
        view.stats.by_state,
        view.stats.by_status,
        view.slots,
        view.waits_for,
        [(active.task.id, active.progress, active.is_worker_lost) for active in view.active],
        [(one.worker.id, one.worker.state, one.is_alive, one.running) for one in view.workers],
        [(duty.name, duty.holder) for duty in view.duties],
        [(check.name, check.level) for check in view.checks],
        [(canary.id, canary.stage, canary.is_ok) for canary in view.canaries[:1]],
        [(one.id, one.updated_at) for one in view.findings],
        _outbox(view),
        _clock(view),
    )
    version = f"{view.last_event_id}.{zlib.crc32(repr(parts).encode())}.0"
    return MonitorGlance(view=view, version=version)


def _outbox(view: MonitorView) -> tuple[object, ...]:
    state = view.outbox
    if state is None:
        return ()
    return (state.pending, state.poison, state.poison_error, state.lost_spans)


def _clock(view: MonitorView) -> int:
    """Counts the time where it is told how long something takes; 0 where nothing is told."""
    stats = view.stats
    leaves = view.exports and view.outbox is not None and view.outbox.pending > 0
    if stats.pending or stats.active or leaves:
        return view.now // MOVING_US
    return view.now // UNWELL_US if view.alerts else 0

"""The watcher: one thread of a web process asks the database for all who watch, while any do."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

from app import clock
from app.domain.errors import VoxtraceError
from app.logs.logger import logger_of
from app.service import glance
from app.service.core import Core
from app.service.glance import Glance, Key
from app.service.report import MonitorView
from app.service.shared_monitor import MonitorGlance, SharedMonitor
from app.service.trouble import Trouble
from telemetry import outbox
from telemetry.outbox import OutboxState

log = logger_of(__name__)

#: Seconds between two looks at what is watched, at the queue positions.
LOOK_S: Final = 0.25
POSITIONS_S: Final = 2.0
#: Seconds for which a measurement of the outbox is good, and times that it took, at least.
OUTBOX_S: Final = 5.0
OUTBOX_REST: Final = 50.0
#: The one key of the monitor.
MONITOR: Final = Key("monitor", 0)


#: What is seen of any key.
AnyGlance: TypeAlias = Glance | MonitorGlance


class OutboxGauge:
    """Measures the span outbox, at most every few seconds however often it is read.

    A large one more rarely: a process spends a fiftieth of its time on it at most.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._trouble = Trouble(log, "the measure of the outbox")
        self._state: OutboxState | None = None
        self._until_s = 0.0

    def read(self) -> OutboxState | None:
        """The last measurement; None where none ever succeeded."""
        with self._lock:
            begun_s = clock.monotonic_s()
            if begun_s >= self._until_s:
                try:
                    with self._core.database.read() as conn:
                        self._state = outbox.measure(conn)
                    self._trouble.over()
                except VoxtraceError as error:
                    self._trouble.failed(error)
                took_s = clock.monotonic_s() - begun_s
                self._until_s = clock.monotonic_s() + max(OUTBOX_S, OUTBOX_REST * took_s)
            return self._state


class Watcher:
    """Shares what one thread sees with everyone who waits for a change.

    The thread starts with the first who watches and rests while nobody does; made after a fork.

    Args:
        core: Where to look.
        view: Makes the monitor's view.
    """

    def __init__(self, core: Core, view: Callable[[], MonitorView]) -> None:
        self._core = core
        #: The monitor, for streams and pages.
        self.monitor = SharedMonitor(view)
        self._trouble = Trouble(log, "the look at what is watched")
        self._changed = threading.Condition()
        self._watched: Counter[Key] = Counter()
        self._seen: dict[Key, AnyGlance] = {}
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._positions_at_s = 0.0

    @property
    def is_stopping(self) -> bool:
        """Whether everyone who waits must end now."""
        return self._is_stopping

    def stop(self) -> None:
        """Ends every wait within a look; safe in a signal handler (it takes no lock)."""
        self._is_stopping = True

    @contextmanager
    def watching(self, key: Key) -> Iterator[None]:
        """Has a key looked at for the length of the block."""
        with self._changed:
            self._watched[key] += 1
            self._start()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._watched[key] -= 1
                if self._watched[key] <= 0:
                    del self._watched[key]
                    self._seen.pop(key, None)

    def wait(self, last: AnyGlance, timeout_s: float) -> AnyGlance | None:
        """Waits until there is more to see than `last`; None at the timeout or at a stop."""
        key = MONITOR if isinstance(last, MonitorGlance) else last.key
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_stopping or self._newer(key, last) is not None, timeout=timeout_s
            )
            return self._newer(key, last)

    def _newer(self, key: Key, last: AnyGlance) -> AnyGlance | None:
        """What is seen of a key, if it is later than `last` and differs from it."""
        seen = self._seen.get(key)
        if seen is None or seen.version == last.version or seen.now <= last.now:
            return None
        return seen

    def seen(self, key: Key) -> AnyGlance | None:
        """What was seen of a key that is watched at the last look at it."""
        with self._changed:
            return self._seen.get(key)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        pause = threading.Event()
        while not self._is_stopping:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._watched), timeout=LOOK_S)
                keys = list(self._watched)
            if keys:
                self._look(keys)
            pause.wait(LOOK_S)
        with self._changed:
            self._changed.notify_all()

    def _look(self, keys: list[Key]) -> None:
        """One look; an unreachable database leaves everyone with what they saw last."""
        try:
            found: dict[Key, AnyGlance] = dict(self._glances(keys))
            if MONITOR in keys:
                found[MONITOR] = self.monitor.recent()
        except VoxtraceError as error:
            self._trouble.failed(error)
            return
        self._trouble.over()
        with self._changed:
            for key, value in found.items():
                if key in self._watched:
                    self._seen[key] = value
            self._changed.notify_all()

    def _glances(self, keys: list[Key]) -> dict[Key, Glance]:
        if all(key == MONITOR for key in keys):
            return {}
        now_s = clock.monotonic_s()
        with_positions = now_s >= self._positions_at_s
        if with_positions:
            self._positions_at_s = now_s + POSITIONS_S
        with self._core.database.read() as conn:
            found = glance.look(self._core, conn, keys, with_positions=with_positions)
        if with_positions:
            return found
        return {key: self._with_last_position(value) for key, value in found.items()}

    def _with_last_position(self, value: Glance) -> Glance:
        """Between two looks at the queue, a task that waits keeps the place that it had."""
        before = self._seen.get(value.key)
        is_waiting = value.task is not None and value.task.status == "pending"
        if not is_waiting or not isinstance(before, Glance):
            return value
        return glance.placed(value, before.position)

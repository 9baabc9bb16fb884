"""DatabaseClock: the database's time, for those who would have to ask for it all the time.

Moments in rows are the database's. A host whose own clock is an hour off would write into them when
spans left, and everyone else would take them for long arrived.
"""

from app import clock
from app.domain.errors import VoxtraceError
from app.service.core import Core
from app.store.database import Connection

#: Seconds after which the offset is measured again.
MEASURED_S = 10.0


class DatabaseClock:
    """This host's clock, shifted to the database's. For one thread.

    Args:
        core: Whose database is asked; on SQLite it is this host's clock anyway.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._offset_us = 0
        self._measure_at_s = 0.0

    def now_us(self) -> int:
        """Microseconds since the epoch; asks the database every `MEASURED_S` seconds.

        While it does not answer the last offset holds.
        """
        if clock.monotonic_s() >= self._measure_at_s:
            self._measure()
        return clock.now_us() + self._offset_us

    def _measure(self) -> None:
        self._measure_at_s = clock.monotonic_s() + MEASURED_S
        if self._core.database.is_sqlite:
            return
        try:
            with self._core.database.read() as conn:
                _, self._offset_us = measured(self._core, conn)
        except VoxtraceError:
            return


def measured(core: Core, conn: Connection) -> tuple[int, int]:
    """The database's time, and how far it is ahead of this host's clock; 0 on SQLite.

    Microseconds; one statement, whose answer is taken to be of the middle of its time.
    """
    before_us = clock.now_us()
    there_us = core.database.now_us(conn)
    if core.database.is_sqlite:
        return there_us, 0
    return there_us, there_us - (before_us + clock.now_us()) // 2

"""The relay's far end: exports lines of processes of this host that may have no thread."""

import threading
from collections.abc import Callable
from typing import Final, Protocol

from app.service.task_logs.process_log import unpacked
from telemetry import health
from telemetry.log_export import LogExport

#: Seconds between two looks at whether to stop.
LOOK_S: Final = 0.5


class Source(Protocol):
    """Where lines come from."""

    def receive(self, timeout_s: float) -> str | None:
        """The next line; None at the timeout."""
        ...

    def close(self) -> None:
        """Takes no more."""
        ...


class LineRelay:
    """Takes lines from a socket and exports them, in a thread of its own.

    Args:
        export: Where they go.
        listen: Opens the socket.
    """

    def __init__(self, export: LogExport, listen: Callable[[], Source]) -> None:
        self._export = export
        self._source = listen()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line relay", daemon=True)

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after the line in hand."""
        self._stop.set()
        self._thread.join(LOOK_S * 2)
        self._source.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                text = self._source.receive(LOOK_S)
                if text is not None:
                    entry, resource = unpacked(text)
                    self._export.send(entry, resource)
            except (OSError, TypeError, ValueError) as error:
                health.note("line relay", error)
                self._stop.wait(LOOK_S)

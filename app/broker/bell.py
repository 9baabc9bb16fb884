"""The bell: a datagram that tells the workers of this host to look at the table now.

A lost ring is harmless: workers look four times a second anyway. Each listener has a socket file in
`<home>/run`.
"""

import os
import socket
from contextlib import suppress
from pathlib import Path

from app.broker.local import listen, send


class BellSocket:
    """A listener's end of the bell.

    Args:
        run_dir: `<home>/run`, made where it is missing.
    """

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / f"bell.{os.getpid()}"
        self._socket = listen(self._path)
        self._socket.settimeout(0)

    def fileno(self) -> int:
        """The descriptor to wait on; it becomes readable when the bell rings."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Takes every ring that has come."""
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(16)

    def close(self) -> None:
        """Stops listening."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


def ring(run_dir: Path) -> None:
    """Rings every listener of this host; removes sockets of the gone ones. Never fails."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.settimeout(0)
        for path in run_dir.glob("bell.*"):
            send(bell, path, b"1")  # one whose queue is full will look anyway

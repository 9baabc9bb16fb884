"""The relay: log lines of a process that may have no thread, handed to one that may.

The worker's parent forks, so it has no thread that could export its lines. It sends each as a
datagram to this host's duties process, which exports it for it. Where none listens, or its queue is
full, the line is only on standard error and, about a task, in its rows: nothing waits.
"""

import os
import socket
from pathlib import Path
from typing import Final

from app.broker.local import listen, send

#: Bytes of a datagram at most; a line has a few thousand.
MAX_BYTES: Final = 1 << 16


class RelaySocket:
    """The end of who exports.

    Args:
        run_dir: `<home>/run`, made where it is missing.
    """

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / f"lines.{os.getpid()}"
        self._socket = listen(self._path)

    def receive(self, timeout_s: float) -> str | None:
        """The next line; None at the timeout."""
        self._socket.settimeout(timeout_s)
        try:
            return self._socket.recv(MAX_BYTES).decode(errors="replace")
        except TimeoutError:
            return None

    def close(self) -> None:
        """Stops listening."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


def hand_over(run_dir: Path, line: str) -> bool:
    """Gives a line to one who exports; removes sockets of the gone ones. Never fails or waits."""
    data = line.encode()
    if len(data) > MAX_BYTES:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0)
        return any(send(sender, path, data) for path in sorted(run_dir.glob("lines.*")))

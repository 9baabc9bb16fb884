"""Keeps this host's duties process running, from the worker's hub."""

import subprocess
import sys

from app import clock, process
from app.logs.logger import logger_of

log = logger_of(__name__)


class DutiesKeeper:
    """Starts `voxtrace duties` by exec and starts it again when it ends."""

    def __init__(self) -> None:
        self._program: subprocess.Popen[bytes] | None = None
        self._started_at_s = 0.0
        self._start_at_s = 0.0
        self._wait_s: float | None = None

    def look(self) -> None:
        """Starts the program where it does not run; call it each second from the main thread."""
        now_s = clock.monotonic_s()
        if self._program is not None:
            code = self._program.poll()
            if code is None:
                return
            self._program = None
            self._wait_s = process.restart_wait_s(self._wait_s, now_s - self._started_at_s)
            log.warning("duties ended: they are started again", code=code, in_s=self._wait_s)
            self._start_at_s = now_s + self._wait_s
        if now_s >= self._start_at_s:
            self._started_at_s = now_s
            self._program = subprocess.Popen(
                [sys.executable, "-m", "app", "duties"],
                env=process.child_environment(),
                start_new_session=True,
            )

    def stop(self) -> None:
        """Ends the program in an orderly way and waits for it."""
        if self._program is not None and self._program.poll() is None:
            self._program.terminate()
            try:
                self._program.wait(5)
            except subprocess.TimeoutExpired:
                self._program.kill()
                self._program.wait()
        self._program = None

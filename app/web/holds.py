"""Holds: how many threads of this web process streams and downloads may hold at once.

A request that ends at once needs a thread for milliseconds; a stream holds one for half a minute.
At most half of the threads may be held, so that an upload always finds a free one.
"""

import threading
from typing import Literal

#: How much of a download may be sent: all of it, a short range, or nothing for now.
Allowance = Literal["whole", "short", "none"]


class Holds:
    """Counts held threads.

    Args:
        threads: Threads of this process.
    """

    def __init__(self, threads: int) -> None:
        self._lock = threading.Lock()
        self._half = max(1, threads // 2)
        self._most = max(self._half, threads - max(1, threads // 4))
        self._held = 0

    @property
    def held(self) -> int:
        """Threads held now."""
        return self._held

    @property
    def is_half_held(self) -> bool:
        """Whether a stream that begins now gets no thread to stay on."""
        return self._held >= self._half

    def take_stream(self) -> bool:
        """Takes a thread for a stream; False where half of them are held."""
        with self._lock:
            if self._held >= self._half:
                return False
            self._held += 1
            return True

    def take_download(self) -> Allowance:
        """Takes a thread for a download, which `give_back` must follow unless it is `none`.

        Above the half a download goes on, but shortly; with three quarters held it must wait.
        """
        with self._lock:
            if self._held >= self._most:
                return "none"
            self._held += 1
            return "whole" if self._held <= self._half else "short"

    def give_back(self) -> None:
        """Gives a thread back."""
        with self._lock:
            self._held -= 1

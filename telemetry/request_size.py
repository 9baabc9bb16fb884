"""RequestSize: how large a request may be, as the collector's answers teach it.

Halved by each 413. Once a few requests were accepted in a row it doubles with each, up to the
configured limit: a spell of refusals leaves nothing behind, and a limit that stays costs one
refused request among many.
"""

from typing import Final

#: Requests that must be accepted in a row before larger ones are tried.
_PATIENCE: Final = 8
#: Seconds in which what was accepted counts as lately (up to twice as long).
_LATELY_S: Final = 300.0


class RequestSize:
    """The size of one collector's requests.

    Args:
        limit_bytes: What is configured; it starts there.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._accepted_in_row = 0
        self._turned_at_s = 0.0
        self._lately_bytes = (0, 0)
        self.max_bytes = limit_bytes

    def refused(self, size_bytes: int) -> None:
        """A request of several rows was too large."""
        self.max_bytes = max(1, size_bytes // 2)
        self._accepted_in_row = 0

    def accepted(self, size_bytes: int, now_s: float) -> None:
        """A request with spans was accepted; seconds on a clock that never steps."""
        self._turn(now_s)
        before, lately = self._lately_bytes
        self._lately_bytes = (before, max(lately, size_bytes))
        self._accepted_in_row += 1
        if self._accepted_in_row > _PATIENCE:
            self.max_bytes = min(self._limit_bytes, self.max_bytes * 2)

    def lately_bytes(self, now_s: float) -> int:
        """Size of the largest request that was accepted in the last minutes; 0 for none."""
        self._turn(now_s)
        return max(self._lately_bytes)

    def _turn(self, now_s: float) -> None:
        passed_s = now_s - self._turned_at_s
        if passed_s >= _LATELY_S:
            self._lately_bytes = (self._lately_bytes[1] if passed_s < 2 * _LATELY_S else 0, 0)
            self._turned_at_s = now_s

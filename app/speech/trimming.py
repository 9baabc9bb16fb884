"""Quiet edges of PCM: cuts them off while it streams past.

An engine ends each text with a little silence. Inside a sentence, where one voice hands over to
another, that would be heard as a pause.
"""

import sys
from array import array

#: Samples up to this are quiet: -50 dBFS.
QUIET = 104
#: Milliseconds of quiet that stay at each edge.
KEPT_MS = 10


class EdgeTrimmer:
    """Passes PCM on without the quiet before its first and after its last sound.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._kept_bytes = 2 * (sample_rate * KEPT_MS // 1000)
        self._bytes_per_ms = 2 * sample_rate / 1000
        self._has_begun = False
        self._quiet = b""
        self._cut_bytes = 0

    @property
    def cut_ms(self) -> float:
        """How much was cut off at the start; moments move by it."""
        return self._cut_bytes / self._bytes_per_ms

    def feed(self, pcm: bytes) -> bytes:
        """What of `pcm`, and of the quiet before it, is sure to be inside."""
        start, end = _loud_span(pcm)
        if start == end:
            self._hold(pcm)
            return b""
        self._hold(pcm[:start])
        passed = self._quiet + pcm[start:end]
        self._has_begun = True
        self._quiet = pcm[end:]
        return passed

    def finish(self) -> bytes:
        """The quiet that stays at the end."""
        kept = self._quiet[: self._kept_bytes] if self._has_begun else b""
        self._quiet = b""
        return kept

    def _hold(self, pcm: bytes) -> None:
        self._quiet += pcm
        if not self._has_begun and len(self._quiet) > self._kept_bytes:
            self._cut_bytes += len(self._quiet) - self._kept_bytes
            self._quiet = self._quiet[len(self._quiet) - self._kept_bytes :]


def _loud_span(pcm: bytes) -> tuple[int, int]:
    """Byte offsets of the first and after the last sample that is not quiet; equal if none is."""
    samples = array("h")
    samples.frombytes(pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    count = len(samples)
    start = next((index for index in range(count) if abs(samples[index]) > QUIET), count)
    end = next((i + 1 for i in range(count - 1, start - 1, -1) if abs(samples[i]) > QUIET), start)
    return 2 * start, 2 * end

"""The outline of a sound file for a player to draw: one small number per column."""

import numpy as np
from numpy.typing import NDArray

#: Columns of an outline; a shorter sound has fewer.
COLUMN_COUNT = 800


class PeakColumns:
    """Collects the highest sample of each column while audio streams past.

    Args:
        frame_count: Of the whole audio, which must be known.
    """

    def __init__(self, frame_count: int) -> None:
        self._column_frames = max(1, -(-frame_count // COLUMN_COUNT))
        self._heights = np.zeros(-(-frame_count // self._column_frames), dtype=np.float32)
        self._position = 0

    def feed(self, samples: NDArray[np.float32]) -> None:
        """The next samples, full scale 1."""
        columns = (self._position + np.arange(len(samples))) // self._column_frames
        np.maximum.at(self._heights, columns, np.abs(samples))
        self._position += len(samples)

    def columns(self) -> tuple[int, ...]:
        """Heights from 0 to 127, full scale 127."""
        return tuple(int(height) for height in np.rint(np.minimum(self._heights, 1.0) * 127))

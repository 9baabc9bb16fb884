"""Segments joined to one stream of samples: quiet edges cut, short fades, pauses between."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.domain.errors import AudioInvalidError
from app.speech.sentences import PAUSES_MS, Boundary
from app.speech.trimming import QUIET

Samples = NDArray[np.float32]

#: Milliseconds of quiet that stay at each edge of a segment, and of the fade there.
EDGE_MS = 20
FADE_MS = 5

#: Frames of one block: five seconds at 22 kHz, half a megabyte.
BLOCK_FRAMES = 110_250
_FULL_SCALE = 32768


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of the text in the finished audio.

    Args:
        open: Opens its PCM (s16le mono), seekable; None for a pause, which has no sound.
        duration_ms: Of that PCM; for progress only.
        boundary: What ends with it; the pause after it is of that kind.
    """

    open: Callable[[], BinaryIO] | None
    duration_ms: int
    boundary: Boundary


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some samples of the stream, full scale 1.

    Args:
        part: Index of the part that they belong to; a pause belongs to the part before it.
        cut_frames: How many frames were cut off the start of that part.
        samples: At most `BLOCK_FRAMES`.
        source_frames: Frames of parts that were read up to here, of all; for progress.
    """

    part: int
    cut_frames: int
    samples: Samples
    source_frames: int


def joined(parts: Sequence[Part], sample_rate: int) -> Iterator[Block]:
    """The whole stream, block by block; ends with the last part that has sound, without a pause."""
    source_frames = 0
    last = max((index for index, part in enumerate(parts) if part.open), default=-1)
    for index, part in enumerate(parts[: last + 1]):
        cut_frames = 0
        if part.open is not None:
            with part.open() as file:
                cut_frames, end, frame_count = _span(file, sample_rate)
                position = cut_frames
                for samples in _read(file, cut_frames, end, sample_rate):
                    position += len(samples)
                    yield Block(
                        part=index,
                        cut_frames=cut_frames,
                        samples=samples,
                        source_frames=source_frames + position,
                    )
            source_frames += frame_count
        if index < last:
            pause_frames = PAUSES_MS[part.boundary] * sample_rate // 1000
            yield Block(
                part=index,
                cut_frames=cut_frames,
                samples=np.zeros(pause_frames, dtype=np.float32),
                source_frames=source_frames,
            )


def _span(file: BinaryIO, sample_rate: int) -> tuple[int, int, int]:
    """Frames from the first to after the last sound, with the quiet that stays; and all frames."""
    size_bytes = file.seek(0, 2)
    if size_bytes % 2:
        message = f"a segment of {size_bytes} bytes is no 16-bit PCM: the last sample is half"
        raise AudioInvalidError(message, error_type="audio_undecodable")
    frame_count = size_bytes // 2
    kept = EDGE_MS * sample_rate // 1000
    first = _first_sound(file, frame_count)
    if first == frame_count:
        return 0, 0, frame_count
    last = _last_sound(file, frame_count)
    return max(0, first - kept), min(frame_count, last + 1 + kept), frame_count


def _first_sound(file: BinaryIO, frame_count: int) -> int:
    for start in range(0, frame_count, BLOCK_FRAMES):
        loud = _loud(file, start, min(start + BLOCK_FRAMES, frame_count))
        if len(loud):
            return start + int(loud[0])
    return frame_count


def _last_sound(file: BinaryIO, frame_count: int) -> int:
    for end in range(frame_count, 0, -BLOCK_FRAMES):
        start = max(0, end - BLOCK_FRAMES)
        loud = _loud(file, start, end)
        if len(loud):
            return start + int(loud[-1])
    return 0


def _loud(file: BinaryIO, start: int, end: int) -> NDArray[np.intp]:
    return np.flatnonzero(np.abs(_samples(file, start, end).astype(np.int32)) > QUIET)


def _samples(file: BinaryIO, start: int, end: int) -> NDArray[np.int16]:
    file.seek(2 * start)
    data = file.read(2 * (end - start))
    return np.frombuffer(data, dtype="<i2")


def _read(file: BinaryIO, start: int, end: int, sample_rate: int) -> Iterator[Samples]:
    """Frames start..end in blocks, faded in and out."""
    fade_frames = max(1, FADE_MS * sample_rate // 1000)
    for first in range(start, end, BLOCK_FRAMES):
        after = min(first + BLOCK_FRAMES, end)
        samples = _samples(file, first, after).astype(np.float32) / np.float32(_FULL_SCALE)
        frames = np.arange(first, after)
        if first < start + fade_frames:
            samples *= _ramp(frames - start, fade_frames)
        if after > end - fade_frames:
            samples *= _ramp(end - 1 - frames, fade_frames)
        yield samples


def _ramp(frames: NDArray[np.int64], fade_frames: int) -> Samples:
    return np.minimum(1.0, frames / fade_frames).astype(np.float32)

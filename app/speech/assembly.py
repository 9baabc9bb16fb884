"""Segments to one finished file: joined, evened in loudness, encoded once; two passes, streaming.

The first pass measures, the second applies the gain and encodes. Memory does not grow with length:
ten hours stay below 200 MB (`tests/bench/bench_assembly.py`). Encoded files are never joined:
players and libsndfile read only the first of them.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from app.clock import monotonic_s
from app.domain.audio import FormatName
from app.domain.errors import AudioInvalidError
from app.speech.encoder import Encoder
from app.speech.joining import Block, Part, joined
from app.speech.loudness import LoudnessMeter
from app.speech.peaks import PeakColumns

#: LUFS that finished audio is brought to, if its peaks allow (AES TD1008 for speech on the web).
TARGET_LUFS = -16.0
#: dB below full scale that no sample passes.
PEAK_LIMIT_DBFS = -1.0

_PROGRESS_EVERY_S = 0.25
_READ_BYTES = 1 << 20
#: dB; more would only raise noise.
_MAX_GAIN_DB = 30.0

Phase = Literal["measure", "encode"]
#: Gets the share of the phase that is done (0..1); may raise to stop the assembly.
OnProgress = Callable[[float, Phase], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A finished file.

    Args:
        duration_ms: Of its audio.
        bytes: Its size.
        sha256: Of its content, in hex.
        sample_rate: Hz.
        loudness_lufs: Of the audio as it is now, gain included.
        gain_db: That was applied.
        offsets_ms: For each part what to add to its marks' `at_ms` to get moments in the file (a
            few ms below zero where quiet was cut off the first part); for a pause, its start.
        peaks: About 800 heights from 0 to 127, for a player to draw.
    """

    duration_ms: int
    bytes: int
    sha256: str
    sample_rate: int
    loudness_lufs: float
    gain_db: float
    offsets_ms: tuple[int, ...]
    peaks: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What the first pass found."""

    frame_count: int
    peak: float
    loudness_lufs: float
    offsets_ms: tuple[int, ...]


def assemble(
    parts: Sequence[Part],
    *,
    sample_rate: int,
    out: Path,
    fmt: FormatName,
    title: str = "",
    on_progress: OnProgress = lambda _done, _phase: None,
) -> Assembled:
    """Writes the file `out`; after an error it may be there in part.

    Args:
        parts: In the order of the text; each is opened twice, one at a time.
        sample_rate: Hz of all parts.
        out: Replaced if it exists.
        fmt: One of `app.domain.audio.FORMATS`.
        title: For players.
        on_progress: Called at least each second of wall time in both passes.

    Raises:
        AudioInvalidError: No part has sound, or one is not PCM.
        StorageError: The file cannot be written.
    """
    ticker = _Ticker(on_progress, sum(part.duration_ms for part in parts) * sample_rate // 1000)
    measured = _measure(parts, sample_rate, ticker)
    gain_db = _gain_db(measured)
    columns = PeakColumns(measured.frame_count)
    with Encoder(out, fmt, sample_rate, title) as encoder:
        for block in ticker.watch(joined(parts, sample_rate), "encode"):
            samples = block.samples * np.float32(10 ** (gain_db / 20))
            columns.feed(samples)
            encoder.write(samples)
    sha256, size_bytes = _digest(out, on_progress)
    return Assembled(
        duration_ms=round(encoder.frame_count * 1000 / encoder.sample_rate),
        bytes=size_bytes,
        sha256=sha256,
        sample_rate=encoder.sample_rate,
        loudness_lufs=round(measured.loudness_lufs + gain_db, 2),
        gain_db=round(gain_db, 2),
        offsets_ms=measured.offsets_ms,
        peaks=columns.columns(),
    )


def _measure(parts: Sequence[Part], sample_rate: int, ticker: "_Ticker") -> _Measured:
    meter = LoudnessMeter(sample_rate)
    starts: dict[int, int] = {}
    frame_count, peak = 0, 0.0
    for block in ticker.watch(joined(parts, sample_rate), "measure"):
        starts.setdefault(block.part, frame_count - block.cut_frames)
        meter.feed(block.samples)
        peak = max(peak, float(np.abs(block.samples).max(initial=0.0)))
        frame_count += len(block.samples)
    if peak == 0.0:
        message = f"none of the {len(parts)} parts has any sound"
        raise AudioInvalidError(message, error_type="audio_silent")
    offsets = [starts.get(index, frame_count) for index in range(len(parts))]
    return _Measured(
        frame_count=frame_count,
        peak=peak,
        loudness_lufs=meter.integrated_lufs(),
        offsets_ms=tuple(round(offset * 1000 / sample_rate) for offset in offsets),
    )


def _gain_db(measured: _Measured) -> float:
    """To the target, but never above the peak limit."""
    wanted_db = TARGET_LUFS - measured.loudness_lufs
    room_db = PEAK_LIMIT_DBFS - 20 * math.log10(measured.peak)
    return min(wanted_db, room_db, _MAX_GAIN_DB)


class _Ticker:
    """Tells progress often enough, and not with every block.

    Args:
        on_progress: Who is told.
        total_frames: Of all parts.
    """

    def __init__(self, on_progress: OnProgress, total_frames: int) -> None:
        self._on_progress = on_progress
        self._total_frames = max(1, total_frames)

    def watch(self, blocks: Iterator[Block], phase: Phase) -> Iterator[Block]:
        """The blocks; told before the first, every quarter of a second, and after the last."""
        self._on_progress(0.0, phase)
        told_s = monotonic_s()
        for block in blocks:
            yield block
            now_s = monotonic_s()
            if now_s - told_s >= _PROGRESS_EVERY_S:
                self._on_progress(min(1.0, block.source_frames / self._total_frames), phase)
                told_s = now_s
        self._on_progress(1.0, phase)


def _digest(path: Path, on_progress: OnProgress) -> tuple[str, int]:
    """SHA-256 and size; only now, since encoders rewrite the start of a file at its end."""
    digest = hashlib.sha256()
    told_s = monotonic_s()
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            digest.update(data)
            if monotonic_s() - told_s >= _PROGRESS_EVERY_S:
                on_progress(1.0, "encode")
                told_s = monotonic_s()
        return digest.hexdigest(), file.tell()

"""Checks of audio: a segment's PCM against its text, and a finished file by decoding it once."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from app.domain.audio import AudioCheck, FormatName, SegmentCheck
from app.domain.errors import AudioInvalidError
from app.speech.bands import bounds
from app.speech.encoder import soundfile_form

#: Root mean square, dB below full scale; quieter is silent. espeak's quietest segment has -28.8.
SILENT_DBFS = -50.0
#: Share of samples at full scale, above which audio is clipped.
CLIPPED_RATIO = 0.01

#: Of a 16-bit sample.
_FULL_SCALE = 32768
#: From this on a sample counts as at full scale.
_CLIPPED = 32760
#: What a file may be off the length that was put in: an encoder's padding.
_LENGTH_SLACK_MS = 150
_LENGTH_SLACK_RATIO = 0.002
_BLOCK_FRAMES = 1 << 18
_SILENCE_DBFS = -120.0


class _ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc] # an untyped library's class
    """Reads on from where it is.

    The library seeks after each block, and an MP3 decoder that seeks loses what the frames before
    have left for it: complaints on standard error, damaged samples.
    """

    def seekable(self) -> bool:
        """Not here."""
        return False


def check_segment(
    pcm: bytes, *, text: str, engine: str, sample_rate: int, speed: float = 1.0
) -> SegmentCheck:
    """Checks a segment's PCM (s16le mono) against the text it was made of.

    Raises:
        AudioInvalidError: With error_type `audio_undecodable` (half a sample), `audio_truncated`,
            `audio_too_long`, `audio_silent` or `audio_clipped`.
    """
    if len(pcm) % 2:
        message = f"audio of {len(pcm)} bytes is no 16-bit PCM: the last sample is half"
        raise AudioInvalidError(message, error_type="audio_undecodable")
    allowed = bounds(text, engine=engine, speed=speed)
    levels = measure(iter([np.frombuffer(pcm, dtype="<i2")]))
    check = SegmentCheck(
        duration_ms=round(levels.sample_count * 1000 / sample_rate),
        shortest_ms=allowed.shortest_ms,
        longest_ms=allowed.longest_ms,
        rms_dbfs=levels.rms_dbfs,
        peak=levels.peak,
        clipped_ratio=levels.clipped_ratio,
    )
    problem = _segment_problem(check)
    if problem is not None:
        raise AudioInvalidError(problem[1], error_type=problem[0])
    return check


def _segment_problem(check: SegmentCheck) -> tuple[str, str] | None:
    """An error type and a message, if something is wrong."""
    span = f"its text allows {check.shortest_ms} to {check.longest_ms} ms"
    if check.duration_ms < check.shortest_ms:
        return "audio_truncated", f"audio has {check.duration_ms} ms; {span}"
    if check.duration_ms > check.longest_ms:
        return "audio_too_long", f"audio has {check.duration_ms} ms; {span}"
    if check.shortest_ms > 0 and check.rms_dbfs < SILENT_DBFS:
        message = f"audio has {check.rms_dbfs:.1f} dBFS; speech is above {SILENT_DBFS:.0f}"
        return "audio_silent", message
    if check.clipped_ratio > CLIPPED_RATIO:
        message = (
            f"{check.clipped_ratio:.1%} of the audio's samples are at full scale; "
            f"at most {CLIPPED_RATIO:.0%} may be"
        )
        return "audio_clipped", message
    return None


def check_file(path: Path, fmt: FormatName, expected_duration_ms: int) -> AudioCheck:
    """Decodes the file at `path` once, in blocks, and judges what came out.

    A file that cannot be read is a finding, not an error: `problem` says `audio_undecodable`.
    """
    try:
        with _ForwardSoundFile(path) as file:
            form = (file.format, file.subtype)
            levels = measure(_blocks(file))
            sample_rate, channels = int(file.samplerate), int(file.channels)
    except (soundfile.LibsndfileError, OSError, ValueError):
        form, levels, sample_rate, channels = ("", ""), measure(iter([])), 0, 0
    duration_ms = round(levels.sample_count * 1000 / sample_rate) if sample_rate else 0
    problem = None
    if form != soundfile_form(fmt) or channels != 1:
        problem = "audio_undecodable"
    else:
        problem = _file_problem(levels, duration_ms, expected_duration_ms)
    return AudioCheck(
        is_valid=problem is None,
        problem=problem,
        bytes=path.stat().st_size if path.exists() else 0,
        duration_ms=duration_ms,
        expected_duration_ms=expected_duration_ms,
        sample_rate=sample_rate,
        channels=channels,
        rms_dbfs=levels.rms_dbfs,
        peak=levels.peak,
        clipped_ratio=levels.clipped_ratio,
    )


def _file_problem(levels: "Levels", duration_ms: int, expected_ms: int) -> str | None:
    slack_ms = max(_LENGTH_SLACK_MS, round(expected_ms * _LENGTH_SLACK_RATIO))
    if duration_ms < expected_ms - slack_ms or duration_ms == 0:
        return "audio_truncated"
    if duration_ms > expected_ms + slack_ms:
        return "audio_too_long"
    if levels.rms_dbfs < SILENT_DBFS:
        return "audio_silent"
    return "audio_clipped" if levels.clipped_ratio > CLIPPED_RATIO else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What samples have shown: their count, loudness, and how many touch full scale."""

    sample_count: int
    rms_dbfs: float
    peak: float
    clipped_ratio: float


def measure(blocks: Iterator[NDArray[np.int16]]) -> Levels:
    """Levels over all `blocks`; never more than one of them in memory."""
    sample_count = clipped_count = peak = 0
    power = 0.0
    for block in blocks:
        if not len(block):
            continue
        height = np.abs(block.astype(np.int32))
        sample_count += len(block)
        peak = max(peak, int(height.max()))
        clipped_count += int(np.count_nonzero(height >= _CLIPPED))
        power += float(np.square(block, dtype=np.float64).sum())
    mean = power / sample_count / _FULL_SCALE**2 if sample_count else 0.0
    return Levels(
        sample_count=sample_count,
        rms_dbfs=round(10 * math.log10(mean), 2) if mean > 0 else _SILENCE_DBFS,
        peak=round(min(1.0, peak / _FULL_SCALE), 4),
        clipped_ratio=round(clipped_count / sample_count, 6) if sample_count else 0.0,
    )


def _blocks(file: soundfile.SoundFile) -> Iterator[NDArray[np.int16]]:
    """The first channel, a block at a time; what a lossy format puts above full scale is cut."""
    while len(block := file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
        samples = np.rint(block[:, 0] * _FULL_SCALE)
        yield np.clip(samples, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)

"""One audio file, written in a stream: resampled where the format needs it, with a title."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import NamedTuple, Self

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from app.domain.audio import FormatName
from app.domain.errors import AudioInvalidError, ErrorKind, StorageError

Samples = NDArray[np.float32]


class _Kind(NamedTuple):
    """What libsndfile calls a format, the sample rates that it can have (empty: any), its level.

    A level of compression; None is the library's own. Opus is at 50 kbit/s: below 48 libopus takes
    2.5 times as long, for speech that is no better.
    """

    format: str
    subtype: str
    sample_rates: tuple[int, ...] = ()
    compression_level: float | None = None


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "mp3": _Kind(
            "MP3",
            "MPEG_LAYER_III",
            (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
        ),
        "opus": _Kind("OGG", "OPUS", (8000, 12000, 16000, 24000, 48000), 0.82),
        "flac": _Kind("FLAC", "PCM_16"),
        "wav": _Kind("WAV", "PCM_16"),
    }
)
#: Frames that a WAV file's 32-bit length can name, less its header.
_MAX_WAV_FRAMES = (2**32 - 65_536) // 2


def output_rate(fmt: FormatName, sample_rate: int) -> int:
    """The sample rate of a file: the given one, else the next above that the format can have."""
    rates = _KINDS[fmt].sample_rates
    if not rates or sample_rate in rates:
        return sample_rate
    return min((rate for rate in rates if rate > sample_rate), default=rates[-1])


def soundfile_form(fmt: FormatName) -> tuple[str, str]:
    """What libsndfile says that a file of this format is: format and subtype."""
    return _KINDS[fmt].format, _KINDS[fmt].subtype


class Encoder:
    """Writes mono samples to a new file; a context manager, whole only when it is left.

    Args:
        path: The file; replaced if it exists.
        fmt: Its format.
        sample_rate: Hz of the samples that come in.
        title: For players; "" for none.
    """

    def __init__(self, path: Path, fmt: FormatName, sample_rate: int, title: str) -> None:
        kind = _KINDS[fmt]
        self.sample_rate = output_rate(fmt, sample_rate)
        self.frame_count = 0
        self._format = fmt
        self._resampler: soxr.ResampleStream | None = None
        if self.sample_rate != sample_rate:
            self._resampler = soxr.ResampleStream(sample_rate, self.sample_rate, 1, "float32")
        header = id3_title(title) if fmt == "mp3" and title else b""
        self._output = _Output(path, header)
        self._sound = self._open_sound(kind)
        if title and fmt != "mp3":
            self._sound.title = title

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None and self._resampler is not None:
                self._write(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        finally:
            self._sound.close()
            self._output.close()
        self._output.check()

    def write(self, samples: Samples) -> None:
        """The next samples, full scale 1."""
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        self._write(samples)

    def _write(self, samples: Samples) -> None:
        self.frame_count += len(samples)
        if self._format == "wav" and self.frame_count > _MAX_WAV_FRAMES:
            message = "a wav file holds at most 4 GiB; choose flac, mp3 or opus for this text"
            raise AudioInvalidError(message, error_type="audio_too_long", kind=ErrorKind.PERMANENT)
        try:
            self._sound.write(np.clip(samples, -1.0, 1.0))
        except (soundfile.LibsndfileError, AssertionError) as error:
            self._output.check()
            message = f"the {self._format} encoder failed: {error}"
            raise StorageError(message) from error
        self._output.check()

    def _open_sound(self, kind: _Kind) -> soundfile.SoundFile:
        try:
            return soundfile.SoundFile(
                self._output,
                "w",
                samplerate=self.sample_rate,
                channels=1,
                format=kind.format,
                subtype=kind.subtype,
                compression_level=kind.compression_level,
            )
        except soundfile.LibsndfileError as error:
            self._output.close()
            message = f"the {self._format} encoder does not start: {error}"
            raise StorageError(message) from error


class _Output:
    """The file that libsndfile writes to, which may begin with a header that is not its business.

    Errors are kept, since a callback from C cannot raise them.

    Args:
        path: The file.
        header: Goes first.
    """

    def __init__(self, path: Path, header: bytes) -> None:
        self._error: OSError | None = None
        self._start = len(header)
        try:
            self._file = path.open("w+b")
            self._file.write(header)
        except OSError as error:
            self._error = error
        self.check()

    def check(self) -> None:
        """Raises StorageError where the file could not be written."""
        if self._error is not None:
            reason = os.strerror(self._error.errno or 0)
            message = f"cannot write the audio file: {reason}"
            raise StorageError(message) from self._error

    def close(self) -> None:
        """Writes what is left."""
        try:
            self._file.close()
        except OSError as error:
            self._error = self._error or error

    def seek(self, offset: int, whence: int = 0) -> int:
        """As files do, in what follows the header."""
        base = self._start if whence == os.SEEK_SET else 0
        try:
            return self._file.seek(offset + base, whence) - self._start
        except OSError as error:
            self._error = self._error or error
            return 0

    def tell(self) -> int:
        """As files do."""
        return self._file.tell() - self._start

    def read(self, size: int = -1) -> bytes:
        """As files do."""
        return self._file.read(size)

    def write(self, data: bytes) -> int:
        """As files do; 0 where it fails, or has failed before."""
        if self._error is not None:
            return 0
        try:
            return self._file.write(data)
        except OSError as error:
            self._error = error
            return 0


def id3_title(title: str) -> bytes:
    """An ID3v2.4 tag with one frame, TIT2 in UTF-8 (libsndfile cuts titles at 30 bytes)."""
    text = b"\x03" + title.encode(errors="replace")
    frame = b"TIT2" + _synchsafe(len(text)) + b"\0\0" + text
    return b"ID3\x04\0\0" + _synchsafe(len(frame)) + frame


def _synchsafe(size: int) -> bytes:
    """28 bits in four bytes, seven in each (ID3v2.4 section 6.2)."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))

"""Audio as values: file formats, the rule for imported rows, how long a text speaks, checks."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Literal

from app.domain.errors import RequestError

FormatName = Literal["mp3", "opus", "flac", "wav"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFormat:
    """A file format that finished audio can have.

    Args:
        name: What requests, settings and columns call it.
        content_type: Media type of the file (RFC 3003, 7845, 9639; wav has no registered one).
        extension: With the dot.
        is_lossless: Whether decoding gives the encoded samples back.
    """

    name: FormatName
    content_type: str
    extension: str
    is_lossless: bool


FORMATS: Mapping[str, AudioFormat] = MappingProxyType(
    {
        "mp3": AudioFormat(
            name="mp3", content_type="audio/mpeg", extension=".mp3", is_lossless=False
        ),
        "opus": AudioFormat(
            name="opus", content_type="audio/ogg", extension=".opus", is_lossless=False
        ),
        "flac": AudioFormat(
            name="flac", content_type="audio/flac", extension=".flac", is_lossless=True
        ),
        "wav": AudioFormat(
            name="wav", content_type="audio/wav", extension=".wav", is_lossless=True
        ),
    }
)
DEFAULT_FORMAT: FormatName = "mp3"

#: Bytes. The old service called any file below this corrupt. Kept for imported rows only: a good
#: "Hi." is 3829 bytes of MP3, so audio made here is judged by decoding it.
MIN_IMPORT_BYTES = 5000

#: Spoken units of one Chinese, Japanese or Korean character; any other character counts 1.
CJK_UNITS = 2.5

#: Han with its radicals and extensions, kana, bopomofo, hangul; not their punctuation.
CJK_CLASS = (
    "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u3105-\u318e\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9d"
    "\U00020000-\U0003ffff"
)
_CJK = re.compile(f"[{CJK_CLASS}]+")
_EXTRA_SPACE = re.compile(r"(?<=\s)\s+")
_SPEAKABLE = re.compile(r"[^\W_]")


def audio_format(name: str) -> AudioFormat:
    """The format called `name`; RequestError names what is allowed."""
    found = FORMATS.get(name)
    if found is None:
        message = f"format must be one of {', '.join(FORMATS)}, got {name[:40]!r}"
        raise RequestError(message)
    return found


def is_valid_import(size_bytes: int) -> bool:
    """Whether an audio row imported from the old service counts as good: the old 5000-byte rule."""
    return size_bytes >= MIN_IMPORT_BYTES


def spoken_units(text: str) -> float:
    """How long `text` speaks, in units of about one Latin letter.

    A Chinese, Japanese or Korean character counts 2.5, any other character 1, and white space after
    white space nothing. Linear in the length of the text.
    """
    cjk_count = sum(len(run) for run in _CJK.findall(text))
    extra_space_count = sum(len(run) for run in _EXTRA_SPACE.findall(text))
    return len(text) - extra_space_count + (CJK_UNITS - 1) * cjk_count


def is_cjk(char: str) -> bool:
    """Whether the character counts `CJK_UNITS`."""
    return _CJK.match(char) is not None


def is_speakable(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether text[start:end] has a letter or a digit; what has none is a pause, never an error."""
    return _SPEAKABLE.search(text, start, len(text) if end is None else end) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCheck:
    """What the check of one segment's PCM found; only good segments get one.

    Args:
        duration_ms: Length of the audio.
        shortest_ms: Shortest length that the text allows, for its engine and language.
        longest_ms: Longest.
        rms_dbfs: Loudness as root mean square, in dB below full scale.
        peak: Largest sample, 0..1.
        clipped_ratio: Share of samples at full scale.
    """

    duration_ms: int
    shortest_ms: int
    longest_ms: int
    rms_dbfs: float
    peak: float
    clipped_ratio: float

    def as_dict(self) -> dict[str, int | float]:
        """For a JSON column."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioCheck:
    """What decoding a finished audio file once has shown.

    Args:
        is_valid: Whether the file is what it should be.
        problem: The `error_type` of what is wrong; None if nothing is.
        bytes: Size of the file.
        duration_ms: Length by decoded samples; 0 where nothing decodes.
        expected_duration_ms: Length that was put in.
        sample_rate: Hz; 0 where nothing decodes.
        channels: Count; 0 where nothing decodes.
        rms_dbfs: As in `SegmentCheck`.
        peak: Largest sample, 0..1 (a lossy format may pass 1).
        clipped_ratio: Share of samples at full scale.
    """

    is_valid: bool
    problem: str | None
    bytes: int
    duration_ms: int
    expected_duration_ms: int
    sample_rate: int
    channels: int
    rms_dbfs: float
    peak: float
    clipped_ratio: float

    def as_dict(self) -> dict[str, bool | str | int | float | None]:
        """For a JSON column."""
        return asdict(self)

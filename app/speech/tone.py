"""The tone engine: beeps instead of speech, instant and always the same; for tests and trials.

Each character sounds for 60 ms per spoken unit, by its class: Han and kana glide, vowels are low
and consonants high sines, digits are square, other letters are buzzing; signs are quiet. Plain
Python on purpose: web processes load the engines, and need no numpy for that.
"""

import math
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from app.domain.audio import is_cjk, spoken_units
from app.domain.errors import ConfigError, EngineRejectedError
from app.speech.engine import (
    Attribute,
    Capabilities,
    Chunk,
    Engine,
    Mark,
    Param,
    Scope,
    SegmentRequest,
    Voice,
    param_value,
    require_supported,
)
from app.speech.marks import tokens

#: Milliseconds of sound for one spoken unit, at speed 1.
UNIT_MS = 60

SAMPLE_RATES = (22050, 8000, 16000, 24000, 44100, 48000)
SPEED = Param(minimum=0.5, default=1.0, maximum=2.0)

_AMPLITUDE = 9000
#: Milliseconds in which each character fades in and out.
_EDGE_MS = 4
_VOWELS = frozenset("aeiouyAEIOUY")
#: Characters of one chunk.
_CHUNK_CHARS = 64

#: Factor on all pitches, by voice.
_VOICES = MappingProxyType({"tone-low": 1.0, "tone-high": 1.5})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """How a text is rendered: samples of half a spoken unit, Hz, and a factor on all pitches."""

    half_unit_samples: int
    sample_rate: int
    pitch: float


class ToneEngine:
    """Beeps. The same request gives the same bytes, from anywhere."""

    name = "tone"
    version = "1"

    def capabilities(self) -> Capabilities:
        """Any language, any mix of scripts."""
        return Capabilities(
            sample_rates=SAMPLE_RATES,
            max_units=100_000,
            marks=frozenset({"word"}),
            speaks_mixed_scripts=True,
            is_deterministic=True,
            is_offline=True,
            params=MappingProxyType({"speed": SPEED}),
        )

    def voices(self) -> Sequence[Voice]:
        """A low one and a high one."""
        return [Voice(id="tone-low", name="Low tone"), Voice(id="tone-high", name="High tone")]

    @contextmanager
    def open(self, request: SegmentRequest, scope: Scope) -> Iterator[Iterator[Chunk]]:
        """Renders the text; stops between chunks when the scope says so."""
        require_supported(request, self)
        yield checked(render(request.text, sound_of(request, self)), scope)

    def probe(self) -> dict[str, Attribute]:
        """Always works."""
        return {"ok": True, "engine": self.name, "version": self.version}

    def close(self) -> None:
        """Holds nothing."""


def create(options: Mapping[str, str]) -> ToneEngine:
    """The factory of the entry point; there are no options."""
    refuse_options("tone", options)
    return ToneEngine()


def refuse_options(engine: str, options: Mapping[str, str]) -> None:
    """Raises ConfigError for an engine that has no options, where there are some."""
    if options:
        raise ConfigError([f"engine {engine} has no options, got {key!r}" for key in options])


def sound_of(request: SegmentRequest, engine: Engine) -> Sound:
    """How `request` asks to be rendered; EngineRejectedError for an unknown voice."""
    pitch = _VOICES.get(request.voice or "tone-low")
    if pitch is None:
        message = f"{engine.name}: voice must be {' or '.join(_VOICES)}, got {request.voice[:40]!r}"
        raise EngineRejectedError(message)
    half_unit_s = UNIT_MS / 2000 / param_value(request, engine, "speed")
    return Sound(
        half_unit_samples=round(half_unit_s * request.sample_rate),
        sample_rate=request.sample_rate,
        pitch=pitch,
    )


def render(text: str, sound: Sound) -> Iterator[Chunk]:
    """The whole of `text`, a chunk at a time; marks are at the exact start of each word."""
    words = {token.start: token.end for token in tokens(text)}
    sample_count = 0
    for first in range(0, len(text), _CHUNK_CHARS):
        pcm: list[bytes] = []
        marks: list[Mark] = []
        for index in range(first, min(first + _CHUNK_CHARS, len(text))):
            if index in words:
                at_ms = round(sample_count * 1000 / sound.sample_rate)
                marks.append(Mark(kind="word", start=index, end=words[index], at_ms=at_ms))
            is_free = index > 0 and text[index].isspace() and text[index - 1].isspace()
            beep = b"" if is_free else _beep(text[index], sound)
            pcm.append(beep)
            sample_count += len(beep) // 2
        yield Chunk(pcm=b"".join(pcm), marks=tuple(marks))


def silence(text: str, sound: Sound) -> bytes:
    """Quiet PCM as long as `text` would sound."""
    return bytes(2 * round(spoken_units(text) * 2) * sound.half_unit_samples)


def checked(chunks: Iterator[Chunk], scope: Scope) -> Iterator[Chunk]:
    """`chunks`, with a look at the scope before each."""
    scope.check()
    for chunk in chunks:
        yield chunk
        scope.check()


def _beep(char: str, sound: Sound) -> bytes:
    half_units = round(spoken_units(char) * 2)
    return _wave(*_shape(char), half_units * sound.half_unit_samples, sound)


def _shape(char: str) -> tuple[str, float, float]:
    """Wave form, and Hz at the start and the end."""
    code = ord(char)
    if not char.isalnum():
        return "quiet", 0.0, 0.0
    if is_cjk(char):
        return "sine", 220.0 + 20 * (code % 12), 220.0 + 45 * (code % 7)
    if char.isdigit():
        hertz = 400.0 + 40 * (code % 10)
        return "square", hertz, hertz
    if char in _VOWELS:
        return "sine", 300.0 + 5 * (code % 32), 300.0 + 5 * (code % 32)
    if char.isascii():
        return "sine", 600.0 + 12 * (code % 32), 600.0 + 12 * (code % 32)
    return "saw", 250.0 + 15 * (code % 16), 250.0 + 15 * (code % 16)


@lru_cache(maxsize=2048)
def _wave(form: str, first_hz: float, last_hz: float, sample_count: int, sound: Sound) -> bytes:
    """One character's PCM. About a microsecond a sample, once."""
    if form == "quiet":
        return bytes(2 * sample_count)
    edge = max(1, sound.sample_rate * _EDGE_MS // 1000)
    samples = array("h")
    turns = 0.0
    for index in range(sample_count):
        hertz = first_hz + (last_hz - first_hz) * index / sample_count
        turns = (turns + hertz * sound.pitch / sound.sample_rate) % 1.0
        fade = min(1.0, index / edge, (sample_count - 1 - index) / edge)
        samples.append(int(_AMPLITUDE * fade * _height(form, turns)))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _height(form: str, turns: float) -> float:
    if form == "square":
        return 0.7 if turns < 0.5 else -0.7
    if form == "saw":
        return 2 * turns - 1
    return math.sin(2 * math.pi * turns)

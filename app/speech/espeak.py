"""The espeak engine: about 140 languages offline, spoken by libespeak-ng in an engine host.

A text that mixes scripts is spoken run by run, each by a voice that reads its script. Measured on
1.52 (`tests.bench.bench_speech`): a call is a thousandth of its audio's length; the same text
gives slightly different bytes from call to call; at full volume Chinese peaks at full scale, so it
speaks at 60 % and the joiner evens the loudness.
"""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from types import MappingProxyType

from app.clock import monotonic_s
from app.domain.errors import VoxtraceError
from app.speech.engine import (
    Attribute,
    Capabilities,
    Chunk,
    Mark,
    Param,
    Scope,
    SegmentRequest,
    Voice,
    param_value,
    require_supported,
)
from app.speech.espeak_plan import SpokenRun, plan
from app.speech.espeak_text import SpokenText, prepare, to_original
from app.speech.espeak_voices import AUTO, data_path, read_voices
from app.speech.frames import AUDIO, MOMENTS
from app.speech.host_keeper import Call, HostKeeper, HostLimits, read_limits
from app.speech.marks import Event, moved, tokens, word_marks
from app.speech.trimming import EdgeTrimmer

SAMPLE_RATE = 22050

#: Changes when the same request would sound different by our doing.
_REVISION = 1
_HOST = "app.speech.espeak_host"
#: Words per minute at speed 1.
_RATE = 175
#: Of 100, which is espeak's normal and clips.
_VOLUME = 60
_PROBE_LIMIT_S = 10.0
#: Longest request, in spoken units: about half an hour of audio.
_MAX_UNITS = 20_000
_PARAMS = MappingProxyType(
    {
        "speed": Param(minimum=0.5, default=1.0, maximum=2.0),
        "pitch": Param(minimum=0, default=50, maximum=99),
    }
)


class EspeakEngine:
    """libespeak-ng behind an engine host, one for each process that speaks."""

    name = "espeak"

    def __init__(self, limits: HostLimits) -> None:
        self.version = f"{version('espeakng-loader')}-r{_REVISION}"
        self._hosts = HostKeeper(self.name, _HOST, limits)

    @property
    def host_pid(self) -> int | None:
        """Of this process's engine host; None where none runs."""
        return self._hosts.pid

    def capabilities(self) -> Capabilities:
        """Every language of its voices, also mixed."""
        languages = {tag for voice in self.voices() for tag in voice.languages}
        return Capabilities(
            sample_rates=(SAMPLE_RATE,),
            max_units=_MAX_UNITS,
            languages=tuple(sorted(languages)),
            marks=frozenset({"word"}),
            speaks_mixed_scripts=True,
            is_offline=True,
            isolation="process",
            params=_PARAMS,
        )

    def voices(self) -> Sequence[Voice]:
        """From the data files; the first chooses by the language of the text."""
        auto = Voice(id=AUTO, name="By the language of the text")
        return [auto, *(voice.voice for voice in read_voices(data_path()).values())]

    @contextmanager
    def open(self, request: SegmentRequest, scope: Scope) -> Iterator[Iterator[Chunk]]:
        """Speaks in the engine host; leaving early kills it."""
        require_supported(request, self)
        spoken = prepare(request.text)
        runs = plan(replace(request, text=spoken.text), read_voices(data_path()))
        setting = {
            "rate": round(_RATE * param_value(request, self, "speed")),
            "pitch": round(param_value(request, self, "pitch")),
            "volume": _VOLUME,
        }
        with (
            self._hosts.borrow(scope) as call,
            closing(_speak(spoken, runs, setting, call)) as chunks,
        ):
            yield _with_marks(chunks, spoken, request.text, scope)

    def probe(self) -> dict[str, Attribute]:
        """Speaks a word in a host of its own, so that a busy one is not disturbed."""
        about: dict[str, Attribute] = {"engine": self.name, "version": self.version}
        began_s = monotonic_s()
        try:
            audio_ms = self._probe_ms(began_s + _PROBE_LIMIT_S)
        except VoxtraceError as error:
            return {"ok": False, **about, "error_type": error.error_type, "error": error.message}
        took_ms = round((monotonic_s() - began_s) * 1000)
        return {"ok": audio_ms > 0, **about, "audio_ms": audio_ms, "took_ms": took_ms}

    def close(self) -> None:
        """Ends the host; the next segment would start another."""
        self._hosts.close()

    def _probe_ms(self, deadline_s: float) -> int:
        fresh = EspeakEngine(HostLimits())
        request = SegmentRequest(text="ok", sample_rate=SAMPLE_RATE)
        try:
            with fresh.open(request, _ProbeScope(deadline_s=deadline_s)) as chunks:
                byte_count = sum(len(chunk.pcm) for chunk in chunks)
        finally:
            fresh.close()
        return byte_count * 500 // SAMPLE_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProbeScope:
    """A scope of no attempt."""

    deadline_s: float
    attempt: int = 1

    def check(self) -> None:
        """Nothing but the deadline ends a probe."""

    def event(self, name: str, **attributes: Attribute) -> None:
        """Nobody listens."""

    def checkpoint(self, token: str | None) -> str | None:
        """Nothing is kept."""


def create(options: Mapping[str, str]) -> EspeakEngine:
    """The factory of the entry point; options are the fields of `HostLimits`."""
    return EspeakEngine(read_limits("espeak", options))


def _speak(
    spoken: SpokenText, runs: Sequence[SpokenRun], setting: Mapping[str, int], call: Call
) -> Generator[Chunk]:
    sample_count = 0
    for run in runs:
        at_ms = round(sample_count * 1000 / SAMPLE_RATE)
        words = spoken.text[run.start : run.end]
        for chunk in _speak_run(words, {"voice": run.voice.file, **setting}, call):
            sample_count += len(chunk.pcm) // 2
            yield Chunk(pcm=chunk.pcm, marks=moved(chunk.marks, run.start, at_ms))
        if run is not runs[-1]:
            pause = bytes(2 * (run.pause_ms * SAMPLE_RATE // 1000))
            sample_count += len(pause) // 2
            yield Chunk(pcm=pause)


def _with_marks(
    chunks: Iterator[Chunk], spoken: SpokenText, original: str, scope: Scope
) -> Iterator[Chunk]:
    """The audio, and at its end a chunk with the marks of the original's words."""
    marks = list[Mark]()
    for chunk in chunks:
        marks += chunk.marks
        yield Chunk(pcm=chunk.pcm)
    found = tuple(to_original(marks, spoken, original))
    missing_count = len(tokens(original)) - len(found)
    if missing_count > 0:
        scope.event("words missing", count=missing_count)
    yield Chunk(pcm=b"", marks=found)


def _speak_run(text: str, setting: Mapping[str, str | int], call: Call) -> Iterator[Chunk]:
    """One voice's part, without quiet edges; its marks come with the last chunk."""
    trimmer = EdgeTrimmer(SAMPLE_RATE)
    moments: list[tuple[int, int]] = []
    byte_count = 0
    with closing(call({"text": text, **setting})) as frames:
        for frame in frames:
            if frame.kind == MOMENTS:
                moments += json.loads(frame.payload)
            elif frame.kind == AUDIO and (pcm := trimmer.feed(frame.payload)):
                byte_count += len(pcm)
                yield Chunk(pcm=pcm)
    tail = trimmer.finish()
    end_ms = round((byte_count + len(tail)) * 500 / SAMPLE_RATE)
    events = [Event(offset, _moment(at_ms - trimmer.cut_ms, end_ms)) for offset, at_ms in moments]
    yield Chunk(pcm=tail, marks=tuple(word_marks(text, events, end_ms)))


def _moment(at_ms: float, end_ms: int) -> int:
    return min(max(0, round(at_ms)), end_ms)

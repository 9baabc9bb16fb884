r"""The scripted engine: does on command what real engines do to you; for tests and drills.

A line of the text that starts with a command below is carried out, in order, when the engine comes
to it; every other line is spoken as by the tone engine. A command line makes no sound, but lasts as
long as its characters, so that the length of the audio still fits the text; a segment of nothing
but commands ends with a short tone. Everything happens in the attempt's own process.

    @sleep 30                       waits so many seconds, looking at the scope all the time
    @spin 30                        the same in one C call that holds the GIL: no thread runs on
    @subprocess 30                  starts a child that ignores SIGTERM, and waits for its end
    @fail retryable|permanent|capacity [MESSAGE]
                                    raises an engine error of that kind
    @fail-until-attempt 3 retryable [MESSAGE]
                                    the same in attempts 1 and 2 (`Scope.attempt`)
    @fail-where worker=w3,voice=scripted-a,release=1.4.2 retryable [MESSAGE]
                                    the same where all of these hold: the names of the worker, of
                                    the voice that was asked for (or auto), of the release
    @segv                           reads address 0
    @exit 9                         ends the process with this code, without any clean-up
    @oom                            asks for more memory than there is: MemoryError
    @silence                        every sample of the segment is 0
    @truncate                       nine tenths of the segment's audio are missing, or nearly all
    @wrong-text                     the audio is of a text five times as long

Arguments that cannot be read raise EngineRejectedError. The voices are the tone engine's, and three
that sound like its first one, so that attempts can differ in nothing but their voice.
"""

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event
from types import MappingProxyType
from typing import NoReturn

from app.clock import monotonic_s
from app.config.settings import load
from app.domain.errors import EngineCapacityError, EngineError, EngineRejectedError, ErrorKind
from app.speech.engine import (
    Attribute,
    Capabilities,
    Chunk,
    Scope,
    SegmentRequest,
    Voice,
    require_supported,
)
from app.speech.marks import moved
from app.speech.tone import Sound, ToneEngine, checked, refuse_options, render, silence, sound_of

#: Seconds between two looks at the scope.
_CHECK_EVERY_S = 0.05
#: More bytes than any address space has.
_TOO_MANY_BYTES = 1 << 62
#: How many times as long the audio of a wrong text is, and the least it is longer, in spoken units.
_WRONG_FACTOR = 5
_WRONG_UNITS = 100
#: `@truncate` leaves this share of the segment, and of a short one only so many milliseconds.
_KEPT_RATIO = 0.1
_KEPT_MS = 20
_SHORT_MS = 3000
#: Longest message of `@fail`, in characters; longest wait of any command.
_MESSAGE_CHARS = 200
_MAX_SECONDS = 86_400

#: Voices that sound like the tone engine's first one.
_VOICES = ("scripted-a", "scripted-b", "scripted-c")
#: What `@fail-where` may name.
_FACTS = ("worker", "voice", "release")

#: A shell that becomes a `sleep` which ignores SIGTERM (an ignored signal stays ignored over exec).
_STUBBORN_CHILD = "trap '' TERM; echo ready; exec sleep \"$0\""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of the text: a command with its argument, or words to speak (command "")."""

    start: int
    text: str
    command: str
    argument: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Where a command is carried out: the attempt's scope, and the voice that was asked for."""

    scope: Scope
    voice: str


class ScriptedEngine:
    """Speaks like the tone engine, and fails on command."""

    name = "scripted"
    version = "1"

    def __init__(self) -> None:
        self._tone = ToneEngine()

    def capabilities(self) -> Capabilities:
        """As the tone engine's."""
        return self._tone.capabilities()

    def voices(self) -> Sequence[Voice]:
        """The tone engine's, and those that sound like its first one."""
        return [*self._tone.voices(), *(Voice(id=one, name=one.capitalize()) for one in _VOICES)]

    @contextmanager
    def open(self, request: SegmentRequest, scope: Scope) -> Iterator[Iterator[Chunk]]:
        """Carries the script out while the chunks are read."""
        require_supported(request, self)
        heard = replace(request, voice="") if request.voice in _VOICES else request
        yield _perform(request, sound_of(heard, self), scope)

    def probe(self) -> dict[str, Attribute]:
        """Always works."""
        return {"ok": True, "engine": self.name, "version": self.version}

    def close(self) -> None:
        """Holds nothing."""


def create(options: Mapping[str, str]) -> ScriptedEngine:
    """The factory of the entry point; there are no options."""
    refuse_options("scripted", options)
    return ScriptedEngine()


def _perform(request: SegmentRequest, sound: Sound, scope: Scope) -> Iterator[Chunk]:
    lines = list(_lines(request.text))
    damage = [_DAMAGES[line.command] for line in lines if line.command in _DAMAGES]
    chunks = _speak(lines, sound, _Stage(scope=scope, voice=request.voice or "auto"))
    if not damage:
        yield from chunks
        return
    pcm = b"".join(chunk.pcm for chunk in chunks)
    for spoil in damage:
        pcm = spoil(pcm, request.text, sound)
    yield Chunk(pcm=pcm)


def _speak(lines: Sequence[_Line], sound: Sound, stage: _Stage) -> Iterator[Chunk]:
    sample_count = 0
    for line in lines:
        at_ms = round(sample_count * 1000 / sound.sample_rate)
        if line.command:
            _COMMANDS.get(line.command, _do_nothing)(line.argument, stage)
            chunks: Iterator[Chunk] = iter([Chunk(pcm=silence(line.text, sound))])
        else:
            chunks = render(line.text, sound)
        for chunk in checked(chunks, stage.scope):
            yield Chunk(pcm=chunk.pcm, marks=moved(chunk.marks, line.start, at_ms))
            sample_count += len(chunk.pcm) // 2
    if all(line.command for line in lines):
        yield from (Chunk(pcm=chunk.pcm) for chunk in render("tone", sound))


def _lines(text: str) -> Iterator[_Line]:
    start = 0
    for line in text.splitlines(keepends=True):
        word, _, argument = line.strip().partition(" ")
        name = word.removeprefix("@") if word.startswith("@") else ""
        command = name if name in COMMANDS else ""
        yield _Line(start=start, text=line, command=command, argument=argument.strip())
        start += len(line)


def _do_nothing(_argument: str, _stage: _Stage) -> None:
    """Damage is done to the whole segment at its end."""


def _sleep(argument: str, stage: _Stage) -> None:
    until_s = monotonic_s() + _seconds("sleep", argument)
    pause = Event()
    while (left_s := until_s - monotonic_s()) > 0:
        stage.scope.check()
        pause.wait(min(left_s, _CHECK_EVERY_S))
    stage.scope.check()


def _spin(argument: str, _stage: _Stage) -> None:
    seconds = _seconds("spin", argument)
    left = (ctypes.c_long * 2)(int(seconds), int(seconds % 1 * 1_000_000_000))  # a timespec
    nanosleep = ctypes.PyDLL(None).nanosleep  # a PyDLL's functions keep the GIL
    while nanosleep(left, left) != 0:
        """A signal came: sleep on for what is left."""


def _start_stubborn_child(argument: str, _stage: _Stage) -> None:
    seconds = _seconds("subprocess", argument)
    command = ["/bin/sh", "-c", _STUBBORN_CHILD, f"{seconds:g}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:  # noqa: S603 - our own words and a number
        if child.stdout is not None:
            child.stdout.readline()
        child.wait()


def _fail(argument: str, _stage: _Stage) -> None:
    kind, _, message = argument.partition(" ")
    _raise("fail", kind, message)


def _fail_until_attempt(argument: str, stage: _Stage) -> None:
    number, _, rest = argument.partition(" ")
    kind, _, message = rest.partition(" ")
    if not number.isdecimal():
        _refuse("fail-until-attempt", "a number of an attempt and a kind", argument)
    if stage.scope.attempt < int(number):
        _raise("fail-until-attempt", kind, message)


def _fail_where(argument: str, stage: _Stage) -> None:
    conditions, _, rest = argument.partition(" ")
    wanted = dict(part.partition("=")[::2] for part in conditions.split(","))
    if not all(name in _FACTS and value for name, value in wanted.items()):
        allowed = f"NAME=VALUE of {', '.join(_FACTS)}, with commas between, and a kind"
        _refuse("fail-where", allowed, argument)
    settings = load()  # an attempt runs in a process with its worker's settings
    facts = {"worker": settings.worker_name, "voice": stage.voice, "release": settings.release}
    if all(facts[name] == value for name, value in wanted.items()):
        kind, _, message = rest.partition(" ")
        _raise("fail-where", kind, message)


def _raise(command: str, kind: str, message: str) -> NoReturn:
    message = message[:_MESSAGE_CHARS] or f"scripted: {kind}"
    if kind in _FAILURES:
        raise _FAILURES[kind](message)
    _refuse(command, "retryable, permanent or capacity", kind)


def _crash(_argument: str, _stage: _Stage) -> None:
    ctypes.string_at(0)


def _exit(argument: str, _stage: _Stage) -> None:
    if not argument.isdecimal() or int(argument) > 255:
        _refuse("exit", "a code from 0 to 255", argument)
    os._exit(int(argument))


def _run_out_of_memory(_argument: str, _stage: _Stage) -> None:
    bytearray(_TOO_MANY_BYTES)


def _seconds(command: str, argument: str) -> float:
    try:
        seconds = float(argument)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _MAX_SECONDS:
        _refuse(command, f"seconds from 0 to {_MAX_SECONDS}", argument)
    return seconds


def _refuse(command: str, allowed: str, got: str) -> NoReturn:
    message = f"scripted: @{command} needs {allowed}, got {got[:40]!r}"
    raise EngineRejectedError(message)


def _silenced(pcm: bytes, _text: str, _sound: Sound) -> bytes:
    return bytes(len(pcm))


def _truncated(pcm: bytes, _text: str, sound: Sound) -> bytes:
    sample_count = len(pcm) // 2
    is_short = sample_count * 1000 < _SHORT_MS * sound.sample_rate
    kept = sound.sample_rate * _KEPT_MS // 1000 if is_short else int(sample_count * _KEPT_RATIO)
    return pcm[: 2 * kept]


def _of_wrong_text(_pcm: bytes, text: str, sound: Sound) -> bytes:
    wrong = text * _WRONG_FACTOR + "wrong" * (_WRONG_UNITS // 5)
    return b"".join(chunk.pcm for chunk in render(wrong, sound))


_COMMANDS: Mapping[str, Callable[[str, _Stage], None]] = MappingProxyType(
    {
        "sleep": _sleep,
        "spin": _spin,
        "subprocess": _start_stubborn_child,
        "fail": _fail,
        "fail-until-attempt": _fail_until_attempt,
        "fail-where": _fail_where,
        "segv": _crash,
        "exit": _exit,
        "oom": _run_out_of_memory,
    }
)
_FAILURES: Mapping[str, type[EngineError]] = MappingProxyType(
    {
        ErrorKind.RETRYABLE: EngineError,
        ErrorKind.PERMANENT: EngineRejectedError,
        ErrorKind.CAPACITY: EngineCapacityError,
    }
)
_DAMAGES: Mapping[str, Callable[[bytes, str, Sound], bytes]] = MappingProxyType(
    {"silence": _silenced, "truncate": _truncated, "wrong-text": _of_wrong_text}
)
#: The names of all commands.
COMMANDS = frozenset({*_COMMANDS, *_DAMAGES})

"""The engine host of espeak: a small program that speaks jobs from its standard input.

`python -m app.speech.espeak_host`, started by `EngineHost`; it ends with its parent, or when its
input ends. It must import no numpy: 33 ms to start and 16 MB are what makes it cheap to kill.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from app.process import die_with_parent
from app.speech.espeak_library import EspeakLibrary, Setting
from app.speech.frames import AUDIO, DONE, FAILED, JOB, MOMENTS, READY, FrameDecoder, encode

_READ_BYTES = 1 << 16


def main() -> int:
    """Serves jobs until the input ends; the exit code is 1 where the library does not load."""
    die_with_parent()
    _leave_signals_to_the_parent()
    output = _take_stdout()
    try:
        library = EspeakLibrary()
    except (OSError, RuntimeError) as error:
        _send(output, FAILED, {"error_type": "engine_unavailable", "message": str(error)})
        return 1
    _send(output, READY, {"sample_rate": library.sample_rate, "pid": os.getpid()})
    for job in _jobs():
        _serve(library, job, output)
    return 0


def _leave_signals_to_the_parent() -> None:
    """Ctrl-C and a stop of the whole service reach the group; the attempt may still want to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _take_stdout() -> int:
    """A descriptor for frames; what the library prints goes to standard error instead."""
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def _jobs() -> Iterator[dict[str, Any]]:
    decoder = FrameDecoder()
    while data := os.read(sys.stdin.fileno(), _READ_BYTES):
        for frame in decoder.feed(data):
            if frame.kind == JOB:
                yield json.loads(frame.payload)


def _serve(library: EspeakLibrary, job: dict[str, Any], output: int) -> None:
    setting = Setting(
        voice=job["voice"], rate=job["rate"], volume=job["volume"], pitch=job["pitch"]
    )

    def listen(pcm: bytes, words: list[tuple[int, int]]) -> bool:
        try:
            if words:
                _send(output, MOMENTS, words)
            if pcm:
                _write(output, encode(AUDIO, pcm))
        except OSError:
            return False
        return True

    try:
        library.speak(job["text"], setting, listen)
    except LookupError as error:
        _send(output, FAILED, {"error_type": "engine_rejected", "message": str(error)})
    except OSError as error:
        _send(output, FAILED, {"error_type": "engine_error", "message": str(error)})
    else:
        _write(output, encode(DONE))


def _send(output: int, kind: bytes, value: Any) -> None:
    _write(output, encode(kind, json.dumps(value).encode()))


def _write(output: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(output, view) :]


if __name__ == "__main__":
    sys.exit(main())

"""The scripted engine does what its commands say; the deadly ones in a process of their own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.clock import monotonic_s
from app.domain.errors import (
    AudioInvalidError,
    DeadlineExceededError,
    EngineCapacityError,
    EngineError,
    EngineRejectedError,
    ErrorKind,
)
from app.process import group_members, is_alive
from app.speech.scripted import COMMANDS, create
from app.speech.validation import check_segment
from tests.support import scripted_table
from tests.support.speech import SAMPLE_RATE, ListeningScope, Speech, speak
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[2]
WORDS = "The quick brown fox jumps over the lazy dog.\n"


def _speak(text: str, scope: ListeningScope | None = None, voice: str = "") -> Speech:
    return speak(create({}), text, scope=scope, voice=voice)


def _check(made: Speech) -> None:
    check_segment(made.pcm, text=made.text, engine="scripted", sample_rate=SAMPLE_RATE)


def _run_apart(text: str, more: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
    """Speaks `text` in a new process that leads a group of its own."""
    code = (
        "import sys\n"
        "from app.speech.scripted import create\n"
        "from tests.support.speech import speak\n"
        "speak(create({}), sys.argv[1])\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, text, *more],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_other_lines_are_spoken_as_tones() -> None:
    """A text without commands sounds as by the tone engine."""
    from app.speech.tone import create as create_tone

    assert (
        _speak(WORDS + "@nobody said hi").pcm
        == speak(create_tone({}), WORDS + "@nobody said hi").pcm
    )


def test_commands_make_no_sound_and_no_mark() -> None:
    """Words around a command are marked where they stand, after the silence of the command."""
    made = _speak("one\n@sleep 0\ntwo")
    assert made.words() == ["one", "two"]
    assert made.marks[1].at_ms > made.marks[0].at_ms + 600
    _check(made)


def test_segment_of_commands_is_valid_audio() -> None:
    """Nothing but commands, any number of them: a short tone makes it valid."""
    _check(_speak("@sleep 0"))
    _check(_speak("@sleep 0\n" * 40))


def test_sleep_waits_and_minds_the_scope() -> None:
    """It takes its time, and ends at once at a deadline."""
    began_s = monotonic_s()
    _speak("@sleep 0.2")
    assert monotonic_s() - began_s >= 0.2
    scope = ListeningScope(deadline_s=monotonic_s() + 0.1)
    with pytest.raises(DeadlineExceededError):
        _speak("@sleep 30", scope)


def test_spin_holds_the_gil() -> None:
    """No other thread of the process runs while it lasts."""
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.01):
            ticks.append(monotonic_s())

    thread = threading.Thread(target=tick)
    thread.start()
    wait_until(lambda: len(ticks) > 3, 5)
    began_s = monotonic_s()
    _speak("@spin 0.5")
    ended_s = monotonic_s()
    stop.set()
    thread.join()
    assert ended_s - began_s >= 0.5
    assert sum(began_s + 0.05 < tick_s < began_s + 0.45 for tick_s in ticks) == 0


def test_subprocess_ignores_sigterm_and_dies_with_its_group() -> None:
    """SIGTERM ends neither; SIGKILL of the parent leaves the child; of the group, nothing."""
    process = _run_apart("@subprocess 30")
    wait_until(lambda: len(group_members(process.pid)) == 2, 10, what="the child to start")
    (child,) = [pid for pid in group_members(process.pid) if pid != process.pid]
    wait_until(lambda: _ignores_sigterm(child), 5, what="the child to ignore SIGTERM")
    os.kill(child, signal.SIGTERM)
    process.kill()
    process.wait()
    assert is_alive(child, None)
    os.killpg(process.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(child, None), 5)


def _ignores_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    mask = next(line for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(mask.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def test_subprocess_ends_by_itself() -> None:
    """After its seconds the attempt goes on."""
    _check(_speak("@subprocess 0.1\n" + WORDS))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("retryable", EngineError),
        ("permanent", EngineRejectedError),
        ("capacity", EngineCapacityError),
    ],
)
def test_fail_raises_its_kind(kind: str, error: type[EngineError]) -> None:
    """With the message that was given."""
    with pytest.raises(error, match="no luck today") as caught:
        _speak(f"{WORDS}@fail {kind} no luck today")
    assert caught.value.kind is ErrorKind(kind)


def test_fail_until_attempt_ends_with_that_attempt() -> None:
    """Attempts 1 and 2 of 3 fail, the third speaks."""
    text = "@fail-until-attempt 3 retryable busy\n" + WORDS
    for attempt in (1, 2):
        with pytest.raises(EngineError, match="busy"):
            _speak(text, ListeningScope(attempt=attempt))
    _check(_speak(text, ListeningScope(attempt=3)))


def test_fail_where_wants_all_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails where worker, voice and release are those that it names, and nowhere else."""
    monkeypatch.setenv("VOXTRACE_WORKER_NAME", "w3")
    monkeypatch.setenv("VOXTRACE_RELEASE", "1.4.2")
    text = "@fail-where worker=w3,voice=scripted-a,release=1.4.2 permanent no luck\n" + WORDS
    with pytest.raises(EngineRejectedError, match="no luck"):
        _speak(text, voice="scripted-a")
    _check(_speak(text, voice="scripted-b"))
    monkeypatch.setenv("VOXTRACE_RELEASE", "1.4.3")
    _check(_speak(text, voice="scripted-a"))
    monkeypatch.setenv("VOXTRACE_RELEASE", "1.4.2")
    monkeypatch.setenv("VOXTRACE_WORKER_NAME", "w1")
    _check(_speak(text, voice="scripted-a"))


def test_fail_where_may_name_one_fact() -> None:
    """The voice that the engine chose is called auto."""
    with pytest.raises(EngineError, match="busy"):
        _speak("@fail-where voice=auto retryable busy")
    _check(_speak("@fail-where voice=auto retryable busy", voice="tone-low"))


def test_voices_of_its_own_sound_alike() -> None:
    """They differ in their names alone."""
    assert _speak(WORDS, voice="scripted-a").pcm == _speak(WORDS, voice="scripted-c").pcm


@pytest.mark.parametrize(
    ("text", "code"), [("@segv", -signal.SIGSEGV), ("@exit 9", 9), (f"{WORDS}@exit 0", 0)]
)
def test_deadly_command_ends_the_process(text: str, code: int) -> None:
    """A crash and an exit, as native code would."""
    assert _run_apart(text).wait() == code


def test_oom_is_a_memory_error() -> None:
    """A failed allocation, not a made-up one."""
    with pytest.raises(MemoryError):
        _speak("@oom")


@pytest.mark.parametrize("words", [WORDS, WORDS * 6, "好", "OK\n"])
@pytest.mark.parametrize(
    ("command", "error_type"),
    [
        ("@silence", "audio_silent"),
        ("@truncate", "audio_truncated"),
        ("@wrong-text", "audio_too_long"),
    ],
)
def test_damaged_audio_is_found(words: str, command: str, error_type: str) -> None:
    """Each kind of wrong audio is refused by the check of that kind, for short texts too."""
    made = _speak(f"{words}\n{command}")
    with pytest.raises(AudioInvalidError) as caught:
        _check(made)
    assert caught.value.error_type == error_type


@pytest.mark.parametrize(
    "text",
    [
        "@sleep",
        "@sleep soon",
        "@spin -1",
        "@fail never",
        "@exit 300",
        "@fail-until-attempt x y",
        "@fail-where retryable",
        "@fail-where host=h1 retryable",
        "@fail-where worker= retryable",
        "@fail-where voice=auto",
        "@fail-where voice=auto now",
    ],
)
def test_unreadable_command_is_rejected(text: str) -> None:
    """The error says what the command needs."""
    with pytest.raises(EngineRejectedError, match="needs"):
        _speak(text)


def test_page_of_the_engine_has_each_command_and_no_other() -> None:
    """docs/scripted-engine.md is made of these words; they are of the commands that there are."""
    told = [usage.partition(" ")[0].removeprefix("@") for usage, _ in scripted_table.commands()]
    assert sorted(told) == sorted(COMMANDS)

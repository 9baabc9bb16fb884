"""The engine host of espeak under fire: hangs, crashes, forks, kills; real signals throughout."""

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from app.clock import monotonic_s
from app.domain.errors import (
    ConfigError,
    DeadlineExceededError,
    EngineCrashedError,
    EngineTimeoutError,
    EngineUnavailableError,
    LeaseLostError,
)
from app.process import is_alive
from app.speech.engine import Attribute, SegmentRequest
from app.speech.engine_host import EngineHost, Patience
from app.speech.espeak import EspeakEngine, create
from app.speech.host_keeper import HostLimits
from tests.support.speech import SAMPLE_RATE, ListeningScope, speak
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[2]
LONG = SegmentRequest(text="word " * 3000, sample_rate=SAMPLE_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeafScope:
    """A scope whose check says nothing: only the engine itself minds the deadline."""

    deadline_s: float = math.inf
    attempt: int = 1

    def check(self) -> None:
        """Says nothing."""

    def event(self, name: str, **attributes: Attribute) -> None:
        """Hears nothing."""

    def checkpoint(self, token: str | None) -> str | None:
        """Keeps nothing."""


@pytest.fixture
def espeak() -> Iterator[EspeakEngine]:
    """An engine without a host yet."""
    engine = create({})
    yield engine
    engine.close()


def _host_pid(engine: EspeakEngine) -> int:
    assert engine.host_pid is not None
    return engine.host_pid


def _stop(engine: EspeakEngine) -> int:
    """Starts the host and stops it as a hang would; its pid."""
    speak(engine, "OK")
    pid = _host_pid(engine)
    os.kill(pid, signal.SIGSTOP)
    return pid


def test_hang_ends_at_the_deadline(espeak: EspeakEngine) -> None:
    """A host that answers nothing is killed at the attempt's deadline, and replaced."""
    pid = _stop(espeak)
    scope = DeafScope(deadline_s=monotonic_s() + 0.4)
    with (
        pytest.raises(DeadlineExceededError),
        espeak.open(LONG, scope) as chunks,
    ):
        list(chunks)
    assert monotonic_s() >= scope.deadline_s
    assert not is_alive(pid, None)
    assert speak(espeak, "OK").duration_ms > 0


def test_hang_ends_at_the_answer_limit() -> None:
    """Without a deadline in sight, the engine's own limit ends the wait, and says so."""
    engine = create({"answer_limit_s": "0.4"})
    pid = _stop(engine)
    with pytest.raises(EngineTimeoutError, match=r"no answer for 0\.4 s"):
        speak(engine, "OK")
    assert not is_alive(pid, None)
    engine.close()


def test_scope_is_asked_often_while_waiting(espeak: EspeakEngine) -> None:
    """While a host hangs, the scope is checked about every 0.05 s; a lost lease ends the wait."""
    _stop(espeak)
    scope = ListeningScope(lose_after=12)
    with pytest.raises(LeaseLostError):
        speak(espeak, "OK", scope=scope)
    gaps = sorted(two - one for one, two in pairwise(scope.checked_at_s))
    assert gaps[len(gaps) // 2] < 0.1


def _speak_into_a_crash(engine: EspeakEngine, scope: ListeningScope) -> None:
    with engine.open(LONG, scope) as chunks:
        next(chunks)
        os.kill(_host_pid(engine), signal.SIGSEGV)
        list(chunks)


def test_crash_is_an_error_with_its_signal(espeak: EspeakEngine) -> None:
    """A segfault in the library fails this segment only, and says which signal it was."""
    scope = ListeningScope()
    with pytest.raises(EngineCrashedError, match="SIGSEGV") as caught:
        _speak_into_a_crash(espeak, scope)
    assert caught.value.exit_signal == signal.SIGSEGV
    assert ("engine host ended", {"error_type": "engine_crashed", "exit_signal": 11}) in (
        scope.events
    )
    assert speak(espeak, "OK").duration_ms > 0


def test_host_that_died_idle_is_replaced(espeak: EspeakEngine) -> None:
    """A host killed between segments (by the kernel, say) costs nothing."""
    speak(espeak, "OK")
    os.kill(_host_pid(espeak), signal.SIGKILL)
    wait_until(lambda: espeak.host_pid is None, 5)
    scope = ListeningScope()
    assert speak(espeak, "OK", scope=scope).duration_ms > 0
    assert [attributes["reason"] for _, attributes in scope.events] == ["dead"]


@pytest.mark.parametrize(
    ("option", "reason"), [({"jobs_per_host": "2"}, "jobs"), ({"host_rss_mb": "1"}, "memory")]
)
def test_old_host_is_replaced(option: dict[str, str], reason: str) -> None:
    """After so many jobs, or above so much memory, the next segment gets a new host."""
    engine = create(option)
    for _ in range(2):
        speak(engine, "OK")
    scope = ListeningScope()
    speak(engine, "OK", scope=scope)
    assert [attributes["reason"] for _, attributes in scope.events] == [reason]
    engine.close()


def test_healthy_host_is_kept(espeak: EspeakEngine) -> None:
    """Segment after segment is spoken by the same host."""
    speak(espeak, "OK")
    pid = _host_pid(espeak)
    for _ in range(20):
        speak(espeak, "你好 world")
    assert espeak.host_pid == pid


def test_leaving_early_kills_the_host(espeak: EspeakEngine) -> None:
    """Nobody reads what an abandoned host would say: it is gone when the context is left."""
    with espeak.open(LONG, ListeningScope()) as chunks:
        next(chunks)
        pid = _host_pid(espeak)
    assert not is_alive(pid, None)


def test_host_is_in_the_group_and_minds_no_polite_signal(espeak: EspeakEngine) -> None:
    """Killing the attempt's group kills it; a Ctrl-C or SIGTERM to all lets it finish."""
    with espeak.open(LONG, ListeningScope()) as chunks:
        next(chunks)
        pid = _host_pid(espeak)
        assert os.getpgid(pid) == os.getpgid(0)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
        assert sum(len(chunk.pcm) for chunk in chunks) > 1_000_000
    assert espeak.host_pid == pid


def test_host_holds_no_numpy(espeak: EspeakEngine) -> None:
    """The host stays small: the speech library, no numpy."""
    speak(espeak, "OK")
    maps = Path(f"/proc/{_host_pid(espeak)}/maps").read_text(encoding="utf-8")
    assert "libespeak-ng" in maps
    assert "numpy" not in maps


def test_this_process_never_loads_the_library(espeak: EspeakEngine) -> None:
    """libespeak-ng is not thread-safe and may crash: it is mapped in hosts only."""
    speak(espeak, "OK")
    assert "libespeak-ng" not in Path("/proc/self/maps").read_text(encoding="utf-8")


def test_close_ends_the_host(espeak: EspeakEngine) -> None:
    """No child is left over."""
    speak(espeak, "OK")
    pid = _host_pid(espeak)
    espeak.close()
    assert not is_alive(pid, None)


def test_threads_take_turns(espeak: EspeakEngine) -> None:
    """Threads of one process share the host, one after another, and each hears its own words.

    The host outlives the thread that asked for it first, whatever the kernel thinks a parent is.
    """
    texts = [f"number {n} " * 20 for n in range(6)]
    made: dict[str, list[str]] = {}

    def work(text: str) -> None:
        made[text] = speak(espeak, text).words()

    threads = [threading.Thread(target=work, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == {text: text.split() for text in texts}


_SPEAK_AND_WAIT = """
import sys
from app.speech.espeak import create
from tests.support.speech import speak
engine = create({})
speak(engine, "OK")
print(engine.host_pid, flush=True)
sys.stdin.read()
"""


def test_host_ends_with_its_parent() -> None:
    """A worker that is killed leaves no host behind."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _SPEAK_AND_WAIT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_alive(pid, None)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not is_alive(pid, None), 5)


_SPEAK_AND_FORK = """
import os
from app.speech.espeak import create
from tests.support.speech import speak
engine = create({})
speak(engine, "OK")
mine = engine.host_pid
child = os.fork()
if child == 0:
    assert engine.host_pid is None
    speak(engine, "OK")
    assert engine.host_pid not in (None, mine)
    engine.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
speak(engine, "OK")
assert engine.host_pid == mine
engine.close()
"""


def test_forked_child_has_a_host_of_its_own() -> None:
    """An engine used before a fork works in the child, and the parent's host is not disturbed."""
    done = subprocess.run([sys.executable, "-c", _SPEAK_AND_FORK], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_host_that_does_not_start_is_unavailable() -> None:
    """A program that ends at once is said to be unavailable, not crashed."""
    with pytest.raises(EngineUnavailableError, match="does not start"):
        EngineHost("espeak", "app.speech.no_such", Patience(scope=ListeningScope(), limit_s=5))


def test_probe_of_a_broken_engine_says_so(
    espeak: EspeakEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe never raises: where no host can be started it is not ok, with words."""
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    probe = espeak.probe()
    assert probe["ok"] is False
    assert probe["error_type"] == "engine_unavailable"
    assert "cannot be started" in str(probe["error"])


def test_wrong_options_are_named() -> None:
    """Each wrong option is one problem."""
    with pytest.raises(ConfigError) as caught:
        create({"answer_limit_s": "soon", "jobs_per_host": "0", "colour": "red"})
    assert len(caught.value.problems) == 3
    assert create({"host_rss_mb": "64"}).name == "espeak"
    assert HostLimits().host_rss_mb == 256

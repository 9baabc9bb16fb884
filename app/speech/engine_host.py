"""The near side of an engine host: start it, give it a job, wait with limits, kill it.

A native speech library may hang, crash, or leak. In a host it can do so without harm: the wait
ends at the deadline, the signal that ended it is known, and the next segment gets a new host. The
host stays in the process group of its parent, so that whoever kills the group kills it too.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import IO, NoReturn

from app.clock import monotonic_s
from app.domain.errors import (
    DeadlineExceededError,
    EngineCrashedError,
    EngineError,
    EngineRejectedError,
    EngineTimeoutError,
    EngineUnavailableError,
)
from app.process import child_environment
from app.speech.engine import Scope
from app.speech.frames import DONE, FAILED, JOB, READY, Frame, FrameDecoder, encode

#: Seconds between two looks at the scope while waiting.
CHECK_EVERY_S = 0.05
#: Seconds a host may take to load its library; it needs 33 ms on a free machine.
START_LIMIT_S = 30.0
#: Seconds for a host to end by itself.
_END_LIMIT_S = 2.0

_READ_BYTES = 1 << 16
#: What a host may say went wrong.
_FAILURES = MappingProxyType(
    {"engine_rejected": EngineRejectedError, "engine_unavailable": EngineUnavailableError}
)
_ROOT = Path(__file__).parents[2]
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


#: What a host is told, as JSON.
Job = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for one answer of a host.

    Args:
        scope: Asked every `CHECK_EVERY_S`; its deadline raises DeadlineExceededError.
        limit_s: Seconds without any answer, above which the host is taken for stuck.
    """

    scope: Scope
    limit_s: float


class EngineHost:
    """A running host. One job at a time; a job that is not read to its end kills the host.

    Args:
        engine: Name for messages.
        module: The program, started with `python -m`.
        patience: For its start.
    """

    def __init__(self, engine: str, module: str, patience: Patience) -> None:
        self._engine = engine
        self._decoder = FrameDecoder()
        self._frames: list[Frame] = []
        self.job_count = 0
        self._process = _start(engine, module)
        self._input = _descriptor(self._process.stdin)
        self._output = _descriptor(self._process.stdout)
        os.set_blocking(self._input, False)
        try:
            self._expect_ready(patience)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Of the host."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it can take a job."""
        return self._process.poll() is None

    def rss_bytes(self) -> int:
        """Its memory; 0 where the system does not tell."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * _PAGE_BYTES

    def call(self, job: Job, patience: Patience) -> Generator[Frame]:
        """Gives the host a job; its answers until the job is done.

        Raises:
            EngineTimeoutError, EngineCrashedError, EngineRejectedError, EngineError: By what the
                host did.
            DeadlineExceededError, LeaseLostError: From the scope.
        """
        self.job_count += 1
        is_done = False
        try:
            self._send(encode(JOB, json.dumps(dict(job)).encode()), patience)
            while (frame := self._receive(patience)).kind != DONE:
                if frame.kind == FAILED:
                    is_done = True
                    self._raise(frame)
                yield frame
            is_done = True
        finally:
            if not is_done:
                self.kill()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def close(self) -> None:
        """Lets it end by itself, and kills it if it does not."""
        self._close_pipes()
        try:
            self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def forget(self) -> None:
        """In a forked child: leaves the host to the parent, whose it is."""
        self._close_pipes()
        self._process.returncode = 0

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _expect_ready(self, patience: Patience) -> None:
        try:
            frame = self._receive(Patience(scope=patience.scope, limit_s=START_LIMIT_S))
        except (EngineCrashedError, EngineTimeoutError) as error:
            message = f"{self._engine}: the engine host does not start: {error.message}"
            raise EngineUnavailableError(message, exit_signal=error.exit_signal) from error
        if frame.kind == FAILED:
            self._raise(frame)
        if frame.kind != READY:
            message = f"{self._engine}: the engine host began with {frame.kind!r}, not with R"
            raise EngineUnavailableError(message)

    def _send(self, data: bytes, patience: Patience) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._input, select.POLLOUT, patience)
            try:
                view = view[os.write(self._input, view) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                self._raise_crashed()

    def _receive(self, patience: Patience) -> Frame:
        while not self._frames:
            self._wait(self._output, select.POLLIN, patience)
            data = os.read(self._output, _READ_BYTES)
            if not data:
                self._raise_crashed()
            try:
                self._frames += self._decoder.feed(data)
            except ValueError as error:
                message = f"{self._engine}: the engine host sent garbage: {error}"
                raise EngineCrashedError(message) from error
        return self._frames.pop(0)

    def _wait(self, descriptor: int, event: int, patience: Patience) -> None:
        """Until the pipe is ready, or broken; raises where patience ends."""
        poll = select.poll()
        poll.register(descriptor, event)
        began_s = monotonic_s()
        while True:
            now_s = check_scope(patience.scope, self._engine)
            if now_s >= began_s + patience.limit_s:
                message = f"{self._engine} gave no answer for {patience.limit_s:g} s"
                raise EngineTimeoutError(message)
            ends_s = min(patience.scope.deadline_s, began_s + patience.limit_s)
            wait_s = min(CHECK_EVERY_S, ends_s - now_s)
            if poll.poll(max(1.0, wait_s * 1000)):
                return

    def _raise(self, frame: Frame) -> NoReturn:
        failure = json.loads(frame.payload)
        message = f"{self._engine}: {failure['message']}"
        raise _FAILURES.get(failure["error_type"], EngineError)(message)

    def _raise_crashed(self) -> NoReturn:
        try:
            code = self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            message = f"{self._engine}: the engine host closed its pipe and did not end"
            raise EngineCrashedError(message) from None
        if code < 0:
            name = signal.Signals(-code).name
            message = f"{self._engine}: the engine host was ended by {name}"
            raise EngineCrashedError(message, exit_signal=-code)
        message = f"{self._engine}: the engine host ended with exit code {code}"
        raise EngineCrashedError(message, code=str(code))


def check_scope(scope: Scope, engine: str) -> float:
    """Now (monotonic), unless the scope or its deadline say stop."""
    scope.check()
    now_s = monotonic_s()
    if now_s >= scope.deadline_s:
        message = f"{engine} was still speaking at the attempt's deadline"
        raise DeadlineExceededError(message)
    return now_s


def _start(engine: str, module: str) -> "subprocess.Popen[bytes]":
    """Starts the program from a thread that lasts.

    The kernel tells a child of its parent's death when the *thread* that started it ends. The main
    thread lasts; other threads hand the start to one that is kept for it.
    """
    start = partial(_popen, engine, module)
    if threading.current_thread() is threading.main_thread():
        return start()
    return _starter(os.getpid()).submit(start).result()


@lru_cache(maxsize=1)
def _starter(_pid: int) -> ThreadPoolExecutor:
    """The thread of this process that starts hosts for its other threads; a fork has a new one."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="host-starter")


def _popen(engine: str, module: str) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd=_ROOT,
            env=child_environment(),
        )
    except OSError as error:
        message = f"{engine}: the engine host cannot be started: {os.strerror(error.errno or 0)}"
        raise EngineUnavailableError(message) from error


def _descriptor(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        message = "a pipe that was asked for is missing"
        raise EngineUnavailableError(message)
    return pipe.fileno()

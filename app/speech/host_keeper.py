"""Keeps one engine host for a process: started when needed, replaced when it is old or dead."""

import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from app.domain.errors import ConfigError, VoxtraceError
from app.speech.engine import Scope
from app.speech.engine_host import CHECK_EVERY_S, EngineHost, Job, Patience, check_scope
from app.speech.frames import Frame

#: Gives the borrowed host a job.
Call = Callable[[Job], Generator[Frame]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """When a host is replaced.

    Args:
        jobs_per_host: After so many (a segment is a job for each change of voice).
        host_rss_mb: Above so many MiB; the host of espeak starts with 16.
        answer_limit_s: Seconds without an answer, after which it is killed as stuck.
    """

    jobs_per_host: int = 5000
    host_rss_mb: int = 256
    answer_limit_s: float = 60.0


_KINDS: Mapping[str, type[int] | type[float]] = MappingProxyType(
    {"jobs_per_host": int, "host_rss_mb": int, "answer_limit_s": float}
)


def read_limits(engine: str, options: Mapping[str, str]) -> HostLimits:
    """Limits from an engine's options; ConfigError names every wrong one."""
    problems: list[str] = []
    values: dict[str, float] = {}
    for name, text in options.items():
        kind = _KINDS.get(name)
        if kind is None:
            problems.append(f"{engine} has no option {name!r}; allowed: {', '.join(_KINDS)}")
            continue
        try:
            values[name] = kind(text)
        except ValueError:
            values[name] = 0
        if not values[name] > 0:
            problems.append(f"{engine}.{name} must be a number above zero, got {text!r}")
    if problems:
        raise ConfigError(problems)
    return HostLimits(**values)  # type: ignore[arg-type] # each value was made by its field's type


class HostKeeper:
    """Lends the process's engine host to one segment at a time.

    Args:
        engine: Name for messages.
        module: Program of the host.
        limits: When to replace it.
    """

    def __init__(self, engine: str, module: str, limits: HostLimits) -> None:
        self._engine = engine
        self._module = module
        self._limits = limits
        self._host: EngineHost | None = None
        self._lock = threading.Lock()
        self._owner_pid = os.getpid()

    @property
    def pid(self) -> int | None:
        """Of the host that runs for this process; None if none does."""
        host = self._host if self._owner_pid == os.getpid() else None
        return host.pid if host is not None and host.is_running() else None

    @contextmanager
    def borrow(self, scope: Scope) -> Iterator[Call]:
        """Waits for the host to be free; yields the function that gives it a job."""
        self._settle_after_fork()
        patience = Patience(scope=scope, limit_s=self._limits.answer_limit_s)
        lock = self._lock
        while not lock.acquire(timeout=CHECK_EVERY_S):
            check_scope(scope, self._engine)
        try:
            host = self._ready_host(patience)
            try:
                yield partial(host.call, patience=patience)
            except VoxtraceError as error:
                self._tell_end(host, scope, error)
                raise
        finally:
            lock.release()

    def close(self) -> None:
        """Ends the host of this process, if there is one."""
        self._settle_after_fork()
        if self._host is not None:
            self._host.close()
            self._host = None

    def _settle_after_fork(self) -> None:
        """In a forked child the host and the lock are the parent's: begin anew."""
        if self._owner_pid == os.getpid():
            return
        if self._host is not None:
            self._host.forget()
        self._host = None
        self._lock = threading.Lock()
        self._owner_pid = os.getpid()

    def _ready_host(self, patience: Patience) -> EngineHost:
        host = self._host
        reason = self._reason_to_replace(host)
        if host is not None and reason == "":
            return host
        if host is not None:
            self._host = None
            host.close()
        self._host = EngineHost(self._engine, self._module, patience)
        patience.scope.event("engine host started", reason=reason, pid=self._host.pid)
        return self._host

    def _reason_to_replace(self, host: EngineHost | None) -> str:
        if host is None:
            return "first"
        if not host.is_running():
            return "dead"
        if host.job_count >= self._limits.jobs_per_host:
            return "jobs"
        return "memory" if host.rss_bytes() > self._limits.host_rss_mb << 20 else ""

    def _tell_end(self, host: EngineHost, scope: Scope, error: VoxtraceError) -> None:
        if not host.is_running():
            signal = getattr(error, "exit_signal", None) or 0
            scope.event("engine host ended", error_type=error.error_type, exit_signal=signal)

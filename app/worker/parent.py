"""The worker's parent process: claims, heartbeats, kills, and the verdicts on killed children.

Everything runs on Celery's hub, in the very thread that forks: no other thread of this process
touches the database, and no fork happens inside a database call. Database waits are short (0.25 s),
and a verdict that could not be written is kept and tried again: nothing is raised into the hub.
"""

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from celery.worker import state as celery_state

from app import clock, process
from app.domain.claim import Claim, parse_key
from app.domain.errors import VoxtraceError
from app.domain.task import CELERY_GRACE_S, KILL_GRACE_US, UNHELD_US
from app.logs.logger import logger_of
from app.service import claim as claim_service
from app.service import limits, presence, verdict
from app.service.core import Core
from app.service.process_counts import ProcessCounts
from app.service.task_logs import task_log
from app.service.trouble import Trouble
from app.worker.keeper import DutiesKeeper
from app.worker.kept_verdicts import KeptVerdicts

log = logger_of(__name__)

#: Seconds between heartbeats, between looks for late attempts, between tries of kept verdicts.
BEAT_S: Final = 1.0
ENFORCE_S: Final = 0.2
RETRY_S: Final = 0.3
#: Seconds between looks for dead children. A child's pipe closes a moment before the child can be
#: waited for; Celery looks at that moment, finds nothing, and looks again only after 5 s.
TEND_S: Final = 0.1
#: Seconds after its verdict at which a child that still runs is killed, whatever else happened.
LINGER_S: Final = 3.0
#: What a deadline is told apart by at which an attempt had to be killed.
_KILLED: Final = "the limit passed; killed by its worker"
#: Seconds in which a drain must have written its verdicts; after it the reaper does.
HANDBACK_S: Final = 3.0


@dataclass(slots=True, kw_only=True)
class Running:
    """A claim that this process made and has not seen end."""

    claim: Claim
    kill_at_s: float
    pid: int | None = None
    is_settled: bool = False
    killed_at_s: float | None = None


@dataclass(slots=True, kw_only=True)
class Drain:
    """A stop in progress."""

    since_s: float
    is_forced: bool = False
    is_noted: bool = False
    handed_back_at_s: float | None = None


@dataclass(slots=True)
class Parent:
    """The parent's memory of this process's own claims; every decision is checked by the fence."""

    core: Core
    bell: Any
    keeper: DutiesKeeper | None = None
    tend_pool: Callable[[], None] = lambda: None
    worker_id: str | None = None
    running: dict[str, Running] = field(default_factory=dict)
    unheld_since_s: dict[str, float] = field(default_factory=dict)
    kept: KeptVerdicts = field(init=False)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    draining: Drain | None = None
    counts: ProcessCounts = field(default_factory=lambda: ProcessCounts("worker"))
    look: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.kept = KeptVerdicts(after_each=self._look_again)

    def _look_again(self) -> None:
        self.look()

    # what the transport asks ---------------------------------------------------------------------

    def claim(self) -> Claim | None:
        """Claims the next task for this worker; None while it starts or drains."""
        if self.worker_id is None or self.draining is not None or self.kept:
            return None
        try:
            claimed = claim_service.claim_next(self.core, worker_id=self.worker_id)
        except VoxtraceError as error:
            self._trouble("claims").failed(error)
            return None
        self._trouble("claims").over()
        if claimed is not None:
            limit_s = (claimed.timeout_us + KILL_GRACE_US) / 1_000_000
            self.running[claimed.key] = Running(
                claim=claimed, kill_at_s=clock.monotonic_s() + limit_s
            )
        return claimed

    def give_back(self, task_id: int, attempt: int) -> None:
        """Takes back an attempt that Celery will not run."""
        self._settle(
            f"{task_id}.{attempt}",
            lambda: verdict.hand_back(
                self.core, task_id, attempt, reason="the worker stops before it began"
            ),
        )

    def time_limit_s(self, claim: Claim) -> float:
        """Celery's own limit: a backstop behind the parent and the reaper."""
        return claim.timeout_us / 1_000_000 + CELERY_GRACE_S

    def start(self, hub: Any, look: Callable[[], None]) -> None:
        """Puts the bell and the timers on the hub."""
        self.look = look
        hub.add_reader(self.bell.fileno(), self._rung)
        hub.call_repeatedly(BEAT_S, self._guarded(self.beat, "heartbeat"))
        hub.call_repeatedly(BEAT_S, self._guarded(self.write_lines, "log lines"))
        hub.call_repeatedly(ENFORCE_S, self._guarded(self.enforce, "deadlines"))
        hub.call_repeatedly(TEND_S, self.tend_pool)
        hub.call_repeatedly(RETRY_S, self.kept.write)
        hub.call_repeatedly(ENFORCE_S, self._guarded(self.drain_on, "the stop"))
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self.stop_signal)
        if self.keeper is not None:
            hub.call_repeatedly(BEAT_S, self.keeper.look)
        hub.call_soon(self._guarded(self.beat, "heartbeat"))

    def _rung(self) -> None:
        self.bell.drain()
        self.look()
        self._guarded(self.kill_taken, "kills")()

    def _guarded(self, step: Callable[[], None], what: str) -> Callable[[], None]:
        trouble = self._trouble(what)

        def run() -> None:
            try:
                step()
            except VoxtraceError as error:
                trouble.failed(error)
            else:
                trouble.over()

        return run

    @property
    def _name(self) -> str:
        return self.core.settings.worker_name

    def _trouble(self, what: str) -> Trouble:
        return self.troubles.setdefault(what, Trouble(log, what))

    # heartbeat and reconcile ---------------------------------------------------------------------

    def beat(self) -> None:
        """Renews the lease, then compares rows with what the pool really holds."""
        if self.worker_id is None and self.draining is not None:
            return
        if self.worker_id is None:
            self.worker_id = presence.register(self.core, pid=os.getpid())
            name, children = self._name, self.core.settings.worker_concurrency
            log.info("the worker is up", worker=name, children=children)
            note = limits.start_value_note(self.core)
            if note is not None:
                log.warning(note)
            self.look()
            return
        if not presence.beat(self.core, self.worker_id, self.counts):
            self._start_over()
            return
        self.reconcile()
        self.kill_taken()

    def _start_over(self) -> None:
        """This worker was declared dead while it stood still: its children must end now."""
        log.warning(
            "this worker stood still and was declared dead: it kills its attempts and starts over",
            worker=self._name,
            attempts=len(celery_state.active_requests),
        )
        for request in list(celery_state.active_requests):
            self._kill(request.id, request.worker_pid)
        self.running.clear()
        self.worker_id = None

    def reconcile(self) -> None:
        """Gives back a row that no pool slot has run for 3 s (a claim that was lost on its way)."""
        held = {request.id for request in _requests()}
        now_s = clock.monotonic_s()
        rows = presence.held(self.core, self.worker_id or "")
        unheld = {f"{row.task_id}.{row.attempt}" for row in rows} - held
        self.unheld_since_s = {key: self.unheld_since_s.get(key, now_s) for key in unheld}
        for key, since_s in list(self.unheld_since_s.items()):
            if now_s - since_s > UNHELD_US / 1_000_000:
                self._lose(key, "no slot of its worker ran it for 3 s", None, None)
                del self.unheld_since_s[key]
        for key in [key for key in self.running if key not in held]:
            if key not in unheld:
                del self.running[key]

    def kill_taken(self) -> None:
        """Kills children whose attempt was settled by someone else (cancelled, reaped)."""
        pids = {request.id: request.worker_pid for request in celery_state.active_requests}
        keys = [parsed for key in pids if (parsed := parse_key(key)) is not None]
        for task_id, attempt in presence.settled_from_outside(self.core, keys):
            key = f"{task_id}.{attempt}"
            self._kill(key, pids[key])

    # deadlines -----------------------------------------------------------------------------------

    def enforce(self) -> None:
        """Gives late attempts their verdict and kills them; kills what lingers after its end."""
        now_s = clock.monotonic_s()
        for request in list(celery_state.active_requests):
            run = self.running.get(request.id)
            if run is None:
                continue
            run.pid = request.worker_pid or run.pid
            if now_s >= run.kill_at_s and not run.is_settled:
                self._time_out(run)
            if run.is_settled and now_s >= run.kill_at_s + LINGER_S:
                self._kill(request.id, run.pid)

    def _time_out(self, run: Running) -> None:
        run.is_settled = True
        limit_s = run.claim.timeout_us / 1_000_000
        reason = f"the limit of {limit_s:g} s passed; killed by worker {run.claim.worker_name}"

        def settle() -> None:
            key = (run.claim.task_id, run.claim.attempt)
            if verdict.time_out(self.core, *key, reason=reason, words=_KILLED):
                self._kill(run.claim.key, run.pid)

        self._settle(run.claim.key, settle)

    # lost children -------------------------------------------------------------------------------

    def child_failed(self, key: str, error: BaseException) -> None:
        """Celery's word that a request ended without its child's own verdict."""
        run = self.running.get(key)
        if type(error).__name__ == "TimeLimitExceeded":
            if run is not None:
                self._time_out(run)
            return
        signum, code = _exit_of(str(error))
        words = f"signal {signum}" if signum is not None else f"exit code {code}"
        self._kill(key, run.pid if run else None)
        self._lose(key, f"its process ended with {words}", signum, code)

    def _lose(self, key: str, reason: str, signum: int | None, code: int | None) -> None:
        parsed = parse_key(key)
        if parsed is None:
            return
        task_id, attempt = parsed
        self._settle(
            key,
            lambda: verdict.lose(
                self.core, task_id, attempt, reason=reason, exit_signal=signum, exit_code=code
            ),
        )

    def _kill(self, key: str, pid: int | None) -> None:
        """SIGKILLs the process group of an attempt: the child and whatever it started."""
        parsed = parse_key(key)
        groups = {pid} if pid is not None else set()
        if not groups and parsed is not None:
            groups = presence.group_of(self.core, *parsed)
        for group in groups:
            if group != os.getpgid(0):
                process.kill_group(group, None)

    # verdicts and lines that wait ----------------------------------------------------------------

    def _settle(self, key: str, step: Callable[[], object]) -> None:
        """Writes a verdict now, or keeps it, in order, until the database takes it."""
        run = self.running.get(key)
        self.kept.give(key, run.claim if run is not None else None, step)

    def write_lines(self) -> None:
        """Writes lines about tasks that no verdict took with it; there is no thread to do it."""
        task_log.write_waiting(self.core)

    # the stop ------------------------------------------------------------------------------------

    def stop_signal(self, _signum: int, _frame: object) -> None:
        """First signal: drain. Second: hand back and end at once."""
        if self.draining is None:
            self.draining = Drain(since_s=clock.monotonic_s())
        else:
            self.draining.is_forced = True

    def drain_on(self) -> None:
        """Goes on with a stop: waits for running attempts, hands them back, leaves."""
        drain = self.draining
        if drain is None:
            return
        now_s = clock.monotonic_s()
        if not drain.is_noted and self.worker_id is not None:
            presence.drain(self.core, self.worker_id)
            drain.is_noted = True
        is_late = drain.is_forced or now_s - drain.since_s >= self.core.settings.drain_s
        live = _requests()
        if live and is_late and drain.handed_back_at_s is None:
            drain.handed_back_at_s = now_s
            for request in live:
                self._hand_back(request)
        is_over = not live or (
            drain.handed_back_at_s is not None
            and (not self.kept or now_s - drain.handed_back_at_s > HANDBACK_S)
        )
        if is_over:
            self._leave()

    def _hand_back(self, request: Any) -> None:
        parsed = parse_key(request.id)
        if parsed is None:
            return
        reason = "handed back at its checkpoint: the worker stops"

        def settle() -> None:
            verdict.hand_back(self.core, *parsed, reason=reason)
            self._kill(request.id, request.worker_pid)

        self._settle(request.id, settle)

    def _leave(self) -> None:
        if self.worker_id is not None:
            presence.leave(self.core, self.worker_id, "stopped in an orderly way")
            self.worker_id = None
        celery_state.should_stop = os.EX_OK


def _requests() -> list[Any]:
    return list(celery_state.reserved_requests | celery_state.active_requests)


_EXIT = re.compile(r"(signal|exitcode) (\d+)")


def _exit_of(message: str) -> tuple[int | None, int | None]:
    """(signal, exit code) in billiard's words for a dead process."""
    match = _EXIT.search(message)
    if match is None:
        return None, None
    number = int(match[2])
    return (number, None) if match[1] == "signal" else (None, number)

"""Where a task's trace is: not sent, on its way, in Jaeger, missing there, or no longer kept."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from app import clock
from app.domain.errors import NotFoundError
from app.domain.records import TaskRecord
from app.service.core import Core
from app.service.traces import look_up, trace_rows
from app.service.traces.trace_compare import Match
from app.store import tasks, traces
from telemetry import provider
from telemetry.jaeger import JaegerClient, JaegerError

#: Seconds that Jaeger may take when somebody waits for the answer.
TIMEOUT_S: Final = 2.0
#: Seconds in which a Jaeger that did not answer is not asked again.
AWAY_S: Final = 3.0


class Where(StrEnum):
    """Where a trace is, as far as is known."""

    #: Tracing is turned off (OTEL_SDK_DISABLED): there is none.
    OFF = "off"
    #: No Jaeger is set: nobody can look.
    NO_JAEGER = "no_jaeger"
    #: The task has not ended; its spans leave as they end.
    RUNNING = "running"
    ON_ITS_WAY = "on_its_way"
    SEEN = "seen"
    #: It was not there, and was sent again.
    MISSING = "missing"
    #: It is older than Jaeger keeps traces.
    GONE = "gone"
    #: It was there and is not any more: Jaeger lost it, and gets it again.
    LOST = "lost"
    #: Jaeger does not answer.
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceState:
    """Where a task's trace is.

    Attributes:
        at: When it was seen or found missing, microseconds since the epoch; None for neither.
        resends: How often it was sent again because it was not there.
        spans: How many spans Jaeger has now; None where nobody has just looked.
        url: Its page in Jaeger; only where a look found it there.
        problem: Why Jaeger could not be asked.
    """

    where: Where
    trace_id: str
    at: int | None = None
    resends: int = 0
    spans: int | None = None
    url: str | None = None
    problem: str | None = None


def of_row(core: Core, task: TaskRecord, now: int) -> TraceState:
    """What the row knows, without asking Jaeger."""
    where = _where(core, task, now)
    at = {Where.SEEN: task.trace_seen_at, Where.GONE: task.trace_seen_at}.get(where)
    return TraceState(
        where=where,
        trace_id=task.trace_id,
        at=task.trace_missing_at if where is Where.MISSING else at,
        resends=task.trace_resends,
        url=page_url(core, task) if where is Where.SEEN else None,
    )


def _where(core: Core, task: TaskRecord, now: int) -> Where:
    if not provider.is_enabled():
        return Where.OFF
    if core.settings.jaeger_url is None:
        return Where.NO_JAEGER
    if task.finished_at is None:
        return Where.RUNNING
    if task.finished_at < now - round(core.settings.jaeger_retention_h * 3_600_000_000):
        return Where.GONE
    if task.trace_seen_at is not None:
        return Where.SEEN
    return Where.MISSING if task.trace_missing_at is not None else Where.ON_ITS_WAY


def page_url(core: Core, task: TaskRecord) -> str | None:
    """The address of the task's trace in Jaeger, for a browser; None where no Jaeger is set."""
    jaeger = core.settings.jaeger_public_url
    return f"{jaeger}/trace/{task.trace_id}" if jaeger else None


class TraceLook:
    """Asks Jaeger for one trace while somebody waits. Threads may share it; make it after a fork.

    Args:
        core: Where rows are.
        connections: Connections to Jaeger at most.
    """

    def __init__(self, core: Core, *, connections: int = 1) -> None:
        self._core = core
        self._problem: str | None = None
        self._away_until_s = 0.0
        url = core.settings.jaeger_url
        self._jaeger = (
            JaegerClient(url, timeout_s=TIMEOUT_S, connections=connections) if url else None
        )

    def look(self, task_id: int) -> TraceState:
        """Where a task's trace is now; a whole trace that is seen is noted on the task's row.

        Raises:
            NotFoundError: No such task.
        """
        core = self._core
        with core.database.read() as conn:
            now = core.database.now_us(conn)
            task = tasks.get(conn, task_id)
            if task is None:
                message = f"task {task_id} does not exist"
                raise NotFoundError(message)
            [rows] = trace_rows.read(conn, [task])
        known = of_row(core, task, now)
        if self._jaeger is None or known.where in {Where.OFF, Where.NO_JAEGER}:
            return known
        if self._problem is not None and clock.monotonic_s() < self._away_until_s:
            return _unreachable(known, self._problem)
        try:
            found = self._seen(self._jaeger, rows, known, now)
        except JaegerError as error:
            self._problem = str(error)
            self._away_until_s = clock.monotonic_s() + AWAY_S
            return _unreachable(known, self._problem)
        self._problem = None
        return found

    def _seen(
        self, jaeger: JaegerClient, rows: trace_rows.TraceRows, known: TraceState, now: int
    ) -> TraceState:
        trace = jaeger.trace(rows.task.trace_id)
        if trace is None and known.where is Where.SEEN:
            look_up.seek_again(self._core, [rows.task.id])
            return replace(known, where=Where.LOST, url=None)
        if trace is None:
            return replace(known, url=None)
        found = replace(known, spans=len(trace.spans), url=page_url(self._core, rows.task))
        if not rows.task.is_final or known.where is Where.SEEN:
            return found
        compared = look_up.judge(self._core, rows, trace)
        if compared.match is not Match.EQUAL:
            return found
        self._core.database.run(lambda conn: traces.note_seen(conn, [rows.task.id], now))
        return replace(found, where=Where.SEEN, at=now)


def _unreachable(known: TraceState, problem: str) -> TraceState:
    return replace(known, where=Where.UNREACHABLE, at=None, url=None, problem=problem)

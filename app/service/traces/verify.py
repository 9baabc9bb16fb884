"""Verify: every task of a time against the traces that Jaeger has, many at once.

Nothing is changed unless it is asked for (`repair`). What is still on its way when it is looked for
is looked for again, for a while: a task that ended a second ago is not missing.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from app import clock
from app.domain.errors import ConfigError, VoxtraceError
from app.service.core import Core
from app.service.traces import look_up, trace_rows
from app.service.traces.resend import Resent
from app.service.traces.trace_compare import Compared, Difference, Match
from app.service.traces.trace_rows import TraceRows
from app.store import traces
from telemetry import outbox, provider
from telemetry.jaeger import JaegerClient, JaegerError, JaegerTrace

#: Traces that are read at the same time.
CONNECTIONS = 8
#: Tasks that one short transaction reads.
_PAGE = 400
#: Seconds between two looks at what is on its way.
_AGAIN_S = 1.0
#: Differences that are told one by one; all of them are counted.
MAX_DIFFERENCES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was found.

    Attributes:
        since: Tasks with their final status from this moment,
        until: and before this one were looked at (microseconds since the epoch).
        counts: Tasks by what their trace is; their sum is `tasks`.
        parent_lost: Tasks whose request died with its process, before it could write its span;
            told apart, no difference.
        on_its_way: Tasks that are not equal, whose spans have only just left or wait: they are
            counted by what they are now.
        differences: The first `MAX_DIFFERENCES`.
        more_differences: How many are not among them.
        spans: Spans that were read.
        took_s: Seconds.
        resent: What was sent again; None where nothing was to be.
    """

    since: int
    until: int
    counts: Counter[Match]
    parent_lost: int
    on_its_way: int
    differences: Sequence[Difference]
    more_differences: int
    spans: int
    took_s: float
    resent: Resent | None

    @property
    def tasks(self) -> int:
        """How many tasks were looked at."""
        return self.counts.total()

    @property
    def is_equal(self) -> bool:
        """Whether table and Jaeger agree on every task."""
        return self.counts[Match.EQUAL] == self.tasks


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What has been found so far."""

    counts: Counter[Match] = field(default_factory=Counter)
    parent_lost: int = 0
    differences: list[Difference] = field(default_factory=list)
    difference_count: int = 0
    on_its_way: int = 0
    repairable: list[int] = field(default_factory=list)
    spans: int = 0

    def add(self, compared: Compared, *, is_early: bool = False) -> None:
        self.counts[compared.match] += 1
        self.parent_lost += compared.is_parent_lost
        self.difference_count += len(compared.differences)
        room = MAX_DIFFERENCES - len(self.differences)
        self.differences += compared.differences[:room]
        if compared.match is not Match.EQUAL and is_early:
            self.on_its_way += 1
        elif compared.match is not Match.EQUAL:
            self.repairable.append(compared.task_id)


def client(core: Core, *, timeout_s: float = 10.0, connections: int = 1) -> JaegerClient:
    """A client of the Jaeger in the settings.

    Raises:
        ConfigError: None is set.
    """
    url = core.settings.jaeger_url
    if url is None:
        message = "VOXTRACE_JAEGER_URL must be Jaeger's query address, such as http://localhost:16686, got nothing"  # noqa: E501 - one line for the reader
        raise ConfigError([message])
    return JaegerClient(url, timeout_s=timeout_s, connections=connections)


def verify(
    core: Core,
    *,
    since: int,
    wait_s: float = 20.0,
    repair: bool = False,
    on_progress: Callable[[int], None] = lambda _done: None,
) -> Verified:
    """Compares every task that ended since a moment with its trace in Jaeger.

    Args:
        core: What to compare.
        since: Microseconds since the epoch; at most VOXTRACE_JAEGER_RETENTION ago counts.
        wait_s: How long to wait for what is still on its way.
        repair: Send again what is not equal, and not still on its way.
        on_progress: Called now and then with the number of tasks done.

    Raises:
        ConfigError: No Jaeger is set.
        VoxtraceError: Jaeger does not answer, or tracing is turned off.
    """
    if not provider.is_enabled():
        message = "there is nothing to compare: tracing is turned off (OTEL_SDK_DISABLED)"
        raise VoxtraceError(message)
    jaeger = client(core, connections=CONNECTIONS)
    begun_s = clock.monotonic_s()
    with core.database.read() as conn:
        until = core.database.now_us(conn)
    since = max(since, until - round(core.settings.jaeger_retention_h * 3_600_000_000))
    try:
        tally = _look_at_all(core, jaeger, (since, until), wait_s, on_progress)
    except JaegerError as error:
        message = f"traces cannot be read: {error}"
        raise VoxtraceError(message) from error
    finally:
        jaeger.close()
    resent = look_up.send_again(core, tally.repairable) if repair and tally.repairable else None
    return Verified(
        since=since,
        until=until,
        counts=tally.counts,
        parent_lost=tally.parent_lost,
        on_its_way=tally.on_its_way,
        differences=tuple(tally.differences),
        more_differences=tally.difference_count - len(tally.differences),
        spans=tally.spans,
        took_s=clock.monotonic_s() - begun_s,
        resent=resent,
    )


def _look_at_all(
    core: Core,
    jaeger: JaegerClient,
    window: tuple[int, int],
    wait_s: float,
    on_progress: Callable[[int], None],
) -> _Tally:
    tally = _Tally()
    early: list[TraceRows] = []
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="jaeger") as pool:
        for page in _pages(core, window):
            early += _look(core, jaeger, pool, page, tally)
            on_progress(tally.counts.total())
        until_s = clock.monotonic_s() + wait_s
        while early and clock.monotonic_s() < until_s:
            threading.Event().wait(_AGAIN_S)
            early = _look(core, jaeger, pool, early, tally)
        for compared in _compared(core, early, _read(jaeger, pool, early)):
            tally.add(compared, is_early=True)
    on_progress(tally.counts.total())
    return tally


def _pages(core: Core, window: tuple[int, int]) -> Iterator[list[TraceRows]]:
    """The tasks that ended in the window, page by page, each in a short transaction."""
    since, until = window
    after = (since - 1, 2**62)
    while True:
        with core.database.read() as conn:
            found = traces.ended_between(conn, after, until, limit=_PAGE)
            page = trace_rows.read(conn, found)
        if not page:
            return
        yield page
        after = (found[-1].finished_at or since, found[-1].id)


def _look(
    core: Core,
    jaeger: JaegerClient,
    pool: ThreadPoolExecutor,
    page: Sequence[TraceRows],
    tally: _Tally,
) -> list[TraceRows]:
    """Compares a page; returns those that are not equal and may be still on their way."""
    found = _read(jaeger, pool, page)
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        edge_us = outbox.settled_before(conn, now)
        young = outbox.young(conn, [rows.task.id for rows in page], sent_after_us=edge_us)
    early = []
    for rows, compared in zip(page, _compared(core, page, found), strict=True):
        if compared.match is not Match.EQUAL and rows.task.id in young:
            early.append(rows)
        else:
            tally.add(compared)
            trace = found[rows.task.trace_id]
            tally.spans += len(trace.spans) if trace is not None else 0
    return early


def _read(
    jaeger: JaegerClient, pool: ThreadPoolExecutor, page: Sequence[TraceRows]
) -> dict[str, JaegerTrace | None]:
    """The traces of a page by their ids; tasks may share one."""
    trace_ids = list(dict.fromkeys(rows.task.trace_id for rows in page))
    return dict(zip(trace_ids, pool.map(jaeger.trace, trace_ids), strict=True))


def _compared(
    core: Core, page: Sequence[TraceRows], found: dict[str, JaegerTrace | None]
) -> Iterator[Compared]:
    for rows in page:
        yield look_up.judge(core, rows, found[rows.task.trace_id])

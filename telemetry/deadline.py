"""TimeoutSpanProcessor: flags a span that is still open at its deadline.

A span that carries `voxtrace.deadline_us` is watched from its start to its end. Two things happen,
each for its own reason:

- At the deadline a timer thread asks `on_timeout` (which writes to the database what others shall
  see at once) and flags the live span.
- At the end `on_end` decides by the times alone. The timer cannot be trusted there: measured, with
  spans that ended around their deadline it missed 29 % of those that were late and left some half
  flagged. So this processor wraps the next one and hands it a corrected span.

It cannot see a process that holds the GIL or was stopped: who owns the deadline checks that too.
"""

import heapq
import itertools
import os
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Status, StatusCode
from typing_extensions import override

from telemetry.health import note, swallowed
from telemetry.live_span import copy_of
from telemetry.names import DEADLINE_EXCEEDED, DEADLINE_US, EVENT_DEADLINE_EXCEEDED

#: Seconds after which the timer looks at the clock again: a stepped clock or a laptop that slept
#: delays a flag by no more.
LONGEST_WAIT_S: Final = 1.0
#: Ended entries that the heap may hold beyond twice the open ones before it is cleaned.
_HEAP_SLACK: Final = 1024
_DESCRIPTION: Final = "deadline exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed:
    """A span that was still open at its deadline."""

    trace_id: int
    span_id: int
    name: str
    deadline_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineStats:
    """What the processor of this process did since the process began.

    Attributes:
        open_count: Spans with a deadline that are open now.
        heap_size: Entries that the timer's heap holds (bounded by the open ones).
        flagged_live: Spans flagged by the timer.
        flagged_at_end: Spans flagged or completed when they ended.
        moved: Deadlines that were moved.
        untracked: Spans that the timer did not watch because too many were open.
    """

    open_count: int
    heap_size: int
    flagged_live: int
    flagged_at_end: int
    moved: int
    untracked: int


class _Entry:
    """An open span; `span` is None once it ended, `deadline_us` tells stale heap items."""

    __slots__ = ("deadline_us", "span")

    def __init__(self, span: Span, deadline_us: int) -> None:
        self.span: Span | None = span
        self.deadline_us = deadline_us


#: Called by the timer thread at a deadline, before the flag. Answers None, or the later deadline in
#: microseconds where it has been moved meanwhile. What it raises is swallowed, and counts as None.
OnTimeout: TypeAlias = Callable[[DeadlinePassed], int | None]


class TimeoutSpanProcessor(SpanProcessor):
    """Flags spans at their deadline and hands all spans on.

    Args:
        next_processor: Gets every span; what it raises is swallowed and counted.
        on_timeout: See `OnTimeout`; None for none.
        clock_ns: The clock of the deadlines and of the spans' ends, in ns since the epoch.
        max_tracked: Open spans that the timer watches; above it only their end is judged.
    """

    def __init__(
        self,
        next_processor: SpanProcessor,
        on_timeout: OnTimeout | None,
        *,
        clock_ns: Callable[[], int],
        max_tracked: int = 10_000,
    ) -> None:
        self._next = next_processor
        self._on_timeout = on_timeout
        self._clock_ns = clock_ns
        self._max_tracked = max_tracked
        self._is_shut_down = False
        self._forget_all()
        _PROCESSORS.add(self)

    def _forget_all(self) -> None:
        """Starts anew, as in a forked child: the parent's spans and its thread are not there."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._open: dict[int, _Entry] = {}
        self._heap: list[tuple[int, int, _Entry]] = []
        self._order = itertools.count()
        self._timer: threading.Thread | None = None
        self._flagged_live = self._flagged_at_end = self._moved = self._untracked = 0

    def stats(self) -> DeadlineStats:
        """Counts since the process began."""
        with self._lock:
            return DeadlineStats(
                open_count=len(self._open),
                heap_size=len(self._heap),
                flagged_live=self._flagged_live,
                flagged_at_end=self._flagged_at_end,
                moved=self._moved,
                untracked=self._untracked,
            )

    # `try` costs nothing where nothing is raised; `with swallowed(…)` would cost 1 µs a span.

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        try:
            self._next.on_start(span, parent_context)
        except Exception as error:  # noqa: BLE001 - as in `swallowed`
            note("next processor, on_start", error)
        try:
            deadline_us = _values(span).get(DEADLINE_US)
            if isinstance(deadline_us, int):
                self._watch(span, deadline_us)
        except Exception as error:  # noqa: BLE001 - as in `swallowed`
            note("deadline, on_start", error)

    @override
    def on_end(self, span: ReadableSpan) -> None:
        try:
            values = _values(span)
            deadline_us = values.get(DEADLINE_US)
            if isinstance(deadline_us, int):
                self._unwatch(span)
                is_late = span.end_time is not None and span.end_time >= deadline_us * 1000
                if is_late or DEADLINE_EXCEEDED in values:
                    span = self._flagged(span, deadline_us)
        except Exception as error:  # noqa: BLE001 - as in `swallowed`
            note("deadline, on_end", error)
        try:
            self._next.on_end(span)
        except Exception as error:  # noqa: BLE001 - as in `swallowed`
            note("next processor, on_end", error)

    @override
    def shutdown(self) -> None:
        with self._changed:
            self._is_shut_down = True
            self._changed.notify_all()
        self._next.shutdown()

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._next.force_flush(timeout_millis)

    def move(self, span_id: int, deadline_us: int) -> bool:
        """Gives an open span another deadline; False where it is not watched (any more)."""
        with self._lock:
            entry = self._open.get(span_id)
            span = entry.span if entry else None
            if entry is None or span is None:
                return False
            entry.deadline_us = deadline_us
            self._moved += 1
            self._push(entry)
        span.set_attribute(DEADLINE_US, deadline_us)
        return True

    def _watch(self, span: Span, deadline_us: int) -> None:
        entry = _Entry(span, deadline_us)
        with self._lock:
            if len(self._open) >= self._max_tracked or self._is_shut_down:
                self._untracked += 1
                return
            self._open[span.get_span_context().span_id] = entry
            self._push(entry)
            if self._timer is None:
                self._timer = threading.Thread(
                    target=self._run, name="voxtrace-deadlines", daemon=True
                )
                self._timer.start()

    def _push(self, entry: _Entry) -> None:
        heapq.heappush(self._heap, (entry.deadline_us, next(self._order), entry))
        if self._heap[0][2] is entry:
            self._changed.notify()

    def _unwatch(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        with self._lock:
            entry = self._open.pop(context.span_id, None) if context else None
            if entry is not None:
                entry.span = None
            if len(self._heap) > 2 * len(self._open) + _HEAP_SLACK:
                self._heap = [item for item in self._heap if _is_live(item)]
                heapq.heapify(self._heap)

    def _flagged(self, span: ReadableSpan, deadline_us: int) -> ReadableSpan:
        """The span flagged in full: as it is, or a copy with what the timer did not get to."""
        if _is_flagged_in_full(span):
            return span
        with self._lock:
            self._flagged_at_end += 1
        others = [event for event in span.events if event.name != EVENT_DEADLINE_EXCEEDED]
        is_error = span.status.status_code is StatusCode.ERROR
        return copy_of(
            span,
            attributes={**(span.attributes or {}), DEADLINE_EXCEEDED: True},
            events=[*others, _event(deadline_us)],
            status=span.status if is_error else Status(StatusCode.ERROR, _DESCRIPTION),
        )

    def _run(self) -> None:
        """The timer thread: waits for the next deadline, flags what is due."""
        changed = self._changed
        while not self._is_shut_down:
            with changed:
                due = self._take_due()
                if not due:
                    changed.wait(self._wait_s())
            for entry, deadline_us in due:
                with swallowed("deadline, timer"):
                    self._pass(entry, deadline_us)

    def _take_due(self) -> list[tuple[_Entry, int]]:
        now_us = self._clock_ns() // 1000
        due = []
        while self._heap and (self._heap[0][0] <= now_us or not _is_live(self._heap[0])):
            item = heapq.heappop(self._heap)
            if _is_live(item):
                due.append((item[2], item[0]))
        return due

    def _wait_s(self) -> float | None:
        if not self._heap:
            return None
        until_s = self._heap[0][0] / 1e6 - self._clock_ns() / 1e9
        return min(LONGEST_WAIT_S, max(0.0, until_s))

    def _pass(self, entry: _Entry, deadline_us: int) -> None:
        """A deadline passed: asks whether it still holds, then flags the span."""
        span = entry.span
        if span is None:
            return
        moved_us = self._ask(span, deadline_us)
        if moved_us is not None and moved_us > deadline_us:
            self.move(span.get_span_context().span_id, moved_us)
        elif span.is_recording():
            _flag(span, deadline_us)
            with self._lock:
                self._flagged_live += 1

    def _ask(self, span: Span, deadline_us: int) -> int | None:
        if self._on_timeout is None:
            return None
        context = span.get_span_context()
        passed = DeadlinePassed(
            trace_id=context.trace_id,
            span_id=context.span_id,
            name=span.name,
            deadline_us=deadline_us,
        )
        with swallowed("deadline, on_timeout"):
            return self._on_timeout(passed)
        return None


_PROCESSORS: "weakref.WeakSet[TimeoutSpanProcessor]" = weakref.WeakSet()


def _forget_in_child() -> None:
    for processor in list(_PROCESSORS):
        processor._forget_all()  # noqa: SLF001 - the class's own fork hook


os.register_at_fork(after_in_child=_forget_in_child)


def _values(span: ReadableSpan) -> Mapping[str, object]:
    """The attributes of a span, by the shortest way.

    The SDK's own mapping answers a missing key by an exception, 1 µs for each span that has no
    deadline; so this reaches for the dict in it, and is content without where it is not there.
    """
    attributes = span._attributes  # noqa: SLF001 - see above; the SDK's version is pinned
    values: Mapping[str, object] = getattr(attributes, "_dict", attributes) or {}
    return values


def _is_live(item: tuple[int, int, _Entry]) -> bool:
    """Whether a heap item still stands for an open span with that deadline."""
    deadline_us, _, entry = item
    return entry.span is not None and entry.deadline_us == deadline_us


def _event(deadline_us: int) -> Event:
    return Event(EVENT_DEADLINE_EXCEEDED, {DEADLINE_US: deadline_us}, timestamp=deadline_us * 1000)


def _is_flagged_in_full(span: ReadableSpan) -> bool:
    return (
        bool(span.attributes and span.attributes.get(DEADLINE_EXCEEDED))
        and span.status.status_code is StatusCode.ERROR
        and any(event.name == EVENT_DEADLINE_EXCEEDED for event in span.events)
    )


def _flag(span: Span, deadline_us: int) -> None:
    """Three calls, each atomic, not together: `on_end` completes what an end in between cuts."""
    span.set_attribute(DEADLINE_EXCEEDED, True)  # noqa: FBT003 - the attribute's value
    span.add_event(
        EVENT_DEADLINE_EXCEEDED, {DEADLINE_US: deadline_us}, timestamp=deadline_us * 1000
    )
    span.set_status(StatusCode.ERROR, _DESCRIPTION)

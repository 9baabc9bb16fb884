"""TimeoutSpanProcessor: spans that outlive their deadline are flagged, in full, and no others."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import StatusCode
from typing_extensions import override

from telemetry import health
from telemetry.deadline import DeadlinePassed, TimeoutSpanProcessor
from telemetry.names import DEADLINE_EXCEEDED, DEADLINE_US, EVENT_DEADLINE_EXCEEDED
from tests.support.forked import holds_in_child

_SECOND_US = 1_000_000


class _Ended(SpanProcessor):
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    @override
    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


class _Calls:
    """Callback of the processor: notes what passed, answers as told, wakes who waits."""

    def __init__(self, answer: Callable[[DeadlinePassed], int | None] = lambda _: None) -> None:
        self.passed: list[DeadlinePassed] = []
        self.threads: set[str] = set()
        self._answer = answer
        self._changed = threading.Condition()

    def __call__(self, passed: DeadlinePassed) -> int | None:
        with self._changed:
            self.passed.append(passed)
            self.threads.add(threading.current_thread().name)
            self._changed.notify_all()
        return self._answer(passed)

    def wait(self, count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.passed) >= count, 10), self.passed


@dataclass
class _Bench:
    """A processor with everything around it."""

    calls: _Calls = field(default_factory=_Calls)
    clock_ns: Callable[[], int] = time.time_ns
    max_tracked: int = 10_000

    def __post_init__(self) -> None:
        self.ended = _Ended()
        self.processor = TimeoutSpanProcessor(
            self.ended, self.calls, clock_ns=self.clock_ns, max_tracked=self.max_tracked
        )
        provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
        provider.add_span_processor(self.processor)
        self.tracer = provider.get_tracer("test")

    def start(self, deadline_us: int | None, **arguments: Any) -> Span:
        attributes = {} if deadline_us is None else {DEADLINE_US: deadline_us}
        span = self.tracer.start_span("process tts", attributes=attributes, **arguments)
        assert isinstance(span, Span)
        return span

    def now_us(self) -> int:
        return self.clock_ns() // 1000

    def wait_for_flag(self, span: Span) -> None:
        """The timer flags after it asked: waits for its count, which comes last."""
        pause, deadline_s = threading.Event(), time.monotonic() + 10
        while not self.processor.stats().flagged_live and time.monotonic() < deadline_s:
            pause.wait(0.002)
        assert span.attributes is not None


@pytest.fixture
def bench() -> Iterator[_Bench]:
    """A processor on the real clock."""
    made = _Bench()
    yield made
    made.processor.shutdown()


def _is_flagged(span: ReadableSpan, deadline_us: int) -> bool:
    """Whether all three signs are there, once, at the deadline; False where none is."""
    attributes = span.attributes or {}
    events = [event for event in span.events if event.name == EVENT_DEADLINE_EXCEEDED]
    signs = (
        bool(attributes.get(DEADLINE_EXCEEDED)),
        bool(events),
        span.status.status_code is StatusCode.ERROR,
    )
    assert len(set(signs)) == 1, f"half flagged: {signs}"
    if events:
        assert [event.timestamp for event in events] == [deadline_us * 1000]
    return signs[0]


def test_open_span_is_flagged_at_its_deadline_while_it_runs(bench: _Bench) -> None:
    """Attribute, event at the deadline and status ERROR are on the live span; the app is told."""
    deadline_us = bench.now_us() + 20_000
    span = bench.start(deadline_us)
    bench.calls.wait()
    bench.wait_for_flag(span)
    assert span.is_recording()
    assert _is_flagged(span, deadline_us)
    (passed,) = bench.calls.passed
    assert (passed.span_id, passed.deadline_us) == (span.get_span_context().span_id, deadline_us)
    assert bench.calls.threads == {"voxtrace-deadlines"}
    span.end()
    assert _is_flagged(bench.ended.spans[0], deadline_us)


def test_span_that_ends_in_time_is_left_alone(bench: _Bench) -> None:
    """No sign, no callback, and the very same span goes on."""
    deadline_us = bench.now_us() + 60 * _SECOND_US
    bench.start(deadline_us).end()
    bench.start(None).end()
    assert not _is_flagged(bench.ended.spans[0], deadline_us)
    assert bench.calls.passed == []
    assert bench.processor.stats().open_count == 0


def test_end_decides_by_the_times_alone(bench: _Bench) -> None:
    """An end at the deadline is late, one a nanosecond before is not, whatever the timer did."""
    deadline_us = bench.now_us() + 3600 * _SECOND_US
    for end_ns in (deadline_us * 1000 - 1, deadline_us * 1000):
        bench.start(deadline_us).end(end_ns)
    early, late = bench.ended.spans
    assert not _is_flagged(early, deadline_us)
    assert _is_flagged(late, deadline_us)
    assert late.status.description == "deadline exceeded"
    assert bench.processor.stats().flagged_at_end == 1


def test_end_keeps_what_the_span_said(bench: _Bench) -> None:
    """A corrected span has its other attributes, events, error and ids still."""
    deadline_us = bench.now_us() + 3600 * _SECOND_US
    span = bench.start(deadline_us)
    span.set_attribute("voxtrace.attempt", 3)
    span.add_event("thing")
    span.set_status(StatusCode.ERROR, "engine crashed")
    span.end((deadline_us + 1) * 1000)
    (ended,) = bench.ended.spans
    assert _is_flagged(ended, deadline_us)
    assert (ended.attributes or {})["voxtrace.attempt"] == 3
    assert [event.name for event in ended.events] == ["thing", EVENT_DEADLINE_EXCEEDED]
    assert ended.status.description == "engine crashed"
    assert ended.get_span_context() == span.get_span_context()


def test_half_flagged_span_is_completed(bench: _Bench) -> None:
    """Where the end cut the timer's three calls, the other two are made up."""
    deadline_us = bench.now_us() + 3600 * _SECOND_US
    span = bench.start(deadline_us)
    span.set_attribute(DEADLINE_EXCEEDED, True)  # noqa: FBT003 - as the timer does first
    span.end()
    assert _is_flagged(bench.ended.spans[0], deadline_us)


def test_none_is_missed_when_spans_end_around_their_deadline() -> None:
    """Eight threads end spans within a millisecond of the deadline: each is flagged iff late."""
    bench = _Bench()
    per_thread = 250

    def end_spans(number: int) -> None:
        for index in range(per_thread):
            deadline_us = bench.now_us() + 300
            span = bench.start(deadline_us, start_time=time.time_ns())
            around_ns = (index * 7919 + number * 104_729) % 600_000 - 300_000
            until_ns = deadline_us * 1000 + around_ns
            while time.time_ns() < until_ns:
                pass
            span.end()

    threads = [threading.Thread(target=end_spans, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bench.processor.shutdown()
    late = 0
    for span in bench.ended.spans:
        deadline_us = (span.attributes or {})[DEADLINE_US]
        assert isinstance(deadline_us, int)
        assert span.end_time is not None
        is_late = span.end_time >= deadline_us * 1000
        late += is_late
        assert _is_flagged(span, deadline_us) or not is_late
    assert len(bench.ended.spans) == 8 * per_thread
    assert late > 8 * per_thread // 4, "the race was not run"
    assert bench.processor.stats().open_count == 0


def test_deadline_moved_by_the_callback_is_waited_for_again() -> None:
    """A host that slept: the row has a later deadline, so the first one flags nothing."""
    moved_us: list[int] = []

    def answer(passed: DeadlinePassed) -> int | None:
        if moved_us:
            return None
        moved_us.append(passed.deadline_us + 30_000)
        return moved_us[0]

    bench = _Bench(calls=_Calls(answer))
    span = bench.start(bench.now_us() + 5_000)
    bench.calls.wait(2)
    bench.wait_for_flag(span)
    assert _is_flagged(span, moved_us[0])
    assert (span.attributes or {})[DEADLINE_US] == moved_us[0]
    assert bench.processor.stats().moved == 1
    bench.processor.shutdown()


def test_deadline_moved_from_outside_holds_at_the_end(bench: _Bench) -> None:
    """`move` shifts both the timer and the judgement; an ended span cannot be moved."""
    deadline_us = bench.now_us() + 40_000
    span = bench.start(deadline_us)
    span_id = span.get_span_context().span_id
    assert bench.processor.move(span_id, deadline_us + 3600 * _SECOND_US)
    other = bench.start(deadline_us + 1)
    bench.calls.wait()
    assert [passed.span_id for passed in bench.calls.passed] == [other.get_span_context().span_id]
    span.end((deadline_us + 1) * 1000)
    assert not _is_flagged(bench.ended.spans[0], deadline_us)
    assert not bench.processor.move(span_id, deadline_us)
    other.end()


def test_callback_that_raises_still_flags() -> None:
    """A database that is locked at the deadline costs the row's flag for now, not the span's."""

    def fail(_: DeadlinePassed) -> int | None:
        message = "database is locked"
        raise OSError(message)

    before = health.failure_count()
    bench = _Bench(calls=_Calls(fail))
    deadline_us = bench.now_us() + 2_000
    span = bench.start(deadline_us)
    bench.calls.wait()
    bench.wait_for_flag(span)
    assert _is_flagged(span, deadline_us)
    assert health.failure_count() == before + 1
    span.end()
    bench.processor.shutdown()


def test_next_processor_that_raises_does_not_reach_the_application() -> None:
    """Its error is counted; start and end of a span go on as if nothing was."""

    class Broken(SpanProcessor):
        @override
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            raise ValueError

        @override
        def on_end(self, span: ReadableSpan) -> None:
            raise ValueError

    before = health.failure_count()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(TimeoutSpanProcessor(Broken(), None, clock_ns=time.time_ns))
    provider.get_tracer("test").start_span("x").end()
    assert health.failure_count() == before + 2


def test_deadlines_are_met_in_their_order_not_in_that_of_their_start(bench: _Bench) -> None:
    """A later span with an earlier deadline wakes the timer in time."""
    now_us = bench.now_us()
    spans = [bench.start(now_us + ms * 1000) for ms in (60, 30, 90)]
    bench.calls.wait(3)
    order = [passed.deadline_us - now_us for passed in bench.calls.passed]
    assert order == [30_000, 60_000, 90_000]
    for span in spans:
        span.end()


def test_memory_is_bounded_by_what_is_open() -> None:
    """Ended spans leave the heap; above `max_tracked` only the end judges."""
    bench = _Bench(max_tracked=100)
    far_us = bench.now_us() + 3600 * _SECOND_US
    held = [bench.start(far_us) for _ in range(100)]
    for _ in range(5000):
        bench.start(far_us).end()
    for span in held[:50]:
        span.end()
    for _ in range(3000):
        bench.start(far_us).end()
    stats = bench.processor.stats()
    assert stats.open_count == 50
    assert stats.heap_size <= 2 * 100 + 1024
    assert stats.untracked == 5000
    late = [bench.start(far_us) for _ in range(60)]
    late[-1].end(far_us * 1000)
    assert _is_flagged(bench.ended.spans[-1], far_us)
    bench.processor.shutdown()


def test_forked_child_watches_its_own_spans_only(bench: _Bench) -> None:
    """After a fork the parent's deadline passes in the parent, the child's in the child."""
    parent = bench.start(bench.now_us() + 100_000)

    def only_its_own() -> bool:
        bench.calls.passed.clear()
        stats = bench.processor.stats()
        mine = bench.start(bench.now_us() + 150_000)
        bench.calls.wait()
        told = [passed.span_id for passed in bench.calls.passed]
        is_fresh = (stats.open_count, stats.heap_size) == (0, 0)
        return is_fresh and told == [mine.get_span_context().span_id]

    assert holds_in_child(only_its_own)
    bench.calls.wait()
    assert [p.span_id for p in bench.calls.passed] == [parent.get_span_context().span_id]
    parent.end()


def test_fork_while_the_lock_is_held_does_not_hang_the_child(bench: _Bench) -> None:
    """The child gets a lock of its own."""
    far_us = bench.now_us() + 3600 * _SECOND_US
    bench.start(far_us)

    def can_work() -> bool:
        bench.start(far_us).end()
        return len(bench.ended.spans) == 1

    with bench.processor._lock:  # noqa: SLF001 - as the timer's thread would
        assert holds_in_child(can_work, timeout_s=3)


def test_clock_that_jumps_ahead_is_noticed() -> None:
    """A laptop that slept for an hour flags within a second or two of its waking."""
    ahead_ns = [0]
    bench = _Bench(clock_ns=lambda: time.time_ns() + ahead_ns[0])
    span = bench.start(bench.now_us() + 1800 * _SECOND_US)
    bench.start(bench.now_us() + 1000)
    bench.calls.wait()  # the timer now waits for the far one
    ahead_ns[0] = 3600 * 10**9
    bench.calls.wait(2)
    span.end()
    bench.processor.shutdown()

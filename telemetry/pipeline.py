"""The way of an attempt's spans through one worker child: clock, ids, deadline, recorder.

One pipeline lives as long as the process; it runs one attempt at a time.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry.sdk.resources import Resource as SdkResource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NoOpTracer, Tracer
from typing_extensions import override

from telemetry.deadline import DeadlinePassed, OnTimeout, TimeoutSpanProcessor
from telemetry.names import SCOPE
from telemetry.recorder import Recorder
from telemetry.self_metrics import meter_provider
from telemetry.spans import Resource
from telemetry.tracing import new_span_id, new_trace_id
from telemetry.values import MAX_STACKTRACE_BYTES


class DatabaseClock:
    """This process's clock, moved to the database's time by the offset measured at a claim.

    Args:
        clock_ns: Nanoseconds since the epoch on this host.
    """

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self.offset_us = 0

    def now_ns(self) -> int:
        """The database's time, in nanoseconds since the epoch."""
        return self._clock_ns() + self.offset_us * 1000


class AssignedIds(IdGenerator):
    """Random ids, but for the one span whose id its row has had since before it began."""

    def __init__(self) -> None:
        self._assigned = threading.local()

    @contextmanager
    def assign(self, span_id: int) -> Iterator[None]:
        """The next span that this thread starts in the block has this id."""
        self._assigned.span_id = span_id
        try:
            yield
        finally:
            self._assigned.span_id = None

    @override
    def generate_span_id(self) -> int:
        span_id: int | None = getattr(self._assigned, "span_id", None)
        self._assigned.span_id = None
        return span_id or new_span_id()

    @override
    def generate_trace_id(self) -> int:
        return new_trace_id()

    @override
    def is_trace_id_random(self) -> bool:
        return True


def span_limits() -> SpanLimits:
    """Bounds of a span in memory; strings are cut again, in bytes, when they are encoded."""
    return SpanLimits(
        max_attributes=128,
        max_events=256,
        max_links=128,
        max_span_attributes=128,
        max_event_attributes=32,
        max_link_attributes=32,
        max_attribute_length=MAX_STACKTRACE_BYTES,
        max_span_attribute_length=MAX_STACKTRACE_BYTES,
    )


class AttemptPipeline:
    """Live spans → TimeoutSpanProcessor → Recorder. Made in the child, after the fork.

    Args:
        resource: What this process is.
        release: Version of the instrumentation scope.
        clock_ns: Nanoseconds since the epoch on this host.
        own_errors: Classes of exceptions whose messages are known to hold no text.
        enabled: False makes a pipeline that takes every call and keeps nothing.
    """

    def __init__(
        self,
        *,
        resource: Resource,
        release: str,
        clock_ns: Callable[[], int],
        own_errors: tuple[type[BaseException], ...] = (),
        enabled: bool = True,
    ) -> None:
        self.clock: Final = DatabaseClock(clock_ns)
        self.ids: Final = AssignedIds()
        self.recorder: Final = Recorder()
        self.own_errors: Final = own_errors
        self.begin(0, offset_us=0, on_timeout=None)
        self.deadlines: Final = TimeoutSpanProcessor(
            self.recorder, self._pass_on, clock_ns=self.clock.now_ns
        )
        self.tracer: Final = self._tracer(resource, release) if enabled else NoOpTracer()

    def _tracer(self, resource: Resource, release: str) -> Tracer:
        provider = TracerProvider(
            sampler=ALWAYS_ON,  # a caller that does not sample must not hide a task
            resource=SdkResource(resource),
            shutdown_on_exit=False,
            id_generator=self.ids,
            span_limits=span_limits(),
            meter_provider=meter_provider(),
        )
        provider.add_span_processor(self.deadlines)
        return provider.get_tracer(SCOPE, release)

    def begin(self, span_id: int, *, offset_us: int, on_timeout: OnTimeout | None) -> None:
        """Prepares for an attempt; what an earlier one left is forgotten, it is not this one's."""
        self.recorder.discard()
        self.clock.offset_us = offset_us
        self._watched_span_id, self._on_timeout = span_id, on_timeout

    def _pass_on(self, passed: DeadlinePassed) -> int | None:
        """Tells the present attempt of its deadline (a late call may still be another's)."""
        if self._on_timeout is None or passed.span_id != self._watched_span_id:
            return None
        return self._on_timeout(passed)

"""AttemptTracing: the spans of one attempt, in the process that runs it.

    tracing = AttemptTracing(pipeline, identity, offset_us=…, on_timeout=…)
    with tracing.span("segment", attributes={…}) as span:
        span.event("…")
    tracing.end(finished_at_us)
    with tracing.draining() as drained:   # the transaction of the verdict inside
        …

Nothing here raises what telemetry got wrong: that is counted in `telemetry.health`. Texts must not
be passed in: no attribute, event or description is a place for them.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, Status, StatusCode

from telemetry.deadline import OnTimeout
from telemetry.exceptions import describe, error_type, exception_attributes
from telemetry.health import swallowed
from telemetry.live_span import copy_of
from telemetry.names import ERROR_TYPE, EVENT_EXCEPTION, SPAN_ATTEMPT, SpanKind
from telemetry.otel_context import from_otel, to_otel
from telemetry.pipeline import AttemptPipeline
from telemetry.recorder import Drained
from telemetry.recovery import AttemptIdentity, attempt_attributes
from telemetry.spans import SpanLink
from telemetry.tracing import SpanContext
from telemetry.values import Attributes


class ActiveSpan:
    """A span that is open: what a block may say on it."""

    def __init__(self, span: trace.Span, pipeline: AttemptPipeline, start_ns: int) -> None:
        self._span = span
        self._pipeline = pipeline
        self._start_ns = start_ns

    @property
    def context(self) -> SpanContext | None:
        """Its ids, for log lines and rows; None where tracing is off."""
        return from_otel(self._span.get_span_context())

    def set(self, attributes: Attributes) -> None:
        """Adds attributes."""
        with swallowed("span, attributes"):
            self._span.set_attributes(attributes)

    def event(self, name: str, attributes: Attributes | None = None) -> None:
        """Notes that something happened now."""
        with swallowed("span, event"):
            self._span.add_event(name, attributes or {}, self._now_ns())

    def fail(self, error: BaseException) -> None:
        """Notes an exception, and that the span failed by it."""
        with swallowed("span, exception"):
            own_errors = self._pipeline.own_errors
            self._span.add_event(
                EVENT_EXCEPTION, exception_attributes(error, own_errors), self._now_ns()
            )
            self._span.set_attribute(ERROR_TYPE, error_type(error))
            self._span.set_status(StatusCode.ERROR, describe(error, own_errors))

    def _end(self) -> None:
        with swallowed("span, end"):
            self._span.end(self._now_ns())

    def _now_ns(self) -> int:
        """Now in the database's time; no span ends before it began, whatever the clock does."""
        return max(self._start_ns, self._pipeline.clock.now_ns())


class AttemptTracing:
    """The attempt span (open from the claim on) and what happens under it.

    Args:
        pipeline: This process's; what an earlier attempt left in it is forgotten.
        identity: The attempt's row: ids, claim, deadline.
        offset_us: Database time minus this host's time, measured at the claim.
        attributes: What else the attempt span says.
        links: Other spans it has to do with.
        on_timeout: Called in the timer's thread at the deadline (see `deadline.OnTimeout`).
    """

    def __init__(
        self,
        pipeline: AttemptPipeline,
        identity: AttemptIdentity,
        *,
        offset_us: int = 0,
        attributes: Attributes | None = None,
        links: Sequence[SpanLink] = (),
        on_timeout: OnTimeout | None = None,
    ) -> None:
        self._pipeline = pipeline
        self.identity = identity
        self.context: SpanContext = identity.context
        pipeline.begin(identity.span_id, offset_us=offset_us, on_timeout=on_timeout)
        self._span: trace.Span = NonRecordingSpan(to_otel(self.context))
        with swallowed("attempt, start"):
            self._span = self._start(attributes or {}, links)
        self._is_recorded = self._span.is_recording()
        self._active = ActiveSpan(self._span, pipeline, identity.claimed_at_us * 1000)

    def _start(self, attributes: Attributes, links: Sequence[SpanLink]) -> trace.Span:
        with self._pipeline.ids.assign(self.identity.span_id):
            return self._pipeline.tracer.start_span(
                SPAN_ATTEMPT,
                context=_as_parent(self.identity.task),
                kind=trace.SpanKind.CONSUMER,
                attributes={**attributes, **attempt_attributes(self.identity)},
                links=[_otel_link(link) for link in links],
                start_time=self.identity.claimed_at_us * 1000,
            )

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
    ) -> Iterator[ActiveSpan]:
        """A child span around a block, under the innermost open one of this thread.

        An exception that leaves the block is noted on the span and goes on.
        """
        active = self._open(name, kind, attributes or {})
        with _current(active._span):  # noqa: SLF001 - both halves of one object
            try:
                yield active
            except BaseException as error:
                active.fail(error)
                raise
            finally:
                active._end()  # noqa: SLF001

    def _open(self, name: str, kind: SpanKind, attributes: Attributes) -> ActiveSpan:
        start_ns = max(self.identity.claimed_at_us * 1000, self._pipeline.clock.now_ns())
        span: trace.Span = trace.INVALID_SPAN
        with swallowed("span, start"):
            span = self._pipeline.tracer.start_span(
                name,
                context=self._parent_context(),
                kind=trace.SpanKind(kind.value - 1),
                attributes=attributes,
                start_time=start_ns,
            )
        return ActiveSpan(span, self._pipeline, start_ns)

    def _parent_context(self) -> otel_context.Context:
        """The thread's innermost span of this trace, else the attempt span."""
        current = trace.get_current_span().get_span_context()
        if current.trace_id == self.identity.task.trace_id:
            return otel_context.get_current()
        return trace.set_span_in_context(self._span)

    def set(self, attributes: Attributes) -> None:
        """Adds attributes to the attempt span."""
        self._active.set(attributes)

    def event(self, name: str, attributes: Attributes | None = None) -> None:
        """Notes on the attempt span that something happened now."""
        self._active.event(name, attributes)

    def record_exception(self, error: BaseException) -> None:
        """Notes an exception on the attempt span, and that it failed by it."""
        self._active.fail(error)

    def move_deadline(self, deadline_us: int) -> None:
        """Follows the row, whose deadline was moved (a host that slept)."""
        with swallowed("attempt, deadline"):
            self._pipeline.deadlines.move(self.identity.span_id, deadline_us)

    def end(
        self,
        end_us: int,
        *,
        attributes: Attributes | None = None,
        error_type: str | None = None,
        error: str = "",
    ) -> None:
        """Ends the attempt span at the moment that its row says.

        May be called again with another verdict while the span has not been stored: the last one
        holds. `error_type` None means that the attempt did not fail.
        """
        values = dict(attributes or {})
        if error_type is not None:
            values[ERROR_TYPE] = error_type
        with swallowed("attempt, end"):
            if self._is_recorded and not self._span.is_recording():
                self._end_again(end_us, values, error_type, error)
                return
            self._span.set_attributes(values)
            if error_type is not None:
                self._span.set_status(StatusCode.ERROR, error)
            self._span.end(end_us * 1000)

    def _end_again(
        self, end_us: int, values: Attributes, error_type: str | None, error: str
    ) -> None:
        ended = self._pipeline.recorder.remove(self.identity.span_id)
        if ended is None:
            message = "the attempt span was stored before it was ended again"
            raise RuntimeError(message)
        old = {key: value for key, value in (ended.attributes or {}).items() if key != ERROR_TYPE}
        changed = copy_of(
            ended,
            attributes={**old, **values},
            end_time=end_us * 1000,
            status=Status(
                StatusCode.UNSET if error_type is None else StatusCode.ERROR, error or None
            ),
        )
        self._pipeline.deadlines.on_end(changed)

    def drain(self, *, now_us: int | None = None) -> Drained | None:
        """Takes the ended spans, encoded; see `Recorder.drain`."""
        return self._pipeline.recorder.drain(now_us=now_us)

    def take_back(self, drained: Drained | None) -> None:
        """Keeps drained spans for the next drain; see `Recorder.take_back`."""
        self._pipeline.recorder.take_back(drained)

    def draining(self) -> AbstractContextManager[Drained | None]:
        """Drains for a block that stores, takes back where it raises; see `Recorder.draining`."""
        return self._pipeline.recorder.draining()

    def discard(self) -> int:
        """Forgets the spans: the attempt was taken away, and others tell its story."""
        return self._pipeline.recorder.discard()


@contextmanager
def _current(span: trace.Span) -> Iterator[None]:
    """Makes a span this thread's innermost one for a block."""
    token = otel_context.attach(trace.set_span_in_context(span))
    try:
        yield
    finally:
        with swallowed("span, context"):
            otel_context.detach(token)


def _as_parent(task: SpanContext) -> otel_context.Context:
    return trace.set_span_in_context(NonRecordingSpan(to_otel(task)))


def _otel_link(link: SpanLink) -> Link:
    context = SpanContext(
        trace_id=link.trace_id, span_id=link.span_id, trace_state=link.trace_state
    )
    return Link(to_otel(context), link.attributes)

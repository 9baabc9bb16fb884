"""RequestSpans: where the SERVER span of a request goes when it ends.

A request that made or followed a task calls `keep`: its span then goes to the sink (the outbox),
sampled or not, and waits there for a collector that may come later. Any other span goes to the next
processor at best effort. Never both: a span that arrives twice in two shapes is two spans.
"""

import threading
from collections import OrderedDict
from typing import Final, Protocol

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Status, StatusCode
from typing_extensions import override

from telemetry.codec import encode_live
from telemetry.health import swallowed
from telemetry.live_span import copy_of
from telemetry.names import (
    EVENT_EXCEPTION,
    EXCEPTION_TYPE,
    HTTP_METHOD,
    HTTP_ROUTE,
    TASK_COUNT,
    TASK_ID,
    URL_QUERY,
)
from telemetry.values import clean_attributes, clean_name

#: Requests in progress that asked to be kept; more than threads can serve.
_MAX_KEPT: Final = 4096


class RequestSink(Protocol):
    """Stores the encoded SERVER span of a request; what it raises is swallowed and counted."""

    def __call__(
        self, payload: bytes, trace_id: str, task_ids: tuple[int, ...], n_spans: int
    ) -> None:
        """Stores `payload`.

        Args:
            payload: ExportTraceServiceRequest.
            trace_id: Of the request, 32 hex digits.
            task_ids: Tasks that the request made or followed, in their order.
            n_spans: Spans in `payload`.
        """


class KeptRequests:
    """Which spans in progress are to be kept, and for which tasks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._task_ids: OrderedDict[int, tuple[int, ...]] = OrderedDict()

    def keep(self, span_id: int, task_id: int) -> None:
        """Notes a task of a request; the same one twice is one."""
        with self._lock:
            known = self._task_ids.get(span_id, ())
            self._task_ids[span_id] = known if task_id in known else (*known, task_id)
            if len(self._task_ids) > _MAX_KEPT:
                self._task_ids.popitem(last=False)

    def take(self, span_id: int) -> tuple[int, ...]:
        """The tasks of a request that has ended; they are forgotten."""
        with self._lock:
            return self._task_ids.pop(span_id, ())


class RequestSpans(SpanProcessor):
    """Sends kept spans to the sink and the others on; all of them cleaned.

    Args:
        kept: Which to keep.
        sink: Where they go.
        next_processor: Where the others go; None for nowhere.
    """

    def __init__(
        self, kept: KeptRequests, sink: RequestSink, next_processor: SpanProcessor | None
    ) -> None:
        self._kept = kept
        self._sink = sink
        self._next = next_processor

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        with swallowed("request span, start"):
            if self._next is not None:
                self._next.on_start(span, parent_context)

    @override
    def on_end(self, span: ReadableSpan) -> None:
        with swallowed("request span, end"):
            context = span.get_span_context()
            task_ids = self._kept.take(context.span_id) if context else ()
            if task_ids and context:
                payload = encode_live([_cleaned(span, task_ids)])
                self._sink(payload, f"{context.trace_id:032x}", task_ids, 1)
            elif self._next is not None and context and context.trace_flags.sampled:
                self._next.on_end(_cleaned(span, ()))

    @override
    def shutdown(self) -> None:
        if self._next is not None:
            self._next.shutdown()

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._next is None or self._next.force_flush(timeout_millis)


def _cleaned(span: ReadableSpan, task_ids: tuple[int, ...]) -> ReadableSpan:
    """The span without what a caller could put into it: the query, messages of exceptions.

    A request that met no route is named by its method alone: its path may be anything.
    """
    attributes = clean_attributes(span.attributes)
    attributes.pop(URL_QUERY, None)
    if task_ids:
        attributes |= {TASK_ID: str(task_ids[0]), TASK_COUNT: len(task_ids)}
    name = span.name if HTTP_ROUTE in attributes else attributes.get(HTTP_METHOD, span.name)
    return copy_of(
        span,
        name=clean_name(name),
        attributes=attributes,
        events=[_cleaned_event(event) for event in span.events],
        status=_cleaned_status(span),
    )


def _cleaned_event(event: Event) -> Event:
    """The event; of an exception only its type, for its message may quote a text."""
    attributes = clean_attributes(event.attributes)
    if event.name == EVENT_EXCEPTION:
        attributes = {key: attributes[key] for key in (EXCEPTION_TYPE,) if key in attributes}
    return Event(clean_name(event.name), attributes, timestamp=event.timestamp)


def _cleaned_status(span: ReadableSpan) -> Status:
    """The status; the description of an error is the class before its message."""
    if span.status.status_code is not StatusCode.ERROR:
        return Status(StatusCode.UNSET)
    return Status(StatusCode.ERROR, (span.status.description or "").partition(":")[0] or None)

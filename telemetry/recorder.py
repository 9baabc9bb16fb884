"""Recorder: keeps ended spans of this process until a transaction has stored them.

    with recorder.draining() as drained:      # a checkpoint's transaction inside
        if drained: outbox.add(conn, payload=drained.payload, n_spans=drained.n_spans, …)

Where the block raises, the spans are taken back and leave with the next drain. A commit whose
outcome is unknown may so store spans twice: the bytes are the same, and a backend shows them once.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from typing_extensions import override

from telemetry.codec import encode_live
from telemetry.health import note, swallowed
from telemetry.live_span import ended_by

#: Ended spans kept at most; above it the oldest go, so that an attempt's own span is never lost.
MAX_SPANS: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """Encoded spans that left the recorder; `take_back` needs the spans themselves."""

    payload: bytes
    n_spans: int
    spans: tuple[ReadableSpan, ...] = field(repr=False)


class Recorder(SpanProcessor):
    """Collects ended spans, oldest first, `max_spans` at most.

    Attributes:
        dropped_count: Spans that had no room.
    """

    def __init__(self, *, max_spans: int = MAX_SPANS) -> None:
        self._lock = threading.Lock()
        self._spans: deque[ReadableSpan] = deque(maxlen=max_spans)
        self._max_spans = max_spans
        self.dropped_count = 0

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Spans are kept from their end on."""

    @override
    def on_end(self, span: ReadableSpan) -> None:
        with self._lock:
            is_full = len(self._spans) == self._max_spans
            self.dropped_count += is_full
            self._spans.append(span)
        if is_full:
            note("recorder, full", BufferError())

    def drain(self, *, now_us: int | None = None) -> Drained | None:
        """Takes what is there, encoded; None where nothing is. Give it back if storing it fails.

        Args:
            now_us: The present moment by the clock that rows tell: no span tells of a later one.
        """
        with self._lock:
            spans = tuple(self._spans)
            self._spans.clear()
        if not spans:
            return None
        with swallowed("recorder, encode"):
            if now_us is not None:
                spans = tuple(ended_by(span, now_us) for span in spans)
            return Drained(payload=encode_live(spans), n_spans=len(spans), spans=spans)
        return self._drained_one_by_one(spans)

    def _drained_one_by_one(self, spans: Sequence[ReadableSpan]) -> Drained | None:
        """What can be encoded of spans that cannot be encoded together; the rest is dropped."""
        good: list[tuple[bytes, ReadableSpan]] = []
        for span in spans:
            with swallowed("recorder, encode"):
                good.append((encode_live([span]), span))
        self.dropped_count += len(spans) - len(good)
        if not good:
            return None
        payload = b"".join(part for part, _ in good)
        return Drained(payload=payload, n_spans=len(good), spans=tuple(span for _, span in good))

    def take_back(self, drained: Drained | None) -> None:
        """Keeps drained spans again, before those that ended since."""
        if drained is None:
            return
        with self._lock:
            spans = [*drained.spans, *self._spans]
            lost = max(0, len(spans) - self._max_spans)
            self.dropped_count += lost
            self._spans = deque(spans, maxlen=self._max_spans)
        if lost:
            note("recorder, full", BufferError())

    @contextmanager
    def draining(self) -> Iterator[Drained | None]:
        """Drains for a block that stores; takes back where the block raises."""
        drained = self.drain()
        try:
            yield drained
        except BaseException:
            self.take_back(drained)
            raise

    def remove(self, span_id: int) -> ReadableSpan | None:
        """Takes one span out, to be replaced; None where it is not (or no more) here."""
        with self._lock:
            for span in self._spans:
                context = span.get_span_context()
                if context is not None and context.span_id == span_id:
                    self._spans.remove(span)
                    return span
        return None

    def discard(self) -> int:
        """Forgets everything (someone else tells this attempt's story); returns how many spans."""
        with self._lock:
            count = len(self._spans)
            self._spans.clear()
        return count

"""A receiver of OTLP, over either transport: what has come, and how the next requests fare."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, Self, TypeVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.support.otlp_spans import ReceivedSpan

AnswerT = TypeVar("AnswerT")
RequestT = TypeVar("RequestT")


class Receiver(Generic[AnswerT, RequestT]):
    """A receiver; starts in `with` or by `start`. What it accepted stays over `stop` and `start`.

    Args:
        port: Of 127.0.0.1.
        certificate: Files of a certificate for `localhost` and of its key: speaks TLS with it.
        accepted: Answers what nothing else is said about.
        unreadable: Answers what is no request.
    """

    def __init__(
        self,
        port: int,
        certificate: tuple[Path, Path] | None,
        *,
        accepted: AnswerT,
        unreadable: AnswerT,
    ) -> None:
        self._port = port
        self._certificate = certificate
        self._accepted = accepted
        self._unreadable = unreadable
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._script: deque[AnswerT] = deque()
        self._rule: Callable[[Sequence[ReceivedSpan]], AnswerT | None] = lambda _spans: None
        self._spans: list[ReceivedSpan] = []
        self._requests: list[RequestT] = []

    @property
    def endpoint(self) -> str:
        """Value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        if self._certificate is not None:
            return f"https://localhost:{self._port}"
        return f"http://127.0.0.1:{self._port}"

    @property
    def spans(self) -> list[ReceivedSpan]:
        """What was accepted, in the order of its coming (what came twice is here twice)."""
        with self._changed:
            return list(self._spans)

    @property
    def requests(self) -> list[RequestT]:
        """Every request with spans that came, accepted or not."""
        with self._changed:
            return list(self._requests)

    def distinct(self) -> dict[tuple[str, str], ReceivedSpan]:
        """The last accepted span of each (trace_id, span_id)."""
        return {(span.trace_id, span.span_id): span for span in self.spans}

    def script(self, *answers: AnswerT) -> None:
        """Sets how the next requests fare, one answer each; after them, all are accepted."""
        with self._changed:
            self._script.extend(answers)

    def rule(self, rule: Callable[[Sequence[ReceivedSpan]], AnswerT | None]) -> None:
        """Sets how a request fares by the spans in it; None accepts. A script goes first."""
        with self._changed:
            self._rule = rule

    def clear(self) -> None:
        """Forgets what came, the script and the rule."""
        with self._changed:
            self._spans.clear()
            self._requests.clear()
            self._script.clear()
            self._rule = lambda _spans: None

    def wait_for(
        self, predicate: Callable[[Self], bool], timeout_s: float = 10.0
    ) -> list[ReceivedSpan]:
        """The spans, once `predicate` holds; it is asked after every request.

        Raises:
            AssertionError: It did not hold in time; the message says what had come.
        """
        with self._changed:
            holds = self._changed.wait_for(lambda: predicate(self), timeout_s)
        spans = self.spans
        names = [span.name for span in spans[-20:]]
        assert holds, (
            f"after {timeout_s} s: {len(spans)} spans in {len(self.requests)} requests, {names}"
        )
        return spans

    def start(self) -> Self:
        """Begins to listen, on the port of before if it ran before."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stops listening and ends every connection, as a killed collector does."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _decide(self, spans: Sequence[ReceivedSpan] | None) -> AnswerT:
        """How a request with these spans fares; None: it could not be read."""
        if self._script:
            return self._script.popleft()
        if spans is None:
            return self._unreadable
        return self._rule(spans) or self._accepted


def acceptance(rejected_spans: int, message: str) -> bytes:
    """The body of an answer that accepts: a partial success where one of them says something."""
    response = ExportTraceServiceResponse()
    if rejected_spans or message:
        response.partial_success.rejected_spans = rejected_spans
        response.partial_success.error_message = message
    body: bytes = response.SerializeToString()
    return body

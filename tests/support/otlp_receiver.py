"""A real OTLP/HTTP receiver on 127.0.0.1: keeps spans and log records, and fails on command.

    with OtlpReceiver() as receiver:
        receiver.script(Answer(status=503, retry_after="1"), Answer(drop=True))
        …  # the first two requests fare so, later ones are accepted
        spans = receiver.wait_for(lambda r: len(r.spans) >= 3, timeout_s=5)

Metrics are kept apart (`metrics`): no script or rule is asked about them.

It decodes with the classes of the OTLP package alone, not with the codec under test. What it
accepted stays over `stop` and `start`, which take the same port again.
"""

import gzip
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2
from typing_extensions import override

from tests.support.otlp_logs import ReceivedLog, logs_of

_PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """A span as it came; ids in hex, `parent_span_id` "" for a root, `status` 0, 1 or 2 (error)."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]
    events: Sequence[tuple[str, int, Mapping[str, Any]]]
    links: Sequence[tuple[str, str]]
    status: int
    status_message: str
    resource: Mapping[str, Any]
    scope: tuple[str, str]
    #: The span's own bytes: what a backend compares when a span comes twice.
    wire: bytes = field(repr=False)

    @property
    def service(self) -> str:
        """Its `service.name`."""
        return str(self.resource.get("service.name", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the receiver treats one request.

    Attributes:
        status: HTTP status; only 2xx keeps the spans.
        retry_after: Value of the Retry-After header.
        location: Value of the Location header.
        rejected_spans: Of a partial success.
        message: Error text, or the message of a partial success.
        delay_s: Before it answers.
        drop: Reads the request and closes the connection without an answer.
        keep: Keeps the spans although it answers with an error or drops (an answer that was lost).
    """

    status: int = 200
    retry_after: str | None = None
    location: str | None = None
    rejected_spans: int = 0
    message: str = ""
    delay_s: float = 0.0
    drop: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body_bytes: int
    spans: tuple[ReceivedSpan, ...]
    status: int
    connection: tuple[str, int]


class OtlpReceiver:
    """The receiver; starts in `with` or by `start`.

    Args:
        port: 0 takes a free one, and keeps it from then on.
        certificate: Files of a certificate for `localhost` and of its key: speaks TLS with it.
        keeps_connections: False: it closes each connection after its answer, and says so.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        certificate: tuple[Path, Path] | None = None,
        keeps_connections: bool = True,
    ) -> None:
        self._port = port
        self.keeps_connections = keeps_connections
        self._certificate = certificate
        self._changed = threading.Condition()
        self._script: deque[Answer] = deque()
        self._rule: Callable[[Sequence[ReceivedSpan]], Answer | None] = lambda _spans: None
        self._spans: list[ReceivedSpan] = []
        self._logs: list[ReceivedLog] = []
        self._requests: list[ReceivedRequest] = []
        self._metrics: list[ExportMetricsServiceRequest] = []
        #: How every request with metrics fares.
        self.metrics_answer = Answer()
        self._server: _Server | None = None
        self._stopping = threading.Event()

    @property
    def endpoint(self) -> str:
        """Value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        if self._certificate is not None:
            return f"https://localhost:{self._port}"
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Full address for traces."""
        return f"{self.endpoint}/v1/traces"

    @property
    def spans(self) -> list[ReceivedSpan]:
        """What was accepted, in the order of its coming (what came twice is here twice)."""
        with self._changed:
            return list(self._spans)

    @property
    def logs(self) -> list[ReceivedLog]:
        """Log records that were accepted, in the order of their coming."""
        with self._changed:
            return list(self._logs)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Every request with spans that came, accepted or not."""
        with self._changed:
            return list(self._requests)

    @property
    def metrics(self) -> list[ExportMetricsServiceRequest]:
        """The requests with metrics, accepted or not, in the order of their coming."""
        with self._changed:
            return list(self._metrics)

    def distinct(self) -> dict[tuple[str, str], ReceivedSpan]:
        """The last accepted span of each (trace_id, span_id)."""
        return {(span.trace_id, span.span_id): span for span in self.spans}

    def script(self, *answers: Answer) -> None:
        """Sets how the next requests fare, one answer each; after them, all are accepted."""
        with self._changed:
            self._script.extend(answers)

    def rule(self, rule: Callable[[Sequence[ReceivedSpan]], Answer | None]) -> None:
        """Sets how a request fares by the spans in it; None accepts. A script goes first."""
        with self._changed:
            self._rule = rule

    def clear(self) -> None:
        """Forgets what came, the script and the rule."""
        with self._changed:
            self._spans.clear()
            self._logs.clear()
            self._requests.clear()
            self._script.clear()
            self._rule = lambda _spans: None

    def wait_for(
        self, predicate: Callable[["OtlpReceiver"], bool], timeout_s: float = 10.0
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
        self._stopping.clear()
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_port
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Stops listening and closes every connection, as a killed collector does."""
        server, self._server = self._server, None
        if server is not None:
            self._stopping.set()
            server.shutdown()
            server.server_close()
            server.close_connections()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _take(
        self, path: str, headers: Mapping[str, str], body: bytes, connection: tuple[str, int]
    ) -> Answer:
        """Decides a request, and keeps its spans where it is accepted."""
        if path.endswith("/v1/metrics"):
            return self._take_metrics(headers, body)
        try:
            raw = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
            logs = _logs(raw) if path.endswith("/v1/logs") else ()
            spans = (
                ()
                if path.endswith("/v1/logs")
                else tuple(spans_of(ExportTraceServiceRequest.FromString(raw)))
            )
        except (DecodeError, OSError, EOFError):
            spans, logs = None, ()
        with self._changed:
            answer = self._decide(spans)
            if spans is not None and (200 <= answer.status < 300 or answer.keep):
                self._spans.extend(spans)
                self._logs.extend(logs)
            self._requests.append(
                ReceivedRequest(
                    path=path,
                    headers=headers,
                    body_bytes=len(body),
                    spans=spans or (),
                    status=answer.status,
                    connection=connection,
                )
            )
            self._changed.notify_all()
        if answer.delay_s:
            self._stopping.wait(answer.delay_s)
        return answer

    def _take_metrics(self, headers: Mapping[str, str], body: bytes) -> Answer:
        raw = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        with self._changed:
            self._metrics.append(ExportMetricsServiceRequest.FromString(raw))
            self._changed.notify_all()
            return self.metrics_answer

    def _decide(self, spans: Sequence[ReceivedSpan] | None) -> Answer:
        if self._script:
            return self._script.popleft()
        if spans is None:
            return Answer(status=400, message="the body is no ExportTraceServiceRequest")
        return self._rule(spans) or Answer()


class _Server(ThreadingHTTPServer):
    """Keeps its connections, to be able to close them."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], receiver: OtlpReceiver) -> None:
        self.receiver = receiver
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or a connection that `stop` closed."""

    def close_connections(self) -> None:
        for connection in list(self._connections):
            _reset(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: else each answer waits for a delayed ACK

    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {key.lower(): value for key, value in self.headers.items()}
        answer = self.server.receiver._take(self.path, headers, body, self.client_address)  # noqa: SLF001 - two halves of one thing
        if answer.drop:
            self.close_connection = True
            _reset(self.connection)
            return
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        assert isinstance(self.server, _Server)
        content, kind = answer.message.encode(), "text/plain"
        if 200 <= answer.status < 300:
            response = ExportTraceServiceResponse()
            if answer.rejected_spans or answer.message:
                response.partial_success.rejected_spans = answer.rejected_spans
                response.partial_success.error_message = answer.message
            content, kind = response.SerializeToString(), _PROTOBUF
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if answer.retry_after is not None:
            self.send_header("Retry-After", answer.retry_after)
        if not self.server.receiver.keeps_connections:
            self.send_header("Connection", "close")
        if answer.location is not None:
            self.send_header("Location", answer.location)
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Keeps the output of tests clean."""


def _logs(raw: bytes) -> tuple[ReceivedLog, ...]:
    return tuple(logs_of(ExportLogsServiceRequest.FromString(raw)))


def _reset(connection: socket.socket) -> None:
    """Closes a connection at once, so that the other side sees a reset."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def spans_of(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    """The spans of a request, in their order."""
    for resource_spans in request.resource_spans:
        resource = _plain(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = (scope_spans.scope.name, scope_spans.scope.version)
            for span in scope_spans.spans:
                yield _span(span, resource, scope)


def _span(
    span: trace_pb2.Span, resource: Mapping[str, Any], scope: tuple[str, str]
) -> ReceivedSpan:
    return ReceivedSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=_plain(span.attributes),
        events=[
            (event.name, event.time_unix_nano, _plain(event.attributes)) for event in span.events
        ],
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        status=span.status.code,
        status_message=span.status.message,
        resource=resource,
        scope=scope,
        wire=span.SerializeToString(),
    )


def _plain(attributes: Any) -> dict[str, Any]:
    return {_key(attribute): _value(attribute.value) for attribute in attributes}


def _key(attribute: KeyValue) -> str:
    return attribute.key


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None

"""A real OTLP/HTTP receiver on 127.0.0.1: keeps spans and log records, and fails on command.

    with OtlpReceiver() as receiver:
        receiver.script(Answer(status=503, retry_after="1"), Answer(drop=True))
        …  # the first two requests fare so, later ones are accepted
        spans = receiver.wait_for(lambda r: len(r.spans) >= 3, timeout_s=5)

Metrics are kept apart (`metrics`): no script or rule is asked about them.

It decodes with the classes of the OTLP package alone, not with the codec under test.
"""

import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typing_extensions import override

from tests.support.otlp_logs import ReceivedLog, logs_of
from tests.support.otlp_spans import ReceivedSpan, spans_of
from tests.support.receiver import Receiver, acceptance

_PROTOBUF = "application/x-protobuf"


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


class OtlpReceiver(Receiver[Answer, ReceivedRequest]):
    """The receiver.

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
        unreadable = Answer(status=400, message="the body is no ExportTraceServiceRequest")
        super().__init__(port, certificate, accepted=Answer(), unreadable=unreadable)
        self.keeps_connections = keeps_connections
        self._logs: list[ReceivedLog] = []
        self._metrics: list[ExportMetricsServiceRequest] = []
        #: How every request with metrics fares.
        self.metrics_answer = Answer()
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Full address for traces."""
        return f"{self.endpoint}/v1/traces"

    @property
    def logs(self) -> list[ReceivedLog]:
        """Log records that were accepted, in the order of their coming."""
        with self._changed:
            return list(self._logs)

    @property
    def metrics(self) -> list[ExportMetricsServiceRequest]:
        """The requests with metrics, accepted or not, in the order of their coming."""
        with self._changed:
            return list(self._metrics)

    @override
    def clear(self) -> None:
        with self._changed:
            super().clear()
            self._logs.clear()
            self._metrics.clear()

    @override
    def start(self) -> Self:
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

    @override
    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            self._stopping.set()
            server.shutdown()
            server.server_close()
            server.close_connections()

    def _take(
        self, path: str, headers: Mapping[str, str], body: bytes, connection: tuple[str, int]
    ) -> Answer:
        """Decides a request, and keeps its spans where it is accepted."""
        if path.endswith("/v1/metrics"):
            return self._take_metrics(headers, body)
        is_logs = path.endswith("/v1/logs")
        try:
            raw = _raw(headers, body)
            logs = tuple(logs_of(ExportLogsServiceRequest.FromString(raw))) if is_logs else ()
            spans = () if is_logs else tuple(spans_of(ExportTraceServiceRequest.FromString(raw)))
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
        request = ExportMetricsServiceRequest.FromString(_raw(headers, body))
        with self._changed:
            self._metrics.append(request)
            self._changed.notify_all()
            return self.metrics_answer


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
            content, kind = acceptance(answer.rejected_spans, answer.message), _PROTOBUF
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


def _raw(headers: Mapping[str, str], body: bytes) -> bytes:
    return gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body


def _reset(connection: socket.socket) -> None:
    """Closes a connection at once, so that the other side sees a reset."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass

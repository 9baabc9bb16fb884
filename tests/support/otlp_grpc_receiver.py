"""A real OTLP/gRPC receiver on 127.0.0.1: keeps the spans it is sent, and fails on command.

    with GrpcReceiver() as receiver:
        receiver.script(GrpcAnswer(code=grpc.StatusCode.UNAVAILABLE, retry_delay_s=1))
        …  # the first request fares so, later ones are accepted

What it accepted stays over `stop` and `start`, which take the same port again. As a program
(`python -m tests.support.otlp_grpc_receiver PORT`) it accepts everything until it is killed.
"""

import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.home import free_port
from tests.support.otlp_receiver import ReceivedSpan, spans_of

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcAnswer:
    """How the receiver treats one request.

    Attributes:
        code: OK keeps the spans.
        details: Text of the status.
        retry_delay_s: Delay of a RetryInfo; None: none is sent.
        rejected_spans: Of a partial success.
        message: Of a partial success.
        delay_s: Before it answers.
    """

    code: grpc.StatusCode = grpc.StatusCode.OK
    details: str = ""
    retry_delay_s: float | None = None
    rejected_spans: int = 0
    message: str = ""
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcRequest:
    """One request as it came; `peer` names the connection, `body_bytes` are uncompressed."""

    metadata: Mapping[str, str | bytes]
    body_bytes: int
    spans: tuple[ReceivedSpan, ...]
    peer: str
    time_left_s: float | None


class GrpcReceiver:
    """The receiver; starts in `with` or by `start`.

    Args:
        certificate: Files of a certificate for `localhost` and of its key: speaks TLS with it.
        client_certificate: File of the certificate that a client must have.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        certificate: tuple[Path, Path] | None = None,
        client_certificate: Path | None = None,
    ) -> None:
        self._port = port or free_port()
        self._certificate = certificate
        self._client_certificate = client_certificate
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._script: deque[GrpcAnswer] = deque()
        self._rule: Callable[[Sequence[ReceivedSpan]], GrpcAnswer | None] = lambda _spans: None
        self._spans: list[ReceivedSpan] = []
        self._requests: list[GrpcRequest] = []
        self._server: grpc.Server | None = None

    @property
    def endpoint(self) -> str:
        """Value for OTEL_EXPORTER_OTLP_ENDPOINT with grpc."""
        if self._certificate is not None:
            return f"https://localhost:{self._port}"
        return f"http://127.0.0.1:{self._port}"

    @property
    def spans(self) -> list[ReceivedSpan]:
        """What was accepted, in the order of its coming."""
        with self._lock:
            return list(self._spans)

    @property
    def requests(self) -> list[GrpcRequest]:
        """Every request that came and could be read."""
        with self._lock:
            return list(self._requests)

    def script(self, *answers: GrpcAnswer) -> None:
        """Sets how the next requests fare, one answer each; after them, all are accepted."""
        with self._lock:
            self._script.extend(answers)

    def rule(self, rule: Callable[[Sequence[ReceivedSpan]], GrpcAnswer | None]) -> None:
        """Sets how a request fares by the spans in it; None accepts. A script goes first."""
        with self._lock:
            self._rule = rule

    def clear(self) -> None:
        """Forgets what came, the script and the rule."""
        with self._lock:
            self._spans.clear()
            self._requests.clear()
            self._script.clear()
            self._rule = lambda _spans: None

    def start(self) -> Self:
        """Begins to listen, on the port of before if it ran before."""
        self._stopping.clear()
        server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        handler = grpc.unary_unary_rpc_method_handler(self._export)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {"Export": handler}),)
        )
        address = f"127.0.0.1:{self._port}"
        if self._certificate is None:
            server.add_insecure_port(address)
        else:
            server.add_secure_port(address, self._credentials(self._certificate))
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Stops listening and ends every connection."""
        server, self._server = self._server, None
        if server is not None:
            self._stopping.set()
            server.stop(None).wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _credentials(self, certificate: tuple[Path, Path]) -> grpc.ServerCredentials:
        pair = (certificate[1].read_bytes(), certificate[0].read_bytes())
        client = self._client_certificate
        return grpc.ssl_server_credentials(
            [pair],
            root_certificates=client.read_bytes() if client else None,
            require_client_auth=client is not None,
        )

    def _export(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            spans = tuple(spans_of(ExportTraceServiceRequest.FromString(body)))
        except DecodeError:
            spans = None
        with self._lock:
            answer = self._decide(spans)
            if spans is not None and answer.code is grpc.StatusCode.OK:
                self._spans.extend(spans)
            self._requests.append(
                GrpcRequest(
                    metadata=dict(context.invocation_metadata()),
                    body_bytes=len(body),
                    spans=spans or (),
                    peer=context.peer(),
                    time_left_s=context.time_remaining(),
                )
            )
        if answer.delay_s:
            self._stopping.wait(answer.delay_s)
        if answer.code is not grpc.StatusCode.OK:
            _fail(context, answer)
        response = ExportTraceServiceResponse()
        if answer.rejected_spans or answer.message:
            response.partial_success.rejected_spans = answer.rejected_spans
            response.partial_success.error_message = answer.message
        content: bytes = response.SerializeToString()
        return content

    def _decide(self, spans: Sequence[ReceivedSpan] | None) -> GrpcAnswer:
        if self._script:
            return self._script.popleft()
        if spans is None:
            return GrpcAnswer(code=grpc.StatusCode.INVALID_ARGUMENT, details="no trace request")
        return self._rule(spans) or GrpcAnswer()


def _fail(context: Any, answer: GrpcAnswer) -> NoReturn:
    if answer.retry_delay_s is not None:
        detail = AnyMessage()
        delay = Duration()
        delay.FromNanoseconds(round(answer.retry_delay_s * 1e9))
        detail.Pack(RetryInfo(retry_delay=delay))
        status = Status(code=answer.code.value[0], message=answer.details, details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(answer.code, answer.details)
    raise AssertionError  # abort raises


def main() -> None:
    """Accepts everything on a port until it is killed."""
    GrpcReceiver(int(sys.argv[1])).start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()

"""A real OTLP/gRPC receiver on 127.0.0.1: keeps the spans it is sent, and fails on command.

    with GrpcReceiver() as receiver:
        receiver.script(GrpcAnswer(code=grpc.StatusCode.UNAVAILABLE, retry_delay_s=1))
        …  # the first request fares so, later ones are accepted

What it accepted stays over `stop` and `start`, which take the same port again. As a program
(`python -m tests.support.otlp_grpc_receiver PORT`) it accepts everything until it is killed.
"""

import signal
import sys
from collections.abc import Mapping
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
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typing_extensions import override

from tests.support.home import free_port
from tests.support.otlp_spans import ReceivedSpan, spans_of
from tests.support.receiver import Receiver, acceptance

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


class GrpcReceiver(Receiver[GrpcAnswer, GrpcRequest]):
    """The receiver.

    Args:
        port: 0 takes a free one, and keeps it from then on.
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
        super().__init__(
            port or free_port(),
            certificate,
            accepted=GrpcAnswer(),
            unreadable=GrpcAnswer(
                code=grpc.StatusCode.INVALID_ARGUMENT, details="no trace request"
            ),
        )
        self._client_certificate = client_certificate
        self._server: grpc.Server | None = None

    @override
    def start(self) -> Self:
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

    @override
    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            self._stopping.set()
            server.stop(None).wait()

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
        with self._changed:
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
            self._changed.notify_all()
        if answer.delay_s:
            self._stopping.wait(answer.delay_s)
        if answer.code is not grpc.StatusCode.OK:
            _fail(context, answer)
        return acceptance(answer.rejected_spans, answer.message)


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

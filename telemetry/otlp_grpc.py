"""One OTLP/gRPC request: the same bytes out, and what the status means for them.

Source: OTLP specification, "OTLP/gRPC Response" (which codes may be tried again, RetryInfo), and
the texts of gRPC's own libraries. Imported only where it is chosen: grpcio is an extra, and its
threads do not live through a fork.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from typing_extensions import override

from telemetry.export import ExportSettings
from telemetry.otlp import Answer, Client, Verdict, partial_success, shown

_METHOD: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_Code: Final = grpc.StatusCode
_VERDICTS: Final[Mapping[grpc.StatusCode, Verdict]] = {
    _Code.CANCELLED: Verdict.BUSY,
    _Code.DEADLINE_EXCEEDED: Verdict.BUSY,
    _Code.ABORTED: Verdict.BUSY,
    _Code.OUT_OF_RANGE: Verdict.BUSY,
    _Code.UNAVAILABLE: Verdict.BUSY,
    _Code.DATA_LOSS: Verdict.BUSY,
    _Code.INVALID_ARGUMENT: Verdict.REFUSED,
    _Code.INTERNAL: Verdict.SERVER_ERROR,
    _Code.UNKNOWN: Verdict.SERVER_ERROR,
}
#: Of RESOURCE_EXHAUSTED: the request is above a limit of its size; the collector is not at its end.
_TOO_LARGE: Final = re.compile(r"larger than max|exceeds? max|too large", re.IGNORECASE)
#: Of UNAVAILABLE: nobody sent it (or a proxy), the connection broke or could not be made.
_CUT_OFF: Final = re.compile(
    r"failed to connect|socket closed|connection (reset|refused)|broken pipe|recvmsg|sendmsg"
    r"|goaway|upstream connect error",
    re.IGNORECASE,
)
#: Of UNAVAILABLE: waiting cannot help, another thing listens there or its certificate is not ours.
_MISCONFIGURED: Final = re.compile(r"CERTIFICATE_VERIFY_FAILED|Failed parsing HTTP/2|http1\.x")
_OPTIONS: Final = (
    # a new channel makes a new connection: gRPC's own waits between tries grow to two minutes
    ("grpc.use_local_subchannel_pool", 1),
    # a quiet connection is not closed by us: its end is what tells that a collector went away
    ("grpc.client_idle_timeout_ms", 2**31 - 1),
)


class OtlpGrpcClient(Client):
    """A channel to a collector, kept open between requests, for a process that never forks."""

    def __init__(self, settings: ExportSettings) -> None:
        self._settings = settings
        self._metadata = tuple(settings.headers.items())
        self._channel: grpc.Channel | None = None
        self._number = 0
        #: Whether the present connection has carried an acceptance.
        self._is_used = False

    @override
    def send(self, payload: bytes, *, now_us: int) -> Answer:
        self._note_end()
        try:
            call = self._open().unary_unary(_METHOD)
            content = call(payload, timeout=self._settings.timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            answer = self._refusal(error, bytes_sent=len(payload))
            if not answer.has_come:
                self.close()
            return answer
        except (OSError, ValueError) as error:  # a file for TLS that is gone, an impossible header
            words = f"gRPC cannot be used: {type(error).__name__}"
            return Answer(verdict=Verdict.CONFIGURATION, words=words, has_come=False)
        if not self._is_used:
            self._number += 1
            self._is_used = True
        return self._acceptance(content, bytes_sent=len(payload))

    @override
    def connection(self) -> int | None:
        self._note_end()
        return self._number if self._is_used else None

    @override
    def close(self) -> None:
        channel, self._channel = self._channel, None
        self._is_used = False
        if channel is not None:
            channel.close()

    def _open(self) -> grpc.Channel:
        """The channel; it connects with its first call."""
        if self._channel is None:
            self._channel = _channel(self._settings)
        return self._channel

    def _note_end(self) -> None:
        """A channel whose connection has ended is idle until its next call."""
        if self._channel is not None and self._is_used:
            self._is_used = _is_ready(self._channel)

    def _acceptance(self, content: bytes, *, bytes_sent: int) -> Answer:
        rejected, said = partial_success(content)
        return Answer(
            verdict=Verdict.ACCEPTED,
            words=shown(f"OK: {said}".rstrip(": "), self._settings),
            is_partial=bool(rejected or said),
            rejected_spans=rejected,
            bytes_sent=bytes_sent,
        )

    def _refusal(self, error: grpc.RpcError, *, bytes_sent: int) -> Answer:
        code, details = error.code(), error.details() or ""
        retry_after_s = _retry_after_s(error)
        verdict = _verdict(code, details, asks=retry_after_s is not None)
        is_cut_off = code is _Code.UNAVAILABLE and bool(_CUT_OFF.search(details))
        return Answer(
            verdict=verdict,
            words=shown(f"{code.name}: {details}", self._settings),
            retry_after_s=retry_after_s,
            is_too_large=code is _Code.RESOURCE_EXHAUSTED and verdict is Verdict.REFUSED,
            has_come=not is_cut_off and code is not _Code.DEADLINE_EXCEEDED,
            is_cut_off=is_cut_off,
            bytes_sent=bytes_sent,
        )


def _verdict(code: grpc.StatusCode, details: str, *, asks: bool) -> Verdict:
    """What a status says about the spans that were sent.

    Args:
        code: The status.
        details: Its text, where the code alone does not decide.
        asks: Whether it came with a RetryInfo.
    """
    if code is _Code.RESOURCE_EXHAUSTED:
        if _TOO_LARGE.search(details):
            return Verdict.REFUSED
        return Verdict.BUSY if asks else Verdict.CONFIGURATION
    if code is _Code.UNAVAILABLE and _MISCONFIGURED.search(details):
        return Verdict.CONFIGURATION
    return _VERDICTS.get(code, Verdict.CONFIGURATION)


def _retry_after_s(error: grpc.RpcError) -> float | None:
    """Seconds of the status' RetryInfo; None where it has none."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return _retry_info_s(value)
    return None


def _retry_info_s(content: bytes) -> float | None:
    info = RetryInfo()
    try:
        for detail in Status.FromString(content).details:
            if detail.Unpack(info):
                return max(0.0, float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9))
    except DecodeError:
        pass
    return None


def _is_ready(channel: grpc.Channel) -> bool:
    """Whether the channel's connection stands now.

    `Channel.subscribe`, which is the public way, cannot be ended: its thread raises where the
    channel is closed or forgotten meanwhile (grpcio 1.85). So the state is asked for where it lies.
    """
    state: int = channel._channel.check_connectivity_state(False)  # noqa: SLF001, FBT003 - see above
    ready: int = grpc.ChannelConnectivity.READY.value[0]
    return state == ready


def _channel(settings: ExportSettings) -> grpc.Channel:
    compression = grpc.Compression
    options: dict[str, Any] = {
        "options": _OPTIONS,
        "compression": compression.Gzip
        if settings.compression == "gzip"
        else compression.NoCompression,
    }
    if not settings.is_secure:
        return grpc.insecure_channel(settings.grpc_target, **options)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_content(settings.certificate),
        certificate_chain=_content(settings.client_certificate),
        private_key=_content(settings.client_key),
    )
    return grpc.secure_channel(settings.grpc_target, credentials, **options)


def _content(path: str | None) -> bytes | None:
    return Path(path).read_bytes() if path else None

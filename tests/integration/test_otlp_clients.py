"""Both transports of OTLP, held to one suite: what a collector says means the same over either."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from telemetry.codec import SpanRecord, encode
from telemetry.export import ExportSettings
from telemetry.otlp import Answer, Client, Verdict
from telemetry.otlp_client import make_client
from tests.support import certificates
from tests.support.home import free_port
from tests.support.otlp_grpc_receiver import GrpcAnswer, GrpcReceiver
from tests.support.otlp_receiver import Answer as HttpAnswer
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.wait import wait_until

_CODE = grpc.StatusCode
_SECRET = "hunter2hunter2"  # noqa: S105 - of this test


@dataclass(frozen=True, slots=True, kw_only=True)
class _Border:
    """One transport: a receiver of it, what it answers in words that both have, how it is set."""

    receiver: Any
    answers: dict[str, Any]
    protocol: Any

    def client(self, **fields: Any) -> Client:
        path = "/v1/traces" if self.protocol == "http/protobuf" else ""
        endpoint = fields.pop("endpoint", self.receiver.endpoint) + path
        return make_client(ExportSettings(endpoint=endpoint, protocol=self.protocol, **fields))


def _http(**options: Any) -> _Border:
    answers = {
        "partial": HttpAnswer(rejected_spans=2, message=f"too old, {_SECRET}"),
        "busy": HttpAnswer(status=503, message=f"not now, {_SECRET}"),
        "asks": HttpAnswer(status=429, retry_after="7"),
        "late": HttpAnswer(delay_s=2),
        "configuration": HttpAnswer(status=401, message="who"),
        "refused": HttpAnswer(status=400, message="bad span"),
        "too large": HttpAnswer(status=413),
        "server error": HttpAnswer(status=500),
        "proxy": HttpAnswer(status=502),
    }
    return _Border(receiver=OtlpReceiver(**options), answers=answers, protocol="http/protobuf")


def _grpc(**options: Any) -> _Border:
    answers = {
        "partial": GrpcAnswer(rejected_spans=2, message=f"too old, {_SECRET}"),
        "busy": GrpcAnswer(code=_CODE.UNAVAILABLE, details=f"not now, {_SECRET}"),
        "asks": GrpcAnswer(code=_CODE.RESOURCE_EXHAUSTED, retry_delay_s=7),
        "late": GrpcAnswer(delay_s=2),
        "configuration": GrpcAnswer(code=_CODE.UNAUTHENTICATED, details="who"),
        "refused": GrpcAnswer(code=_CODE.INVALID_ARGUMENT, details="bad span"),
        "too large": GrpcAnswer(
            code=_CODE.RESOURCE_EXHAUSTED,
            details="grpc: received message larger than max (5000000 vs. 4194304)",
        ),
        "server error": GrpcAnswer(code=_CODE.INTERNAL),
        "proxy": GrpcAnswer(code=_CODE.UNAVAILABLE, details="upstream connect error: refused"),
    }
    return _Border(receiver=GrpcReceiver(**options), answers=answers, protocol="grpc")


_MADE = {"http": _http, "grpc": _grpc}


@pytest.fixture(params=_MADE)
def border(request: pytest.FixtureRequest) -> Iterator[_Border]:
    """A receiver of each transport, that accepts."""
    made = _MADE[request.param]()
    with made.receiver:
        yield made


@pytest.fixture
def client(border: _Border) -> Iterator[Client]:
    """A client of it, with a header that must not be told."""
    made = border.client(headers={"x-key": _SECRET}, timeout_s=1.0)
    yield made
    made.close()


def _payload(spans: int = 3) -> bytes:
    records = [
        SpanRecord(trace_id=7, span_id=number + 1, name="tts task", start_us=1, end_us=2)
        for number in range(spans)
    ]
    return encode(records, {"service.name": "voxtrace"}, "1.0")


def _send(client: Client, payload: bytes | None = None) -> Answer:
    return client.send(_payload() if payload is None else payload, now_us=0)


def test_accepted_spans_arrive_with_the_headers(border: _Border, client: Client) -> None:
    """The very bytes, and what OTEL_EXPORTER_OTLP_HEADERS says; an empty request is taken too."""
    answer = _send(client)
    assert (answer.verdict, answer.has_come, answer.is_partial) == (Verdict.ACCEPTED, True, False)
    assert _send(client, b"").verdict is Verdict.ACCEPTED
    assert [span.span_id for span in border.receiver.spans] == [f"{n:016x}" for n in (1, 2, 3)]
    request = border.receiver.requests[0]
    headers = request.metadata if border.protocol == "grpc" else request.headers
    assert headers["x-key"] == _SECRET


def test_compression_is_as_it_is_set(border: _Border) -> None:
    """What is not compressed arrives as well."""
    for compression in ("gzip", "none"):
        made = border.client(compression=compression)
        assert _send(made, _payload(2000)).verdict is Verdict.ACCEPTED
        made.close()
    assert len(border.receiver.spans) == 4000


@pytest.mark.parametrize(
    ("name", "verdict", "words"),
    [
        ("busy", Verdict.BUSY, "not now, ***"),
        ("asks", Verdict.BUSY, ""),
        ("configuration", Verdict.CONFIGURATION, "who"),
        ("refused", Verdict.REFUSED, "bad span"),
        ("too large", Verdict.REFUSED, ""),
        ("server error", Verdict.SERVER_ERROR, ""),
        ("proxy", Verdict.BUSY, ""),
    ],
)
def test_answer_means_the_same_over_either(
    border: _Border, client: Client, name: str, verdict: Verdict, words: str
) -> None:
    """The verdict, the collector's words without our secrets, and the connection goes on."""
    border.receiver.script(border.answers[name])
    answer = _send(client)
    assert answer.verdict is verdict
    assert words in answer.words
    assert _SECRET not in answer.words
    assert answer.is_too_large == (name == "too large")
    assert answer.is_cut_off == (name == "proxy")
    assert answer.retry_after_s == (7.0 if name == "asks" else None)
    assert _send(client).verdict is Verdict.ACCEPTED


def test_partial_success_is_told(border: _Border, client: Client) -> None:
    """How many spans it left out, and why."""
    border.receiver.script(border.answers["partial"])
    answer = _send(client)
    assert (answer.verdict, answer.is_partial) == (Verdict.ACCEPTED, True)
    assert answer.rejected_spans == 2
    assert "too old, ***" in answer.words


def test_bytes_that_are_no_spans_are_refused(client: Client) -> None:
    """Damaged bytes are passed on as they are; the collector finds them."""
    assert _send(client, b"\xff damaged").verdict is Verdict.REFUSED


def test_answer_that_does_not_come_in_time_is_none(border: _Border, client: Client) -> None:
    """Later; the connection is not known to have broken."""
    border.receiver.script(border.answers["late"])
    answer = _send(client)
    assert (answer.verdict, answer.has_come, answer.is_cut_off) == (Verdict.BUSY, False, False)
    assert _send(client).verdict is Verdict.ACCEPTED


def test_nobody_there_is_a_connection_that_broke(border: _Border) -> None:
    """Refused: later, with the reason in words."""
    made = border.client(endpoint=f"http://127.0.0.1:{free_port()}")
    answer = _send(made)
    assert (answer.verdict, answer.has_come, answer.is_cut_off) == (Verdict.BUSY, False, True)
    assert "refused" in answer.words.lower()
    made.close()


def test_connection_that_is_dropped_in_a_request_broke(border: _Border) -> None:
    """The other side takes every call and closes it without a word."""
    with _dropping() as port:
        made = border.client(endpoint=f"http://127.0.0.1:{port}", timeout_s=5)
        answer = _send(made)
        made.close()
    assert (answer.verdict, answer.is_cut_off) == (Verdict.BUSY, True)


@contextmanager
def _dropping() -> Iterator[int]:
    """The port of a server that closes each connection as soon as it is made."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drop_all, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _drop_all(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            server.accept()[0].close()


def test_connection_has_a_number_while_it_lives(border: _Border, client: Client) -> None:
    """The same for every request; none once the collector is gone; another after it is back."""
    assert not client.connection()
    for _ in range(3):
        _send(client)
    first = client.connection()
    assert first
    assert _send(client).verdict is Verdict.ACCEPTED
    assert client.connection() == first
    border.receiver.stop()
    wait_until(lambda: not client.connection(), 5, what="the end of the connection is seen")
    assert _send(client).is_cut_off
    assert not client.connection()
    border.receiver.start()
    assert _send(client).verdict is Verdict.ACCEPTED, "it is tried anew at once, without a wait"
    assert (client.connection() or 0) > first


def test_connection_that_was_replaced_between_requests_is_another(
    border: _Border, client: Client
) -> None:
    """A collector that was restarted between two looks does not pass for the one before."""
    _send(client)
    first = client.connection()
    border.receiver.stop()
    border.receiver.start()
    wait_until(lambda: client.connection() != first, 5, what="the end is seen")
    assert _send(client).verdict is Verdict.ACCEPTED
    assert client.connection() != first


@pytest.mark.parametrize("name", _MADE)
def test_certificate_decides_over_tls(name: str, tmp_path: Path) -> None:
    """One that is told is trusted; another is configuration trouble, whose words say what it is."""
    pair = certificates.self_signed(tmp_path)
    made = _MADE[name](certificate=pair)
    with made.receiver:
        trusting = made.client(certificate=str(pair[0]))
        assert _send(trusting).verdict is Verdict.ACCEPTED
        trusting.close()
        wary = made.client()
        answer = _send(wary)
        wary.close()
    assert (answer.verdict, answer.has_come) == (Verdict.CONFIGURATION, False)
    assert "CERTIFICATE_VERIFY_FAILED" in answer.words

"""OTLP/gRPC: every status, sizes, deadlines, TLS both ways, and a server process that is killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest

from app.store.database import Database
from telemetry import outbox
from telemetry.codec import SpanRecord, encode
from telemetry.export import ExportSettings
from telemetry.forwarder import Forwarder
from telemetry.otlp import Answer, Verdict
from telemetry.otlp_grpc import OtlpGrpcClient
from tests.conftest import database_url
from tests.support import certificates
from tests.support.home import free_port
from tests.support.otlp_grpc_receiver import GrpcAnswer, GrpcReceiver
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.otlp_spans import ReceivedSpan
from tests.support.wait import wait_until

_CODE = grpc.StatusCode


@pytest.fixture
def receiver() -> Iterator[GrpcReceiver]:
    """A receiver that accepts."""
    with GrpcReceiver() as made:
        yield made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite with this release's tables."""
    made = Database(database_url("sqlite", tmp_path), role="duties")
    yield made
    made.close()


def _settings(endpoint: str, **fields: Any) -> ExportSettings:
    return ExportSettings(endpoint=endpoint, protocol="grpc", **fields)


def _answer(settings: ExportSettings) -> Answer:
    client = OtlpGrpcClient(settings)
    answer = client.send(b"", now_us=0)
    client.close()
    return answer


def _payload(number: int, name: str = "tts task") -> bytes:
    record = SpanRecord(trace_id=number + 1, span_id=number + 1, name=name, start_us=1, end_us=2)
    return encode([record], {"service.name": "voxtrace"}, "1.0")


def _add(database: Database, *payloads: bytes) -> None:
    with database.write() as conn:
        for payload in payloads:
            outbox.add(conn, payload=payload, n_spans=1, rank=0, created_at_us=1)


def _forward(forwarder: Forwarder, database: Database, steps: int = 400) -> outbox.OutboxState:
    """Steps until nothing waits; what the outbox holds then."""
    for _ in range(steps):
        if not (state := _measure(database)).pending:
            return state
        forwarder.step()
    message = f"rows wait: {_measure(database)}, {forwarder.status()}"
    raise AssertionError(message)


def _measure(database: Database) -> outbox.OutboxState:
    with database.read() as conn:
        return outbox.measure(conn)


_EXPECTED = {
    _CODE.CANCELLED: Verdict.BUSY,
    _CODE.UNKNOWN: Verdict.SERVER_ERROR,
    _CODE.INVALID_ARGUMENT: Verdict.REFUSED,
    _CODE.DEADLINE_EXCEEDED: Verdict.BUSY,
    _CODE.NOT_FOUND: Verdict.CONFIGURATION,
    _CODE.ALREADY_EXISTS: Verdict.CONFIGURATION,
    _CODE.PERMISSION_DENIED: Verdict.CONFIGURATION,
    _CODE.RESOURCE_EXHAUSTED: Verdict.CONFIGURATION,
    _CODE.FAILED_PRECONDITION: Verdict.CONFIGURATION,
    _CODE.ABORTED: Verdict.BUSY,
    _CODE.OUT_OF_RANGE: Verdict.BUSY,
    _CODE.UNIMPLEMENTED: Verdict.CONFIGURATION,
    _CODE.INTERNAL: Verdict.SERVER_ERROR,
    _CODE.UNAVAILABLE: Verdict.BUSY,
    _CODE.DATA_LOSS: Verdict.BUSY,
    _CODE.UNAUTHENTICATED: Verdict.CONFIGURATION,
}


@pytest.mark.parametrize("code", [code for code in _CODE if code is not _CODE.OK])
def test_every_status_has_its_verdict(receiver: GrpcReceiver, code: grpc.StatusCode) -> None:
    """As the specification sorts them; none that says nothing of the spans refuses them."""
    receiver.script(GrpcAnswer(code=code, details="so it is"))
    answer = _answer(_settings(receiver.endpoint))
    assert answer.verdict is _EXPECTED[code]
    assert answer.words == f"{code.name}: so it is"


@pytest.mark.parametrize(("delay_s", "asked_s"), [(0.0, 0.0), (1.5, 1.5), (90.0, 90.0)])
@pytest.mark.parametrize("code", [_CODE.RESOURCE_EXHAUSTED, _CODE.UNAVAILABLE])
def test_retry_info_is_a_wait_that_is_asked_for(
    receiver: GrpcReceiver, code: grpc.StatusCode, delay_s: float, asked_s: float
) -> None:
    """RESOURCE_EXHAUSTED with it is busy, and only with it."""
    receiver.script(GrpcAnswer(code=code, retry_delay_s=delay_s))
    answer = _answer(_settings(receiver.endpoint))
    assert (answer.verdict, answer.retry_after_s) == (Verdict.BUSY, asked_s)


def test_timeout_is_the_deadline_of_the_call(receiver: GrpcReceiver) -> None:
    """The collector is told how long we wait."""
    _answer(_settings(receiver.endpoint, timeout_s=3.0))
    left_s = receiver.requests[0].time_left_s
    assert left_s is not None
    assert 1 < left_s <= 3.1


def test_web_server_is_no_collector() -> None:
    """The port of OTLP/HTTP with grpc: waiting cannot help."""
    with OtlpReceiver() as server:
        answer = _answer(_settings(server.endpoint))
    assert answer.verdict is Verdict.CONFIGURATION


def test_mutual_tls_needs_our_certificate(tmp_path: Path) -> None:
    """OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and …_CLIENT_KEY are shown to the collector."""
    pair = certificates.self_signed(tmp_path)
    own = certificates.self_signed(tmp_path, "voxtrace")
    with GrpcReceiver(certificate=pair, client_certificate=own[0]) as receiver:
        known = _settings(
            receiver.endpoint,
            certificate=str(pair[0]),
            client_certificate=str(own[0]),
            client_key=str(own[1]),
        )
        assert _answer(known).verdict is Verdict.ACCEPTED
        unknown = _settings(receiver.endpoint, certificate=str(pair[0]))
        assert _answer(unknown).verdict is not Verdict.ACCEPTED


def test_certificate_file_that_is_gone_is_configuration_trouble(tmp_path: Path) -> None:
    """It was there at the start, and is read when the connection is made."""
    answer = _answer(_settings("https://localhost:1", certificate=str(tmp_path / "gone.pem")))
    assert answer.verdict is Verdict.CONFIGURATION
    assert "FileNotFoundError" in answer.words


def test_forwarder_sends_batches_below_the_limit(
    database: Database, receiver: GrpcReceiver
) -> None:
    """12 MB of rows, whatever they are, arrive in messages that every gRPC server takes."""
    _add(database, *(_payload(number, "n" * 200 + f"{number}") * 40 for number in range(1200)))
    forwarder = Forwarder(database, _settings(receiver.endpoint))
    state = _forward(forwarder, database)
    forwarder.close()
    assert (state.sent, state.poison) == (1200, 0)
    sizes = [request.body_bytes for request in receiver.requests]
    assert max(sizes) <= 2 * 1024 * 1024
    assert sum(sizes) > 8 * 1024 * 1024
    assert len({request.peer for request in receiver.requests}) == 1


def test_forwarder_quarantines_the_row_that_is_too_large_alone(
    database: Database, receiver: GrpcReceiver
) -> None:
    """Above the server's own limit nothing helps; the others arrive."""
    huge = b"".join(_payload(7, "n" * 200) for _ in range(20_000))
    assert len(huge) > 4 * 1024 * 1024
    _add(database, _payload(1), huge, _payload(2))
    forwarder = Forwarder(database, _settings(receiver.endpoint))
    state = _forward(forwarder, database)
    forwarder.close()
    assert (state.sent, state.poison) == (2, 1)
    assert "larger than max" in str(forwarder.status().last_error)


def test_forwarder_finds_poison_rows_over_grpc_too(
    database: Database, receiver: GrpcReceiver
) -> None:
    """INVALID_ARGUMENT is halved down to the row; everything else is delivered."""
    bad = {f"{number + 1:016x}" for number in (3, 17)}

    def rule(spans: Sequence[ReceivedSpan]) -> GrpcAnswer | None:
        is_bad = any(span.span_id in bad for span in spans)
        return GrpcAnswer(code=_CODE.INVALID_ARGUMENT, details="bad") if is_bad else None

    receiver.rule(rule)
    _add(database, *map(_payload, range(40)))
    forwarder = Forwarder(database, _settings(receiver.endpoint))
    state = _forward(forwarder, database)
    forwarder.close()
    assert (state.sent, state.poison) == (38, 2)
    assert len({span.span_id for span in receiver.spans}) == 38


def test_forwarder_goes_on_after_the_server_was_killed(database: Database) -> None:
    """SIGKILL of the server's process; the next one on its port gets the rest, within two tries."""
    port = free_port()
    clock = {"now_s": 1000.0}
    forwarder = Forwarder(
        database,
        _settings(f"http://127.0.0.1:{port}"),
        monotonic_s=lambda: clock["now_s"],
        jitter=lambda: 0.0,
    )

    def send(number: int) -> None:
        _add(database, _payload(number))
        clock["now_s"] += 60
        wait_until(lambda: _moved(forwarder, clock), 20, what="the row is sent", every_s=0.0)

    server = _serve(port)
    send(1)
    server.send_signal(signal.SIGKILL)
    server.wait(10)
    _add(database, _payload(2))
    clock["now_s"] += 60
    wait_until(lambda: forwarder.step() and forwarder.status().failures, 10)
    assert "refused" in str(forwarder.status().last_error).lower()
    failures = forwarder.status().failures
    server = _serve(port)
    send(3)
    assert forwarder.status().sent_rows == 3
    assert failures <= 2
    server.kill()
    server.wait(10)
    forwarder.close()


def _moved(forwarder: Forwarder, clock: dict[str, float]) -> bool:
    """One step, and the wait that it asks for on the clock of the test; whether all is sent."""
    before = forwarder.status()
    clock["now_s"] += forwarder.step()
    return forwarder.status().sent_rows > before.sent_rows


def _serve(port: int) -> "subprocess.Popen[str]":
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.otlp_grpc_receiver", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    server.stdout.close()
    return server

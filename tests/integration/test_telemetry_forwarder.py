"""The forwarder against a real receiver: at least once, whatever the receiver does."""

import dataclasses
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.store.database import Database
from telemetry import outbox
from telemetry.codec import SpanRecord, encode
from telemetry.export import ExportSettings
from telemetry.forwarder import Forwarder, ForwarderStatus, ForwardLimits
from tests.conftest import database_url
from tests.support.otlp_receiver import Answer, OtlpReceiver
from tests.support.otlp_spans import ReceivedSpan

_T0_US = 1_700_000_000_000_000


def _payload(number: int, name: str = "tts task") -> bytes:
    record = SpanRecord(
        trace_id=number + 1, span_id=number + 1, name=name, start_us=_T0_US, end_us=_T0_US + number
    )
    return encode([record], {"service.name": "voxtrace"}, "1.0")


class _Transactions:
    """The database's, counted; fails on command."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.open_count = 0
        self.failing_writes = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self.failing_writes:
            self.failing_writes -= 1
            message = "database is locked"
            raise OSError(message)
        with self._counted(), self._database.write() as conn:
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._counted(), self._database.read() as conn:
            yield conn

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self.open_count += 1
        try:
            yield
        finally:
            self.open_count -= 1


@dataclasses.dataclass
class _Desk:
    """A forwarder between an outbox and a receiver, on a clock that the test moves."""

    database: Database
    receiver: OtlpReceiver
    limits: ForwardLimits = dataclasses.field(default_factory=ForwardLimits)
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    timeout_s: float = 5.0
    compression: Any = "gzip"
    jitter: float = 0.5

    def __post_init__(self) -> None:
        self.now_s = 1000.0
        self.waits: list[float] = []
        self.transactions = _Transactions(self.database)
        self.forwarder = self.make()

    def make(self) -> Forwarder:
        settings = ExportSettings(
            endpoint=self.receiver.url,
            headers=self.headers,
            timeout_s=self.timeout_s,
            compression=self.compression,
        )
        return Forwarder(
            self.transactions,
            settings,
            limits=self.limits,
            clock_us=lambda: _T0_US + round(self.now_s * 1e6),
            monotonic_s=lambda: self.now_s + 1e6,
            jitter=lambda: self.jitter,
        )

    @property
    def status(self) -> ForwarderStatus:
        return self.forwarder.status()

    def add(self, *payloads: bytes) -> None:
        with self.database.write() as conn:
            for payload in payloads:
                outbox.add(conn, payload=payload, n_spans=1, rank=0, created_at_us=_T0_US)

    def step(self) -> float:
        """One step; the clock moves by what it asked to wait."""
        wait_s = self.forwarder.step()
        assert wait_s >= 0
        self.waits.append(wait_s)
        self.now_s += wait_s
        return wait_s

    def run(self, steps: int = 400, until_s: float = 3600.0) -> None:
        """Steps until nothing is pending (or an hour of the clock is over)."""
        stop_s = self.now_s + until_s
        for _ in range(steps):
            if not self.pending() or self.now_s >= stop_s:
                return
            self.step()

    def pending(self) -> int:
        return self.state().pending

    def state(self) -> outbox.OutboxState:
        with self.database.read() as conn:
            return outbox.measure(conn)

    def poison(self) -> list[tuple[bytes, str]]:
        with self.database.read() as conn:
            rows = conn.execute(
                text("SELECT payload, error FROM span_outbox WHERE state = 'poison' ORDER BY id")
            )
            return [(row.payload, row.error) for row in rows]

    def delivered(self) -> list[int]:
        """Numbers of the spans that were accepted, each once."""
        return sorted({int(span.span_id, 16) - 1 for span in self.receiver.spans})


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """A receiver that accepts."""
    with OtlpReceiver() as made:
        yield made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite with this release's tables."""
    made = Database(database_url("sqlite", tmp_path), role="duties")
    yield made
    made.close()


@pytest.fixture
def any_database(any_url: str) -> Iterator[Database]:
    """A database of each kind."""
    made = Database(any_url, role="duties")
    yield made
    made.close()


@pytest.fixture
def desk(database: Database, receiver: OtlpReceiver) -> Iterator[_Desk]:
    """A forwarder on SQLite."""
    made = _Desk(database, receiver)
    yield made
    made.forwarder.close()


def test_outbox_arrives_as_one_request(any_database: Database, receiver: OtlpReceiver) -> None:
    """Stored bytes laid end to end, compressed, to /v1/traces; then the rows are sent."""
    desk = _Desk(any_database, receiver, headers={"authorization": "Bearer x"})
    desk.add(*map(_payload, range(300)))
    desk.run()
    assert desk.delivered() == list(range(300))
    (request,) = receiver.requests
    assert request.path == "/v1/traces"
    assert request.headers["content-type"] == "application/x-protobuf"
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["authorization"] == "Bearer x"
    assert request.body_bytes < desk.status.bytes_raw / 3
    state = desk.state()
    assert (state.sent, state.poison) == (300, 0)
    assert (desk.status.sent_rows, desk.status.sent_spans, desk.status.failures) == (300, 300, 0)
    assert desk.status.last_success_us is not None
    desk.forwarder.close()


def test_requests_share_a_connection_and_are_bounded(
    database: Database, receiver: OtlpReceiver
) -> None:
    """Batches have `max_rows` and `max_bytes` at most, and go through one kept connection."""
    size = len(_payload(1))
    desk = _Desk(database, receiver, ForwardLimits(max_rows=7, max_bytes=5 * size))
    desk.add(*map(_payload, range(23)))
    desk.run()
    assert desk.delivered() == list(range(23))
    assert [len(request.spans) for request in receiver.requests] == [5, 5, 5, 5, 3]
    assert len({request.connection for request in receiver.requests}) == 1
    desk.forwarder.close()


def test_small_batch_waits_for_more_but_not_for_long(desk: _Desk) -> None:
    """A row lingers for `linger_s` from its writing, so that its neighbours can join it."""
    desk.now_s = 0.05
    desk.add(_payload(0))
    assert desk.step() == pytest.approx(0.15)
    desk.add(_payload(1))
    assert desk.step() == 0.0
    assert len(desk.receiver.requests) == 1
    assert desk.step() == desk.limits.idle_s


def test_row_of_the_future_does_not_linger_for_ever(desk: _Desk) -> None:
    """A row whose writer's clock is an hour ahead waits once, not for an hour."""
    desk.now_s = -3600.0
    desk.add(_payload(0))
    assert desk.step() == pytest.approx(0.2)
    desk.step()
    assert desk.delivered() == [0]


def test_uncompressed_where_told(database: Database, receiver: OtlpReceiver) -> None:
    """OTEL_EXPORTER_OTLP_COMPRESSION=none sends the bytes as they are stored."""
    desk = _Desk(database, receiver, compression="none")
    desk.add(_payload(3))
    desk.run()
    assert "content-encoding" not in receiver.requests[0].headers
    assert receiver.requests[0].body_bytes == len(_payload(3))
    desk.forwarder.close()


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504, 507, 599])
def test_busy_receiver_costs_time_and_nothing_else(desk: _Desk, status: int) -> None:
    """Rows wait, longer each time, and arrive when the receiver takes them."""
    desk.receiver.script(*[Answer(status=status, message="not now")] * 8)
    desk.add(*map(_payload, range(5)))
    desk.now_s += 10
    waits = [desk.step() for _ in range(8)]
    assert waits == [0.375, 0.75, 1.5, 3.0, 6.0, 12.0, 22.5, 22.5]
    assert desk.status.failures == 8
    assert f"{status}" in str(desk.status.last_error)
    assert desk.status.configuration_trouble is None
    desk.run()
    assert desk.delivered() == list(range(5))
    assert (desk.status.failures, desk.status.retry_at_us, desk.state().poison) == (0, None, 0)


def test_waits_differ_so_that_many_do_not_come_at_once(
    database: Database, receiver: OtlpReceiver
) -> None:
    """Jitter: half to the whole of the grown wait; a tenth at most on what was asked for."""
    waits = []
    for jitter in (0.0, 1.0):
        desk = _Desk(database, receiver, jitter=jitter)
        receiver.script(Answer(status=503), Answer(status=503, retry_after="10"))
        desk.add(_payload(0))
        desk.now_s += 10
        waits.append([desk.step(), desk.step()])
        desk.forwarder.close()
    assert waits == [[0.25, 10.0], [0.5, 11.0]]


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [("7", 7.35), ("0", 0.25), ("1.5", 1.575), ("99999999", 630.0), ("soon", 0.375)],
)
def test_retry_after_in_seconds_is_honoured(desk: _Desk, retry_after: str, wait_s: float) -> None:
    """As asked (plus jitter), ten minutes at most; nonsense counts as nothing."""
    desk.receiver.script(Answer(status=503, retry_after=retry_after))
    desk.add(_payload(0))
    desk.now_s += 10
    assert desk.step() == pytest.approx(wait_s)
    desk.run()
    assert desk.delivered() == [0]


@pytest.mark.parametrize(("in_s", "wait_s"), [(60, 63.0), (-60, 0.25)])
def test_retry_after_as_a_date_is_honoured(desk: _Desk, in_s: int, wait_s: float) -> None:
    """Until that date by our clock; a date that has passed asks for no wait."""
    date = formatdate(_T0_US / 1e6 + 2000 + in_s, usegmt=True)
    desk.receiver.script(Answer(status=429, retry_after=date))
    desk.add(_payload(0))
    desk.now_s = 2000.0
    assert desk.step() == pytest.approx(wait_s)


def test_called_early_it_keeps_waiting(desk: _Desk) -> None:
    """A loop that is woken for other reasons does not make it ask sooner."""
    desk.receiver.script(Answer(status=503, retry_after="60"))
    desk.add(_payload(0))
    desk.now_s += 10
    desk.forwarder.step()
    desk.now_s += 20
    assert desk.forwarder.step() == pytest.approx(43.0)
    assert len(desk.receiver.requests) == 1


def test_receiver_that_is_not_there_loses_nothing(desk: _Desk) -> None:
    """Refused connections are waited out; a receiver on the same port later gets everything."""
    desk.receiver.stop()
    desk.add(*map(_payload, range(3)))
    desk.run(steps=6)
    assert desk.status.failures > 1
    assert "Connection refused" in str(desk.status.last_error)
    desk.receiver.start()
    desk.run()
    assert desk.delivered() == [0, 1, 2]


def test_answer_that_is_lost_means_the_same_bytes_again(desk: _Desk) -> None:
    """The receiver had them but could not say so: what it gets twice is equal to the last byte."""
    desk.receiver.script(Answer(drop=True, keep=True), Answer(status=503, keep=True))
    desk.add(*map(_payload, range(4)))
    desk.run()
    wires: dict[str, set[bytes]] = {}
    for span in desk.receiver.spans:
        wires.setdefault(span.span_id, set()).add(span.wire)
    assert len(desk.receiver.spans) == 12
    assert [len(copies) for copies in wires.values()] == [1] * 4


def test_acknowledgement_that_could_not_be_noted_means_again(desk: _Desk) -> None:
    """A database that is locked after the request: the rows go again, the loop goes on."""
    desk.transactions.failing_writes = 1
    desk.add(_payload(0))
    desk.run()
    assert [span.span_id for span in desk.receiver.spans] == [f"{1:016x}"] * 2
    assert desk.pending() == 0


def test_slow_receiver_is_a_busy_one(database: Database, receiver: OtlpReceiver) -> None:
    """An answer that does not come in time is as none."""
    desk = _Desk(database, receiver, timeout_s=0.2)
    receiver.script(Answer(delay_s=2.0))
    desk.add(_payload(0))
    desk.run()
    assert desk.delivered() == [0]
    assert "ReadTimeout" in str(desk.status.last_error)
    desk.forwarder.close()


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 405, 415, 501])
def test_wrong_configuration_stops_and_says_so(
    desk: _Desk, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is dropped or quarantined; it looks again every minute, and recovers by itself."""
    desk.receiver.rule(lambda _spans: Answer(status=status, message="who are you"))
    desk.add(*map(_payload, range(3)))
    desk.now_s += 10
    assert [desk.step() for _ in range(3)] == [60.0] * 3
    assert len(desk.receiver.requests) == 3
    assert f"{status}" in str(desk.status.configuration_trouble)
    assert desk.status.retry_at_us == _T0_US + round(desk.now_s * 1e6)
    assert (desk.pending(), desk.state().poison) == (3, 0)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    desk.receiver.clear()
    desk.run()
    assert desk.delivered() == [0, 1, 2]
    assert desk.status.configuration_trouble is None


@pytest.mark.parametrize("status", [302, 307, 308])
def test_redirect_is_not_followed(desk: _Desk, status: int) -> None:
    """Spans and headers go where the user said, and nowhere else."""
    desk.receiver.script(Answer(status=status, location=desk.receiver.endpoint + "/elsewhere"))
    desk.add(_payload(0))
    desk.now_s += 10
    assert desk.step() == 60.0
    assert [request.path for request in desk.receiver.requests] == ["/v1/traces"]


def _refuse(*numbers: int, status: int = 400) -> Any:
    """A rule: a request with one of these spans is refused."""
    ids = {f"{number + 1:016x}" for number in numbers}

    def rule(spans: Sequence[ReceivedSpan]) -> Answer | None:
        refused = any(span.span_id in ids for span in spans)
        return Answer(status=status, message="bad span") if refused else None

    return rule


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "bad", [[0], [84], [41], [0, 84], [0, 1], [40, 41, 42], [7, 23, 77], list(range(6))]
)
def test_poison_rows_are_found_and_the_others_arrive(
    desk: _Desk, bad: list[int], status: int
) -> None:
    """Halving finds each; it is quarantined with the answer; everything else is delivered."""
    desk.receiver.rule(_refuse(*bad, status=status))
    desk.add(*map(_payload, range(85)))
    desk.run()
    assert desk.delivered() == [number for number in range(85) if number not in bad]
    assert [payload for payload, _ in desk.poison()] == [_payload(number) for number in bad]
    assert all(error.startswith(f"{status} ") and "bad span" in error for _, error in desk.poison())
    assert desk.status.poisoned_rows == len(bad)
    assert len(desk.receiver.requests) <= len(bad) * 15 + 2
    assert desk.status.failures == 0


def test_bytes_that_are_no_span_are_found_too(desk: _Desk) -> None:
    """A damaged row makes the whole request unreadable, and only that row is quarantined."""
    desk.add(*map(_payload, range(10)), b"\xff damaged", *map(_payload, range(10, 20)))
    desk.run()
    assert desk.delivered() == list(range(20))
    assert [payload for payload, _ in desk.poison()] == [b"\xff damaged"]


def test_only_row_that_is_poison_is_quarantined_after_an_empty_request(desk: _Desk) -> None:
    """Without another row to prove that the receiver works, an empty request does."""
    desk.receiver.rule(_refuse(0))
    desk.add(_payload(0))
    desk.run()
    assert len(desk.poison()) == 1
    assert [len(request.spans) for request in desk.receiver.requests] == [1, 0, 1]


def test_receiver_that_refuses_everything_poisons_nothing(desk: _Desk) -> None:
    """A wrong endpoint may answer 400 to all: that is configuration trouble, not poison."""
    desk.receiver.rule(lambda _spans: Answer(status=400, message="<html>Bad Request"))
    desk.add(*map(_payload, range(50)))
    desk.run(until_s=600)
    assert (desk.pending(), desk.state().poison) == (50, 0)
    assert "even an empty request is refused" in str(desk.status.configuration_trouble)
    desk.receiver.clear()
    desk.run()
    assert desk.delivered() == list(range(50))
    assert desk.state().poison == 0


def test_many_poison_rows_in_a_row_do_not_block_the_queue(desk: _Desk) -> None:
    """More of them than are held: the empty request proves the receiver, and the queue moves."""
    bad = list(range(20))
    desk.receiver.rule(_refuse(*bad))
    desk.add(*map(_payload, range(25)))
    desk.run(steps=1000)
    assert desk.delivered() == list(range(20, 25))
    assert len(desk.poison()) == 20


def test_server_error_that_passes_is_waited_out(desk: _Desk) -> None:
    """A 500 or two are the receiver's own: nothing is sought in the rows."""
    desk.receiver.script(*[Answer(status=500)] * 2)
    desk.add(*map(_payload, range(5)))
    desk.run()
    assert [len(request.spans) for request in desk.receiver.requests] == [5, 5, 5]
    assert desk.state().poison == 0


def test_server_error_by_one_row_is_found(desk: _Desk) -> None:
    """The collector answers 500 to what it can never take: found, and quarantined on proof."""
    desk.receiver.rule(_refuse(11, status=500))
    desk.add(*map(_payload, range(40)))
    desk.run()
    assert desk.delivered() == [number for number in range(40) if number != 11]
    assert [payload for payload, _ in desk.poison()] == [_payload(11)]


def test_server_error_to_everything_poisons_nothing(desk: _Desk) -> None:
    """An empty request is no proof here: collectors answer it without their pipeline."""
    desk.receiver.rule(lambda spans: Answer(status=500) if spans else None)
    desk.add(*map(_payload, range(30)))
    desk.run(until_s=1800)
    assert (desk.pending(), desk.state().poison) == (30, 0)
    assert all(request.spans for request in desk.receiver.requests)
    desk.receiver.clear()
    desk.run()
    assert desk.delivered() == list(range(30))
    assert desk.state().poison == 0


def test_request_that_is_too_large_is_made_smaller(desk: _Desk) -> None:
    """413 halves the size of requests; only a row that is too large alone is quarantined."""
    huge = _payload(50, name="n" * 250)

    def rule(spans: Sequence[ReceivedSpan]) -> Answer | None:
        too_large = len(spans) > 10 or any(len(span.name) > 200 for span in spans)
        return Answer(status=413, message="too large") if too_large else None

    desk.receiver.rule(rule)
    desk.add(*map(_payload, range(50)), huge, *map(_payload, range(51, 100)))
    desk.run()
    assert desk.delivered() == [number for number in range(100) if number != 50]
    assert [payload for payload, _ in desk.poison()] == [huge]


def _too_large(spans: Sequence[ReceivedSpan]) -> Answer | None:
    """A rule: whatever has spans is too large."""
    return Answer(status=413, message="too large") if spans else None


def test_spell_of_too_large_poisons_nothing_and_requests_grow_again(desk: _Desk) -> None:
    """413 to every row for a while, but not to empty requests: all arrive, in large requests."""
    desk.receiver.rule(_too_large)
    desk.add(*map(_payload, range(300)))
    desk.run(steps=150, until_s=100)
    assert (desk.pending(), desk.state().poison) == (300, 0)
    desk.receiver.clear()
    before = len(desk.receiver.requests)
    desk.run()
    assert desk.delivered() == list(range(300))
    assert desk.state().poison == 0
    assert len(desk.receiver.requests) - before < 40
    desk.add(*map(_payload, range(300, 600)))
    desk.run()
    assert max(len(request.spans) for request in desk.receiver.requests[-3:]) > 100


def test_one_row_that_is_too_large_waits_for_the_proof_of_another(desk: _Desk) -> None:
    """An empty request says nothing of sizes: a row is quarantined once another one passes."""
    huge = _payload(0, name="n" * 250)
    ids = {f"{1:016x}"}
    desk.receiver.rule(
        lambda spans: Answer(status=413) if any(one.span_id in ids for one in spans) else None
    )
    desk.add(huge)
    desk.run(until_s=600)
    assert (desk.pending(), desk.state().poison) == (1, 0)
    assert all(request.spans for request in desk.receiver.requests)
    desk.add(_payload(1))
    desk.run()
    assert desk.delivered() == [1]
    assert [payload for payload, _ in desk.poison()] == [huge]


def test_row_of_a_size_that_passed_lately_is_not_condemned_by_smaller_ones(desk: _Desk) -> None:
    """413 for what was small enough a minute ago: only what is as large proves that it is meant."""
    row = _payload(1, name="n" * 250)
    refused = {f"{2:016x}"}
    desk.receiver.rule(
        lambda spans: Answer(status=413) if any(one.span_id in refused for one in spans) else None
    )
    desk.add(_payload(0, name="n" * 250))
    desk.run()
    desk.add(row)
    desk.step()
    desk.step()
    for number in range(2, 6):
        desk.add(_payload(number, name="n"))
        desk.run(steps=4)
    assert desk.delivered() == [0, 2, 3, 4, 5]
    assert (desk.pending(), desk.state().poison) == (1, 0)
    desk.add(_payload(6, name="n" * 250))
    desk.run()
    assert desk.delivered() == [0, 2, 3, 4, 5, 6]
    assert [payload for payload, _ in desk.poison()] == [row]


@pytest.mark.parametrize("status", [413, 500])
def test_many_rows_that_want_proof_do_not_block_the_queue(desk: _Desk, status: int) -> None:
    """More than are held at first: it looks further ahead each time until something passes."""
    bad = list(range(10))
    desk.receiver.rule(
        lambda spans: Answer(status=status) if any(len(one.name) > 200 for one in spans) else None
    )
    desk.add(*(_payload(number, name="n" * 250) for number in bad))
    desk.add(*map(_payload, range(10, 15)))
    desk.run(steps=4000, until_s=36_000)
    assert desk.delivered() == list(range(10, 15))
    assert len(desk.poison()) == 10


def test_limit_that_stays_costs_few_requests(desk: _Desk) -> None:
    """A collector with a smaller limit of its own is not asked again and again for more."""
    desk.receiver.rule(lambda spans: Answer(status=413) if len(spans) > 10 else None)
    desk.add(*map(_payload, range(500)))
    desk.run()
    assert desk.delivered() == list(range(500))
    refused = [request for request in desk.receiver.requests if request.status == 413]
    assert len(refused) < len(desk.receiver.requests) / 4
    assert desk.state().poison == 0


def test_partial_success_is_counted_and_not_sent_again(desk: _Desk) -> None:
    """The protocol forbids a repetition; the loss is shown with the receiver's words."""
    desk.receiver.script(Answer(rejected_spans=2, message="2 spans were too old"))
    desk.add(*map(_payload, range(5)))
    desk.run()
    assert len(desk.receiver.requests) == 1
    assert desk.status.rejected_spans == 2
    assert "2 spans were too old" in str(desk.status.partial_message)
    assert desk.state().sent == 5


def test_secrets_are_in_no_status_and_no_log(
    database: Database, receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver that echoes our headers does not get them into words that people see."""
    caplog.set_level(logging.DEBUG, logger="telemetry")
    secret = "hunter2hunter2"  # noqa: S105 - of this test
    desk = _Desk(database, receiver, headers={"authorization": f"Bearer {secret}"})
    receiver.script(
        Answer(status=401, message=f"bad token Bearer {secret}"),
        Answer(status=503, message=f"{secret}!"),
        Answer(status=400, message=f"no {secret}"),
    )
    desk.add(_payload(0))
    desk.run()
    seen = [str(desk.status), *(record.getMessage() for record in caplog.records)]
    assert "***" in " ".join(seen)
    assert secret not in " ".join(seen)
    assert secret not in str(desk.poison())
    desk.forwarder.close()


def test_no_transaction_is_open_during_a_request(desk: _Desk) -> None:
    """A receiver that hangs holds no lock of the database."""
    open_counts = []

    def rule(_spans: Sequence[ReceivedSpan]) -> Answer | None:
        open_counts.append(desk.transactions.open_count)
        return None

    desk.receiver.rule(rule)
    desk.add(*map(_payload, range(3)))
    desk.run()
    assert open_counts == [0]


def test_database_that_fails_is_waited_out(desk: _Desk, caplog: pytest.LogCaptureFixture) -> None:
    """`step` never raises; the error is logged and shown, and everything arrives later."""
    desk.add(_payload(0))
    desk.now_s += 10
    with desk.database.write() as conn:
        conn.execute(text("ALTER TABLE span_outbox RENAME TO hidden"))
    assert desk.step() == pytest.approx(0.375)
    assert "StoreError" in str(desk.status.last_error)
    assert any("forwarder failed" in record.getMessage() for record in caplog.records)
    with desk.database.write() as conn:
        conn.execute(text("ALTER TABLE hidden RENAME TO span_outbox"))
    desk.run()
    assert desk.delivered() == [0]


def test_two_forwarders_do_no_harm(any_database: Database, receiver: OtlpReceiver) -> None:
    """Both send what they find: every row arrives, and what arrives twice is the same."""
    desk = _Desk(any_database, receiver, ForwardLimits(max_rows=20))
    desk.add(*map(_payload, range(200)))
    desk.now_s += 10
    together = threading.Barrier(2)
    errors: list[str | None] = []

    def work() -> None:
        forwarder = desk.make()
        together.wait(10)
        while forwarder.step() == 0.0:
            pass
        errors.append(forwarder.status().last_error)
        forwarder.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.delivered() == list(range(200))
    assert len({span.wire for span in receiver.spans}) == 200
    assert errors == [None, None]
    assert (desk.pending(), desk.state().poison) == (0, 0)

"""A collector that is lost with what it had acknowledged: the minute before goes once more."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from app.store.database import Database
from telemetry import outbox
from telemetry.codec import SpanRecord, encode
from telemetry.export import ExportSettings
from telemetry.forwarder import Forwarder, ForwardLimits
from tests.conftest import database_url
from tests.support.otlp_grpc_receiver import GrpcAnswer, GrpcReceiver
from tests.support.otlp_receiver import Answer, OtlpReceiver
from tests.support.wait import wait_until

_T0_US = 1_700_000_000_000_000


@dataclass(slots=True)
class _Desk:
    """A forwarder between an outbox and a receiver, on a clock that the test moves."""

    database: Database
    receiver: Any
    now_s: float = 0.0
    resends_lost: bool = True
    forwarder: Forwarder = field(init=False)

    def __post_init__(self) -> None:
        self.forwarder = self.start()

    def start(self) -> Forwarder:
        """A forwarder as a new process has it; the one before is forgotten as it stands."""
        is_grpc = isinstance(self.receiver, GrpcReceiver)
        self.forwarder = Forwarder(
            self.database,
            ExportSettings(
                endpoint=self.receiver.endpoint + ("" if is_grpc else "/v1/traces"),
                protocol="grpc" if is_grpc else "http/protobuf",
                timeout_s=2.0,
            ),
            limits=ForwardLimits(idle_s=1.0),
            clock_us=lambda: _T0_US + round(self.now_s * 1e6),
            monotonic_s=lambda: self.now_s + 1e6,
            jitter=lambda: 0.5,
            resends_lost=self.resends_lost,
        )
        return self.forwarder

    def add(self, *numbers: int) -> None:
        """A row for each number, with a span of this id."""
        with self.database.write() as conn:
            for number in numbers:
                record = SpanRecord(
                    trace_id=9, span_id=number, name="tts task", start_us=1, end_us=2
                )
                payload = encode([record], {"service.name": "voxtrace"}, "1.0")
                outbox.add(conn, payload=payload, n_spans=1, rank=0, created_at_us=_T0_US)

    def step(self) -> None:
        """One step; the clock moves by what it asked to wait."""
        self.now_s += self.forwarder.step()

    def work(self, for_s: float) -> None:
        """Steps for so long, by the clock of the test."""
        until_s = self.now_s + for_s
        while self.now_s < until_s:
            self.step()

    def send(self, *numbers: int) -> None:
        """Adds rows, and works until nothing waits."""
        self.add(*numbers)
        self.until_empty()

    def until_empty(self) -> None:
        """Works until nothing waits; fails after a thousand steps."""
        for _ in range(1000):
            if not self.pending():
                return
            self.step()
        message = f"{self.pending()} rows wait: {self.forwarder.status()}"
        raise AssertionError(message)

    def pending(self) -> int:
        with self.database.read() as conn:
            return outbox.measure(conn).pending

    def has(self) -> list[int]:
        """Numbers of the spans that the receiver knows, as often as it got them."""
        return sorted(int(span.span_id, 16) for span in self.receiver.spans)

    def lose(self) -> None:
        """The collector is killed, and everything that it had taken is gone with it."""
        connection = self.forwarder._client.connection()  # noqa: SLF001 - when the loss is seen
        self.receiver.stop()
        self.receiver.clear()
        if connection:
            wait_until(
                lambda: not self.forwarder._client.connection(),  # noqa: SLF001 - the same
                5,
                what="the end of the connection has come through",
            )

    @property
    def resent(self) -> int:
        return self.forwarder.status().resent_rows


_RECEIVERS: dict[str, Any] = {"http": OtlpReceiver, "grpc": GrpcReceiver}


@pytest.fixture(
    params=[
        ("sqlite", "http"),
        ("sqlite", "grpc"),
        pytest.param(("postgres", "http"), marks=pytest.mark.postgres),
    ],
    ids="-".join,
)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[_Desk]:
    """A forwarder over each transport, and on each database."""
    kind, transport = request.param
    database = Database(database_url(kind, tmp_path), role="duties")
    with _RECEIVERS[transport]() as receiver:
        made = _Desk(database, receiver)
        yield made
        made.forwarder.close()
    database.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite with this release's tables."""
    made = Database(database_url("sqlite", tmp_path), role="duties")
    yield made
    made.close()


def test_acknowledged_rows_of_the_last_minute_go_again(desk: _Desk) -> None:
    """What the collector had taken is there again after its return; what is older is not."""
    desk.send(1)
    desk.work(100)
    desk.send(2, 3)
    desk.work(30)
    desk.send(4)
    desk.lose()
    desk.add(5)
    desk.work(40)
    assert desk.pending() == 4, "they wait in the table while the collector is away"
    desk.receiver.start()
    desk.until_empty()
    assert desk.has() == [2, 3, 4, 5]
    status = desk.forwarder.status()
    assert status.resent_rows == 3
    assert status.resent_at_us is not None
    assert status.resent_why


def test_loss_is_seen_while_there_is_nothing_to_send(desk: _Desk) -> None:
    """The connection is watched: the rows go again by themselves, not with the next task."""
    desk.send(1, 2)
    desk.work(20)
    desk.lose()
    desk.work(120)
    desk.receiver.start()
    desk.until_empty()
    assert desk.has() == [1, 2]


def test_one_loss_sends_again_once(desk: _Desk) -> None:
    """However long the collector is away, and however long it lives after: nothing is chased."""
    desk.send(1, 2)
    desk.lose()
    desk.add(3)
    desk.work(600)
    desk.receiver.start()
    desk.until_empty()
    desk.work(600)
    assert desk.resent == 2
    assert desk.has() == [1, 2, 3]


def test_second_loss_is_one_of_its_own(desk: _Desk) -> None:
    """What was sent again is acknowledged by a collector that is lost in its turn."""
    for _ in range(2):
        desk.send(1)
        desk.lose()
        desk.add(2)
        desk.work(5)
        desk.receiver.start()
        desk.until_empty()
    assert set(desk.has()) == {1, 2}
    assert desk.resent == 1 + 3


@pytest.mark.parametrize("is_noticed", [True, False])
def test_forwarder_that_is_killed_meanwhile_forgets_nothing(
    desk: _Desk, *, is_noticed: bool
) -> None:
    """SIGKILL between the loss and the return, whether the loss was seen before or not."""
    desk.send(1, 2)
    desk.lose()
    if is_noticed:
        desk.add(3)
        desk.work(2)
    desk.start()
    desk.work(300)
    desk.receiver.start()
    desk.start()
    desk.work(5)
    desk.until_empty()
    assert set(desk.has()) == ({1, 2, 3} if is_noticed else {1, 2})


def test_forwarder_that_starts_takes_the_newest_acknowledgement_for_the_last_sign(
    desk: _Desk,
) -> None:
    """The collector came and went while none ran; once for each start, and a minute only."""
    desk.send(1)
    desk.work(100)
    desk.send(2)
    desk.now_s += 3600
    desk.receiver.clear()
    desk.start()
    desk.work(5)
    assert desk.has() == [2]
    desk.work(300)
    assert desk.has() == [2]


def test_rows_of_another_forwarder_are_sent_again_by_the_next(desk: _Desk) -> None:
    """One that leads again after another has led cannot know whether that one's collector lives."""
    desk.send(1)
    before = desk.forwarder
    desk.start()
    desk.work(1)
    desk.now_s += 50
    desk.send(2)
    desk.forwarder, other = before, desk.forwarder
    other.close()
    desk.now_s += 20
    desk.receiver.clear()
    desk.work(5)
    desk.until_empty()
    assert set(desk.has()) >= {2}
    assert "another forwarder" in str(desk.forwarder.status().resent_why)


def test_connection_that_was_closed_while_quiet_repeats_each_row_once(desk: _Desk) -> None:
    """A server that closes its connections every ten seconds is not a loss each time."""
    desk.send(1)
    for _ in range(4):
        desk.work(10)
        desk.receiver.stop()
        desk.receiver.start()
        desk.work(1)
        desk.until_empty()
    assert desk.has() == [1, 1]
    desk.send(2)
    assert desk.resent == 1


def test_connection_that_was_closed_after_a_minute_repeats_nothing(desk: _Desk) -> None:
    """As the collector does it: what it took so long ago has gone on."""
    desk.send(1)
    desk.work(60)
    desk.receiver.stop()
    desk.receiver.start()
    desk.work(5)
    desk.send(2)
    assert desk.has() == [1, 2]
    assert desk.resent == 0


def test_busy_or_slow_collector_is_not_lost(desk: _Desk) -> None:
    """It speaks, on the connection that it always had."""
    desk.send(1)
    if isinstance(desk.receiver, GrpcReceiver):
        desk.receiver.script(*[GrpcAnswer(code=grpc.StatusCode.UNAVAILABLE, details="busy")] * 3)
    else:
        desk.receiver.script(*[Answer(status=503)] * 3)
    desk.send(2)
    assert desk.has() == [1, 2]
    assert desk.resent == 0


def test_many_rows_go_again_in_short_transactions(desk: _Desk) -> None:
    """More than one transaction changes; all of them, and each once."""
    numbers = list(range(1, 2501))
    desk.send(*numbers)
    desk.lose()
    desk.add(2501)
    desk.work(1)
    desk.receiver.start()
    desk.until_empty()
    assert desk.has() == [*numbers, 2501]


def test_nothing_goes_again_where_somebody_else_looks(database: Database) -> None:
    """With a Jaeger to look in, its duty sends what is missing, and this forwarder nothing."""
    with OtlpReceiver() as receiver:
        desk = _Desk(database, receiver, resends_lost=False)
        desk.send(1)
        desk.lose()
        desk.add(2)
        desk.work(30)
        receiver.start()
        desk.until_empty()
        assert desk.has() == [2]
        desk.forwarder.close()


def test_proxy_that_has_lost_the_collector_counts_as_a_loss(database: Database) -> None:
    """502 on a connection that goes on: the collector behind it is the one that is gone."""
    with OtlpReceiver() as receiver:
        desk = _Desk(database, receiver)
        desk.send(1)
        receiver.clear()
        receiver.script(Answer(status=502), Answer(status=502))
        desk.send(2)
        assert desk.has() == [1, 2]
        desk.forwarder.close()


def test_server_that_keeps_no_connection_repeats_nothing(database: Database) -> None:
    """Each answer ends its connection: that says nothing, until no connection can be made."""
    with OtlpReceiver(keeps_connections=False) as receiver:
        desk = _Desk(database, receiver)
        desk.send(1)
        desk.work(5)
        desk.send(2)
        assert (desk.has(), desk.resent) == ([1, 2], 0)
        desk.lose()
        desk.add(3)
        desk.work(2)
        receiver.start()
        desk.until_empty()
        assert desk.has() == [1, 2, 3]
        desk.forwarder.close()

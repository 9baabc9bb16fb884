"""Two duties processes on one database: one sends, and the other when it is gone."""

from pathlib import Path

import pytest

from app.service import leader, window
from tests.conftest import database_url
from tests.support import service
from tests.support.home import Home, Program
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.wait import wait_until


def _leading(home: Home, programs: list[Program]) -> Program | None:
    """The process that holds the lease."""
    holders = [duty.holder for duty in leader.every(home.core) if duty.name == leader.LEADER]
    pids = [int(holder.split("/")[1]) for holder in holders if holder]
    return next((program for program in programs if program.pid in pids), None)


def _is_empty(home: Home) -> bool:
    return window.measure(home.core).pending == 0


@pytest.mark.postgres
def test_one_of_two_sends_and_the_other_follows(tmp_path: Path) -> None:
    """While both live every span arrives once; the SIGKILL of the leader costs a few seconds."""
    url = database_url("postgres", tmp_path)
    with OtlpReceiver() as receiver, Home.make(tmp_path / "home", url) as home:
        home.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
        both = [home.start_duties(), home.start_duties()]
        first = wait_until(lambda: _leading(home, both), 20, what="one leads")
        for number in range(8):  # a worker each: no heart beats here, and one that waits is dead
            service.spoken(home.core, f"Number {number}.")
        wait_until(lambda: _is_empty(home), 20, what="everything is sent")
        assert len(receiver.spans) == len(receiver.distinct()) > 8
        with_spans = [request for request in receiver.requests if request.spans]
        assert len({request.connection for request in with_spans}) == 1
        [other] = [program for program in both if program is not first]
        assert first is not None
        first.kill()
        last = service.spoken(home.core, "After.")
        receiver.wait_for(lambda r: last.span_id in {span.span_id for span in r.spans}, 30)
        wait_until(lambda: _leading(home, [other]), 20, what="the other leads")
    assert len({span.wire for span in receiver.spans}) == len(receiver.distinct())

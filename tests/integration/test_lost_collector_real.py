"""A collector that is lost for good, seen by the duties process; and OTLP/gRPC to a real one."""

import json
import shutil
from typing import Any

from app.service import leader, window
from tests.support import jaeger_trace, service
from tests.support.backends import Collector, Jaeger, Pair
from tests.support.home import Home, terminate
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.wait import wait_until


def _status(home: Home) -> dict[str, Any]:
    """What the forwarder last said of itself."""
    found = {duty.name: duty.state for duty in leader.every(home.core)}
    state: dict[str, Any] = json.loads(found.get("forwarder", "{}"))
    return state


def _is_sent(home: Home) -> bool:
    outbox = window.measure(home.core)
    return outbox.pending == 0 and outbox.sent > 0


def test_duties_killed_between_loss_and_return_forget_nothing(home: Home) -> None:
    """SIGKILL of the duties while the collector is gone with what it had; the next ones send it."""
    with OtlpReceiver() as receiver:
        home.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
        duties = home.start_duties()
        task = service.spoken(home.core, "Taken, and lost.")
        wait_until(lambda: _is_sent(home), 20, what="everything is acknowledged")
        receiver.stop()
        receiver.clear()
        wait_until(lambda: window.measure(home.core).pending, 20, what="the loss is seen")
        wait_until(lambda: _status(home).get("resent_rows"), 20, what="and shown")
        assert "closed" in _status(home)["resent_why"]
        duties.kill()
        receiver.start()
        home.start_duties()
        found = receiver.wait_for(lambda r: task.span_id in {s.span_id for s in r.spans}, 30)
        wait_until(lambda: _is_sent(home), 20, what="everything is acknowledged again")
    assert {span.trace_id for span in found} == {task.trace_id}


def test_collector_that_loses_its_queue_loses_no_trace(
    home: Home, jaeger: Jaeger, collector: Collector
) -> None:
    """A real one that had every span on disk: killed, its folder gone, started anew."""
    jaeger.kill()
    home.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.http_endpoint
    home.start_duties()
    task = service.spoken(home.core, "On a disk that is gone.")
    wait_until(lambda: _is_sent(home), 20, what="everything is acknowledged")
    collector.kill()
    shutil.rmtree(collector.environ["OTELCOL_QUEUE_DIR"])
    jaeger.start()
    collector.start()
    jaeger_trace.wait_for(jaeger, task.trace_id, [task.span_id])
    assert wait_until(lambda: _status(home).get("resent_rows"), 20)


def test_real_collector_takes_spans_over_grpc(home: Home, pair: Pair) -> None:
    """The duties with OTEL_EXPORTER_OTLP_PROTOCOL=grpc; the trace is in Jaeger, none refused."""
    home.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://{pair.collector.grpc_endpoint}"
    home.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc"
    duties = home.start_duties()
    task = service.spoken(home.core, "Over gRPC to a real collector.")
    wait_until(lambda: _is_sent(home), 20, what="everything is acknowledged")
    jaeger_trace.wait_for(pair.jaeger, task.trace_id, [task.span_id])
    assert pair.collector.count("otelcol_receiver_refused_spans") == 0
    status = _status(home)
    assert (status["rejected_spans"], status["failures"]) == (0, 0)
    assert terminate(duties) == 0

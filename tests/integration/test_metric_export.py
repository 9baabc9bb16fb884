"""Metrics over OTLP: sent by the process that leads, once, with the numbers of the tables."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1 import metrics_pb2

from app.domain.errors import ConfigError
from app.duties.metrics import Metrics, metric_settings
from app.duties.told import counts_of
from app.service import measures
from app.service.leader import every
from app.service.watch import OutboxGauge
from telemetry import metric_names as m
from telemetry.metric_export import encode_metrics, export_interval_s
from telemetry.samples import Histogram, Sample
from tests.support.home import Home, terminate
from tests.support.otlp_receiver import Answer, OtlpReceiver
from tests.support.service import spoken
from tests.support.wait import wait_until


def _found(request: ExportMetricsServiceRequest) -> dict[str, Any]:
    """Each metric of a request by its name."""
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def _resource(request: ExportMetricsServiceRequest) -> dict[str, str]:
    (resource,) = request.resource_metrics
    return {one.key: one.value.string_value for one in resource.resource.attributes}


def _points(data: Any) -> dict[str, Any]:
    """The points of a metric's data, by the values of their attributes."""
    return {
        " ".join(one.value.string_value for one in point.attributes): point
        for point in data.data_points
    }


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """A collector."""
    with OtlpReceiver() as started:
        yield started


def test_samples_become_gauges_sums_and_histograms() -> None:
    """Kind, unit, value, buckets and moment of each; sums count from no process's start."""
    shape = Histogram(bounds=(0.5, 1.0), counts=(2, 0, 1), sum=61.25)
    samples = [
        Sample(metric=m.SLOTS, value=3, attributes={"state": "busy"}),
        Sample(metric=m.QUEUE_OLDEST_AGE, value=1.5),
        Sample(metric=m.DEADLINE_FLAGS, value=2**40),
        Sample(metric=m.ENGINE_CALL, value=shape, attributes={"engine": "e", "outcome": "ok"}),
    ]
    payload = encode_metrics(samples, {"service.name": "voxtrace"}, release="1", at_us=7)
    found = _found(ExportMetricsServiceRequest.FromString(payload))
    cumulative = metrics_pb2.AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    assert _points(found["voxtrace.slots"].gauge)["busy"].as_int == 3
    assert found["voxtrace.queue.oldest_age"].unit == "s"
    assert _points(found["voxtrace.queue.oldest_age"].gauge)[""].as_double == 1.5
    flags = found["voxtrace.deadline.flags"].sum
    assert (flags.is_monotonic, flags.aggregation_temporality) == (True, cumulative)
    (point,) = flags.data_points
    assert (point.as_int, point.time_unix_nano, point.start_time_unix_nano) == (2**40, 7000, 0)
    call = _points(found["voxtrace.engine.call"].histogram)["e ok"]
    assert (call.count, call.sum, list(call.bucket_counts)) == (3, 61.25, [2, 0, 1])
    assert list(call.explicit_bounds) == [0.5, 1.0]


def test_duty_sends_what_the_tables_say(home: Home, receiver: OtlpReceiver) -> None:
    """The numbers of /metrics, of the service as a whole: no process in the resource."""
    core = home.core
    spoken(core, "One.")
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",
    }
    settings = metric_settings(environ)
    assert settings is not None
    duty = Metrics(core, settings, OutboxGauge(core), exports=True)
    assert duty.step() == 5
    (request,) = receiver.metrics
    assert _resource(request) == {
        "service.name": "voxtrace",
        "service.version": core.settings.release,
    }
    found = _found(request)
    told = {sample.metric.name for sample in measures.read(core, None, exports=True)}
    assert told <= set(found)
    assert _points(found["voxtrace.tasks"].gauge)["completed"].as_int == 1
    assert _points(found["voxtrace.tasks.finished"].sum)["completed"].as_int == 1
    assert _points(found["voxtrace.engine.call"].histogram)["tone ok"].count == 1
    assert json.loads(duty.state())["sent"] == 1


def test_collector_that_takes_no_metrics_fails_nothing(
    home: Home, receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """404 at every turn: said once, with how to turn it off, and no secret; then it goes on."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer hush-hush",
    }
    receiver.metrics_answer = Answer(status=404, message="Bearer hush-hush is unknown")
    caplog.set_level("INFO")
    settings = metric_settings(environ)
    assert settings is not None
    duty = Metrics(home.core, settings, OutboxGauge(home.core), exports=True)
    assert [duty.step() for _ in range(3)] == [60, 60, 60]
    state = json.loads(duty.state())
    assert (state["sent"], state["failures"]) == (0, 3)
    assert "404" in state["last_error"]
    assert caplog.text.count("OTEL_METRICS_EXPORTER=none") == 1
    assert "hush" not in caplog.text + duty.state()
    receiver.metrics_answer = Answer()
    duty.step()
    assert json.loads(duty.state())["last_error"] is None
    assert caplog.text.count("works again") == 1


def test_only_the_leader_sends_and_a_follower_begins_when_it_leads(
    home: Home, receiver: OtlpReceiver
) -> None:
    """Two duties processes: one sends; when it ends the other begins, and the ended one no more."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    both = [home.start_duties(**environ) for _ in range(2)]
    wait_until(lambda: len(receiver.metrics) >= 2, 30, what="two turns")
    first, second = sorted(both, key=lambda one: not _leads(home, one.pid))
    assert _leads(home, first.pid)
    assert _resource(receiver.metrics[-1])["deployment.environment.name"] == "test"
    terminate(first)
    sent = len(receiver.metrics)
    wait_until(lambda: len(receiver.metrics) >= sent + 2, 30, what="the second sends")
    assert _leads(home, second.pid)


def _leads(home: Home, pid: int) -> bool:
    """Whether this process holds the lease, and sends what there is to send."""
    return any(f"/{pid}/" in duty.holder for duty in every(home.core) if duty.name == "leader")


def test_metrics_go_nowhere_unless_a_collector_is_set() -> None:
    """No endpoint, OTEL_METRICS_EXPORTER=none, OTEL_SDK_DISABLED: none are sent."""
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}
    assert metric_settings({}) is None
    assert metric_settings({**endpoint, "OTEL_METRICS_EXPORTER": "none"}) is None
    assert metric_settings({**endpoint, "OTEL_SDK_DISABLED": "true"}) is None
    found = metric_settings({**endpoint, "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "2000"})
    assert found is not None
    assert found.export.endpoint == "http://c:4318/v1/metrics"
    assert (found.export.timeout_s, found.interval_s) == (2.0, 60.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "often"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "nan"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
    ],
)
def test_wrong_value_is_named(name: str, value: str) -> None:
    """The error names the variable, what was got and what is allowed."""
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}
    with pytest.raises(ConfigError, match=rf"{name} must be .*got '{value}'"):
        metric_settings({**endpoint, name: value})


def test_wrong_value_ends_the_start(home: Home) -> None:
    """One line, exit code 2, before anything is started."""
    done = home.run("duties", OTEL_METRIC_EXPORT_INTERVAL="often")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "OTEL_METRIC_EXPORT_INTERVAL must be milliseconds" in done.stderr


@pytest.mark.parametrize(("text", "seconds"), [("", 60), ("1000", 1), ("2500.5", 2.5005)])
def test_interval_is_in_milliseconds(text: str, seconds: float) -> None:
    """As the specification says; empty is the default."""
    assert export_interval_s({"OTEL_METRIC_EXPORT_INTERVAL": text}) == seconds


class _Duty:
    """A duty that has done something."""

    needs_leader = True

    def __init__(self, name: str, state: str) -> None:
        self.name = name
        self._state = state

    def step(self) -> float:
        """Nothing."""
        return 1.0

    def state(self) -> str:
        """What it did."""
        return self._state


def test_totals_of_forwarder_and_look_up_become_counts_of_their_process() -> None:
    """What they count in their state; what they do not count, or other duties do, is left out."""
    forwarder = _Duty("forwarder", json.dumps({"requests": 3, "sent_spans": 9, "last_error": "x"}))
    look_up = _Duty("look-up", json.dumps({"seen": 5, "resent": 1, "answered_at": None}))
    others = [_Duty("sweeper", json.dumps({"removed": 4})), _Duty("reaper", "not JSON")]
    assert counts_of([forwarder, look_up, *others])() == {
        (m.FORWARDER_REQUESTS.name, "{}"): 3,
        (m.FORWARDER_SENT_SPANS.name, "{}"): 9,
        (m.TRACE_LOOK_UPS.name, '{"result": "seen"}'): 5,
        (m.TRACE_LOOK_UPS.name, '{"result": "resent"}'): 1,
    }

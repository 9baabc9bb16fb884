"""Every metric: its name, instrument, unit, attributes and meaning, in one place.

The dotted names go out over OTLP; `/metrics` has the same in Prometheus' way (`prometheus_name`).
`docs/telemetry.md` holds the same table, and a test compares them.
"""

# ruff: noqa: E501 - the table at the end reads as a table: one fact, one line

from dataclasses import dataclass
from typing import Final, Literal

Instrument = Literal["gauge", "counter", "histogram"]

#: Prometheus' word for a unit of UCUM; braces are words for people only.
_UNIT_WORDS: Final = {"s": "seconds", "By": "bytes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric.

    Attributes:
        unit: In UCUM: `s`, `By`, `{task}`; "" for none.
        attributes: Keys that each of its series has.
    """

    name: str
    instrument: Instrument
    unit: str
    attributes: tuple[str, ...]
    meaning: str


def prometheus_name(metric: Metric) -> str:
    """Its name at `/metrics`, unit and `_total` included.

    Source: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility": what a
    collector makes of the name is the same.
    """
    name = metric.name.replace(".", "_")
    unit = prometheus_unit(metric)
    if unit and not name.endswith(f"_{unit}"):
        name = f"{name}_{unit}"
    return f"{name}_total" if metric.instrument == "counter" else name


def prometheus_unit(metric: Metric) -> str:
    """Its unit as Prometheus writes it; "" for none."""
    return _UNIT_WORDS.get(metric.unit, "")


def _gauge(name: str, unit: str, attributes: str, meaning: str) -> Metric:
    return _metric(name, "gauge", unit, attributes, meaning)


def _counter(name: str, unit: str, attributes: str, meaning: str) -> Metric:
    return _metric(name, "counter", unit, attributes, meaning)


def _metric(name: str, instrument: Instrument, unit: str, attributes: str, meaning: str) -> Metric:
    keys = tuple(attributes.split(", ")) if attributes else ()
    return Metric(name=name, instrument=instrument, unit=unit, attributes=keys, meaning=meaning)


# fmt: off
TASKS: Final = _gauge("voxtrace.tasks", "{task}", "status", "Tasks by status.")
TASKS_FINISHED: Final = _counter("voxtrace.tasks.finished", "{task}", "status", "Tasks that got a final status; a task that is deleted stays counted.")
TASKS_ARCHIVED: Final = _counter("voxtrace.tasks.archived", "{task}", "status", "Tasks that retention has removed; they stay counted as finished.")
DEADLINE_FLAGS: Final = _counter("voxtrace.deadline.flags", "{attempt}", "", "Attempts whose deadline passed while they ran.")
QUEUE_DEPTH: Final = _gauge("voxtrace.queue.depth", "{task}", "", "Tasks that wait, those with a later moment included.")
QUEUE_OLDEST_AGE: Final = _gauge("voxtrace.queue.oldest_age", "s", "", "How long the task that waits longest has waited since it was queued (last); 0 where none waits.")
SLOTS: Final = _gauge("voxtrace.slots", "{slot}", "state", "configured: the limit; usable: what living workers offer of it; busy: held by tasks of living workers; dead: held by tasks of workers without a sign of life; free.")
WORKERS: Final = _gauge("voxtrace.workers", "{worker}", "state", "up, draining, or silent: without a sign of life, and not yet declared dead.")
ENGINE_CALL: Final = _metric("voxtrace.engine.call", "histogram", "s", "engine, outcome", "Calls of speech engines; outcome: ok or error.")
OUTBOX_ROWS: Final = _gauge("voxtrace.outbox.rows", "{row}", "state", "Rows of spans: new (on their way), sent (kept for the window), poison (refused).")
OUTBOX_BYTES: Final = _gauge("voxtrace.outbox.bytes", "By", "state", "Bytes of the rows of spans, by state.")
OUTBOX_OLDEST_AGE: Final = _gauge("voxtrace.outbox.oldest_age", "s", "", "How long the oldest row has been on its way; 0 where none is, absent without a collector.")
OUTBOX_LOST_SPANS: Final = _counter("voxtrace.outbox.lost_spans", "{span}", "", "Spans that were dropped unsent, above the bound of bytes.")
FORWARDER_LAST_SUCCESS: Final = _gauge("voxtrace.forwarder.last_success.timestamp", "s", "", "When the collector last took spans, in seconds since the epoch.")
FORWARDER_LAST_SUCCESS_AGE: Final = _gauge("voxtrace.forwarder.last_success.age", "s", "", "How long ago the collector last took spans; it grows while there is nothing to send, too.")
FORWARDER_FAILING: Final = _gauge("voxtrace.forwarder.failing", "{request}", "", "Requests to the collector that failed since the last one that did not.")
FORWARDER_REQUESTS: Final = _counter("voxtrace.forwarder.requests", "{request}", "", "Requests to the collector.")
FORWARDER_SENT_SPANS: Final = _counter("voxtrace.forwarder.sent_spans", "{span}", "", "Spans that the collector took, those sent again included.")
FORWARDER_REJECTED_SPANS: Final = _counter("voxtrace.forwarder.rejected_spans", "{span}", "", "Spans that the collector left out of a request that it took.")
FORWARDER_RESENT_ROWS: Final = _counter("voxtrace.forwarder.resent_rows", "{row}", "", "Rows sent again because the collector was lost after it had taken them.")
TRACE_LOOK_UPS: Final = _counter("voxtrace.trace.look_ups", "{trace}", "result", "Traces of finished tasks looked up in Jaeger: seen; resent (they were not there, and are sent again); given_up.")
DUTIES_LEADING: Final = _gauge("voxtrace.duties.leading", "{process}", "", "1 while a duties process leads, else 0.")
DUTY_LAST_SUCCESS_AGE: Final = _gauge("voxtrace.duty.last_success.age", "s", "duty", "How long ago a duty last did its work.")
DUTY_FAILURES: Final = _counter("voxtrace.duty.failures", "{failure}", "duty", "Turns of a duty that ended with an error.")
STATISTICS_DRIFT: Final = _gauge("voxtrace.statistics.drift", "{number}", "", "Numbers of the statistics that are not what the rows say, as the last recounts found them.")
STATISTICS_CHECK_AGE: Final = _gauge("voxtrace.statistics.check.age", "s", "", "How long ago statistics and rows were last compared; absent before the first time.")
STATISTICS_WAITING: Final = _gauge("voxtrace.statistics.waiting", "{hour}", "", "Closed hours that wait for their first recount.")
CANARY_OK: Final = _gauge("voxtrace.canary.ok", "{canary}", "", "1 where the last canary that ended went the whole way, else 0.")
CANARY_AGE: Final = _gauge("voxtrace.canary.age", "s", "", "How long ago the last canary ended.")
CANARY_STAGE: Final = _gauge("voxtrace.canary.stage", "s", "stage", "How long the stages of the last canary took: queue, run, trace.")
FINDINGS_OPEN: Final = _gauge("voxtrace.findings.open", "{finding}", "", "What failures have in common now, but for muted groups; absent where nobody watches.")
FINDINGS_MUTED: Final = _gauge("voxtrace.findings.muted", "{finding}", "", "What failures of muted groups have in common now; nobody is told of it.")
FINDINGS_OPENED: Final = _counter("voxtrace.findings.opened", "{finding}", "", "Findings that were ever opened.")
WATCH_LAST_SUCCESS: Final = _gauge("voxtrace.watch.last_success.timestamp", "s", "", "When failures were last compared, in seconds since the epoch.")
WATCH_LAST_SUCCESS_AGE: Final = _gauge("voxtrace.watch.last_success.age", "s", "", "How long ago failures were last compared.")
WATCH_DURATION: Final = _gauge("voxtrace.watch.duration", "s", "", "How long the last comparison took.")
WEBHOOK_WAITING: Final = _gauge("voxtrace.webhook.waiting", "{call}", "", "Calls of the webhook that wait to be taken; absent where none is set.")
WEBHOOK_OLDEST_AGE: Final = _gauge("voxtrace.webhook.oldest_age", "s", "", "How long the oldest of them has waited; 0 where none does.")
WEBHOOK_CALLS: Final = _counter("voxtrace.webhook.calls", "{call}", "result", "Calls of the webhook: delivered; failed (they are tried again); given_up.")
BUILD_INFO: Final = _gauge("voxtrace.build_info", "", "release", "1, with the release that answers.")
TELEMETRY_FAILURES: Final = _counter("voxtrace.telemetry.failures", "{failure}", "program, place", "Errors inside telemetry that were swallowed, so that they failed nothing.")
SDK_SPAN_STARTED: Final = _counter("otel.sdk.span.started", "{span}", "program, otel.span.parent.origin, otel.span.sampling_result", "Spans that the SDK began.")
SDK_SPAN_PROCESSED: Final = _counter("otel.sdk.processor.span.processed", "{span}", "program, otel.component.type, error.type", "Spans through the SDK's processors; error.type: dropped, and why.")
SDK_SPAN_EXPORTED: Final = _counter("otel.sdk.exporter.span.exported", "{span}", "program, otel.component.type, error.type", "Spans through the SDK's exporters (best effort); error.type: not delivered, and why.")
# fmt: on

METRICS: Final[tuple[Metric, ...]] = (
    TASKS, TASKS_FINISHED, TASKS_ARCHIVED, DEADLINE_FLAGS, QUEUE_DEPTH, QUEUE_OLDEST_AGE, SLOTS, WORKERS, ENGINE_CALL,
    OUTBOX_ROWS, OUTBOX_BYTES, OUTBOX_OLDEST_AGE, OUTBOX_LOST_SPANS,
    FORWARDER_LAST_SUCCESS, FORWARDER_LAST_SUCCESS_AGE, FORWARDER_FAILING, FORWARDER_REQUESTS,
    FORWARDER_SENT_SPANS, FORWARDER_REJECTED_SPANS, FORWARDER_RESENT_ROWS, TRACE_LOOK_UPS,
    DUTIES_LEADING, DUTY_LAST_SUCCESS_AGE, DUTY_FAILURES,
    STATISTICS_DRIFT, STATISTICS_CHECK_AGE, STATISTICS_WAITING, CANARY_OK, CANARY_AGE, CANARY_STAGE,
    FINDINGS_OPEN, FINDINGS_MUTED, FINDINGS_OPENED, WATCH_LAST_SUCCESS, WATCH_LAST_SUCCESS_AGE, WATCH_DURATION,
    WEBHOOK_WAITING, WEBHOOK_OLDEST_AGE, WEBHOOK_CALLS,
    BUILD_INFO, TELEMETRY_FAILURES, SDK_SPAN_STARTED, SDK_SPAN_PROCESSED, SDK_SPAN_EXPORTED,
)  # fmt: skip

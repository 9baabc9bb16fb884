"""The panels of the Grafana dashboard, as a table: one fact, one line."""

# ruff: noqa: E501 - it reads as a table

from dataclasses import dataclass
from typing import Final

#: Grafana's colours of what is broken, what needs a look, what is well.
_BAD, _WARN, _GOOD = "red", "orange", "green"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel.

    Attributes:
        queries: (expression, legend) each.
        unit: Grafana's name of the unit.
        kind: `stat` shows a number, `timeseries` lines, `heatmap` a histogram over time.
        steps: (value, colour) from which the colour holds, the first one from the start.
    """

    title: str
    words: str
    queries: tuple[tuple[str, str], ...]
    unit: str
    kind: str = "timeseries"
    width: int = 8
    is_stacked: bool = False
    steps: tuple[tuple[float | None, str], ...] = ()


def _stat(title: str, words: str, query: str, unit: str, *steps: tuple[float | None, str]) -> Panel:
    return Panel(
        title=title,
        words=words,
        queries=((query, ""),),
        unit=unit,
        kind="stat",
        width=3,
        steps=steps,
    )


_FINISHED = "sum(max by (status) (increase(voxtrace_tasks_finished_total{%s}[15m])))"
_ERRORS = (
    _FINISHED % 'status=~"failed|timeout"'
    + " / ("
    + _FINISHED % 'status=~"completed|failed|timeout"'
    + " > 0)"
)
#: `max` takes the numbers together that several web processes tell alike; the rest is summed.
_CALLS = (
    "sum by (%s) (max by (%s, outcome) (rate(voxtrace_engine_call_seconds_%s[$__rate_interval])))"
)
_BUCKETS = _CALLS % ("le, engine", "le, engine", "bucket")
_MEAN = f"{_CALLS % ('engine', 'engine', 'sum')} / {_CALLS % ('engine', 'engine', 'count')}"

ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "Now",
        (
            _stat("Workers up", "Workers that live and take tasks.", 'max(voxtrace_workers{state="up"})', "short", (None, _BAD), (1, _GOOD)),
            _stat("Tasks that run", "Slots held by tasks of living workers.", 'max(voxtrace_slots{state="busy"})', "short", (None, _GOOD)),
            _stat("Tasks that wait", "The queue.", "max(voxtrace_queue_depth)", "short", (None, _GOOD)),
            _stat("Oldest waits for", "The task that waits longest.", "max(voxtrace_queue_oldest_age_seconds)", "s", (None, _GOOD), (360, _WARN), (1800, _BAD)),
            _stat("Failed in 15 min", "Of the tasks that ended, without those that were cancelled.", _ERRORS, "percentunit", (None, _GOOD), (0.05, _WARN), (0.2, _BAD)),
            _stat("Spans wait for", "The oldest span that the collector has not taken.", "max(voxtrace_outbox_oldest_age_seconds)", "s", (None, _GOOD), (60, _WARN), (120, _BAD)),
            _stat("Last canary", "1: the last text of our own went the whole way.", "max(voxtrace_canary_ok)", "bool_yes_no", (None, _BAD), (1, _GOOD)),
            _stat("Duties lead", "1: a duties process leads.", "max(voxtrace_duties_leading)", "bool_yes_no", (None, _BAD), (1, _GOOD)),
        ),
    ),
    (
        "Tasks",
        (
            Panel(title="Tasks by status", words="Of all time; removed: of these, what retention has taken away.", queries=(("max by (status) (voxtrace_tasks)", "{{status}}"), ("max by (status) (voxtrace_tasks_archived_total)", "{{status}}, removed")), unit="short"),
            Panel(title="Tasks that end", words="By their final status, each minute.", queries=(("max by (status) (rate(voxtrace_tasks_finished_total[$__rate_interval])) * 60", "{{status}}"),), unit="cpm", is_stacked=True),
            Panel(title="Deadlines that pass", words="Attempts flagged while they ran, each hour.", queries=(("max(rate(voxtrace_deadline_flags_total[$__rate_interval])) * 3600", "flags"),), unit="short"),
            Panel(title="Queue", words="Tasks that wait.", queries=(("max(voxtrace_queue_depth)", "waiting"),), unit="short"),
            Panel(title="Oldest task that waits", words="Since it was queued last.", queries=(("max(voxtrace_queue_oldest_age_seconds)", "age"),), unit="s"),
            Panel(title="Slots", words="configured: the limit; usable: what living workers offer of it.", queries=(("max by (state) (voxtrace_slots)", "{{state}}"),), unit="short"),
        ),
    ),
    (
        "Workers and engines",
        (
            Panel(title="Workers", words="silent: without a sign of life, not yet declared dead.", queries=(("max by (state) (voxtrace_workers)", "{{state}}"),), unit="short", width=6),
            Panel(title="Engine calls", words="Each second, by outcome.", queries=(("max by (engine, outcome) (rate(voxtrace_engine_call_seconds_count[$__rate_interval]))", "{{engine}} {{outcome}}"),), unit="cps", width=6),
            Panel(title="Time of an engine call", words="Median, 95th percentile, and mean.", queries=((f"histogram_quantile(0.5, {_BUCKETS})", "{{engine}} p50"), (f"histogram_quantile(0.95, {_BUCKETS})", "{{engine}} p95"), (_MEAN, "{{engine}} mean")), unit="s", width=6),
            Panel(title="Engine calls by time", words="How many calls took how long.", queries=(("sum by (le) (max by (le, engine, outcome) (increase(voxtrace_engine_call_seconds_bucket[$__rate_interval])))", "{{le}}"),), unit="s", kind="heatmap", width=6),
        ),
    ),
    (
        "Spans on their way",
        (
            Panel(title="Outbox rows", words="new: on their way; sent: kept for the window; poison: refused.", queries=(("max by (state) (voxtrace_outbox_rows)", "{{state}}"),), unit="short"),
            Panel(title="Outbox size", words="The bound is VOXTRACE_OUTBOX_MAX_BYTES.", queries=(("max by (state) (voxtrace_outbox_bytes)", "{{state}}"),), unit="bytes", is_stacked=True),
            Panel(title="Oldest span that waits", words="And how long ago the collector last took something: that grows while there is nothing to send, too.", queries=(("max(voxtrace_outbox_oldest_age_seconds)", "oldest span"), ("min(voxtrace_forwarder_last_success_age_seconds)", "last success")), unit="s"),
            Panel(title="Forwarder", words="Spans that the collector took, each second.", queries=(("max(rate(voxtrace_forwarder_sent_spans_total[$__rate_interval]))", "spans"), ("max(rate(voxtrace_forwarder_requests_total[$__rate_interval]))", "requests")), unit="cps"),
            Panel(title="What went wrong on the way", words="In each interval: dropped above the bound, left out by the collector, sent again after its loss; and failed requests in a row.", queries=(("max(increase(voxtrace_outbox_lost_spans_total[$__rate_interval]))", "spans lost"), ("max(increase(voxtrace_forwarder_rejected_spans_total[$__rate_interval]))", "spans rejected"), ("max(increase(voxtrace_forwarder_resent_rows_total[$__rate_interval]))", "rows sent again"), ("max(voxtrace_forwarder_failing)", "failing requests")), unit="short"),
            Panel(title="Traces looked up in Jaeger", words="In each interval. resent: they were not there.", queries=(("max by (result) (increase(voxtrace_trace_look_ups_total[$__rate_interval]))", "{{result}}"),), unit="short"),
            Panel(title="Last success of the forwarder", words="The moment.", queries=(("max(voxtrace_forwarder_last_success_timestamp_seconds) * 1000", ""),), unit="dateTimeFromNow", kind="stat", steps=((None, _GOOD),)),
        ),
    ),
    (
        "Who watches",
        (
            Panel(title="Duties: last success", words="How long ago each did its work.", queries=(("max by (duty) (voxtrace_duty_last_success_age_seconds)", "{{duty}}"),), unit="s", width=6),
            Panel(title="Duties: failures", words="In each interval; and whether one process leads.", queries=(("max by (duty) (increase(voxtrace_duty_failures_total[$__rate_interval]))", "{{duty}}"), ("max(voxtrace_duties_leading)", "leads")), unit="short", width=6),
            Panel(title="Statistics", words="Numbers that are not what the rows say; hours that wait for their first recount; how long ago rows were compared.", queries=(("max(voxtrace_statistics_drift)", "wrong numbers"), ("max(voxtrace_statistics_waiting)", "hours that wait"), ("max(voxtrace_statistics_check_age_seconds)", "seconds since the last look")), unit="short", width=6),
            Panel(title="Canary", words="How long ago the last one ended.", queries=(("max(voxtrace_canary_age_seconds)", "age"),), unit="s", width=6),
            Panel(title="Canary: its stages", words="Queue, run, and until its trace was in Jaeger.", queries=(("max by (stage) (voxtrace_canary_stage_seconds)", "{{stage}}"),), unit="s", width=6, is_stacked=True),
        ),
    ),
    (
        "What failures share",
        (
            Panel(title="Findings", words="What failures of the last hour have in common: how many findings are open, and how many opened in each interval.", queries=(("max(voxtrace_findings_open)", "open"), ("max(voxtrace_findings_muted)", "muted"), ("max(increase(voxtrace_findings_opened_total[$__rate_interval]))", "opened")), unit="short", width=6),
            Panel(title="Watch: last comparison", words="How long ago failures were compared with the past.", queries=(("max(voxtrace_watch_last_success_age_seconds)", "age"), ("max(voxtrace_watch_duration_seconds)", "took")), unit="s", width=6),
            Panel(title="Last comparison", words="The moment.", queries=(("max(voxtrace_watch_last_success_timestamp_seconds) * 1000", ""),), unit="dateTimeFromNow", kind="stat", width=6, steps=((None, _GOOD),)),
            Panel(title="Webhook", words="Calls that wait and for how many seconds the oldest does; in each interval those that were taken, failed and given up.", queries=(("max(voxtrace_webhook_waiting)", "waiting"), ("max(voxtrace_webhook_oldest_age_seconds)", "oldest, seconds"), ("max by (result) (increase(voxtrace_webhook_calls_total[$__rate_interval]))", "{{result}}")), unit="short", width=6),
        ),
    ),
    (
        "Telemetry itself",
        (
            Panel(title="Errors in telemetry", words="Swallowed, so that they failed nothing; in each interval.", queries=(("max by (program, place) (increase(voxtrace_telemetry_failures_total[$__rate_interval]))", "{{program}}: {{place}}"),), unit="short", width=6),
            Panel(title="Spans of the SDK", words="Begun, each second, by program.", queries=(("sum by (program) (max by (program, otel_span_parent_origin, otel_span_sampling_result) (rate(otel_sdk_span_started_total[$__rate_interval])))", "{{program}}"),), unit="cps", width=6),
            Panel(title="Best-effort spans", words="Through the SDK's processor and exporter; an error type says what did not arrive, and why.", queries=(("sum by (program, error_type) (max by (program, otel_component_type, error_type) (rate(otel_sdk_processor_span_processed_total[$__rate_interval])))", "{{program}} processed {{error_type}}"), ("sum by (program, error_type) (max by (program, otel_component_type, error_type) (rate(otel_sdk_exporter_span_exported_total[$__rate_interval])))", "{{program}} exported {{error_type}}")), unit="cps", width=6),
            Panel(title="Release", words="What answers.", queries=(("max by (release) (voxtrace_build_info)", "{{release}}"),), unit="none", kind="stat", width=6, steps=((None, _GOOD),)),
        ),
    ),
)  # fmt: skip

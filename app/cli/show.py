"""`voxtrace show ID`: a task in words, its attempts, its trace as a waterfall, its events."""

from dataclasses import asdict, replace
from typing import Any

import click

from app.cli.when import shown, shown_ms
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.service.task_view import TaskView, task_view
from app.service.traces.trace_state import TraceLook, TraceState, Where
from app.service.waterfall import Row, Waterfall

#: Columns of the waterfall's bars.
_WIDTH = 48
_NAME_WIDTH = 34


def show(settings: Settings, options: dict[str, Any]) -> int:
    """Prints a task."""
    core = make_core(settings)
    trace = TraceLook(core).look(options["id"])
    view = replace(task_view(core, options["id"]), trace=trace)
    if options["json"]:
        print_json(_as_json(view))
        return 0
    for part in (_head(view), _attempts(view), _trace(view.waterfall, view.trace), _events(view)):
        click.echo(part)
    return 0


def _as_json(view: TaskView) -> dict[str, Any]:
    value = asdict(view)
    for text in (value["text"], *value["followers"]):
        text.pop("content", None)
    return value


def _head(view: TaskView) -> str:
    task = view.task
    ended = f", finished {shown_ms(task.finished_at)}" if task.finished_at else ""
    done = f"{view.segments.done} of {view.segments.total}"
    made = f"{task.char_count} characters, engine {task.engine}, voice {task.voice}, {task.format}"
    lines = [
        f"task {task.id}: {view.text.title}",
        f"  {task.status}: {view.reason.en.text}",
        f"  trace {task.trace_id}, text {task.text_id}, {made}",
        f"  segments {done}, submitted {shown_ms(task.submitted_at)}{ended}",
    ]
    if view.audio is not None:
        length = _span(1000 * (view.audio.duration_ms or 0))
        size = f"{view.audio.size_bytes} bytes"
        lines.append(f"  audio {length}, {size}, {view.audio.storage_key}")
    return "\n".join(lines)


def _attempts(view: TaskView) -> str:
    lines = ["", "attempts" if view.attempts else "no attempt yet"]
    for attempt in view.attempts:
        row = attempt.record
        error = f"  {row.error_type}: {row.error_message}" if row.error_type else ""
        lines.append(
            f"  {row.attempt}  {row.outcome or 'running':<11} {row.worker_name:<16} "
            f"waited {_span(attempt.waited_us)}, ran {_span(attempt.ran_us)}, "
            f"{attempt.segments_made} segments{error}"
        )
    return "\n".join(lines)


def _trace(waterfall: Waterfall, trace: TraceState) -> str:
    drawn = {"outbox": "its spans", "rows": "its rows (the spans are no longer kept)"}
    lines = ["", f"trace, drawn from {drawn[waterfall.source]}, {_span(waterfall.total_us)} wide"]
    lines += [f"  {_where(trace)}"]
    lines += [_row(row, max(1, waterfall.total_us)) for row in waterfall.rows]
    if waterfall.left_off:
        lines.append(f"  and {waterfall.left_off} more spans (--json has them all)")
    return "\n".join(lines)


def _where(trace: TraceState) -> str:
    """Where the trace is, and its address where a look found it in Jaeger."""
    at = f" at {shown(trace.at)}" if trace.at is not None else ""
    words = {
        Where.OFF: "tracing is turned off (OTEL_SDK_DISABLED)",
        Where.NO_JAEGER: "whether Jaeger has it is not known: VOXTRACE_JAEGER_URL is not set",
        Where.RUNNING: "the task runs; its spans leave as they end",
        Where.ON_ITS_WAY: "on its way to Jaeger",
        Where.SEEN: f"seen in Jaeger{at}",
        Where.MISSING: f"was missing in Jaeger{at}, sent again {trace.resends} times",
        Where.GONE: "Jaeger no longer has it",
        Where.LOST: "Jaeger lost it; it is sent again",
        Where.UNREACHABLE: trace.problem or "Jaeger does not answer",
    }
    count = f", {trace.spans} spans there" if trace.spans is not None else ""
    return f"{words[trace.where]}{count}" + (f": {trace.url}" if trace.url else "")


def _row(row: Row, total_us: int) -> str:
    end_us = total_us if row.end_us is None else row.end_us
    begin = min(_WIDTH - 1, max(0, row.start_us * _WIDTH // total_us))
    stop = min(_WIDTH, max(begin + 1, -(-end_us * _WIDTH // total_us)))
    mark = "░" if row.is_rebuilt else "▒" if row.end_us is None else "█"
    bar = " " * begin + mark * (stop - begin)
    name = "  " * row.level + row.name
    failed = "  error" if row.status == "error" else "  runs" if row.end_us is None else ""
    rebuilt = "  rebuilt from its row" if row.is_rebuilt else ""
    took = _span(end_us - row.start_us)
    return f"  {name[:_NAME_WIDTH]:<{_NAME_WIDTH}} {bar:<{_WIDTH}} {took}{failed}{rebuilt}"


def _events(view: TaskView) -> str:
    lines = ["", "events"]
    for event in view.events:
        moved = f"{event.from_status or ''} -> {event.to_status}" if event.to_status else ""
        detail = f"  {event.detail}" if event.detail else ""
        lines.append(f"  {shown_ms(event.at)}  {event.kind:<18} {moved:<24} {event.by}{detail}")
    return "\n".join(lines)


def _span(duration_us: int) -> str:
    """A duration with two units at most."""
    seconds = duration_us / 1_000_000
    if seconds < 1:
        return f"{duration_us / 1000:.1f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"

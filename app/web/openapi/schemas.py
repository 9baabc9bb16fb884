"""The named schemas of the v1 API."""

from app.service.traces.trace_state import Where
from app.web.openapi import rows
from app.web.openapi.types import (
    FLAG,
    ID,
    MOMENT,
    NUMBER,
    RATIO,
    STRING,
    TRACE_ID,
    WHOLE,
    Schema,
    by_name,
    fields,
    listed,
    maybe,
    one_of,
    ref,
    said,
)

_SENTENCES = fields({"headline": STRING, "detail": STRING, "advice": STRING})

#: What a submission may say; `content` must be there.
SUBMIT: dict[str, Schema] = {
    "title": said(STRING, "Else the file's name, else the first line."),
    "content": said(STRING, "The text."),
    "filename": STRING,
    "engine": said(STRING, "One of /api/v1/engines."),
    "voice": said(STRING, "One of the engine's, or auto."),
    "format": rows.FORMAT,
    "params": by_name(NUMBER),
    "timeout_s": {"type": "number", "minimum": 1, "maximum": 604_800},
    "max_attempts": {"type": "integer", "minimum": 1, "maximum": 100},
}

_DETAIL: dict[str, Schema] = rows.TASK | {
    "text": ref("Text"),
    "audio": maybe(ref("Audio")),
    "attempts": listed(ref("Attempt")),
    "segments": fields(
        {
            "total": WHOLE,
            "done": WHOLE,
            "waiting": WHOLE,
            "pauses": WHOLE,
            "reused": WHOLE,
            "tries": WHOLE,
            "blocks": said(listed(RATIO), "At most 24 shares of the segments that are done."),
        }
    ),
    "events": listed(ref("Event")),
    "submissions": listed(ref("Submission")),
    "followers": listed(ref("Text")),
    "queue_position": maybe(ID),
    "retried_by": maybe(ID),
    "can_cancel": FLAG,
    "can_retry": FLAG,
    "reason": said(STRING, "Why it stands where it stands, in words."),
    "reason_zh": STRING,
    "explanation": fields({"en": _SENTENCES, "zh": _SENTENCES}),
    "path": listed(ref("Step")),
    "deadline": maybe(ref("DeadlineSum")),
    "spent_s": fields(
        {"waiting": NUMBER, "quota": NUMBER, "engine": NUMBER, "own": NUMBER, "lost": NUMBER}
    ),
    "spans": said(listed(ref("SpanRow")), "The rows of the waterfall, in the order of drawing."),
    "waterfall": fields(
        {
            "source": said(
                one_of("outbox", "rows"), "The spans themselves, or rows that stand for them."
            ),
            "zero_at": MOMENT,
            "total_us": WHOLE,
            "left_off": WHOLE,
        }
    ),
    "trace": said(ref("TraceState"), "As the row knows, without asking Jaeger."),
    "now": said(MOMENT, "The database's time of this answer."),
}

_TRACE_STATE: dict[str, Schema] = {
    "where": one_of(*Where),
    "trace_id": TRACE_ID,
    "at": said(maybe(MOMENT), "When it was seen, or found missing."),
    "resends": said(WHOLE, "How often it was sent again because it was not there."),
    "spans": said(maybe(WHOLE), "Spans that Jaeger has now; null where nobody has just looked."),
    "url": said(maybe(STRING), "Its page in Jaeger; only where a look found it there."),
    "problem": said(maybe(STRING), "Why Jaeger could not be asked."),
}

_MONITOR: dict[str, Schema] = {
    "as_of": MOMENT,
    "stats": ref("Stats"),
    "slots": fields({"configured": WHOLE, "usable": WHOLE, "busy": WHOLE, "held_by_dead": WHOLE}),
    "oldest_waiting_at": maybe(MOMENT),
    "oldest_waiting_s": maybe(NUMBER),
    "active": listed(
        fields(
            {
                "task": ref("Task"),
                "title": STRING,
                "progress": RATIO,
                "ran_s": NUMBER,
                "is_worker_lost": FLAG,
            }
        )
    ),
    "workers": listed(ref("Worker")),
    "duties": listed(ref("Duty")),
    "outbox": maybe(ref("Outbox")),
    "exports": said(FLAG, "A collector is set."),
    "warnings": listed(ref("Alert")),
    "last_event_id": WHOLE,
}

_CHECK = {
    "type": "object",
    "properties": {
        "ok": said(FLAG, "False where it is bad."),
        "level": one_of("ok", "warn", "bad", "off", "unknown"),
        "required": said(FLAG, "Whether the service cannot do its work without it."),
        "detail": said(STRING, "What was found."),
        "fix": said(STRING, "What to do; empty where nothing is."),
        "since": said(maybe(MOMENT), "Since when it is not well."),
        "seen_at": said(maybe(MOMENT), "When it was last seen so."),
    },
    "required": ["ok", "level", "required"],
    "additionalProperties": {"type": ["integer", "number", "string", "boolean", "null"]},
}
_READY: dict[str, Schema] = {
    "ready": said(FLAG, "No required part is bad."),
    "well": said(FLAG, "No part at all is bad."),
    "checks": by_name(ref("Check")),
}

_VOICE = fields(
    {"id": STRING, "name": STRING, "languages": listed(STRING), "gender": maybe(STRING)}
)

SCHEMAS: dict[str, Schema] = {
    "Text": fields(rows.TEXT),
    "TextItem": fields(rows.ITEM | {"excerpt": STRING}),
    "TextDetail": fields(rows.ITEM | {"content": STRING}),
    "Task": fields(rows.TASK),
    "ListedTask": fields(rows.TASK | {"title": STRING}),
    "TaskDetail": fields(_DETAIL),
    "TraceState": fields(_TRACE_STATE),
    "Audio": fields(rows.AUDIO),
    "Attempt": fields(rows.ATTEMPT),
    "Event": fields(rows.EVENT),
    "Submission": fields(rows.SUBMISSION),
    "Worker": fields(rows.WORKER),
    "Duty": fields(rows.DUTY),
    "Outbox": fields(rows.OUTBOX),
    "Submit": fields(SUBMIT, optional=set(SUBMIT) - {"content"}),
    "Submitted": fields(
        {
            "text": ref("Text"),
            "task": ref("Task"),
            "audio": maybe(ref("Audio")),
            "disposition": rows.DISPOSITION,
        }
    ),
    "Cancelled": fields({"task": ref("Task"), "is_task_cancelled": FLAG, "still_wanted_by": WHOLE}),
    "Step": fields(
        {
            "status": rows.STATUS,
            "why": STRING,
            "by": STRING,
            "since": MOMENT,
            "until": maybe(MOMENT),
            "attempt": maybe(ID),
            "worker": maybe(STRING),
            "is_late": FLAG,
        }
    ),
    "DeadlineSum": fields(
        {
            "attempt": ID,
            "claimed_at": MOMENT,
            "timeout_s": NUMBER,
            "moved_s": NUMBER,
            "deadline_at": MOMENT,
            "used_ratio": NUMBER,
        }
    ),
    "SpanRow": fields(
        {
            "span_id": STRING,
            "parent_span_id": maybe(STRING),
            "level": {"type": "integer", "minimum": 0},
            "name": STRING,
            "service": STRING,
            "kind": one_of(
                "request",
                "task",
                "wait",
                "quota",
                "attempt",
                "group",
                "own",
                "engine",
                "store",
                "late",
            ),
            "start_us": said(WHOLE, "From the waterfall's zero_at."),
            "end_us": said(maybe(WHOLE), "null while it runs."),
            "status": one_of("ok", "error", "open"),
            "is_rebuilt": FLAG,
            "notes": by_name({"type": ["string", "number", "boolean"]}),
            "events": listed(fields({"name": STRING, "at_us": WHOLE})),
            "attempt": maybe(WHOLE),
            "segment": maybe(WHOLE),
            "last_segment": maybe(WHOLE),
            "span_count": WHOLE,
        }
    ),
    "Segment": fields(
        {
            "idx": WHOLE,
            "text": STRING,
            "language": maybe(STRING),
            "status": one_of("waiting", "done", "pause"),
            "attempt": maybe(WHOLE),
            "reused": FLAG,
            "tries": WHOLE,
            "duration_ms": maybe(WHOLE),
            "offset_ms": maybe(WHOLE),
            "rms_dbfs": maybe(NUMBER),
            "start": WHOLE,
            "stop": WHOLE,
            "started_at": maybe(MOMENT),
            "finished_at": maybe(MOMENT),
            "span_id": maybe(STRING),
            "marks": listed(
                fields({"kind": one_of("w", "s"), "start": WHOLE, "end": WHOLE, "at_ms": WHOLE})
            ),
        }
    ),
    "TaskGlance": fields(
        {
            "state": STRING,
            "is_final": FLAG,
            "queue_position": maybe(ID),
            "now": MOMENT,
            "task": maybe(ref("Task")),
            "events": listed(ref("Event")),
        }
    ),
    "Stats": fields(
        {
            "total": WHOLE,
            "pending": WHOLE,
            "active": WHOLE,
            "completed": WHOLE,
            "failed": WHOLE,
            "success_ratio": RATIO,
            "finished_ratio": maybe(RATIO),
            "mean_run_ms": maybe(NUMBER),
            "texts_by_state": by_name(WHOLE),
            "tasks_by_status": by_name(WHOLE),
        }
    ),
    "Monitor": fields(_MONITOR),
    "Alert": fields({"code": STRING, "level": one_of("bad", "warn"), "en": STRING, "zh": STRING}),
    "Limits": fields({"max_concurrent": WHOLE, "engines": by_name(WHOLE)}),
    "LimitsChange": fields(
        {"max_concurrent": WHOLE, "engines": by_name(maybe(WHOLE))},
        optional=("max_concurrent", "engines"),
    ),
    "Engine": fields(
        {
            "name": STRING,
            "version": STRING,
            "is_default": FLAG,
            "limit": maybe(WHOLE),
            "default_voice": STRING,
            "voices": listed(_VOICE),
            "params": by_name(fields({"minimum": NUMBER, "default": NUMBER, "maximum": NUMBER})),
            "languages": maybe(listed(STRING)),
            "sample_rates": listed(WHOLE),
            "marks": listed(STRING),
            "is_deterministic": FLAG,
            "is_offline": FLAG,
        }
    ),
    "Setting": fields(
        {
            "name": STRING,
            "value": STRING,
            "unit": STRING,
            "default": STRING,
            "allowed": STRING,
            "help": STRING,
            "is_given": FLAG,
            "is_secret": FLAG,
        }
    ),
    "Check": _CHECK,
    "Readiness": fields(_READY),
    "Health": fields(
        _READY
        | {
            "release": STRING,
            "host": STRING,
            "duties": listed(ref("Duty")),
            "outbox": maybe(ref("Outbox")),
            "exports": FLAG,
            "warnings": listed(ref("Alert")),
            "web": fields(
                {
                    "pid": WHOLE,
                    "threads": WHOLE,
                    "held_threads": WHOLE,
                    "telemetry_failures": WHOLE,
                }
            ),
        }
    ),
    "Problem": fields(
        {
            "type": STRING,
            "title": STRING,
            "status": WHOLE,
            "detail": STRING,
            "error_type": STRING,
            "instance": STRING,
            "trace_id": TRACE_ID,
            "position": said(WHOLE, "Of a wrong filter: where, in characters from 0."),
            "length": said(WHOLE, "Of a wrong filter: how many characters are wrong."),
        },
        optional=("instance", "trace_id", "position", "length"),
    ),
}

"""The named schemas of the old routes."""

from app.web.openapi import rows
from app.web.openapi.types import (
    ANY_OBJECT,
    EPOCH_S,
    FLAG,
    ID,
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
    said,
)

_LEGACY_STATUS = one_of("pending", "processing", "completed", "failed", "timeout")

SCHEMAS: dict[str, Schema] = {
    "LegacyError": fields(
        {
            "success": FLAG,
            "error": STRING,
            "error_type": STRING,
            "trace_id": maybe(TRACE_ID),
        }
    ),
    "LegacyUpload": fields(
        {
            "success": FLAG,
            "text_id": ID,
            "message": STRING,
            "filename": STRING,
            "char_count": WHOLE,
            "skipped": FLAG,
            "audio_url": maybe(STRING),
            "title": STRING,
            "task_id": ID,
            "status": rows.STATUS,
            "disposition": rows.DISPOSITION,
            "encoding": maybe(STRING),
            "trace_id": TRACE_ID,
        },
        optional=("skipped", "audio_url"),
    ),
    "LegacyTaskStatus": fields(
        {
            "text_id": ID,
            "status": _LEGACY_STATUS,
            "start_time": maybe(EPOCH_S),
            "completed_time": maybe(EPOCH_S),
            "error_message": maybe(STRING),
            "audio_url": maybe(STRING),
            "filename": STRING,
            "duration": said(NUMBER, "Seconds since it started, or that it took."),
            "state": said(rows.STATUS, "As status, but cancelled is told from failed."),
            "title": STRING,
            "task_id": maybe(ID),
            "trace_id": maybe(TRACE_ID),
            "error_type": maybe(STRING),
            "submitted_time": EPOCH_S,
            "progress": maybe(RATIO),
            "queue_position": maybe(ID),
            "audio_id": maybe(ID),
        },
        optional=("duration",),
    ),
    "LegacyStats": fields(
        {
            "active_tasks": WHOLE,
            "max_concurrent": WHOLE,
            "total_tasks": WHOLE,
            "success_rate": said(NUMBER, "Percent, one decimal: completed / total."),
            "avg_duration": said(NUMBER, "Seconds: mean run time of completed tasks."),
            "tasks_completed": WHOLE,
            "tasks_failed": WHOLE,
            "active_list": listed(
                fields(
                    {
                        "text_id": ID,
                        "status": _LEGACY_STATUS,
                        "start_time": maybe(EPOCH_S),
                        "duration": NUMBER,
                        "title": STRING,
                        "task_id": ID,
                        "worker": maybe(STRING),
                        "segments_done": WHOLE,
                        "segment_count": maybe(WHOLE),
                    }
                )
            ),
            "timestamp": EPOCH_S,
            "tasks_pending": WHOLE,
            "by_state": by_name(WHOLE),
        }
    ),
    "LegacyAudioUrl": fields(
        {
            "audio_id": ID,
            "audio_url": STRING,
            "filename": STRING,
            "file_size": WHOLE,
            "created_at": EPOCH_S,
            "duration": maybe(NUMBER),
            "is_valid": FLAG,
            "format": STRING,
        }
    ),
    "LegacyDeleted": fields({"success": FLAG, "audio_id": ID, "message": STRING}),
    "LegacyTitle": fields({"exists": FLAG, "title": STRING}),
    "LegacyEngines": fields(
        {"success": FLAG, "message": STRING, "engine": STRING, "engines": listed(ANY_OBJECT)}
    ),
    "LegacyStorage": fields({"success": FLAG, "message": STRING, "storage": ANY_OBJECT}),
}

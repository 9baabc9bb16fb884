"""The routes of the old service, with its shapes and statuses; new fields only added."""

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as BaseResponse

from app.service import audio, diagnose, library, report
from app.service.glance import Key
from app.web import accept, legacy_shapes, streams
from app.web.state import core
from app.web.upload import shape, upload

blueprint = Blueprint("legacy", __name__)
blueprint.add_url_rule("/upload", "upload", upload, methods=["POST"])


@blueprint.get("/api/task/status/<int:text_id>")
def task_status(text_id: int) -> Response:
    """A text's latest task."""
    return jsonify(legacy_shapes.task_status(library.head(core(), text_id)))


@blueprint.get("/api/task/stream/<int:text_id>")
def task_stream(text_id: int) -> BaseResponse:
    """Server-sent events of a text, the present status first."""
    return streams.of_text(Key("text", text_id))


@blueprint.post("/api/task/retry/<int:text_id>")
def task_retry(text_id: int) -> Response:
    """Starts a text's task again."""
    return jsonify(shape(accept.retry_text(text_id, default_source="legacy")))


@blueprint.get("/api/monitor/stats")
def monitor_stats() -> Response:
    """The statistics, from one snapshot of the tables."""
    return jsonify(legacy_shapes.stats(report.stats(core())))


@blueprint.get("/api/audio/url/<int:audio_id>")
def audio_url(audio_id: int) -> Response:
    """Where an audio is."""
    return jsonify(legacy_shapes.audio_url(audio.get(core(), audio_id)))


@blueprint.delete("/api/audio/<int:audio_id>")
def audio_delete(audio_id: int) -> Response:
    """Deletes a corrupt audio; a valid one is refused."""
    deleted = audio.delete_corrupt(core(), audio_id)
    return jsonify(
        {"success": True, "audio_id": deleted.id, "message": "the corrupt audio is deleted"}
    )


@blueprint.get("/api/text/title_exists")
def title_exists() -> Response:
    """Whether a text has this title."""
    title = request.args.get("title", "").strip()
    return jsonify({"exists": library.title_exists(core(), title), "title": title})


@blueprint.get("/api/diagnose/tts")
def diagnose_tts() -> Response:
    """Whether the engines work."""
    found = diagnose.engines(core())
    default = found[0]
    return jsonify(
        {
            "success": default.ok,
            "message": _words(default.name, is_ok=default.ok),
            "engine": default.name,
            "engines": [legacy_shapes.finding(one) for one in found],
        }
    )


@blueprint.get("/api/diagnose/oss")
def diagnose_oss() -> Response:
    """Whether the audio storage works."""
    found = diagnose.storage(core())
    return jsonify(
        {
            "success": found.ok,
            "message": _words(f"storage ({found.name})", is_ok=found.ok),
            "storage": legacy_shapes.finding(found),
        }
    )


def _words(name: str, *, is_ok: bool) -> str:
    return f"{name} is reachable and works" if is_ok else f"{name} does not work; see the details"

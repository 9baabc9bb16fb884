"""/api/v1/texts: submit, list, read, delete and bring back, retry, cancel."""

from flask import Blueprint, Response, jsonify, request

from app.domain.errors import RequestError
from app.domain.task import Status
from app.service import cancel, library
from app.service.library import LibraryFilter
from app.service.submit import SubmitRequest, Submitted
from app.web import accept, parse, shapes
from app.web.shapes import Json
from app.web.state import core

blueprint = Blueprint("v1_texts", __name__, url_prefix="/api/v1/texts")

#: What the query parameters' words stand for.
_AUDIO = {"all": None, "generated": True, "not_generated": False}
_ORDER = {"desc": False, "asc": True}


@blueprint.post("")
def create() -> Response:
    """Submits a text, as JSON or as a file: 201 for new work, 200 where it follows or is there."""
    accept.limit_body()
    result = accept.submit(_wanted())
    response = jsonify(submitted(result))
    response.status_code = 201 if result.disposition == "new" else 200
    response.headers["Location"] = f"/api/v1/tasks/{result.task.id}"
    return response


def _wanted() -> SubmitRequest:
    source = accept.source("api")
    if request.mimetype != "multipart/form-data":
        return accept.from_json(parse.json_object(accept.FIELDS), source)
    files = request.files.getlist("file")
    if len(files) != 1 or not files[0].filename:
        message = f"a multipart body must have one file in the field 'file', got {len(files)}"
        raise RequestError(message)
    _check_form()
    wanted = accept.from_form(source)
    return accept.of_file(files[0], wanted, encoding=request.form.get("encoding"))


def _check_form() -> None:
    allowed = ["title", "engine", "voice", "format", "timeout_s", "max_attempts", "encoding"]
    for name in request.form:
        if name not in allowed:
            message = f"field {name[:40]!r} is not known; allowed: file, {', '.join(allowed)}"
            raise RequestError(message)


def submitted(result: Submitted) -> Json:
    """A text with its task, and what became of the request."""
    return {
        "text": shapes.text(result.text),
        "task": shapes.task(result.task),
        "audio": shapes.audio(result.audio) if result.audio is not None else None,
        "disposition": result.disposition,
    }


@blueprint.get("")
def index() -> Response:
    """A page of texts, newest first."""
    parse.known_args("q", "order", "audio_filter", "status", "page", "page_size")
    found = library.page(
        core(),
        LibraryFilter(
            q=request.args.get("q", "").strip(),
            has_audio=parse.choice_arg("audio_filter", _AUDIO, "all"),
            states=_states(),
            oldest_first=parse.choice_arg("order", _ORDER, "desc"),
        ),
        page=parse.whole_arg("page", 1, low=1, high=1_000_000) or 1,
        page_size=parse.whole_arg("page_size", 20, low=1, high=library.MAX_PAGE_SIZE) or 20,
    )
    return jsonify(
        {
            "texts": [shapes.library_item(item, with_content=False) for item in found.items],
            "page": found.page,
            "pages": found.pages,
            "page_size": found.page_size,
            "total": found.total,
            "is_capped": found.is_capped,
        }
    )


def _states() -> tuple[str, ...]:
    """States of the `status` parameter, with commas between; `problem` stands for two of them."""
    words = [word for word in request.args.get("status", "").split(",") if word and word != "all"]
    states = [state for word in words for state in _meant(word)]
    return tuple(dict.fromkeys(states))


def _meant(word: str) -> list[str]:
    if word == "problem":
        return [Status.FAILED, Status.TIMEOUT]
    if word not in set(Status):
        message = f"status must be of all, problem, {', '.join(Status)}; got {word[:40]!r}"
        raise RequestError(message)
    return [word]


@blueprint.get("/<int:text_id>")
def show(text_id: int) -> Response:
    """A text with its content, its task and its audio."""
    return jsonify({"text": shapes.library_item(library.get(core(), text_id), with_content=True)})


@blueprint.delete("/<int:text_id>")
def delete(text_id: int) -> Response:
    """Deletes a text softly; what runs for it goes on, and `restore` brings it back."""
    library.hide(core(), text_id)
    return jsonify({"text_id": text_id, "deleted": True})


@blueprint.post("/<int:text_id>/restore")
def restore(text_id: int) -> Response:
    """Brings a deleted text back."""
    item = library.bring_back(core(), text_id)
    return jsonify({"text": shapes.library_item(item, with_content=True)})


@blueprint.post("/<int:text_id>/retry")
def retry_text(text_id: int) -> Response:
    """Speaks a text again, as a new task."""
    parse.json_object({}, is_optional=True)
    return retried(accept.retry_text(text_id, default_source="api"))


def retried(result: Submitted) -> Response:
    """The answer to a retry."""
    response = jsonify(submitted(result))
    response.status_code = 201 if result.disposition == "new" else 200
    response.headers["Location"] = f"/api/v1/tasks/{result.task.id}"
    return response


@blueprint.post("/<int:text_id>/cancel")
def cancel_text(text_id: int) -> Response:
    """Takes back the request of a text; the task ends with the last request that wants it."""
    parse.json_object({}, is_optional=True)
    return cancelled(cancel.cancel_text(core(), text_id))


def cancelled(result: cancel.Cancelled) -> Response:
    """The answer to a cancellation."""
    return jsonify(
        {
            "task": shapes.task(result.task),
            "is_task_cancelled": result.is_task_cancelled,
            "still_wanted_by": result.still_wanted_by,
        }
    )

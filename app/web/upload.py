"""POST /upload: a text as a file, a form or JSON; JSON for programs, a redirect for plain forms."""

from collections.abc import Sequence

from flask import Response, jsonify, redirect, request
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from app.domain.errors import RequestError
from app.service.submit import SubmitRequest, Submitted
from app.web import accept, parse
from app.web.errors import wants_page
from app.web.shapes import Json, file_url

_MESSAGES = {
    "new": "the text is accepted and will be spoken",
    "followed": "the same text is being spoken; this one follows it",
    "skipped": "the audio of this very text exists",
}


def upload() -> BaseResponse:
    """Accepts a text (a plain form may send several files)."""
    accept.limit_body()
    if request.is_json:
        wanted = accept.from_json(parse.json_object(accept.FIELDS), "legacy")
        return _answer(accept.submit(wanted))
    is_page = wants_page()
    source = "page" if is_page else accept.source("legacy")
    several = _requests(source, may_be_several=is_page)
    results = [accept.submit(wanted, alone=len(several) == 1) for wanted in several]
    if not is_page:
        return _answer(results[0])
    where = f"/tasks/{results[0].task.id}" if len(results) == 1 else "/"
    return redirect(where, 303)


def _requests(source: str, *, may_be_several: bool) -> Sequence[SubmitRequest]:
    """The requests of a form: one for each file, or one for its text."""
    files = [file for file in request.files.getlist("file") if file.filename]
    wanted = accept.from_form(source)
    if not files:
        return [wanted]
    if len(files) > 1 and not may_be_several:
        message = f"send one file in a request, got {len(files)}"
        raise RequestError(message)
    return [_of_file(file, wanted) for file in files]


def _of_file(file: FileStorage, wanted: SubmitRequest) -> SubmitRequest:
    return accept.of_file(file, wanted, encoding=request.form.get("encoding"))


def _answer(result: Submitted) -> Response:
    return jsonify(shape(result))


def shape(result: Submitted) -> Json:
    """The old answer, with new fields after it."""
    text, task = result.text, result.task
    answer: Json = {
        "success": True,
        "text_id": text.id,
        "message": _MESSAGES[result.disposition],
        "filename": text.filename or f"{text.title}.txt",
        "char_count": text.char_count,
    }
    if result.disposition == "skipped":
        answer |= {"skipped": True, "audio_url": file_url(text.audio_id)}
    return answer | {
        "title": text.title,
        "task_id": task.id,
        "status": text.state,
        "disposition": result.disposition,
        "encoding": text.encoding,
        "trace_id": task.trace_id,
    }

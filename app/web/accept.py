"""Submissions over HTTP: bodies to requests, requests to the service, and their spans kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage

from app.domain.encoding import decode_text
from app.domain.errors import RequestError, TooLargeError
from app.logs.about import bind_task
from app.service import retry
from app.service import submit as submit_service
from app.service.submit import SubmitRequest, Submitted
from app.web import parse
from app.web.state import core, state
from telemetry import otel_context
from telemetry import web as tracing
from telemetry.tracing import SpanContext

#: Extensions of files that are read as text.
EXTENSIONS = (".txt", ".md", ".markdown", ".text")
#: Bytes that a character of a body may take, by media type: JSON escapes and forms swell.
_BYTES_PER_CHAR = {"application/json": 6, "application/x-www-form-urlencoded": 9}
_SLACK_BYTES = 1 << 20
#: Bytes of a body that is too large that are read before the answer.
_DISCARD_BYTES = 64 << 20

#: Members of the JSON of a submission, to the old route and to v1 alike.
FIELDS = {
    "title": parse.TEXT,
    "content": parse.Field(kinds=(str,), is_required=True),
    "filename": parse.TEXT,
    "engine": parse.TEXT,
    "voice": parse.TEXT,
    "format": parse.TEXT,
    "params": parse.OBJECT,
    "timeout_s": parse.NUMBER,
    "max_attempts": parse.WHOLE,
}


def limit_body() -> None:
    """Bounds the body by the longest text that may be sent.

    What is too much is read and thrown away (up to a bound), so that a client that sends before it
    listens hears the answer.

    Raises:
        TooLargeError: The body is larger (413).
    """
    max_chars = core().settings.max_text_chars
    limit = max_chars * _BYTES_PER_CHAR.get(request.mimetype, 4) + _SLACK_BYTES
    request.max_content_length = limit
    request.max_form_memory_size = limit
    size = request.content_length or 0
    if size > limit:
        _discard(size)
        message = f"the body has {size} bytes; a text may have {max_chars} characters"
        raise TooLargeError(message)


def _discard(size_bytes: int) -> None:
    left = min(size_bytes, _DISCARD_BYTES)
    while left > 0:
        block = request.environ["wsgi.input"].read(min(left, 1 << 16))
        if not block:
            return
        left -= len(block)


def submit(wanted: SubmitRequest, *, alone: bool = True) -> Submitted:
    """Submits, in the request's trace; the request's span is kept with the task's.

    Args:
        wanted: What is asked for.
        alone: Whether it is the only one of its request; each of several has a trace of its own.
    """
    context = otel_context.current()
    return _noted(lambda: submit_service.submit(core(), wanted, context, continues=alone))


def retry_text(text_id: int, *, default_source: str) -> Submitted:
    """Speaks a text again, in the request's trace."""
    context = otel_context.current()
    chosen = source(default_source)
    return _noted(lambda: retry.retry_text(core(), text_id, source=chosen, context=context))


def retry_task(task_id: int, *, default_source: str) -> Submitted:
    """Speaks the text of a task again, in the request's trace."""
    context = otel_context.current()
    chosen = source(default_source)
    return _noted(lambda: retry.retry_task(core(), task_id, source=chosen, context=context))


def _noted(action: Callable[[], Submitted]) -> Submitted:
    """Takes its turn; keeps the request's span, linked to the task that it follows."""
    with state().turns.take():
        result = action()
    bind_task(result.task.id)
    tracing.keep_request_span(result.task.id)
    if result.disposition != "new":
        tracing.link_request(SpanContext.from_hex(result.task.trace_id, result.task.span_id))
    return result


def of_file(file: FileStorage, wanted: SubmitRequest, *, encoding: str | None) -> SubmitRequest:
    """The request with the text of an uploaded file.

    Raises:
        RequestError: Not a text file, or bytes that are no text.
    """
    name = PurePosixPath((file.filename or "").replace("\\", "/")).name
    extension = PurePosixPath(name).suffix.lower()
    if extension not in EXTENSIONS:
        got = extension[:20] or "no extension"
        message = f"file must be one of {', '.join(EXTENSIONS)}, got {got!r}"
        raise RequestError(message)
    decoded = decode_text(file.stream.read(), encoding=encoding or None)
    return replace(wanted, content=decoded.content, filename=name[:255], encoding=decoded.encoding)


def from_form(source: str) -> SubmitRequest:
    """What a form asks for beside its file; an empty field is one that was not filled in.

    Raises:
        RequestError: A number that is none.
    """
    form = request.form
    return SubmitRequest(
        content=form.get("content") or form.get("text") or "",
        source=source,
        title=form.get("title") or None,
        engine=form.get("engine") or None,
        voice=form.get("voice") or None,
        format=form.get("format") or None,
        timeout_s=_number("timeout_s"),
        max_attempts=_whole("max_attempts"),
        idempotency_key=request.headers.get("Idempotency-Key"),
    )


def from_json(members: dict[str, Any], source: str) -> SubmitRequest:
    """What a JSON object asks for; its types were checked."""
    return SubmitRequest(
        content=members["content"],
        source=source,
        title=members.get("title"),
        filename=members.get("filename"),
        engine=members.get("engine"),
        voice=members.get("voice"),
        format=members.get("format"),
        params=members.get("params", {}),
        timeout_s=members.get("timeout_s"),
        max_attempts=members.get("max_attempts"),
        idempotency_key=request.headers.get("Idempotency-Key"),
    )


def source(default: str) -> str:
    """`page` where a browser's own page asks, else the default."""
    return "page" if request.headers.get("Sec-Fetch-Site") == "same-origin" else default


def _number(name: str) -> float | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        message = f"{name} must be a number, got {text[:40]!r}"
        raise RequestError(message) from None


def _whole(name: str) -> int | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or not text.isascii():
        message = f"{name} must be a whole number, got {text[:40]!r}"
        raise RequestError(message)
    return int(text[:18])

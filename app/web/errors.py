"""Errors as answers: one table of HTTP codes, and the three shapes an error is told in.

`/api/v1` answers problem+json (RFC 9457), the legacy routes their JSON, pages an HTML page.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from flask import Flask, Response, json, render_template, request
from werkzeug.exceptions import HTTPException

from app.domain.errors import (
    ConflictError,
    DatabaseBusyError,
    NotFoundError,
    QueryError,
    RequestError,
    StorageError,
    StoreError,
    TooLargeError,
    VoxtraceError,
)
from app.logs.logger import logger_of
from app.web.state import state
from telemetry import otel_context

log = logger_of(__name__)

#: HTTP code of an error, by class; the nearest base class decides.
STATUS: Mapping[type[VoxtraceError], int] = MappingProxyType(
    {
        NotFoundError: 404,
        ConflictError: 409,
        TooLargeError: 413,
        RequestError: 400,
        DatabaseBusyError: 503,
        StoreError: 500,
        StorageError: 500,
        VoxtraceError: 500,
    }
)
#: The legacy routes know fewer codes.
LEGACY_STATUS: Mapping[int, int] = MappingProxyType({409: 400, 503: 500})
#: `error_type` of an HTTP error that no error of ours stands behind.
_TYPES: Mapping[int, str] = MappingProxyType(
    {
        400: "validation_error",
        401: "unauthorized",
        403: "forbidden",
        404: "not_found",
        405: "method_not_allowed",
        406: "not_acceptable",
        413: "too_large",
        415: "unsupported_media_type",
        416: "range_not_satisfiable",
        503: "unavailable",
    }
)
#: Seconds after which a busy service may be asked again.
RETRY_AFTER_S = 2
#: Prefix of the `type` and the `instance` of a problem.
_URN = "urn:voxtrace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error on its way to a client; `detail` is for people and never quotes a text.

    Attributes:
        more: Members of a problem beside the usual ones.
    """

    status: int
    error_type: str
    detail: str
    headers: tuple[tuple[str, str], ...] = ()
    more: tuple[tuple[str, object], ...] = ()


def status_of(error: VoxtraceError) -> int:
    """The HTTP code of an error."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return 500


def register(app: Flask) -> None:
    """Answers every error of the application."""
    app.register_error_handler(VoxtraceError, _of_ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_any)


def _of_ours(error: VoxtraceError) -> Response:
    status = status_of(error)
    headers = (("Retry-After", str(RETRY_AFTER_S)),) if status == 503 else ()
    if status >= 500:
        level = logging.WARNING if status == 503 else logging.ERROR
        log.log(
            level,
            "a request failed",
            method=request.method,
            path=request.path,
            status=status,
            error=error.message,
        )
    return answer(
        Failure(
            status=status,
            error_type=error.error_type,
            detail=error.message,
            headers=headers,
            more=_place_of(error),
        )
    )


def _place_of(error: VoxtraceError) -> tuple[tuple[str, object], ...]:
    """Where a filter is wrong."""
    if not isinstance(error, QueryError):
        return ()
    return (("position", error.position), ("length", error.length))


def _of_http(error: HTTPException) -> Response | HTTPException:
    code = error.code or 500
    if error.response is not None or 300 <= code < 400:
        return error  # an answer of its own, such as a redirect
    kept = {"allow", "www-authenticate", "content-range", "retry-after"}
    headers = tuple((k, v) for k, v in error.get_headers() if k.lower() in kept)
    return answer(
        Failure(
            status=code,
            error_type=_TYPES.get(code, "http_error"),
            detail=error.description or HTTPStatus(code).phrase,
            headers=headers,
        )
    )


def _of_any(error: Exception) -> Response:
    """The border: what nobody foresaw is logged with its trace, counted, and told without it."""
    count = next(state().failures)
    log.error(
        "a request failed as nobody foresaw",
        method=request.method,
        path=request.path,
        failures=count,
        exc_info=error,
    )
    detail = "an error inside voxtrace; the log has it under this reference"
    return answer(Failure(status=500, error_type="internal", detail=detail))


def answer(failure: Failure) -> Response:
    """The failure in the shape that this request understands."""
    if is_v1():
        response = _problem(failure)
    elif is_legacy():
        response = _legacy(failure)
    else:
        response = _page(failure)
    response.headers.extend(failure.headers)
    return response


def is_v1() -> bool:
    """Whether the request is one of the v1 API, or asks for the service's health or numbers."""
    path = request.path
    return path.startswith("/api/v1/") or path in {"/healthz", "/readyz", "/metrics"}


def is_legacy() -> bool:
    """Whether the request expects the JSON of the legacy routes."""
    if request.path.startswith("/api/"):
        return True
    return request.path == "/upload" and request.method == "POST" and not wants_page()


def wants_page() -> bool:
    """Whether a browser asks for a page to show, rather than a program for data."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


def trace_id() -> str | None:
    """The trace of the present request: the reference that a person can copy."""
    context = otel_context.current()
    return context.trace_id_hex if context is not None else None


def problem_of(failure: Failure) -> dict[str, object]:
    """The members of a problem (RFC 9457), with `error_type` and `trace_id` of our own."""
    reference = trace_id()
    members: dict[str, object] = {
        "type": f"{_URN}:problem:{failure.error_type}",
        "title": HTTPStatus(failure.status).phrase,
        "status": failure.status,
        "detail": failure.detail,
        "error_type": failure.error_type,
    }
    if reference is not None:
        members |= {"instance": f"{_URN}:trace:{reference}", "trace_id": reference}
    return members | dict(failure.more)


def _problem(failure: Failure) -> Response:
    return Response(
        json.dumps(problem_of(failure)),
        status=failure.status,
        content_type="application/problem+json",
    )


def _legacy(failure: Failure) -> Response:
    status = LEGACY_STATUS.get(failure.status, failure.status)
    body = {
        "success": False,
        "error": failure.detail,
        "error_type": legacy_error_type(failure),
        "trace_id": trace_id(),
    }
    return Response(json.dumps(body), status=status, content_type="application/json")


def legacy_error_type(failure: Failure) -> str:
    """The legacy name of an error: what a caller did wrong, storage, or the submission itself."""
    if failure.status in {400, 409, 413, 415}:
        return "validation_error"
    if failure.error_type in {"storage_error", "database_busy", "schema"}:
        return "storage_error"
    return "task_submission_error" if failure.status >= 500 else failure.error_type


def _page(failure: Failure) -> Response:
    """A page for browsers, plain text for everyone else."""
    body = _rendered(failure) if wants_page() else None
    if body is not None:
        return Response(body, status=failure.status, content_type="text/html; charset=utf-8")
    text = f"{failure.status} {HTTPStatus(failure.status).phrase}\n{failure.detail}\n"
    return Response(text, status=failure.status, content_type="text/plain; charset=utf-8")


def _rendered(failure: Failure) -> str | None:
    """The error page; None where it fails too: an error must always be answered."""
    try:
        return render_template(
            "error.html",
            status=failure.status,
            detail=failure.detail,
            reference=trace_id() or "",
        )
    except Exception:
        log.exception("the error page failed")
        return None

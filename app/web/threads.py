"""The threads of a web process, as gunicorn runs them; an address that is too long is a problem.

gunicorn answers what it cannot read itself, with HTML. That is left to it for what is no HTTP, but
an address is too long where a filter in it is.
"""

from http import HTTPStatus
from typing import Any, Final

from flask import json
from gunicorn import util
from gunicorn.http.errors import LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker
from typing_extensions import override

from app.domain.query.parse import MAX_QUOTED_BYTES
from app.logs.logger import logger_of
from app.web import errors

log = logger_of(__name__)

#: Bytes of a request's first line, at most: as many as gunicorn can be told (its default, 4094,
#: takes 450 Chinese characters), and as proxies take without being told.
MAX_LINE_BYTES: Final = 8190
_STATUS: Final = HTTPStatus.REQUEST_URI_TOO_LONG
_TOO_LONG: Final = errors.Failure(
    status=_STATUS,
    error_type="too_long",
    detail=(
        f"the address is too long: the first line of a request has {MAX_LINE_BYTES} bytes at most, "
        f"and a filter in it {MAX_QUOTED_BYTES} as it is quoted there (a Chinese character has 9)"
    ),
)


class Threads(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's worker with threads."""

    @override
    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        if not isinstance(exc, LimitRequestLine):
            super().handle_error(req, client, addr, exc)
            return
        log.warning("a request has too long an address", most_bytes=MAX_LINE_BYTES)
        try:
            util.write_nonblock(client, _answer())
        except OSError:
            log.debug("nobody waits for the answer")


def _answer() -> bytes:
    """The problem as HTTP; which route was meant is not known."""
    body = json.dumps(errors.problem_of(_TOO_LONG)).encode()
    head = (
        f"HTTP/1.1 {_STATUS} {_STATUS.phrase}\r\n"
        "Connection: close\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body

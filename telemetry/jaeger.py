"""JaegerClient: asks a Jaeger for the traces it has, by their ids.

`/api/v3/traces/{id}` is the one request that Jaeger 2.0 and today's answer alike: the spans as they
are stored, in OTLP's JSON. It hides nothing; the same span that arrived twice in the same bytes,
which Jaeger's pages show once, is one span here too.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

import urllib3

from telemetry import otlp_json
from telemetry.otlp_http import reason_of
from telemetry.spans import DecodedSpan

#: Bytes of an answer that are read at most: a trace of some hundred thousand spans.
MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024


class JaegerError(Exception):
    """Jaeger gave no answer that could be used; `str` says what came instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JaegerTrace:
    """A trace as Jaeger has it.

    Attributes:
        trace_id: 32 hex digits.
        spans: Each once, where Jaeger has the very same span more than once.
        deliveries: How many it has, the same ones counted.
    """

    trace_id: str
    spans: tuple[DecodedSpan, ...]
    deliveries: int


class JaegerClient:
    """Connections to a Jaeger's query address, kept open. Make it after a fork; threads may share.

    Args:
        url: Such as `http://localhost:16686`, with a base path where there is one. A user and a
            password in it are sent (Basic), and never told.
        timeout_s: For connecting, and for each wait for data.
        connections: How many at most.
    """

    def __init__(self, url: str, *, timeout_s: float = 10.0, connections: int = 1) -> None:
        parts = urlsplit(url.rstrip("/"))
        self.url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._path = parts.path
        self._headers = _authorization(parts.username, parts.password)
        self._timeout_s = timeout_s
        self._pool = urllib3.connection_from_url(
            self.url,
            maxsize=connections,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(connect=timeout_s, read=timeout_s),
        )

    def trace(self, trace_id: str) -> JaegerTrace | None:
        """The trace with this id (32 hex digits); None where Jaeger has none.

        Raises:
            JaegerError: No answer, or none that is a trace.
        """
        body = self._get(f"/api/v3/traces/{trace_id}")
        if body is None:
            return None
        try:
            spans = otlp_json.spans_of(_resource_spans(body))
        except ValueError as error:
            message = f"{self.url} does not answer as Jaeger's API v3: {error}"
            raise JaegerError(message) from error
        own = [span for span in spans if span.trace_id == trace_id]
        return JaegerTrace(trace_id=trace_id, spans=_distinct(own), deliveries=len(own))

    def ping(self) -> None:
        """Asks for a trace that nobody has, to see that Jaeger answers.

        Raises:
            JaegerError: No answer, or none that is Jaeger's.
        """
        self.trace(f"{1:032x}")

    def close(self) -> None:
        """Closes the connections."""
        self._pool.close()

    def _get(self, path: str) -> bytes | None:
        """The body of an answer; None for "not found"."""
        try:
            answer = self._pool.request(
                "GET",
                f"{self._path}{path}",
                headers=self._headers,
                preload_content=False,
                pool_timeout=self._timeout_s,
            )
            try:
                body = answer.read(MAX_ANSWER_BYTES, decode_content=True)
                answer.drain_conn()
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            message = f"{self.url} does not answer: {reason_of(error)}"
            raise JaegerError(message) from error
        if answer.status == HTTPStatus.NOT_FOUND and _says_not_found(body):
            return None
        if answer.status != HTTPStatus.OK:
            message = f"{self.url}{path} answers {answer.status}: {_shown(body)}"
            raise JaegerError(message)
        return bytes(body)


def _authorization(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return urllib3.util.make_headers(basic_auth=pair)


def _resource_spans(body: bytes) -> list[dict[str, Any]]:
    """`resourceSpans` of an answer: one JSON object, or several where it came in pieces.

    Raises:
        ValueError: It is something else.
    """
    found: list[dict[str, Any]] = []
    for piece in _pieces(body.decode() or "null"):
        content = piece.get("result", piece) if isinstance(piece, dict) else None
        if not isinstance(content, dict) or "resourceSpans" not in content:
            message = f"no resourceSpans in {_shown(body)}"
            raise ValueError(message)
        found += content["resourceSpans"]
    return found


def _pieces(text: str) -> Iterable[Any]:
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        piece, at = decoder.raw_decode(text, at)
        yield piece
        while at < len(text) and text[at].isspace():
            at += 1


def _distinct(spans: Iterable[DecodedSpan]) -> tuple[DecodedSpan, ...]:
    """Each span once; two that differ in anything are two."""
    kept: dict[str, list[DecodedSpan]] = {}
    for span in spans:
        same = kept.setdefault(span.span_id, [])
        if span not in same:
            same.append(span)
    return tuple(span for same in kept.values() for span in same)


def _says_not_found(body: bytes) -> bool:
    """Whether it is Jaeger that says so, and not whatever else lives at that address."""
    try:
        error = json.loads(body)["error"]
        return bool(error["httpCode"] == HTTPStatus.NOT_FOUND)
    except (ValueError, KeyError, TypeError):
        return False


def _shown(body: bytes) -> str:
    return " ".join(body[:120].decode(errors="replace").split()) or "nothing"

"""One OTLP/HTTP request: bytes out, and what the answer means for them.

Source: OTLP specification, "OTLP/HTTP Response", and what the collector really answers (500 for
a permanent error without a gRPC status: not to be retried for ever, nor to be believed at once).
"""

import email.utils
import gzip
import math
from datetime import UTC
from http import HTTPStatus
from typing import Any, Final

import requests
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from typing_extensions import override
from urllib3.exceptions import HTTPError, ProtocolError

from telemetry.collector_session import CollectorSession
from telemetry.export import ExportSettings
from telemetry.otlp import Answer, Client, Verdict, partial_success, shown

_PROTOBUF: Final = "application/x-protobuf"
#: Bytes of an answer that are read.
_MAX_ANSWER_BYTES: Final = 64 * 1024
_RETRYABLE: Final = frozenset({408, 425, 429})
_REFUSED: Final = frozenset({400, 413, 422})
_CONFIGURATION_5XX: Final = frozenset({501, 505})


class OtlpHttpClient(Client):
    """A connection to a collector, kept open between requests. Make it after a fork."""

    def __init__(self, settings: ExportSettings) -> None:
        self._settings = settings
        self._session = CollectorSession(settings)
        self._session.headers.update({"Content-Type": _PROTOBUF, "Accept": _PROTOBUF})
        if settings.compression == "gzip":
            self._session.headers["Content-Encoding"] = "gzip"
        self._session.headers.update(settings.headers)
        self._kept = _KeptConnection()

    @override
    def send(self, payload: bytes, *, now_us: int) -> Answer:
        body = payload
        if self._settings.compression == "gzip":
            body = gzip.compress(payload, compresslevel=1, mtime=0)
        timeout_s = self._settings.timeout_s
        try:
            with self._session.post(
                self._settings.endpoint,
                data=body,
                timeout=(timeout_s, timeout_s),
                stream=True,
            ) as response:
                self._kept.note(response.raw.connection)
                content = response.raw.read(_MAX_ANSWER_BYTES, decode_content=True) or b""
                return self._read(response, content, bytes_sent=len(body), now_us=now_us)
        except (requests.RequestException, HTTPError, OSError) as error:
            return Answer(
                verdict=Verdict.CONFIGURATION if _is_misconfigured(error) else Verdict.BUSY,
                words=f"no answer: {reason_of(error)}",
                has_come=False,
                is_cut_off=_is_cut_off(error),
                bytes_sent=len(body),
            )

    @override
    def connection(self) -> int | None:
        return self._kept.number()

    @override
    def close(self) -> None:
        self._session.close()

    def _read(
        self, response: requests.Response, content: bytes, *, bytes_sent: int, now_us: int
    ) -> Answer:
        status = response.status_code
        verdict = verdict_of(status)
        is_protobuf = response.headers.get("Content-Type", "").startswith(_PROTOBUF)
        rejected, said = 0, ""
        if verdict is not Verdict.ACCEPTED:
            said = _error_words(content, is_protobuf=is_protobuf)
        elif is_protobuf:
            rejected, said = partial_success(content)
        words = f"{status} {response.reason or ''}: {said}".rstrip(": ")
        return Answer(
            verdict=verdict,
            words=shown(words, self._settings),
            retry_after_s=retry_after_s(response.headers.get("Retry-After"), now_us=now_us),
            is_too_large=status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            is_cut_off=status == HTTPStatus.BAD_GATEWAY,
            is_partial=verdict is Verdict.ACCEPTED and bool(rejected or said),
            rejected_spans=rejected,
            bytes_sent=bytes_sent,
        )


class _KeptConnection:
    """Which connection of urllib3's pool carried the last answer, and whether it is still open."""

    def __init__(self) -> None:
        self._number = 0
        self._connection: Any = None
        self._socket: Any = None

    def note(self, connection: Any) -> None:
        """Takes the connection of an answer, before that is read."""
        socket = getattr(connection, "sock", None)
        if socket is not self._socket or connection is not self._connection:
            self._number += 1
            self._connection, self._socket = connection, socket

    def number(self) -> int | None:
        """As `Client.connection` says; urllib3 drops a connection that the collector does not keep.

        A socket that can be read while nothing was asked has been closed by the other side.
        """
        if self._connection is None or self._connection.sock is not self._socket:
            return 0
        return self._number if self._connection.is_connected else None


def verdict_of(status: int) -> Verdict:
    """What an HTTP status says about the spans that were sent."""
    if 200 <= status < 300:
        return Verdict.ACCEPTED
    if status in _REFUSED:
        return Verdict.REFUSED
    if status == 500:
        return Verdict.SERVER_ERROR
    if status in _RETRYABLE or (status > 500 and status not in _CONFIGURATION_5XX):
        return Verdict.BUSY
    return Verdict.CONFIGURATION


def retry_after_s(value: str | None, *, now_us: int) -> float | None:
    """Seconds of a Retry-After header (a number or a date); None where it says nothing usable."""
    text = (value or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        return _until_date_s(text, now_us)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until_date_s(text: str, now_us: int) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, aware.timestamp() - now_us / 1e6)
    except (ValueError, OverflowError):
        return None


def reason_of(error: BaseException) -> str:
    """Why no answer came: the class, and the system's reason; never the URL."""
    reasons = []
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        if isinstance(link, OSError) and link.strerror:
            reasons.append(link.strerror)
        link = _inner(link)
    return f"{type(error).__name__} ({reasons[-1]})" if reasons else type(error).__name__


def _inner(error: BaseException) -> BaseException | None:
    """What an error of requests or urllib3 wraps; they use four ways to say it."""
    candidates = (*error.args, getattr(error, "reason", None), error.__cause__, error.__context__)
    return next((found for found in candidates if isinstance(found, BaseException)), None)


def _is_misconfigured(error: BaseException) -> bool:
    """Whether waiting cannot help: an impossible address or header, an untrusted certificate."""
    exceptions = requests.exceptions
    if isinstance(
        error, exceptions.InvalidURL | exceptions.InvalidHeader | exceptions.InvalidSchema
    ):
        return True
    return isinstance(error, exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)


def _is_cut_off(error: BaseException) -> bool:
    """Whether the connection broke or none could be made; a wait that was too long says neither."""
    exceptions = requests.exceptions
    is_broken = exceptions.ConnectionError | ConnectionError | ProtocolError
    is_late = exceptions.Timeout | exceptions.SSLError
    return isinstance(error, is_broken) and not isinstance(error, is_late)


def _error_words(content: bytes, *, is_protobuf: bool) -> str:
    if is_protobuf:
        try:
            return str(Status.FromString(content).message)
        except DecodeError:
            return ""
    return content[:1000].decode(errors="replace")

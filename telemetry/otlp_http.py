"""One OTLP/HTTP request: bytes out, and what the answer means for them.

Source: OTLP specification, "OTLP/HTTP Response", and what the collector really answers (500 for
a permanent error without a gRPC status: not to be retried for ever, nor to be believed at once).
"""

import email.utils
import gzip
import math
from dataclasses import dataclass
from datetime import UTC
from enum import Enum, auto
from typing import Final

import requests
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from urllib3.exceptions import HTTPError

from telemetry.collector_session import CollectorSession, hide_secrets
from telemetry.export import ExportSettings
from telemetry.values import clean_text

_PROTOBUF: Final = "application/x-protobuf"
#: Bytes of an answer that are read.
_MAX_ANSWER_BYTES: Final = 64 * 1024
#: Bytes of an answer's words that are kept.
_MAX_WORDS_BYTES: Final = 300
_RETRYABLE: Final = frozenset({408, 425, 429})
_REFUSED: Final = frozenset({400, 413, 422})
_CONFIGURATION_5XX: Final = frozenset({501, 505})


class Verdict(Enum):
    """What an answer says about the spans that were sent."""

    #: They are delivered.
    ACCEPTED = auto()
    #: Nothing is wrong with them: later.
    BUSY = auto()
    #: Nothing is wrong with them: the address, the credentials or the collector must be set right.
    CONFIGURATION = auto()
    #: At least one of them cannot be accepted.
    REFUSED = auto()
    #: HTTP 500: a fault of the collector, or one of the spans.
    SERVER_ERROR = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from one request.

    Attributes:
        verdict: What it means.
        words: The answer in words, without secrets.
        status: HTTP status; None where none came.
        retry_after_s: What the collector asked for; None for nothing.
        is_partial: The collector accepted the request, but had something to say (partial success).
        rejected_spans: Spans that it accepted the request without.
        bytes_sent: Size of the body that was sent.
    """

    verdict: Verdict
    words: str = ""
    status: int | None = None
    retry_after_s: float | None = None
    is_partial: bool = False
    rejected_spans: int = 0
    bytes_sent: int = 0


class OtlpHttpClient:
    """A connection to a collector, kept open between requests. Make it after a fork."""

    def __init__(self, settings: ExportSettings) -> None:
        self._settings = settings
        self._session = CollectorSession(settings)
        self._session.headers.update({"Content-Type": _PROTOBUF, "Accept": _PROTOBUF})
        if settings.compression == "gzip":
            self._session.headers["Content-Encoding"] = "gzip"
        self._session.headers.update(settings.headers)

    def send(self, payload: bytes, *, now_us: int) -> Answer:
        """Sends one request; never raises for what the network or the collector does.

        Args:
            payload: ExportTraceServiceRequest.
            now_us: Now, for a Retry-After that is a date.
        """
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
                content = response.raw.read(_MAX_ANSWER_BYTES, decode_content=True) or b""
                return self._read(response, content, bytes_sent=len(body), now_us=now_us)
        except (requests.RequestException, HTTPError, OSError) as error:
            verdict = Verdict.CONFIGURATION if _is_misconfigured(error) else Verdict.BUSY
            words = f"no answer: {reason_of(error)}"
            return Answer(verdict=verdict, words=words, bytes_sent=len(body))

    def close(self) -> None:
        """Closes the connection."""
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
            rejected, said = _partial_success(content)
        return Answer(
            verdict=verdict,
            words=self._shown(f"{status} {response.reason or ''}: {said}".rstrip(": ")),
            status=status,
            retry_after_s=retry_after_s(response.headers.get("Retry-After"), now_us=now_us),
            is_partial=verdict is Verdict.ACCEPTED and bool(rejected or said),
            rejected_spans=rejected,
            bytes_sent=bytes_sent,
        )

    def _shown(self, words: str) -> str:
        return clean_text(hide_secrets(words, self._settings), max_bytes=_MAX_WORDS_BYTES)


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


def _partial_success(content: bytes) -> tuple[int, str]:
    try:
        partial = ExportTraceServiceResponse.FromString(content).partial_success
    except DecodeError:
        return 0, ""
    return partial.rejected_spans, partial.error_message


def _error_words(content: bytes, *, is_protobuf: bool) -> str:
    if is_protobuf:
        try:
            return str(Status.FromString(content).message)
        except DecodeError:
            return ""
    return content[:1000].decode(errors="replace")

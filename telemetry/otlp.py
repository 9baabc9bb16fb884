"""What a transport of OTLP offers to the forwarder, and what an answer means, whichever it is.

Source: OpenTelemetry Protocol specification, "OTLP/gRPC Response" and "OTLP/HTTP Response".
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from telemetry.collector_session import hide_secrets
from telemetry.export import ExportSettings
from telemetry.values import clean_text

#: Bytes of an answer's words that are kept.
_MAX_WORDS_BYTES: Final = 300


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
    #: HTTP 500, or INTERNAL: a fault of the collector, or one of the spans.
    SERVER_ERROR = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from one request.

    Attributes:
        verdict: What it means.
        words: The answer in words, without secrets.
        retry_after_s: What the collector asked for; None for nothing.
        is_too_large: The request as a whole was refused for its size.
        has_come: Whether the collector said anything; False: nothing came, or not in time.
        is_cut_off: The connection broke or none could be made, by us or by a proxy (502).
        is_partial: The collector accepted the request, but had something to say (partial success).
        rejected_spans: Spans that it accepted the request without.
        bytes_sent: Size of the body that was sent; over gRPC before compression.
    """

    verdict: Verdict
    words: str = ""
    retry_after_s: float | None = None
    is_too_large: bool = False
    has_come: bool = True
    is_cut_off: bool = False
    is_partial: bool = False
    rejected_spans: int = 0
    bytes_sent: int = 0


class Client(Protocol):
    """A connection to a collector, kept open between requests. Made in the process that uses it."""

    def send(self, payload: bytes, *, now_us: int) -> Answer:
        """Sends one request; never raises for what the network or the collector does.

        Args:
            payload: ExportTraceServiceRequest.
            now_us: Now, for a wait that is asked for until a date.
        """
        ...

    def connection(self) -> int | None:
        """The connection that carried the last answer, as a number that no later one has.

        None once it has ended; 0 where there was none yet, or the collector keeps none open.
        """
        ...

    def close(self) -> None:
        """Closes the connection."""
        ...


def partial_success(content: bytes) -> tuple[int, str]:
    """Spans that an accepting answer was given without, and what the collector says of them."""
    try:
        partial = ExportTraceServiceResponse.FromString(content).partial_success
    except DecodeError:
        return 0, ""
    return partial.rejected_spans, partial.error_message


def shown(words: str, settings: ExportSettings) -> str:
    """A collector's words as people may see them: short, clean, without our secrets."""
    return clean_text(hide_secrets(words, settings), max_bytes=_MAX_WORDS_BYTES)

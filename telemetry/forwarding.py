"""What a forwarder works with and shows: transactions, limits, status."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection


class Transactions(Protocol):
    """Where the forwarder gets its connections."""

    def write(self) -> AbstractContextManager[Connection]:
        """A transaction that commits at the end of the block."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that only reads."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardLimits:
    """Sizes and waits of a forwarder.

    Attributes:
        max_bytes: Of a request, before compression (a collector's gRPC limit is 4 MiB).
        max_rows: Of a request.
        linger_s: How long a batch that is not full waits for more, counted from its oldest row.
        idle_s: Pause when the outbox is empty.
        backoff_s: First wait after a failure; doubles up to `max_backoff_s`, with jitter.
        max_retry_after_s: What is granted of a collector's Retry-After.
        configuration_retry_s: Wait when the configuration is wrong.
        server_error_tries: Requests answered with 500 before the fault is sought in the rows.
        max_held: Rows that are held without proof before the collector itself is doubted; doubles
            up to `max_held_ahead` while nothing is accepted.
    """

    max_bytes: int = 2 * 1024 * 1024
    max_rows: int = 1000
    linger_s: float = 0.2
    idle_s: float = 0.5
    backoff_s: float = 0.5
    max_backoff_s: float = 30.0
    max_retry_after_s: float = 600.0
    configuration_retry_s: float = 60.0
    server_error_tries: int = 3
    max_held: int = 8
    max_held_ahead: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwarderStatus:
    """How the forwarder fares; moments in microseconds since the epoch, None for never.

    Attributes:
        configuration_trouble: What must be set right, in words; None while nothing must.
        retry_at_us: Until when it waits after a failure.
        failures: Failed requests since the last success.
        rejected_spans: Spans that the collector says it left out of what it accepted; the last
            time in the words of `partial_message`.
        resent_rows: Rows sent once more because the collector that had acknowledged them was lost;
            last at `resent_at_us`, for the reason in `resent_why`.
    """

    endpoint: str
    last_success_us: int | None = None
    last_error: str | None = None
    last_error_us: int | None = None
    configuration_trouble: str | None = None
    retry_at_us: int | None = None
    failures: int = 0
    requests: int = 0
    sent_rows: int = 0
    sent_spans: int = 0
    rejected_spans: int = 0
    partial_message: str | None = None
    poisoned_rows: int = 0
    bytes_raw: int = 0
    bytes_sent: int = 0
    resent_rows: int = 0
    resent_at_us: int | None = None
    resent_why: str | None = None

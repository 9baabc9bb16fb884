"""Neighbours: do the web, the collector and Jaeger answer? Asked by a duty, told by its row.

Whoever wants to know reads the row, so that all tell the same, and no request waits for a network.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

import urllib3

from app import clock
from telemetry.otlp_http import reason_of

#: The duty's name, and that of its row.
DUTY: Final = "neighbours"
#: Seconds that a neighbour may take to answer.
TIMEOUT_S: Final = 3.0
#: Looks in a row without an answer from which one is said to be away; one alone may be bad luck.
AWAY: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """One of them, as it was found last.

    Attributes:
        address: Where it was asked, without credentials.
        at: When, microseconds since the epoch.
        answered_at: When it answered last; None for never.
        failures: Looks without an answer since then.
        since: When the first of those was.
        words: What came instead of an answer.
        took_ms: How long the last answer took.
    """

    address: str
    at: int
    answered_at: int | None = None
    failures: int = 0
    since: int | None = None
    words: str = ""
    took_ms: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether it has not answered several times."""
        return self.failures >= AWAY


def asked(
    before: Neighbour | None,
    address: str,
    ask: Callable[[], str | None],
    *,
    now_us: Callable[[], int],
) -> Neighbour:
    """Asks once, and tells what is known after it.

    Args:
        before: What was known; of another address, nothing was.
        address: Where it is asked.
        ask: Returns None where it answers, else what came instead.
        now_us: Tells the database's time.
    """
    begun_s = clock.monotonic_s()
    trouble = ask()
    took_s = clock.monotonic_s() - begun_s
    at = now_us()
    known = before if before is not None and before.address == address else None
    if trouble is None:
        return Neighbour(address=address, at=at, answered_at=at, took_ms=round(took_s * 1000, 1))
    if known is None:
        known = Neighbour(address=address, at=at)
    return replace(
        known,
        at=at,
        failures=known.failures + 1,
        since=known.since or at,
        words=trouble,
        took_ms=None,
    )


def ask_web(url: str) -> str | None:
    """Asks the web of this host whether it answers."""
    timeout = urllib3.Timeout(connect=TIMEOUT_S, read=TIMEOUT_S)
    try:
        with urllib3.PoolManager(retries=False, timeout=timeout) as pool:
            status = pool.request("GET", f"{url}/healthz", redirect=False).status
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return reason_of(error)
    return None if status == 200 else f"it answers {status}"


def as_json(neighbour: Neighbour | None) -> dict[str, Any] | None:
    """A neighbour as it stands on the row; None where none is set."""
    return None if neighbour is None else asdict(neighbour)


def from_json(found: object) -> Neighbour | None:
    """A neighbour from the row; None where it is none."""
    names = {field.name for field in fields(Neighbour)}
    if not isinstance(found, Mapping) or set(found) != names:
        return None
    return Neighbour(**found)

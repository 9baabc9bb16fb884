"""A finding as a row while it lasts, a sighting of it in one scan, and what a webhook is told."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.domain.correlation.found import Where

#: Why a finding was closed: its failures ended, scans see it no more, or nobody watches any more.
ClosedWhy = Literal["stopped", "unseen", "off"]
#: What a webhook is told.
Told = Literal["opened", "closed"]
#: Characters of a key at most.
_KEY_CHARS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRecord:
    """What the watch found; one row while it lasts.

    Attributes:
        key: See `key_of`.
        seen_at: When a scan saw it last; `misses` counts the scans since that did not.
        predicate: {dimension: value} as JSON.
        is_muted: All its failures are of groups that are muted: nobody is told.
        break_us: After what break it came back; None: it was not there within the hour before.
        answer: The whole finding, as JSON.
        trace_id, span_id: Of the scan that opened it; None where tracing is turned off.
    """

    id: int
    key: str
    state: str
    opened_at: int
    updated_at: int
    closed_at: int | None
    closed_why: str | None
    seen_at: int
    misses: int
    predicate: str
    fingerprint: str | None
    observed: int
    expected: float
    n: int
    lift: float
    q: float
    onset_at: int | None
    is_muted: bool
    break_us: int | None
    answer: str
    trace_id: str | None
    span_id: str | None

    @property
    def where(self) -> dict[str, str]:
        """The predicate as it was read."""
        found: dict[str, str] = json.loads(self.predicate)
        return found

    @property
    def indistinguishable(self) -> list[dict[str, str]]:
        """Predicates that could not be told from it when it was seen last."""
        found: list[dict[str, str]] = json.loads(self.answer)["indistinguishable"]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """What a webhook is to be told, and how that went.

    Attributes:
        state: waiting, delivered or given_up.
        next_at: When it is tried next.
    """

    id: int
    finding_id: int
    event: str
    created_at: int
    next_at: int
    tries: int
    state: str
    ended_at: int | None
    last_status: int | None
    last_error: str | None
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A finding as one scan saw it.

    Attributes:
        where: The predicate; {} is everything that runs.
        fingerprint: The failures that it is about; None: of any kind.
        indistinguishable: Other predicates with (nearly) the same attempts.
        onset_at: Since when it is so, microseconds; None: all window long.
        answer: The finding as the API gives it.
    """

    where: Where
    fingerprint: str | None
    indistinguishable: Sequence[Where] = ()
    n: int
    observed: int
    expected: float
    lift: float
    q: float
    onset_at: int | None
    answer: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Names it as a row is named."""
        return key_of(self.where, self.fingerprint)


def key_of(where: Where, fingerprint: str | None) -> str:
    """The predicate and the fingerprint as one text, the same for the same whatever the order."""
    parts = [f"{name}={json.dumps(where[name], ensure_ascii=False)}" for name in sorted(where)]
    text = " ".join([*parts, fingerprint or ""]).strip()
    if len(text) <= _KEY_CHARS:
        return text
    return hashlib.sha256(text.encode()).hexdigest()

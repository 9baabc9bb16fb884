"""A claim: everything a worker's child must know of the attempt it is given, as one message."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claimed attempt. `(task_id, attempt)` is the fence of everything it writes.

    Attributes:
        offset_us: The database's clock minus this host's, measured at the claim, in microseconds.
    """

    task_id: int
    attempt: int
    text_id: int
    engine: str
    engine_version: str
    voice: str
    language: str | None
    format: str
    params: str
    source: str
    char_count: int
    trace_id: str
    task_span_id: str
    attempt_span_id: str
    trace_state: str | None
    claimed_at: int
    deadline_at: int
    offset_us: int
    timeout_us: int
    max_attempts: int
    tries_used: int
    lost_count: int
    worker_id: str
    worker_name: str
    release: str

    @property
    def key(self) -> str:
        """The claim as a message id: `<task>.<attempt>`."""
        return f"{self.task_id}.{self.attempt}"

    def to_json(self) -> str:
        """The claim as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The claim that `to_json` wrote."""
        return cls(**json.loads(text))


def parse_key(key: str) -> tuple[int, int] | None:
    """(task id, attempt) of a claim's key; None where it is something else."""
    task_id, dot, attempt = key.partition(".")
    if dot and task_id.isdigit() and attempt.isdigit():
        return int(task_id), int(attempt)
    return None

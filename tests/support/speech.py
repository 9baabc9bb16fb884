"""Speaking in tests: a scope that listens, and requests made short."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.clock import monotonic_s
from app.domain.errors import DeadlineExceededError, LeaseLostError
from app.speech.engine import Attribute, Chunk, Engine, Mark, SegmentRequest

SAMPLE_RATE = 22050


@dataclass(slots=True, kw_only=True)
class ListeningScope:
    """A scope of no task: keeps its events, counts its checks, ends at its deadline.

    Attributes:
        lose_after: Checks after which the lease is lost; None for never.
    """

    deadline_s: float = math.inf
    attempt: int = 1
    lose_after: int | None = None
    checked_at_s: list[float] = field(default_factory=list)
    events: list[tuple[str, dict[str, Attribute]]] = field(default_factory=list)
    kept: str | None = None

    def check(self) -> None:
        """As an attempt's."""
        self.checked_at_s.append(monotonic_s())
        if self.lose_after is not None and len(self.checked_at_s) > self.lose_after:
            message = "someone else owns the task now"
            raise LeaseLostError(message)
        if monotonic_s() >= self.deadline_s:
            message = "the deadline passed"
            raise DeadlineExceededError(message)

    def event(self, name: str, **attributes: Attribute) -> None:
        """Keeps it."""
        self.events.append((name, attributes))

    def checkpoint(self, token: str | None) -> str | None:
        """Keeps it."""
        self.kept = token or self.kept
        return self.kept

    def names(self) -> list[str]:
        """Of the events, in order."""
        return [name for name, _ in self.events]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What an engine made of a text."""

    text: str
    pcm: bytes
    marks: tuple[Mark, ...]
    chunks: tuple[Chunk, ...]

    @property
    def duration_ms(self) -> float:
        """At `SAMPLE_RATE`."""
        return len(self.pcm) / 2 / SAMPLE_RATE * 1000

    def words(self) -> list[str]:
        """The marked words, in the order of their moments."""
        return [self.text[mark.start : mark.end] for mark in self.marks]


def speak(
    engine: Engine,
    text: str,
    *,
    voice: str = "",
    language: str = "",
    params: Mapping[str, float] | None = None,
    scope: ListeningScope | None = None,
) -> Speech:
    """Speaks `text` to the end."""
    request = SegmentRequest(
        text=text, voice=voice, language=language, params=params or {}, sample_rate=SAMPLE_RATE
    )
    with engine.open(request, scope or ListeningScope()) as chunks:
        made = tuple(chunks)
    return Speech(
        text=text,
        pcm=b"".join(chunk.pcm for chunk in made),
        marks=tuple(mark for chunk in made for mark in chunk.marks),
        chunks=made,
    )

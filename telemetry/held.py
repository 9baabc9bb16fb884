"""Held rows: spans that were refused alone, and what proves that they themselves are meant.

A refusal may be a fault of the collector that passes. So a row is held until the collector is seen
to take something else; then it is sent again, and only if it is refused again it is quarantined.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

#: `content` (400, 422): the row is wrong. `size` (413): it is too large. `server` (500): either.
Ground = Literal["content", "size", "server"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """A row refused alone.

    Attributes:
        row_id: Of the outbox.
        size_bytes: Of its payload.
        words: The answer.
        ground: What the refusal may be for.
        proof_bytes: Size of the largest request accepted since; 0 for none.
    """

    row_id: int
    size_bytes: int
    words: str
    ground: Ground
    proof_bytes: int = 0


def wants_spans(held: HeldRow) -> bool:
    """Whether only accepted spans are proof: an empty request meets neither pipeline nor limit."""
    return held.ground != "content"


def is_proven(held: HeldRow, *, lately_bytes: int, takes_empty: bool) -> bool:
    """Whether the collector has been seen to take what is right, so that the row is asked again.

    Args:
        held: The row.
        lately_bytes: Size of the largest request that was accepted in the last minutes.
        takes_empty: Whether an empty request was accepted since.
    """
    match held.ground:
        case "content":
            return takes_empty or held.proof_bytes > 0
        case "server":
            return held.proof_bytes > 0
        case "size":
            # Where as much passed before, smaller ones that pass say nothing of this one.
            is_largest = held.size_bytes > lately_bytes
            return held.proof_bytes >= (1 if is_largest else max(1, held.size_bytes // 2))


def with_proof(rows: Iterable[HeldRow], accepted_bytes: int) -> list[HeldRow]:
    """The rows, after another request was accepted."""
    return [replace(row, proof_bytes=max(row.proof_bytes, accepted_bytes)) for row in rows]


def without_proof(rows: Iterable[HeldRow]) -> list[HeldRow]:
    """The rows, after trouble: what was accepted before it proves nothing after it."""
    return [replace(row, proof_bytes=0) for row in rows]

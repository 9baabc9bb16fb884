"""Spans of two attempts, line by line: what has the same name and place stands side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.service.pieces import Piece
from telemetry import names

#: What a span is under its parent: its name, and its segment or which of that name it is.
Key = tuple[str, int]
#: Notes that are told beside the spans already.
_TOLD: Final = frozenset({"rebuilt_by", "rebuilt_reason", "last_heartbeat_at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A span of one of the two; `start_us` counts from when its attempt was queued.

    Attributes:
        took_us: None while it runs.
        status: ok, error or open.
        notes: What is known of it, by name.
    """

    span_id: str
    name: str
    start_us: int
    took_us: int | None
    status: str
    notes: Mapping[str, str | int | float | bool]

    @property
    def has_failed(self) -> bool:
        """Whether it ended with an error."""
        return self.status == "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A span of both, or (the other side None) of one alone.

    Attributes:
        level: Depth: 0 for the wait and the attempt itself.
        name: As spans are called; of engine calls without the engine.
        segment: Index of the segment in its text, from 0; None: it is of none.
        differs: Notes that differ: name, left, right (None: it has none).
    """

    level: int
    name: str
    segment: int | None
    left: Side | None
    right: Side | None
    differs: tuple[tuple[str, str | None, str | None], ...] = ()

    @property
    def difference_us(self) -> int | None:
        """How much longer the right one took; None where one is missing or runs."""
        if self.left is None or self.right is None:
            return None
        if self.left.took_us is None or self.right.took_us is None:
            return None
        return self.right.took_us - self.left.took_us

    @property
    def ratio(self) -> float | None:
        """How many times as long the right one took; None where that says nothing."""
        if self.difference_us is None or not self.left or not self.right or not self.left.took_us:
            return None
        return (self.right.took_us or 0) / self.left.took_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The spans of an attempt: its wait and itself, and below them what it did."""

    zero_at: int
    top: Sequence[Piece]
    below: Mapping[str, Sequence[Piece]]


def tree_of(found: Sequence[Piece], attempt: int) -> Tree:
    """The spans of one attempt among those of its task."""
    top = [
        piece
        for piece in found
        if piece.attempt == attempt and piece.kind in {"wait", "quota", "attempt"}
    ]
    top.sort(key=lambda piece: (piece.start, piece.kind == "attempt"))
    below: dict[str, list[Piece]] = {}
    for piece in sorted(found, key=lambda piece: (piece.start, piece.end or piece.start)):
        if piece.parent_id is not None and piece not in top:
            below.setdefault(piece.parent_id, []).append(piece)
    zero_at = min((piece.start for piece in top), default=0)
    return Tree(zero_at=zero_at, top=top, below=below)


def aligned(left: Tree, right: Tree) -> list[Line]:
    """The spans of both, in the order in which they come; what only one has stands in its place."""
    return list(_aligned(left, right, left.top, right.top, 0))


def _aligned(
    left: Tree, right: Tree, ours: Sequence[Piece], theirs: Sequence[Piece], level: int
) -> Iterator[Line]:
    one, other = _keyed(ours), _keyed(theirs)
    for key in _merged(list(one), list(other)):
        a, b = one.get(key), other.get(key)
        yield _line(left, right, a, b, level)
        yield from _aligned(left, right, _below(left, a), _below(right, b), level + 1)


def _below(tree: Tree, piece: Piece | None) -> Sequence[Piece]:
    return tree.below.get(piece.span_id, ()) if piece is not None else ()


def _keyed(pieces: Sequence[Piece]) -> dict[Key, Piece]:
    found: dict[Key, Piece] = {}
    for piece in pieces:
        name = plain_name(piece)
        is_segment = name == names.SPAN_SEGMENT and piece.segment is not None
        place = piece.segment or 0 if is_segment else sum(key[0] == name for key in found)
        while (name, place) in found:
            place += 1_000_000  # a segment that was made twice in one attempt
        found[name, place] = piece
    return found


def plain_name(piece: Piece) -> str:
    """What a span is called, whoever speaks: calls of two engines are the same step."""
    if piece.kind == "engine":
        return names.ENGINE_OPERATION
    return piece.name


def _merged(left: Sequence[Key], right: Sequence[Key]) -> list[Key]:
    """The left ones in their order, each after those of the right that come before it there."""
    shared = set(left) & set(right)
    waiting = list(right)
    merged: list[Key] = []
    for key in left:
        if key in shared and key in waiting:
            place = waiting.index(key)
            merged += [one for one in waiting[:place] if one not in shared]
            waiting = [one for one in waiting[:place] if one in shared] + waiting[place + 1 :]
        merged.append(key)
    return merged + [one for one in waiting if one not in shared]


def _line(left: Tree, right: Tree, a: Piece | None, b: Piece | None, level: int) -> Line:
    piece = a or b
    if piece is None:
        message = "a line has one span at least"
        raise ValueError(message)
    one, other = _side(a, left), _side(b, right)
    return Line(
        level=level,
        name=plain_name(piece),
        segment=piece.segment,
        left=one,
        right=other,
        differs=_differs(one, other),
    )


def _side(piece: Piece | None, tree: Tree) -> Side | None:
    if piece is None:
        return None
    return Side(
        span_id=piece.span_id,
        name=piece.name,
        start_us=piece.start - tree.zero_at,
        took_us=None if piece.end is None else piece.end - piece.start,
        status=piece.status,
        notes=dict(piece.notes),
    )


def _differs(
    one: Side | None, other: Side | None
) -> tuple[tuple[str, str | None, str | None], ...]:
    if one is None or other is None:
        return ()
    known = dict.fromkeys((*one.notes, *other.notes))
    pairs = [
        (name, one.notes.get(name), other.notes.get(name)) for name in known if name not in _TOLD
    ]
    if one.name != other.name:
        pairs.append(("name", one.name, other.name))
    return tuple((name, _text(a), _text(b)) for name, a, b in pairs if a != b)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)

"""The waterfall: a task's spans as rows, from the outbox while it keeps them, else from rows.

What still runs (the task, its attempt, what that does now) comes from rows and has an open end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.domain.records import AttemptRecord, SegmentRecord, TaskRecord
from app.service import pieces
from app.service.pieces import Notes, Piece
from telemetry import names

#: Segments of one attempt above which they are drawn under one row.
GROUP_ABOVE: Final = 8
#: Rows at most; above it the spans inside groups are left off.
MAX_ROWS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the waterfall.

    Attributes:
        level: Depth, from 0 (the task).
        start_us: From `Waterfall.zero_at`.
        end_us: From `Waterfall.zero_at`; None while it runs.
        kind: Colour: request, task, wait, quota, attempt, group, own, engine, store, late.
        status: `ok`, `error` or `open`.
        is_rebuilt: Made from a row, because its process died before it could send it.
        last_segment: Of a group, which also has `segment` (its first) and `span_count`.
        events: (name, µs from `zero_at`).
    """

    span_id: str
    parent_span_id: str | None
    level: int
    name: str
    service: str
    kind: str
    start_us: int
    end_us: int | None
    status: str
    is_rebuilt: bool
    notes: Notes
    events: tuple[tuple[str, int], ...]
    attempt: int | None
    segment: int | None
    last_segment: int | None = None
    span_count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """Rows in the order of drawing.

    Attributes:
        source: `outbox` where the spans themselves were read, `rows` where rows stand for them.
        zero_at: Moment of the left edge, microseconds since the epoch.
        total_us: Width.
        left_off: Spans that are not among the rows.
    """

    source: Literal["outbox", "rows"]
    zero_at: int
    total_us: int
    rows: tuple[Row, ...]
    left_off: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything rows and outbox tell of one task, read in one snapshot."""

    task: TaskRecord
    attempts: Sequence[AttemptRecord]
    segments: Sequence[SegmentRecord]
    payloads: Sequence[bytes]
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The pieces of a waterfall, and where they come from."""

    source: Literal["outbox", "rows"]
    found: Sequence[Piece]


def pieces_of(told: Told) -> Pieces:
    """The spans themselves where the outbox has them all, else what rows stand for."""
    spans = pieces.decoded(told.payloads, told.task.trace_id)
    if _is_complete(told, set(spans)):
        sent = [pieces.of_span(span) for span in spans.values()]
        return Pieces(source="outbox", found=_from_spans(told, sent))
    request = spans.get(told.task.parent_span_id or "")
    found = [pieces.of_span(request)] if request is not None else []
    return Pieces(source="rows", found=[*found, *_from_rows(told)])


def draw(told: Told, read: Pieces | None = None) -> Waterfall:
    """The waterfall of a task; `read`: its pieces, where they were read before."""
    read = read or pieces_of(told)
    found = read.found
    zero_at = min(piece.start for piece in found)
    last = max(piece.end if piece.end is not None else told.now for piece in found)
    rows, left_off = _layout(found, told.task, zero_at)
    return Waterfall(
        source=read.source,
        zero_at=zero_at,
        total_us=max(1, last - zero_at),
        rows=tuple(rows),
        left_off=left_off,
    )


def _is_complete(told: Told, span_ids: set[str]) -> bool:
    """Whether the outbox has every span that the rows say was made."""
    wanted = {attempt.span_id for attempt in told.attempts if attempt.finished_at is not None}
    wanted |= {pieces.of_wait(told.task, attempt).span_id for attempt in told.attempts}
    if told.task.is_final:
        wanted.add(told.task.span_id)
    open_ids = {attempt.attempt for attempt in told.attempts if attempt.outcome is None}
    wanted |= {row.span_id for row in told.segments if row.span_id and row.attempt not in open_ids}
    return bool(told.payloads) and wanted <= span_ids


def _from_spans(told: Told, found: Iterable[Piece]) -> list[Piece]:
    """Spans as they were sent, and what has not ended yet."""
    hidden = {names.SPAN_TASK, names.SPAN_ATTEMPT_STARTED}
    kept = [piece for piece in found if piece.name not in hidden]
    return [pieces.of_task(told.task), *kept, *_open_pieces(told)]


def _open_pieces(told: Told) -> list[Piece]:
    task = told.task
    if task.status == "pending":
        return [pieces.of_wait(task, None)]
    if not told.attempts or told.attempts[-1].finished_at is not None:
        return []
    attempt = told.attempts[-1]
    phase = pieces.of_phase(task, attempt, told.segments)
    return [pieces.of_attempt(task, attempt), *([phase] if phase else [])]


def _from_rows(told: Told) -> list[Piece]:
    """The same shape from rows alone; engine calls, splitting and storing are not in them."""
    task = told.task
    found = [pieces.of_task(task)]
    by_number = {attempt.attempt: attempt for attempt in told.attempts}
    for attempt in told.attempts:
        found.append(pieces.of_wait(task, attempt))
        if attempt.finished_at is not None:
            found.append(pieces.of_attempt(task, attempt))
    for row in told.segments:
        owner = by_number.get(row.attempt or 0)
        if owner is not None and row.finished_at is not None:
            found.append(pieces.of_segment(row, owner))
    if task.is_final and task.wait_reason != "claimed":
        found.append(pieces.of_wait(task, None))
    return [*found, *_open_pieces(told)]


def _layout(found: Sequence[Piece], task: TaskRecord, zero_at: int) -> tuple[list[Row], int]:
    """Rows in depth-first order by start; what hangs on nothing that is drawn is left off."""
    children: dict[str | None, list[Piece]] = {}
    for piece in found:
        children.setdefault(piece.parent_id, []).append(piece)
    for siblings in children.values():
        siblings.sort(key=lambda piece: (piece.start, piece.end or piece.start, piece.name))
    root = next(piece for piece in found if piece.kind == "task")
    request = next((piece for piece in found if piece.span_id == task.parent_span_id), None)
    drawn: list[Row] = [] if request is None else [_row(request, 0, zero_at)]
    drawn.append(_row(root, 0, zero_at))
    for piece in children.get(root.span_id, []):
        drawn += _branch(piece, 1, children, zero_at)
    if len(drawn) > MAX_ROWS:
        drawn = _folded(drawn)
    shown = sum(1 for row in drawn if row.kind != "group")
    return drawn, len(found) - shown


def _branch(
    piece: Piece, level: int, children: dict[str | None, list[Piece]], zero_at: int
) -> list[Row]:
    rows = [_row(piece, level, zero_at)]
    below = children.get(piece.span_id, [])
    places = [place for place, child in enumerate(below) if _is_ended_segment(child)]
    if len(places) > GROUP_ABOVE:
        grouped = [below[place] for place in places]
        before = below[: places[0]]
        after = [child for child in below[places[0] :] if not _is_ended_segment(child)]
        for child in before:
            rows += _branch(child, level + 1, children, zero_at)
        rows.append(_group(piece, grouped, level + 1, zero_at))
        for child in grouped:
            rows += _branch(child, level + 2, children, zero_at)
        below = after
    for child in below:
        rows += _branch(child, level + 1, children, zero_at)
    return rows


def _is_ended_segment(piece: Piece) -> bool:
    return piece.name == names.SPAN_SEGMENT and piece.end is not None


def _row(piece: Piece, level: int, zero_at: int) -> Row:
    return Row(
        span_id=piece.span_id,
        parent_span_id=piece.parent_id,
        level=level,
        name=piece.name,
        service=piece.service,
        kind=piece.kind,
        start_us=piece.start - zero_at,
        end_us=None if piece.end is None else piece.end - zero_at,
        status=piece.status,
        is_rebuilt=piece.is_rebuilt,
        notes=piece.notes,
        events=tuple((name, at - zero_at) for name, at in piece.events),
        attempt=piece.attempt,
        segment=piece.segment,
    )


def _group(owner: Piece, members: Sequence[Piece], level: int, zero_at: int) -> Row:
    indexes = [piece.segment for piece in members if piece.segment is not None]
    ends = [piece.end for piece in members if piece.end is not None]
    failed = any(piece.status == "error" for piece in members)
    return Row(
        span_id=f"group-{owner.span_id}",
        parent_span_id=owner.span_id,
        level=level,
        name="segments",
        service=owner.service,
        kind="group",
        start_us=members[0].start - zero_at,
        end_us=max(ends) - zero_at,
        status="error" if failed else "ok",
        is_rebuilt=False,
        notes=(("reused", sum(("reused", True) in piece.notes for piece in members)),),
        events=(),
        attempt=owner.attempt,
        segment=min(indexes, default=None),
        last_segment=max(indexes, default=None),
        span_count=len(members),
    )


def _folded(rows: Sequence[Row]) -> list[Row]:
    """Rows without the inside of groups."""
    kept: list[Row] = []
    fold_below: int | None = None
    for row in rows:
        if fold_below is not None and row.level > fold_below:
            continue
        fold_below = row.level if row.kind == "group" else None
        kept.append(row)
    return kept

"""The critical path: which spans the end of a task waited for, moment by moment.

The walk of Jaeger's viewer: from the end backwards, the child that ended last before the cursor was
what its parent waited for; between such children the parent itself was at work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.service.waterfall import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a span that is on the path; microseconds from the left edge."""

    start_us: int
    end_us: int


def critical_path(rows: Sequence[Row], total_us: int) -> dict[str, list[Stretch]]:
    """The stretches of the path by span id; rows that fold carry those of what they hide."""
    children: dict[str | None, list[Row]] = {}
    for row in rows:
        if row.kind != "group":
            children.setdefault(row.parent_span_id, []).append(row)
    root = next((row for row in rows if row.kind == "task"), None)
    if root is None:
        return {}
    found: dict[str, list[Stretch]] = {}
    _walk(root, total_us, children, found, total_us)
    touch_us = total_us // 200
    for row in rows:
        if row.kind == "group":
            found[row.span_id] = _joined(_members(row, children), children, found, touch_us)
        elif row.segment is not None and children.get(row.span_id):
            found[row.span_id] = _joined([row], children, found, touch_us)
    return found


def _walk(
    row: Row,
    until_us: int,
    children: Mapping[str | None, Sequence[Row]],
    found: dict[str, list[Stretch]],
    total_us: int,
) -> None:
    """Goes back from `until_us` to the row's start. Depth is that of the spans: at most 4."""
    cursor_us = until_us
    below = sorted(
        children.get(row.span_id, ()), key=lambda child: _end(child, total_us), reverse=True
    )
    for child in below:
        end_us = min(_end(child, total_us), cursor_us)
        if child.start_us >= end_us:
            continue
        _note(found, row, end_us, cursor_us)
        _walk(child, end_us, children, found, total_us)
        cursor_us = child.start_us
    _note(found, row, row.start_us, cursor_us)


def _note(found: dict[str, list[Stretch]], row: Row, start_us: int, end_us: int) -> None:
    if end_us > start_us:
        found.setdefault(row.span_id, []).append(Stretch(start_us=start_us, end_us=end_us))


def _end(row: Row, total_us: int) -> int:
    return total_us if row.end_us is None else row.end_us


def _members(group: Row, children: Mapping[str | None, Sequence[Row]]) -> list[Row]:
    """The segments under a group's row."""
    return [row for row in children.get(group.parent_span_id, ()) if row.segment is not None]


def _joined(
    rows: Sequence[Row],
    children: Mapping[str | None, Sequence[Row]],
    found: Mapping[str, Sequence[Stretch]],
    touch_us: int,
) -> list[Stretch]:
    """What rows and their children have of the path, joined where it (nearly) touches."""
    spans = [row.span_id for row in rows]
    spans += [child.span_id for row in rows for child in children.get(row.span_id, ())]
    stretches = sorted(
        (stretch for span in spans for stretch in found.get(span, ())),
        key=lambda stretch: stretch.start_us,
    )
    joined: list[Stretch] = []
    for stretch in stretches:
        last = joined[-1] if joined else None
        if last is None or stretch.start_us > last.end_us + touch_us:
            joined.append(stretch)
        else:
            end_us = max(last.end_us, stretch.end_us)
            joined[-1] = Stretch(start_us=last.start_us, end_us=end_us)
    return joined

"""The text of a task by its segments, as people read and hear it, a window at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.service.task_view import ReadingSegment
from app.web.format import duration
from app.web.words import Words, tag_of

#: Segments of one window.
WINDOW: Final = 400
#: Segments up to which a text is shown whole, without a scrolling panel.
SHORT: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSegment:
    """A segment as it is set; `start_ms` is None where it cannot be heard (yet)."""

    number: int
    text: str
    tag: str
    start_ms: int | None
    length_ms: int
    note: str
    is_waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A window of segments: `before` and `after` are where its neighbours start, None: no such."""

    segments: Sequence[ReadSegment]
    first: int
    last: int
    total: int
    before: int | None
    after: int | None

    @property
    def is_short(self) -> bool:
        """Whether it needs no room of its own to scroll in."""
        return self.total <= SHORT and not self.pages

    @property
    def pages(self) -> bool:
        """Whether there is more than this window."""
        return self.before is not None or self.after is not None


def reading_of(found: Sequence[ReadingSegment], total: int, first: int, t: Words) -> Reading:
    """The window that begins at index `first`, of `total` segments."""
    after = first + WINDOW if first + WINDOW < total else None
    return Reading(
        segments=[_segment(row, t) for row in found],
        first=first + 1,
        last=first + len(found),
        total=total,
        before=max(0, first - WINDOW) if first > 0 else None,
        after=after,
    )


def _segment(row: ReadingSegment, t: Words) -> ReadSegment:
    length_ms = row.duration_ms or 0
    return ReadSegment(
        number=row.idx + 1,
        text=row.text.strip(),
        tag=tag_of(row.text),
        start_ms=row.offset_ms,
        length_ms=length_ms,
        note=_note(row, length_ms, t),
        is_waiting=row.status == "waiting",
    )


def _note(row: ReadingSegment, length_ms: int, t: Words) -> str:
    """What is said of a segment while it is heard: how long it is, and how it was made."""
    length = duration(length_ms * 1000, t.lang)
    if row.status == "pause":
        return str(t("segment.pause", n=row.idx + 1))
    if row.reused:
        return str(t("segment.reused", n=row.idx + 1, length=length))
    if row.started_at is None or row.finished_at is None:
        return str(t("segment.plain", n=row.idx + 1, length=length))
    made = duration(row.finished_at - row.started_at, t.lang)
    return str(t("segment.made", n=row.idx + 1, length=length, made=made))

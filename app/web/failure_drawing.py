"""Failures as drawings: sparks, spreads over workers, a course of time with what changed in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.web.drawing import Bar, Block, Piece
from app.web.moments import Place
from app.web.stats_chart import Label, nice
from app.web.time_axis import ticks

#: Heights in pixels, and the share of its place that a bar takes.
SPARK_PX: Final = 22
SPREAD_PX: Final = 14
TIMELINE_PX: Final = 120
_FILLED: Final = 0.78
#: The least height of a bar that stands for something.
_LEAST_PX: Final = 1.5
#: Bars of a spread, and for how many there is room at least.
MAX_SPREAD: Final = 8
LEAST_SPREAD: Final = 6
#: Labels of marks nearer to each other than this, in percent, would overlap.
_NEAR: Final = 7.0
#: From here on, in percent, a label stands to the left of its mark.
_TURN: Final = 78.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upright:
    """A small drawing of upright bars of one kind: `x`, `y`, `width`, `height` of each."""

    bars: Sequence[tuple[float, float, float, float]]
    height_px: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment of a course of time at which something changed.

    Attributes:
        x: Percent from the left.
        text: What stands beside it; empty where it would cover another one.
        is_left: Whether the text stands to its left.
        says: All of it, in a sentence.
    """

    x: float
    text: str
    is_left: bool
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A course of time: bars, moments below, values beside, marks and a band over all of it."""

    bars: Sequence[Bar]
    times: Sequence[Label]
    values: Sequence[Label]
    label: str
    marks: Sequence[Mark] = ()
    band: Block | None = None
    height_px: int = TIMELINE_PX


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A stretch of time: its amounts by kind from below, what it says, where its rows are."""

    at: int
    end: int
    parts: Mapping[str, int]
    says: str
    path: str | None = None

    @property
    def total(self) -> int:
        """All of its amounts."""
        return sum(self.parts.values())


def upright(counts: Sequence[int], label: str, height_px: int = SPARK_PX) -> Upright:
    """Counts as small bars over the whole width; the largest has the whole height."""
    top = max(counts, default=0)
    share = 100 / max(1, len(counts))
    return Upright(
        bars=[
            (
                round(share * (at + (1 - _FILLED) / 2), 2),
                round(height_px - _height(count, top, height_px), 2),
                round(share * _FILLED, 2),
                _height(count, top, height_px),
            )
            for at, count in enumerate(counts)
            if count
        ],
        height_px=height_px,
        label=label,
    )


def _height(count: int, top: int, height_px: int) -> float:
    return round(max(_LEAST_PX, count * height_px / top), 2)


def timeline(
    bins: Sequence[Bin],
    span: tuple[int, int],
    place: Place,
    *,
    label: str,
    marks: Sequence[tuple[int, str, str]] = (),
    band: tuple[int, int] | None = None,
) -> Timeline:
    """A course of time.

    Args:
        bins: Those that have anything; others may be left out.
        span: Where the drawing begins and ends, microseconds.
        place: Who reads it.
        label: All of it in a sentence.
        marks: Moment, short text and sentence of each change.
        band: Two moments between which something began.
    """
    top = nice(max((one.total for one in bins), default=0))
    return Timeline(
        bars=[_bar(one, top, span) for one in bins if one.total],
        times=ticks(place, *span),
        values=[
            Label(at=round(TIMELINE_PX * (1 - part / top), 2), text=str(part))
            for part in (0, top // 2, top)
        ],
        label=label,
        marks=marked(marks, span),
        band=_band(band, span),
    )


def _bar(one: Bin, top: int, span: tuple[int, int]) -> Bar:
    left, right = _share(max(one.at, span[0]), span), _share(min(one.end, span[1]), span)
    width = max(0.1, right - left)
    return Bar(
        x=round(left + width * (1 - _FILLED) / 2, 3),
        width=round(width * _FILLED, 3),
        pieces=_stacked(one.parts, top),
        says=one.says,
        path=one.path,
    )


def _stacked(parts: Mapping[str, int], top: int) -> list[Piece]:
    pieces, y = [], float(TIMELINE_PX)
    for kind, amount in parts.items():
        if amount:
            height = max(_LEAST_PX, amount * TIMELINE_PX / top)
            y -= height
            pieces.append(Piece(y=round(y, 2), height=round(height, 2), kind=kind))
    return pieces


def marked(changes: Sequence[tuple[int, str, str]], span: tuple[int, int]) -> list[Mark]:
    """Changes within a span as marks; of those too near to each other the first has a text."""
    marks: list[Mark] = []
    last = -_NEAR
    for at, text, says in sorted(changes):
        if not span[0] <= at <= span[1]:
            continue
        x = _share(at, span)
        is_free = x - last >= _NEAR
        is_left = x > _TURN
        marks.append(Mark(x=x, text=text if is_free else "", is_left=is_left, says=says))
        last = x if is_free else last
    return marks


def _band(found: tuple[int, int] | None, span: tuple[int, int]) -> Block | None:
    if found is None:
        return None
    low, high = (_share(min(max(at, span[0]), span[1]), span) for at in found)
    return Block(x=low, width=round(max(0.4, high - low), 2), kind="band")


def _share(at: int, span: tuple[int, int]) -> float:
    return round(100 * (at - span[0]) / max(1, span[1] - span[0]), 2)

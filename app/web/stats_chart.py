"""The statistics' series as drawings: stacked bars of outcomes, bars of a percentile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from app.domain.query.parse import parse
from app.domain.query.query import Query, both
from app.service.stats.series import Point, Series
from app.web import moments
from app.web.drawing import Bar, Piece
from app.web.format import duration, number
from app.web.moments import Place
from app.web.visitor import Visitor

#: Height of a drawing in pixels, and the share of its place that a bar takes.
HEIGHT_PX: Final = 150
_FILLED: Final = 0.78
#: What ended, in the order in which it is stacked, from below.
OUTCOMES: Final = ("completed", "cancelled", "timeout", "failed")
#: Of whom percentiles are told.
COMPLETED: Final = parse("status:completed")
EVERY: Final = Query()
#: Moments below a drawing, about.
_TIMES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word at a place: percent across (times), or pixels from above (values)."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing: bars, the moments below, the values beside, all of it in a sentence."""

    bars: Sequence[Bar]
    times: Sequence[Label]
    values: Sequence[Label]
    label: str
    height_px: int = HEIGHT_PX


def outcomes(found: Series, reader: Visitor) -> Chart:
    """Ended tasks by outcome, one bar for each hour or day."""
    t = reader.t
    total = sum(point.figures.ended.n for point in found.points)
    top = nice(max((point.figures.ended.n for point in found.points), default=0))
    return Chart(
        bars=_bars(
            found,
            reader,
            pieces=lambda point: _stacked(point, top),
            says=lambda point: str(t("comma")).join(
                f"{t(f'status.{name}')} {number(point.figures.n(name))}"
                for name in OUTCOMES
                if point.figures.n(name)
            ),
        ),
        times=_times(found, reader.place),
        values=[Label(at=_y(part, top), text=number(part)) for part in (0, top // 2, top)],
        label=str(
            t(
                f"stats.chart_{found.grain}" if found.days == 1 else "stats.chart_days",
                n=total,
                days=found.days,
            )
        ),
    )


def latency(found: Series, reader: Visitor, measure: str, share: str) -> Chart:
    """A percentile of completed tasks, one bar for each hour or day."""
    t = reader.t
    top_ms = max((_ms(point, measure, share) for point in found.points), default=0.0) or 1.0
    return Chart(
        bars=_bars(
            found,
            reader,
            pieces=lambda point: _single(_ms(point, measure, share), top_ms),
            says=lambda point: _told(_ms(point, measure, share), reader),
            only=COMPLETED,
        ),
        times=_times(found, reader.place),
        values=[Label(at=_y(part, top_ms), text=_told(part, reader)) for part in (0.0, top_ms)],
        label=str(t("stats.chart_latency", what=t(f"stats.{measure}"), share=share)),
    )


def nice(value: int) -> int:
    """The least of 2, 4, 6, 10, 20, 40, 60, 100, … that is not below a value."""
    power = 1
    while True:
        for digit in (2, 4, 6, 10):
            if digit * power >= value:
                return digit * power
        power *= 10


def _bars(
    found: Series,
    reader: Visitor,
    *,
    pieces: Callable[[Point], list[Piece]],
    says: Callable[[Point], str],
    only: Query = EVERY,
) -> list[Bar]:
    share = 100 / max(1, len(found.points))
    return [
        Bar(
            x=round(share * (at + (1 - _FILLED) / 2), 3),
            width=round(share * _FILLED, 3),
            pieces=pieces(point),
            says=f"{_when(found, point, reader.place)}{reader.t('colon')}{says(point)}",
            path=f"/tasks?query={quote(str(both(only, point.query)))}",
        )
        for at, point in enumerate(found.points)
        if point.figures.ended.n
    ]


def _stacked(point: Point, top: int) -> list[Piece]:
    pieces, y = [], float(HEIGHT_PX)
    for name in OUTCOMES:
        height = point.figures.n(name) * HEIGHT_PX / top
        if height:
            y -= height
            pieces.append(Piece(y=round(y, 2), height=round(height, 2), kind=name))
    return pieces


def _single(ms: float, top_ms: float) -> list[Piece]:
    height = ms * HEIGHT_PX / top_ms
    return [Piece(y=round(HEIGHT_PX - height, 2), height=round(height, 2), kind="c1")]


def _ms(point: Point, measure: str, share: str) -> float:
    found = point.figures.durations.get(measure)
    return found.quantiles.get(share, 0.0) if found else 0.0


def _told(ms: float, reader: Visitor) -> str:
    return duration(round(ms * 1000), reader.t.lang)


def _y(part: float, top: float) -> float:
    return round(HEIGHT_PX - part * HEIGHT_PX / top, 2)


def _when(found: Series, point: Point, place: Place) -> str:
    if found.grain == "day":
        return moments.date(place, point.start)
    return moments.short(place, point.start)


def _times(found: Series, place: Place) -> list[Label]:
    """Some of the moments at which bars begin."""
    n = len(found.points)
    step = max(1, -(-n // _TIMES))
    return [
        Label(
            at=round(100 * at / n, 2),
            text=moments.date(place, found.points[at].start)
            if found.grain == "day"
            else f"{moments.local(place, found.points[at].start):%H:%M}",
        )
        # one in the last part would run out of the drawing
        for at in range(0, n, step)
        if at <= 0.93 * n
    ]

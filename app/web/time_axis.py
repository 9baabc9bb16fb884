"""Moments below a drawing of time: at round hours or days of the reader's clock."""

from datetime import timedelta
from typing import Final

from app.web import moments
from app.web.moments import Place
from app.web.stats_chart import Label

_US: Final = 1_000_000
_DAY_S: Final = 86_400
#: Seconds between two labels, each readable.
STEPS_S: Final = (
    *(1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200),
    *(_DAY_S, 2 * _DAY_S, 7 * _DAY_S, 14 * _DAY_S, 28 * _DAY_S),
)
#: A label in the last part of a drawing would run out of it, in percent.
_LAST: Final = 94.0


def ticks(place: Place, start: int, end: int, *, most: int = 6) -> list[Label]:
    """At most `most` labels between two moments (microseconds); days where the date changes."""
    length_s = max(1, end - start) / _US
    step_s = next((step for step in STEPS_S if length_s / step <= most), None)
    step_s = step_s or -(-int(length_s) // (most * _DAY_S)) * _DAY_S
    offset = moments.local(place, start).utcoffset() or timedelta()
    offset_s = round(offset.total_seconds())
    at = -(-(start + offset_s * _US) // (step_s * _US)) * step_s * _US - offset_s * _US
    labels: list[Label] = []
    day = moments.local(place, place.now_us).date()
    while at < end:
        x = round(100 * (at - start) / (end - start), 2)
        local = moments.local(place, at)
        if x <= _LAST:
            text = f"{local:%H:%M:%S}" if step_s < 60 else f"{local:%H:%M}"
            if step_s >= _DAY_S:
                text = moments.date(place, at)
            elif local.date() != day:
                text = f"{moments.date(place, at)} {text}"
            labels.append(Label(at=x, text=text))
            day = local.date()
        at += step_s * _US
    return labels

"""The canaries as a strip of bars: how each ended, and how long its stages took."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.records import CanaryRecord
from app.service.canaries.canary import KEPT
from app.service.checks.check_watch import said_of
from app.web import moments
from app.web.drawing import Bar, Piece
from app.web.format import duration
from app.web.visitor import Visitor

#: Height of the drawing, and of the lowest bar, in pixels.
HEIGHT_PX: Final = 56
_LEAST_PX: Final = 6.0
#: Microseconds of the lowest and the highest bar; between them heights grow with the logarithm.
_SHORTEST_US, _LONGEST_US = 100_000, 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The last canaries, oldest first, and the last one's stages.

    Attributes:
        stages: Words and times of queue, run and trace of the last that came through.
        says: How the last one ended.
        label: The strip in a sentence.
    """

    bars: Sequence[Bar]
    stages: Sequence[tuple[str, str, str]]
    says: str
    label: str
    height_px: int = HEIGHT_PX


def strip(canaries: Sequence[CanaryRecord], reader: Visitor) -> Strip:
    """The strip of canaries, given newest first; those that are on their way are left out."""
    t = reader.t
    ended = [one for one in canaries if one.finished_at is not None]
    shown = list(reversed(ended))
    share = 100 / max(KEPT // 2, len(shown))
    first = 100 - share * len(shown)
    ok, failed = (sum(one.is_ok is value for one in shown) for value in (True, False))
    return Strip(
        bars=[_bar(one, first + share * at, share, reader) for at, one in enumerate(shown)],
        stages=_stages(ended, reader),
        says=said_of(ended[0]).sentence(t.lang) if ended else "",
        label=str(t("canary.label", n=len(shown), ok=ok, failed=failed)),
    )


def _bar(canary: CanaryRecord, x: float, share: float, reader: Visitor) -> Bar:
    ended_at = canary.finished_at or canary.started_at
    when = moments.short(reader.place, ended_at)
    said = said_of(canary).of(reader.t.lang)
    return Bar(
        x=round(x, 3),
        width=round(share * 0.72, 3),
        pieces=_pieces(canary),
        says=f"{when}{reader.t('colon')}{said}",
        path=f"/tasks/{canary.task_id}" if canary.task_id is not None else None,
    )


def _pieces(canary: CanaryRecord) -> list[Piece]:
    """One that came through has its stages stacked, the first below; others are one bar."""
    if not canary.is_ok:
        kind = "failed" if canary.is_ok is False else "track"
        return [Piece(y=0, height=HEIGHT_PX, kind=kind)]
    stages = [
        ("trace", canary.trace_us or 0),
        ("run", canary.run_us or 0),
        ("queue", canary.queue_us or 0),
    ]
    whole_us = max(1, sum(us for _, us in stages))
    height = _height_px(whole_us)
    pieces, y = [], HEIGHT_PX - height
    for kind, us in stages:
        part = height * us / whole_us
        if part > 0:
            pieces.append(Piece(y=round(y, 2), height=round(part, 2), kind=kind))
        y += part
    return pieces


def _height_px(us: int) -> float:
    span = math.log(_LONGEST_US / _SHORTEST_US)
    grown = math.log(min(_LONGEST_US, max(_SHORTEST_US, us)) / _SHORTEST_US) / span
    return _LEAST_PX + grown * (HEIGHT_PX - _LEAST_PX)


def _stages(ended: Sequence[CanaryRecord], reader: Visitor) -> list[tuple[str, str, str]]:
    """(fill, word, time) of each stage of the last that came through."""
    last = next((one for one in ended if one.is_ok), None)
    if last is None:
        return []
    times = {"queue": last.queue_us, "run": last.run_us, "trace": last.trace_us}
    t = reader.t
    return [(name, str(t(f"canary.{name}")), duration(us, t.lang)) for name, us in times.items()]

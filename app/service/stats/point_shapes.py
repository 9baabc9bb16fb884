"""Histograms of a series' points: of one or several hours or days each, told apart and together."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from app.domain.window import Span
from app.service.stats.request import StatsRequest
from app.service.stats.shapes import ShapeReader, Told, together, undivided
from app.store.database import Connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """Histograms of a point: told apart, and all of them."""

    told: Told = field(default_factory=Told)
    whole: Told = field(default_factory=Told)


def by_point(
    conn: Connection, request: StatsRequest, span: Span, starts: range
) -> dict[int, Shaped]:
    """The histograms of each point of a series.

    Args:
        conn: Where to read.
        request: Which tasks, and how they are told apart.
        span: The hours or days of all points.
        starts: Where each point begins.
    """
    told = _told_by_point(conn, request, span, starts)
    if request.by is None:
        return {at: Shaped(told=one, whole=one) for at, one in told.items()}
    others: dict[int, Told] = {}
    if any(one.missing for one in told.values()):
        # of all values together more may be kept
        others = _told_by_point(conn, replace(request, by=None), span, starts)
    return {
        at: Shaped(told=one, whole=others.get(at, Told()) if one.missing else undivided(one))
        for at, one in told.items()
    }


def _told_by_point(
    conn: Connection, request: StatsRequest, span: Span, starts: range
) -> dict[int, Told]:
    found = ShapeReader(conn, request).of_span(span)
    parts = in_points({start: [one] for start, one in found.items()}, starts)
    return {at: together(several) for at, several in parts.items()}


def in_points(found: Mapping[int, list[T]], starts: range) -> dict[int, list[T]]:
    """What hours or days have, by the point that they are in."""
    points: dict[int, list[T]] = {}
    for start, several in found.items():
        at = start - (start - starts.start) % starts.step
        points.setdefault(at, []).extend(several)
    return points

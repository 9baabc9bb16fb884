"""Spans of whole numbers: what a value asks of a number, a duration or a moment."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.query.value import Ago, At, Range, Value, Window, at_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Whole numbers from `low` on and before `high`; None: no bound."""

    low: int | None = None
    high: int | None = None


def span_of(name: str, value: Value, now_us: int) -> Span:
    """What a value of the qualifier `name` asks, where it is now `now_us`.

    Raises:
        TypeError: It asks for no span.
    """
    match value:
        case Range():
            return _closed(value.low, value.high, value)
        case Window():
            low = None if value.low is None else at_us(value.low, now_us)
            high = None if value.high is None else at_us(value.high, now_us)
            return _closed(low, high, value)
        case At() | Ago():
            at = at_us(value, now_us)
            return Span(high=at) if name == "until" else Span(low=at)
        case _:
            raise TypeError(value)


def _closed(low: int | None, high: int | None, value: Range | Window) -> Span:
    """The span of two bounds that are in it, but for open ones."""
    return Span(
        low=None if low is None else low + int(value.is_low_open),
        high=None if high is None else high + int(not value.is_high_open),
    )


def common(spans: Iterable[Span]) -> Span:
    """What is in all of the spans."""
    found = list(spans)
    lows = [span.low for span in found if span.low is not None]
    highs = [span.high for span in found if span.high is not None]
    return Span(low=max(lows, default=None), high=min(highs, default=None))

"""Dimensions as bars: what part of the selected attempts has each value, and of the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.correlation.cells import Floats, by_value
from app.domain.correlation.cube import Cube

#: Values of a dimension that are told; what is beyond is told as one.
MAX_VALUES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Attempts of a window that have a value; `value` None: one of those that are not told."""

    value: str | None
    selected: int
    others: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A dimension.

    Attributes:
        bars: The values, that of most selected attempts first.
        selected, others: Attempts of all values.
        difference: By how much the share of one value among the selected is above its share among
            the others, of the value of which that is most; 0..1.
    """

    name: str
    bars: tuple[Bar, ...]
    selected: int
    others: int
    difference: float

    def shares(self, bar: Bar) -> tuple[float, float]:
        """The parts of the selected and of the others that have a value."""
        return bar.selected / max(self.selected, 1), bar.others / max(self.others, 1)


def of_cube(window: Cube) -> tuple[Bars, ...]:
    """The dimensions of a window, the one that tells most first."""
    is_selected = window.failure >= 0
    found = [
        _bars(
            name,
            window.values[place],
            by_value(window, place, is_selected),
            by_value(window, place, ~is_selected),
        )
        for place, name in enumerate(window.names)
    ]
    return tuple(sorted(found, key=lambda one: -one.difference))


def _bars(name: str, values: Sequence[str], selected: Floats, others: Floats) -> Bars:
    every = [
        Bar(value=value, selected=int(mine), others=int(rest))
        for value, mine, rest in zip(values, selected, others, strict=True)
        if mine or rest
    ]
    every.sort(key=lambda bar: (-bar.selected, -bar.others, bar.value))
    told, untold = every[:MAX_VALUES], every[MAX_VALUES:]
    sums = float(selected.sum()), float(others.sum())
    surplus = selected / max(sums[0], 1) - others / max(sums[1], 1)
    return Bars(
        name=name,
        bars=(*told, *_rest(untold)),
        selected=int(sums[0]),
        others=int(sums[1]),
        # nothing differs from nobody
        difference=max(0.0, float(surplus.max())) if len(surplus) and all(sums) else 0.0,
    )


def _rest(untold: Sequence[Bar]) -> Iterable[Bar]:
    if untold:
        yield Bar(
            value=None,
            selected=sum(bar.selected for bar in untold),
            others=sum(bar.others for bar in untold),
        )

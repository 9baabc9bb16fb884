"""What rounds of writes took, side by side: ratios to the side without some triggers, or any."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from tests.bench.stats.sides import Side
from tests.bench.stats.writer import STEPS, Took


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Which sides are compared.

    Attributes:
        base: All others are told as ratios to this one.
        columns: What the ratios of each other side are called; steps are told of the first.
    """

    base: Side
    columns: Mapping[Side, str]

    @property
    def sides(self) -> tuple[Side, ...]:
        """All of them."""
        return (self.base, *self.columns)


#: What all triggers cost, and what those of the cube over attempts do.
ALL: Final = Comparison(base="bare", columns={"counted": "all three", "whole": "with search"})
CUBE: Final = Comparison(base="uncubed", columns={"whole": "all three"})


@dataclass(slots=True, kw_only=True)
class Rounds:
    """The rounds of one side.

    Attributes:
        took: For each round what each writer took.
        cpu_s: Processor time of all rounds, of writers and server.
    """

    took: list[list[Took]] = field(default_factory=list)
    cpu_s: float = 0.0

    def medians(self) -> dict[str, float]:
        """The median of each step, in seconds."""
        return {
            step: median(taken for one in self.took for took in one for taken in took.steps_s[step])
            for step in STEPS
        }

    def elapsed_s(self) -> list[float]:
        """How long each round took the slowest writer."""
        return [max(took.all_s for took in one) for one in self.took]


#: All rounds of a comparison.
Found = dict[Side, Rounds]


def nothing(compared: Comparison) -> Found:
    """Before the first round."""
    return {side: Rounds() for side in compared.sides}


def row(found: Found, compared: Comparison) -> dict[str, float | str]:
    """The ratios.

    One writer: medians of each step. More: how long all of them took for a round, waits for each
    other included, as a median over the rounds. Processor time: the sums.
    """
    bare = found[compared.base]
    alone = len(bare.took[0]) == 1
    told: dict[str, float | str] = dict.fromkeys(STEPS, "")
    if alone:
        first = next(iter(compared.columns))
        steps = bare.medians()
        told = {name: _ratio(s, steps[name]) for name, s in found[first].medians().items()}
    for side, name in compared.columns.items():
        told[name] = _alone(found[side], bare) if alone else _together(found[side], bare)
    for side, name in compared.columns.items():
        told[f"cpu, {name}"] = _ratio(found[side].cpu_s, bare.cpu_s)
    without = {"ms": _bare_ms(bare), "cpu ms": _per_task_ms(bare.cpu_s, bare)}
    return told | {f"{compared.base} {name}": value for name, value in without.items()}


def _alone(of: Rounds, bare: Rounds) -> float:
    return _ratio(sum(of.medians().values()), sum(bare.medians().values()))


def _together(of: Rounds, bare: Rounds) -> float:
    pairs = zip(of.elapsed_s(), bare.elapsed_s(), strict=True)
    return round(median(a / b for a, b in pairs), 2)


def _bare_ms(bare: Rounds) -> float:
    """Milliseconds of a task: of one writer; of several, what they need for one together."""
    if len(bare.took[0]) == 1:
        return round(sum(bare.medians().values()) * 1000, 2)
    return _per_task_ms(sum(bare.elapsed_s()), bare)


def _per_task_ms(seconds: float, of: Rounds) -> float:
    tasks = sum(len(took.steps_s[STEPS[0]]) for one in of.took for took in one)
    return round(seconds / tasks * 1000, 2)


def _ratio(above: float, below: float) -> float:
    return round(above / below, 2) if below else float("nan")

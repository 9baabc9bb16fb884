"""Numbers that never fall, as several observers told them: who contradicts whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

#: Name of a number that never falls → what was told of it.
Told: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an observer was told.

    Attributes:
        begun_s: When it began to ask, on the monotonic clock of all observers.
        ended_s: When it had the whole answer.
        by: Who told it.
        told: Numbers that never fall; not every answer has all of them.
    """

    begun_s: float
    ended_s: float
    by: str
    told: Told


def contradictions(answers: Sequence[Answer]) -> list[str]:
    """Answers that are below one that had ended before they were asked for, in words.

    So the order of real time is all that is asked of them: what overlaps may say either.
    """
    waiting = sorted(answers, key=lambda one: -one.ended_s)
    highest: dict[str, tuple[int, Answer]] = {}
    found: list[str] = []
    for answer in sorted(answers, key=lambda one: one.begun_s):
        while waiting and waiting[-1].ended_s < answer.begun_s:
            _raise(highest, waiting.pop())
        found += _below(highest, answer)
    return found


def _raise(highest: dict[str, tuple[int, Answer]], answer: Answer) -> None:
    for name, value in answer.told.items():
        if name not in highest or value > highest[name][0]:
            highest[name] = (value, answer)


def _below(highest: Mapping[str, tuple[int, Answer]], answer: Answer) -> Iterable[str]:
    for name, value in answer.told.items():
        if name in highest and value < highest[name][0]:
            seen, before = highest[name]
            later_s = answer.begun_s - before.ended_s
            yield f"{name}: {seen} by {before.by}, {later_s:.3f} s later {value} by {answer.by}"

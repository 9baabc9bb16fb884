"""How far a backup is, told while it goes on."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

#: Things between two tellings.
_EVERY: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where it stands.

    Attributes:
        step: What is done: `read`, `check`, `load`, `index`, `store`.
        what: The table, or `audio`.
        done: Rows or files of it so far.
        total: Of them in all; None where nobody knows.
    """

    step: str
    what: str
    done: int
    total: int | None = None


Tell = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """Tells nobody."""


def told(things: Iterable[T], tell: Tell, first: Progress) -> Iterator[T]:
    """The same things; every now and then, and at the end, `tell` hears how many went by."""
    done = 0
    for thing in things:
        yield thing
        done += 1
        if done % _EVERY == 0:
            tell(_at(first, done))
    tell(_at(first, done))


def _at(first: Progress, done: int) -> Progress:
    return Progress(step=first.step, what=first.what, done=done, total=first.total)

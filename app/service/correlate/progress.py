"""How far an answer is: told while it is made, so that who waits can be told, or can stop it."""

from collections.abc import Callable
from typing import Final, Literal

#: Cells or rows are read; predicates are tried; examples and moments are looked for.
Phase = Literal["reading", "scanning", "looking"]
#: Told the phase and how far the whole is, in thousandths; may raise to stop the work.
Tell = Callable[[Phase, int], None]

#: In thousandths: where each phase begins.
BEGINS: Final[dict[Phase, int]] = {"reading": 0, "scanning": 600, "looking": 850}


def nobody(_phase: Phase, _permille: int) -> None:
    """For those that nobody waits for."""


def part(tell: Tell, done: int, of: int) -> None:
    """Tells that so many of the pieces of reading are done."""
    tell("reading", BEGINS["scanning"] * done // max(of, 1))

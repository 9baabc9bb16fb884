"""What a duty is: a name, a step, and how often."""

from typing import Protocol


class Duty(Protocol):
    """One background duty. `step` is idempotent and short; what it raises is noted on its row.

    Attributes:
        name: Its row in the table of duties.
        needs_leader: False for what every host must do for itself.
    """

    name: str
    needs_leader: bool

    def step(self) -> float:
        """Does a round; returns the seconds until the next one is wanted."""
        ...

    def state(self) -> str:
        """What it did last, as JSON, for people."""
        ...

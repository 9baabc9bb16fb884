"""Whether failures have stopped: what came after them says so, and not merely that time passed.

Each attempt is weighed: is it likelier where things fail as they did, or where they fail as they
should? The weights are summed, and the sum never falls below zero (a CUSUM): it is at zero while
failures go on, and grows with each success after the last of them. So what failed an hour ago keeps
nothing open, a stray failure closes nothing, and where nothing runs nothing is known.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

#: The sum from which it is over: a thousand times likelier than not.
ENOUGH: Final = math.log(1000)
#: The sum is no larger than this, so that a few new failures are enough to take it down.
MOST: Final = 1.5 * ENOUGH
#: No expected rate is below this: one failure alone does not undo everything.
_LEAST_RATE: Final = 0.01
#: Rates at which failures are told from successes at all.
_MOST_RATE: Final = 0.98


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """When an attempt ended (in any unit), and whether it failed."""

    at: int
    failed: bool


def well_since(attempts: Iterable[Attempt], *, expected: float) -> int | None:
    """The moment from which on attempts fare well again; None: it is not known that they do.

    Args:
        attempts: Those that fit, since the failures began, in the order of their ends.
        expected: The part of them that should fail, 0..1.
    """
    found = list(attempts)
    last = max((place for place, one in enumerate(found) if one.failed), default=None)
    if last is None:
        return found[0].at if found else None
    failed = sum(one.failed for one in found)
    was = min(_MOST_RATE, failed / (last + 1))
    should = min(max(expected, _LEAST_RATE), was / 2)
    for_failure = math.log(should / was)
    for_success = math.log((1 - should) / (1 - was))
    total, since = 0.0, None
    for one in found:
        total = min(MOST, max(0.0, total + (for_failure if one.failed else for_success)))
        if total == 0:
            since = None
        elif since is None:
            since = one.at
    return since if total >= ENOUGH else None

"""Checks done, written down and tidied: an hour with its histograms, a day, whatever else."""

from collections.abc import Callable
from functools import partial

from app.domain.window import DAY_US, floor_to
from app.service.core import Core
from app.service.recounts import day, hour
from app.service.recounts.found import Found, keep
from app.service.recounts.mend import tidy


def check(core: Core, look: Callable[[Core], Found]) -> Found:
    """Looks, and writes down what was found."""
    found = look(core)
    keep(core, found)
    tidy(core, found)
    return found


def check_hour(core: Core, start: int, *, waiting_count: int | None = None) -> Found:
    """Counts an hour anew; where its histograms are new, the day gets its own anew too.

    Args:
        core: Where.
        start: The hour.
        waiting_count: How many hours wait for their first look after this one; None: no news.
    """
    found = hour.look(core, start)
    keep(core, found, waiting_count=waiting_count)
    tidy(core, found)
    if found.latencies is not None and found.latencies.fresh:
        check_day(core, floor_to(start, DAY_US))
    return found


def check_day(core: Core, start: int) -> Found:
    """Compares a day with its hours, its histograms too."""
    return check(core, partial(day.look, start=start))

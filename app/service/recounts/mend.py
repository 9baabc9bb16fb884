"""Counters mended: what a recount found missing is added, while others go on writing.

Rows and counters change in the same transaction, so what a snapshot found missing stays missing
until somebody mends it. Who mends takes a turn; had another one mended in between, what was found
is no longer true, and must be found anew.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from app.domain.drift import Difference
from app.logs.logger import logger_of
from app.service.core import Core
from app.service.recounts import attempts
from app.service.recounts.found import Found, write
from app.service.recounts.latency import PLACE, Written
from app.store import recount_latencies, recount_mend, recount_results, settings, trigger_state
from app.store.database import Connection
from app.store.trigger_state import Fault

log = logger_of(__name__)

#: Looks at the same thing, which others may spoil by mending meanwhile.
LOOKS: Final = 20


def restore_triggers(core: Core) -> dict[str, Fault]:
    """Makes every trigger as it must be; returns what was wrong with each that was not.

    Each in a transaction of its own: who writes holds several tables, and in another order. What
    is counted after it is right only if it is looked at after it.
    """
    with core.database.read() as conn:
        faults = trigger_state.faults(conn)
    for name in faults:
        write(core, partial(trigger_state.restore, name=name))
    if faults:
        told = ", ".join(f"{name} ({fault})" for name, fault in faults.items())
        log.warning("triggers of the statistics are restored", names=told)
    return faults


def prepare(core: Core) -> None:
    """Makes the row that turns are taken on."""

    def work(conn: Connection) -> None:
        now = core.database.now_us(conn)
        settings.put_first(conn, recount_results.MENDED, 0, now=now, by=core.actor)

    write(core, work)


def mend(core: Core, look: Callable[[Core], Found]) -> tuple[Found, Counter[str]]:
    """Looks, and mends until nothing that can be counted anew differs.

    Returns:
        What the last look found, and how many cells were mended, by table.
    """
    total: Counter[str] = Counter()
    found = look(core)
    for _ in range(LOOKS):
        cells = [one for one in found.differences if one.cell is not None]
        if cells:
            total += _add(core, found, cells)
        elif found.latencies is not None and found.latencies.mended:
            total += _write(core, found.latencies)
        else:
            break
        found = look(core)
    tidy(core, found)
    return found, total


def tidy(core: Core, found: Found) -> None:
    """Removes cells that say nothing any more, as retention leaves them."""
    for place in found.empty:
        write(core, partial(recount_mend.drop_empty, place=place, fixed=found.fixed))


def _write(core: Core, latencies: Written) -> Counter[str]:
    """Writes histograms in the place of damaged ones, or takes these away."""

    def work(conn: Connection) -> None:
        recount_latencies.lock(conn)
        recount_latencies.change(conn, latencies.grain, latencies.start, latencies.mended)

    write(core, work)
    return Counter({PLACE: len(latencies.mended)})


def _add(core: Core, found: Found, cells: list[Difference]) -> Counter[str]:
    """Adds what is missing; nothing where another one has mended since."""
    by_place: dict[str, list[Difference]] = {}
    for one in cells:
        by_place.setdefault(one.place, []).append(one)

    def work(conn: Connection) -> Counter[str]:
        at = core.database.now_us(conn)
        if not recount_results.take_turn(conn, found.moment.turn, at=at, by=core.actor):
            return Counter()
        for place in recount_mend.ORDER:
            missing = by_place.get(place, [])
            if place == attempts.PLACE:
                missing = attempts.by_profile(conn, missing)
            if missing:
                recount_mend.add(conn, place, missing)
        return Counter({place: len(some) for place, some in by_place.items()})

    return write(core, work)

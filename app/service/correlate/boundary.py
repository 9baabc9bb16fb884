"""The boundary: which change of the system is nearest to the moment at which failures began."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app import clock
from app.domain.correlation.found import Onset, Where
from app.store import system_events
from app.store.database import Connection
from app.store.system_events import SystemEvent

#: The more telling first: that counts where several changes are equally near.
KINDS: Final = ("release", "restart", "start", "limit")
#: Microseconds that a change may lie before the interval in which failures began: work that was
#: claimed after it has to fail first. What ran nowhere before has nothing that it changed.
BEFORE_US: Final[Mapping[str, int]] = {
    "release": 180_000_000,
    "restart": 180_000_000,
    "start": 60_000_000,
    "limit": 180_000_000,
}
#: And after it: a cause does not come later, but clocks of hosts differ a little.
AFTER_US: Final = 15_000_000
#: Changes that are no further apart than this are equally near, however sure the onset is.
EQUAL_US: Final = 30_000_000
#: Starts of the same kind and release that are no further apart than this are told as one.
TOGETHER_US: Final[Mapping[str, int]] = {
    "release": 600_000_000,
    "restart": 120_000_000,
    "start": 120_000_000,
}
#: Dimensions that say which workers a predicate is about.
_PLACES: Final = frozenset({"worker", "host", "release"})
#: Whether most failures of a predicate ran on the worker of this name.
RanOn = Callable[[str], bool]
#: Events of one look at most.
MAX_EVENTS: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A change of the system near an onset; fields as of `SystemEvent`.

    Attributes:
        at: Microseconds since the epoch; of several starts, the first.
        worker: None where it reached several.
        workers: How many workers it reached; 0 for a limit.
        distance_us: Onset less `at`: positive where the failures came after it.
    """

    kind: str
    at: int
    worker: str | None
    release: str | None
    before: str | None
    name: str | None
    value: str | None
    workers: int
    distance_us: int


def nearest(conn: Connection, onset: Onset, where: Where, ran_on: RanOn) -> Boundary | None:
    """The change nearest to an onset (in microseconds) that can have to do with a predicate.

    Args:
        conn: Where to read.
        onset: Since when it fails.
        where: The predicate.
        ran_on: Whether most of its failures since then ran on a worker; asked where a change of
            one worker is near, and the predicate names neither worker nor host nor release.
    """
    low, high = round(onset.low) - max(BEFORE_US.values()), round(onset.high) + AFTER_US
    found = system_events.between(conn, low, high + 1, kinds=KINDS, limit=MAX_EVENTS)
    return choose(found, onset, where, ran_on)


def choose(
    events: Iterable[SystemEvent], onset: Onset, where: Where, ran_on: RanOn
) -> Boundary | None:
    """The nearest of these; the more telling kind where several are equally near."""
    within = [one for one in events if _concerns(one, where) and _is_near(one, onset)]
    groups = _together(within)
    if not _PLACES & where.keys():
        groups = [one for one in groups if _is_everybodys(one, ran_on)]
    if not groups:
        return None
    equal_us = max(EQUAL_US, (onset.high - onset.low) / 2)
    off_us = [min(abs(onset.at - one.at) for one in group) for group in groups]
    equal = [
        (KINDS.index(group[0].kind), off, place)
        for place, (group, off) in enumerate(zip(groups, off_us, strict=True))
        if off <= min(off_us) + equal_us
    ]
    return _told(groups[min(equal)[2]], onset)


def shape(found: Boundary) -> dict[str, Any]:
    """A boundary as JSON carries it."""
    return {
        "kind": found.kind,
        "at": clock.iso(found.at),
        "worker": found.worker,
        "workers": found.workers,
        "release": found.release,
        "before": found.before,
        "name": found.name,
        "value": found.value,
        "distance_s": found.distance_us / 1_000_000,
    }


def _is_near(event: SystemEvent, onset: Onset) -> bool:
    low, high = round(onset.low) - BEFORE_US[event.kind], round(onset.high) + AFTER_US
    return low <= event.at <= high


def _concerns(event: SystemEvent, where: Where) -> bool:
    """Whether a change can have to do with what the predicate says."""
    if event.kind not in KINDS:
        return False
    if event.kind == "limit":
        kind, _, engine = (event.name or "").partition(":")
        return kind != "engine" or where.get("engine", engine) == engine
    told = {"worker": event.worker, "host": event.host, "release": event.release}
    return all(where[name] == value for name, value in told.items() if name in where)


def _together(events: Iterable[SystemEvent]) -> list[list[SystemEvent]]:
    """Events in groups: a deploy that reaches many workers, a host that comes back."""
    groups: list[list[SystemEvent]] = []
    last: dict[tuple[str, str | None], list[SystemEvent]] = {}
    for event in sorted(events, key=lambda one: (one.at, one.id)):
        key = (event.kind, event.release)
        group = last.get(key)
        if group is not None and event.at - group[-1].at <= TOGETHER_US.get(event.kind, -1):
            group.append(event)
        else:
            last[key] = [event]
            groups.append(last[key])
    return groups


def _is_everybodys(group: Sequence[SystemEvent], ran_on: RanOn) -> bool:
    """Whether a change reached several workers, the whole, or the one that nearly all failed on."""
    workers = {one.worker for one in group if one.worker is not None}
    return len(workers) != 1 or ran_on(workers.pop())


def _told(group: Sequence[SystemEvent], onset: Onset) -> Boundary:
    first = group[0]
    workers = {one.worker for one in group if one.worker is not None}
    befores = {one.before for one in group}
    return Boundary(
        kind=first.kind,
        at=first.at,
        worker=first.worker if len(workers) == 1 else None,
        release=first.release,
        before=first.before if len(befores) == 1 else None,
        name=first.name,
        value=first.value,
        workers=len(workers),
        distance_us=round(onset.at) - first.at,
    )

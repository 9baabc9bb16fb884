"""What a scan does to the findings that last: which it sees again, what is new, what is over."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.domain.correlation.found import Where
from app.domain.finding import ClosedWhy, FindingRecord, Sighting

#: Two predicates mean the same where so large a part of their attempts are the same (Jaccard).
SAME_ROWS: Final = 0.8
#: Onsets of one fingerprint that are no further apart than this are one, in microseconds.
SAME_ONSET_US: Final = 120_000_000
#: Scans in a row that do not see it, after which a finding is closed.
MISSES: Final = 2

#: The part of the attempts of two predicates that they share.
Overlap = Callable[[Where, Where], float]
#: Whether a sighting is of some attempts of a finding, and leaves nothing of what it told.
Narrows = Callable[[FindingRecord, Sighting], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be written.

    Attributes:
        seen: Findings that a scan saw again, as it saw them.
        missed: Those that it did not see, and that are open still.
        closed: Those that are over, and why.
        opened: What is new by its attempts; whether it tells anything new is another question.
    """

    seen: Sequence[tuple[FindingRecord, Sighting]] = ()
    missed: Sequence[FindingRecord] = ()
    closed: Sequence[tuple[FindingRecord, ClosedWhy]] = ()
    opened: Sequence[Sighting] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Which finding each sighting is of, and which sightings are of none."""

    seen: Sequence[tuple[FindingRecord, Sighting]]
    new: Sequence[Sighting]


@dataclass(slots=True)
class _Pairs:
    seen: list[tuple[FindingRecord, Sighting]] = field(default_factory=list)
    left: list[FindingRecord] = field(default_factory=list)

    def take(self, row: FindingRecord, sighting: Sighting) -> None:
        self.seen.append((row, sighting))
        self.left.remove(row)


def match(
    rows: Sequence[FindingRecord],
    sightings: Sequence[Sighting],
    overlap: Overlap,
    narrows: Narrows = lambda _, __: False,
) -> Matched:
    """Pairs what lasts with what was seen; a finding is seen once at most in a scan.

    The same key goes first, then the same attempts, then the same failures since the same moment;
    at last what tells the same better: a rise of everything may turn out to be one worker's.
    A sighting of the same attempts as one that is paired already is no finding of its own.

    Args:
        rows: Findings that are open.
        sightings: The strongest first.
        overlap: How much the attempts of two predicates have in common.
        narrows: Whether a sighting tells the same as a finding, and better.
    """
    pairs = _Pairs(left=list(rows))
    rest: list[Sighting] = []
    for one in sightings:
        same = next((row for row in pairs.left if row.key == one.key), None)
        if same is not None:
            pairs.take(same, one)
        else:
            rest.append(one)
    new: list[Sighting] = []
    for one in rest:
        alike = next((row for row in pairs.left if _is_alike(row, one, overlap)), None)
        if alike is None:
            alike = next((row for row in pairs.left if _began_together(row, one)), None)
        if alike is None:
            alike = next((row for row in pairs.left if narrows(row, one)), None)
        if alike is not None:
            pairs.take(alike, one)
        elif not _is_known(one, [other for _, other in pairs.seen] + new, overlap):
            new.append(one)
    return Matched(seen=pairs.seen, new=new)


def plan(
    rows: Sequence[FindingRecord],
    matched: Matched,
    over: Collection[int],
    going_on: Collection[int] = (),
) -> Plan:
    """What becomes of the findings.

    Args:
        rows: Findings that are open.
        matched: What was seen of them, and what is new.
        over: Ids of those whose failures have stopped.
        going_on: Ids of those whose failures go on, whether the scan saw them or not.
    """
    seen = {row.id for row, _ in matched.seen}
    closed: list[tuple[FindingRecord, ClosedWhy]] = []
    missed: list[FindingRecord] = []
    for row in rows:
        if row.id in over:
            closed.append((row, "stopped"))
        elif row.id in seen or row.id in going_on:
            continue
        elif row.misses + 1 >= MISSES:
            closed.append((row, "unseen"))
        else:
            missed.append(row)
    return Plan(
        seen=[(row, one) for row, one in matched.seen if row.id not in over],
        missed=missed,
        closed=closed,
        opened=matched.new,
    )


def _is_alike(row: FindingRecord, one: Sighting, overlap: Overlap) -> bool:
    if not may_be_same(row.fingerprint, one.fingerprint):
        return False
    alike = [dict(where) for where in (*one.indistinguishable, *row.indistinguishable)]
    if row.where in alike or dict(one.where) in alike:
        return True
    return overlap(row.where, one.where) >= SAME_ROWS


def _is_known(one: Sighting, others: Sequence[Sighting], overlap: Overlap) -> bool:
    return any(
        may_be_same(other.fingerprint, one.fingerprint)
        and overlap(other.where, one.where) >= SAME_ROWS
        for other in others
    )


def may_be_same(one: str | None, other: str | None) -> bool:
    """Whether failures of a group, or of any, can be the same."""
    return one is None or other is None or one == other


def _began_together(row: FindingRecord, one: Sighting) -> bool:
    if row.fingerprint is None or row.fingerprint != one.fingerprint:
        return False
    if row.onset_at is None or one.onset_at is None:
        return False
    return abs(row.onset_at - one.onset_at) <= SAME_ONSET_US

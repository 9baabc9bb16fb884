"""What the attempts of the last hour say of predicates: what two share, and how each fares now."""

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import numpy as np

from app.domain import quiet
from app.domain.correlation.binomial import log_tail
from app.domain.correlation.found import Where
from app.domain.finding import FindingRecord, Sighting
from app.domain.quiet import Attempt
from app.domain.watching import Overlap, may_be_same
from app.service.findings.attempts import Attempts, Truths

#: Failures that are new, at least, for a finding to open.
LEAST: Final = 5
#: So unlikely they must be where nothing is, and so unlikely for a finding to stay open.
_OPENS: Final = math.log(1e-6)
_STAYS: Final = math.log(0.05)
#: No rate that is expected is lower.
_LEAST_RATE: Final = 0.001


def overlap_in(attempts: Attempts) -> Overlap:
    """How much the attempts of two predicates have in common (Jaccard)."""

    def overlap(one: Where, other: Where) -> float:
        first, second = attempts.fit(one), attempts.fit(other)
        either = int((first | second).sum())
        return int((first & second).sum()) / either if either else float(dict(one) == dict(other))

    return overlap


def well_since(attempts: Attempts, one: Sighting, *, start: int, end: int) -> int | None:
    """The moment from which on a predicate fares well again; None: it is not known that it does.

    A release that was replaced does not run any more: that its workers fare well with another one
    is what says that it is over.

    Args:
        attempts: The last hour.
        one: What fails.
        start: Since when it is so; where nothing failed from then on, it is not believed.
        end: Up to when attempts are heard.
    """
    bad = attempts.failed(one.fingerprint)
    fit = _still_run(attempts, one) & (attempts.at < end)
    since = fit & (attempts.at >= start)
    fit = since if (since & bad).any() else fit
    failed = bad[fit]
    found = zip(attempts.at[fit].tolist(), failed.tolist(), strict=True)
    return quiet.well_since(
        (Attempt(at=at, failed=bad) for at, bad in found), expected=_rate_of(one)
    )


def narrows(attempts: Attempts, wide: Sighting, one: Sighting) -> bool:
    """Whether a sighting is of some attempts of another, and the rest of those fares well."""
    if not may_be_same(wide.fingerprint, one.fingerprint):
        return False
    theirs, mine = attempts.fit(wide.where), attempts.fit(one.where)
    return not (mine & ~theirs).any() and not goes_on(attempts, wide, but=mine)


def goes_on(attempts: Attempts, one: Sighting, *, but: Truths | None = None) -> bool:
    """Whether more of its attempts failed than chance would do, were it looked for alone.

    A scan looks for everything, and asks for more.

    Args:
        attempts: The last hour.
        one: What fails.
        but: Attempts that are left out.
    """
    fit = attempts.fit(one.where)
    if but is not None:
        fit &= ~but
    return _log_p(attempts, fit, one.fingerprint, _rate_of(one)) <= _STAYS


def is_news(
    attempts: Attempts,
    one: Sighting,
    *,
    beside: Iterable[Sighting],
    known: Sequence[FindingRecord],
) -> bool:
    """Whether a sighting tells more than what is known already, open or closed within the hour.

    Attempts that fit what is known tell nothing new: all of them where that is open, those before
    its end where it is closed. What is left must fail more often than expected and than all that
    is known to be nothing; inside of what is open, also than the rest of that.

    Args:
        attempts: The last hour.
        one: What was seen.
        beside: What else was seen.
        known: Findings that are open, or were closed within the hour.
    """
    mine = attempts.fit(one.where)
    left, well = mine.copy(), ~mine
    for other in beside:
        well &= ~attempts.fit(other.where)
    for row in known:
        well &= ~attempts.fit(row.where)
    rate = max(_rate_of(one), _rate(attempts, well, one.fingerprint))
    for row in known:
        if not may_be_same(row.fingerprint, one.fingerprint):
            continue
        theirs = attempts.fit(row.where)
        if row.closed_at is not None:
            left &= ~theirs | (attempts.at >= row.closed_at)
        elif (mine & ~theirs).any():
            left &= ~theirs
        else:
            rate = max(rate, _rate(attempts, theirs & ~mine, row.fingerprint))
    bad = int((left & attempts.failed(one.fingerprint)).sum())
    return bad >= LEAST and _log_p(attempts, left, one.fingerprint, rate) <= _OPENS


def is_muted(attempts: Attempts, one: Sighting, muted: Collection[str]) -> bool:
    """Whether failures of muted groups make it a finding: the others alone would be none."""
    fit = attempts.fit(one.where)
    groups = [one.fingerprint] if one.fingerprint is not None else attempts.groups(fit)
    silent = [group for group in groups if group in muted]
    if not silent:
        return False
    loud = attempts.failed(one.fingerprint) & fit
    for group in silent:
        loud &= ~attempts.failed(group)
    bad, n = int(loud.sum()), int(fit.sum())
    return bad < LEAST or float(log_tail(bad, n, _rate_of(one))) > _OPENS


def shares_failures(attempts: Attempts, one: Sighting, row: FindingRecord) -> bool:
    """Whether most failures of a sighting fit a finding."""
    if not may_be_same(row.fingerprint, one.fingerprint):
        return False
    bad = attempts.fit(one.where) & attempts.failed(one.fingerprint)
    return 2 * int((bad & attempts.fit(row.where)).sum()) >= max(1, int(bad.sum()))


def break_us(attempts: Attempts, one: Sighting, row: FindingRecord) -> int | None:
    """From the last failure of a finding before its end to the first of a sighting after it.

    None where it did not end, or nothing failed after it.
    """
    if row.closed_at is None:
        return None
    is_before = attempts.at < row.closed_at
    first = attempts.at[attempts.fit(one.where) & attempts.failed(one.fingerprint) & ~is_before]
    last = attempts.at[attempts.fit(row.where) & attempts.failed(row.fingerprint) & is_before]
    if not first.size:
        return None
    return int(first.min() - (last.max() if last.size else row.closed_at))


def _log_p(attempts: Attempts, some: Truths, fingerprint: str | None, rate: float) -> float:
    """Logarithm of the probability of so many failures among some, by a rate."""
    bad = int((some & attempts.failed(fingerprint)).sum())
    return float(log_tail(bad, int(some.sum()), min(rate, 1.0)))


def _rate(attempts: Attempts, some: Truths, fingerprint: str | None) -> float:
    bad = int((some & attempts.failed(fingerprint)).sum())
    return bad / max(1, int(some.sum()))


def _rate_of(one: Sighting) -> float:
    """What part of its attempts should fail: as the scan expects, and as in the past at least."""
    past = one.answer["baseline"]
    before: float = past["failed"] / max(1, past["n"])
    return max(_LEAST_RATE, one.expected / max(1, one.n), before)


def _still_run(attempts: Attempts, one: Sighting) -> Truths:
    """Attempts that fit; for a release, those of the workers that failed with it, whatever runs."""
    if "release" not in one.where:
        return attempts.fit(one.where)
    rest = {name: value for name, value in one.where.items() if name != "release"}
    if "worker" in rest:
        return attempts.fit(rest)
    bad = attempts.fit(one.where) & attempts.failed(one.fingerprint)
    workers = attempts.values_of("worker", bad)
    if not workers:
        return attempts.fit(one.where)
    found = np.zeros(attempts.at.size, dtype=np.bool_)
    for name in workers:
        found |= attempts.fit({**rest, "worker": name})
    return found

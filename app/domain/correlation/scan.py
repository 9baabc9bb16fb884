"""The scan: what failures of a window have in common that its successes and the past do not."""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from app.domain.correlation.candidates import Candidates, candidates
from app.domain.correlation.cube import Cube
from app.domain.correlation.dependencies import Space, space_of
from app.domain.correlation.evidence import Evidence, evidence
from app.domain.correlation.found import Found, Scan
from app.domain.correlation.outcomes import Outcomes, outcomes_of
from app.domain.correlation.overall import overall
from app.domain.correlation.predicates import Booleans, Predicate, alike, simplest
from app.domain.correlation.rules import Rules

_DEFAULT: Final = Rules()


def scan(window: Cube, baseline: Cube, *, rules: Rules = _DEFAULT) -> Scan:
    """Looks for predicates that fail more often than the rest and their own past explain.

    What is found explains its attempts: they are taken away, and the rest is looked at again.

    Args:
        window: What is looked at.
        baseline: What was before; with the same names, values and fingerprints.
        rules: What counts as a finding.
    """
    space = space_of(window, max_size=rules.max_size, min_attempts=rules.min_failures)
    outcomes = outcomes_of(
        window, baseline, most=rules.max_fingerprints, min_failures=rules.min_failures
    )
    tried = tuple(count * outcomes.count for count in space.tried)
    left, before = window, baseline
    findings: list[Found] = []
    while len(findings) < rules.max_findings and left.failed >= rules.min_failures:
        ranked = _ranked(left, before, space, outcomes, tried=tried, rules=rules)
        if ranked is None:
            break
        same = simplest(alike(window, space, ranked.best, same_rows=rules.same_rows))
        place, named = ranked.simplest_of(same)
        others = tuple(one.where(window) for one in same if one != named)
        one = _found(ranked, place, named.where(window), window, outcomes)
        findings.append(replace(one, indistinguishable=others))
        left = _without(left, named.fits(left))
        before = _without(before, named.fits(before))
    return Scan(
        findings=tuple(findings),
        overall=overall(window, baseline, left, before),
        tests=sum(tried),
    )


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Candidates and what speaks for each; the strongest is a finding."""

    candidates: Candidates
    evidence: Evidence
    place: int

    @property
    def best(self) -> Predicate:
        """The strongest."""
        return self._predicate(self.place)

    def simplest_of(self, same: list[Predicate]) -> tuple[int, Predicate]:
        """Of predicates that are told apart no more, the shortest; of these the strongest."""
        found = [(place, one) for one in same if (place := self._place_of(one)) is not None]
        if not found:
            return self.place, self.best
        score = self.evidence.score
        return min(found, key=lambda one: (len(one[1].dims), -score[one[0]]))

    def _predicate(self, place: int) -> Predicate:
        size = int(self.candidates.size[place])
        dims, codes = self.candidates.dims[place, :size], self.candidates.codes[place, :size]
        return Predicate(tuple(int(dim) for dim in dims), tuple(int(code) for code in codes))

    def _place_of(self, one: Predicate) -> int | None:
        found = self.candidates
        fits = (found.size == len(one.dims)) & (found.outcome == found.outcome[self.place])
        for place, (dim, code) in enumerate(zip(one.dims, one.codes, strict=True)):
            fits &= (found.dims[:, place] == dim) & (found.codes[:, place] == code)
        fits &= self.evidence.lift >= 1
        places = np.flatnonzero(fits)
        return int(places[0]) if places.size else None


def _ranked(
    window: Cube,
    baseline: Cube,
    space: Space,
    outcomes: Outcomes,
    *,
    tried: tuple[int, ...],
    rules: Rules,
) -> _Ranked | None:
    """The candidates ranked; None where nothing is sure."""
    found = candidates(window, baseline, space, outcomes, min_failures=rules.min_failures)
    if found is None:
        return None
    seen = evidence(found, tried, rules)
    if not (seen.log_q < math.log(rules.q)).any():
        return None
    place = int(np.argmax(seen.score))
    return _Ranked(found, seen, place) if math.isfinite(seen.score[place]) else None


def _found(
    ranked: _Ranked, place: int, where: dict[str, str], window: Cube, outcomes: Outcomes
) -> Found:
    counts, seen = ranked.candidates, ranked.evidence
    outcome = int(counts.outcome[place])
    fingerprint = None
    if outcome:
        fingerprint = window.fingerprints[outcomes.fingerprints[outcome - 1]]
    return Found(
        where=where,
        fingerprint=fingerprint,
        n=int(counts.n[place]),
        observed=int(counts.o[place]),
        expected=float(seen.expected[place]),
        lift=float(seen.lift[place]),
        p=math.exp(seen.log_p[place]),
        q=math.exp(seen.log_q[place]),
        share=float(counts.o[place]) / window.failed,
        baseline_n=int(counts.nb[place]),
        baseline_failed=int(counts.ob[place]),
    )


def _without(cube: Cube, gone: Booleans) -> Cube:
    kept = ~gone
    return replace(cube, codes=cube.codes[kept], failure=cube.failure[kept], n=cube.n[kept])

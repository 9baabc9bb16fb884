"""The scan: what failures of a window have in common that its successes and the past do not."""

import math
from dataclasses import replace
from typing import Final

import numpy as np

from app.domain.correlation.candidates import Candidates, candidates, sum_up
from app.domain.correlation.cells import Floats
from app.domain.correlation.chronic import chronic
from app.domain.correlation.cube import Cube
from app.domain.correlation.dependencies import space_of
from app.domain.correlation.found import Found, Scan
from app.domain.correlation.outcomes import Outcomes, outcomes_of
from app.domain.correlation.overall import overall
from app.domain.correlation.past import Past, past_of
from app.domain.correlation.predicates import Booleans, Predicate, alike, simplest
from app.domain.correlation.ranking import Ranking, rank
from app.domain.correlation.rules import Rules

_DEFAULT: Final = Rules()


def scan(window: Cube, baseline: Cube, *, rules: Rules = _DEFAULT) -> Scan:
    """Looks for predicates that fail more often than the rest and their own past explain.

    What is found explains its attempts: it is expected of them from then on, and the rest is looked
    at again.

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
    model = chronic(baseline, outcomes)
    weights = model.rates(window) * window.n
    usual = weights[0].copy()
    found = candidates(window, space, outcomes, min_failures=rules.min_failures)
    findings: list[Found] = []
    explained = np.zeros(window.n.size, dtype=np.bool_)
    if found is not None:
        past = past_of(baseline, found, outcomes, model)
        expected = np.empty(found.n.size)
        changed = frozenset(range(outcomes.count))
        while len(findings) < rules.max_findings:
            sum_up(found, weights, expected, changed)
            ranking = rank(found, expected, weights.sum(axis=1), past, tried=tried, rules=rules)
            if ranking.best is None:
                break
            best = predicate_at(found, ranking.best)
            same = simplest(alike(window, space, best, same_rows=rules.same_rows))
            place, named = _simplest_of(ranking, ranking.best, same)
            others = tuple(one.where(window) for one in same if one != named)
            one = _found(ranking, place, named, past, window=window, outcomes=outcomes)
            findings.append(replace(one, indistinguishable=others))
            inside = named.fits(window)
            explained |= inside
            changed = _explain(weights, window, outcomes, inside, int(found.outcome[place]))
    return Scan(
        findings=tuple(findings),
        overall=overall(window, baseline, usual, explained),
        tests=sum(tried),
    )


def predicate_at(found: Candidates, place: int) -> Predicate:
    """A candidate as a predicate."""
    size = int(found.size[place])
    dims, codes = found.dims[place, :size], found.codes[place, :size]
    return Predicate(tuple(int(dim) for dim in dims), tuple(int(code) for code in codes))


def _simplest_of(ranking: Ranking, best: int, same: list[Predicate]) -> tuple[int, Predicate]:
    """Of predicates that are told apart no more, the shortest; of these the strongest.

    Of those with the very same attempts, the one whose dimensions come first.
    """
    found = ranking.candidates
    known = []
    for one in same:
        fits = (found.size == len(one.dims)) & (found.outcome == found.outcome[best])
        for place, (dim, code) in enumerate(zip(one.dims, one.codes, strict=True)):
            fits &= (found.dims[:, place] == dim) & (found.codes[:, place] == code)
        known += [(int(place), one) for place in np.flatnonzero(fits)]
    if not known:
        return best, predicate_at(found, best)
    shortest = min(len(one.dims) for _, one in known)
    short = [(place, one) for place, one in known if len(one.dims) == shortest]
    strongest, _ = max(short, key=lambda pair: ranking.evidence.gain[pair[0]])
    counts = (found.n[strongest], found.o[strongest])
    equal = [pair for pair in short if (found.n[pair[0]], found.o[pair[0]]) == counts]
    return min(equal, key=lambda pair: pair[1])


def _found(
    ranking: Ranking,
    place: int,
    named: Predicate,
    past: Past,
    *,
    window: Cube,
    outcomes: Outcomes,
) -> Found:
    counts, seen = ranking.candidates, ranking.evidence
    before = past.of(counts, np.array([place]))
    outcome = int(counts.outcome[place])
    fingerprint = None
    if outcome:
        fingerprint = window.fingerprints[outcomes.fingerprints[outcome - 1]]
    return Found(
        where=named.where(window),
        fingerprint=fingerprint,
        n=int(counts.n[place]),
        observed=int(counts.o[place]),
        expected=float(seen.expected[place]),
        lift=float(seen.lift[place]),
        p=math.exp(seen.log_p[place]),
        q=math.exp(ranking.log_q[place]),
        share=float(counts.o[place]) / window.failed,
        baseline_n=int(past.cube.n[named.fits(past.cube)].sum()),
        baseline_failed=int(before.o[0]),
    )


def _explain(
    weights: Floats, window: Cube, outcomes: Outcomes, inside: Booleans, outcome: int
) -> frozenset[int]:
    """Lets attempts that fit be expected to fail as often as they did, in place; which outcomes.

    Any failure, and those of the fingerprint that was found; all fingerprints, where it was found
    by any failure.
    """
    cells, of = outcomes.failures(window)
    numbers = frozenset(range(outcomes.count) if outcome == 0 else (0, outcome))
    for number in numbers:
        hit = cells[of == number]
        seen = float(window.n[hit[inside[hit]]].sum())
        expected = float(weights[number, inside].sum())
        if seen > expected > 0:
            n = window.n[inside]
            usual = np.minimum(weights[number, inside] / n, 0.98)
            total = float(n.sum())
            added = (seen - expected) / max(total - expected, 1e-9)
            weights[number, inside] = n * (usual + (1 - usual) * min(added, 0.98))
    return numbers

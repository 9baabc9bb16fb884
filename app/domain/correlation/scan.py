"""The scan: what failures of a window have in common that its successes and the past do not."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from app.domain.correlation.candidates import candidates, predicate_at
from app.domain.correlation.chronic import chronic
from app.domain.correlation.cube import Cube
from app.domain.correlation.dependencies import Space, space_of
from app.domain.correlation.found import Found, Scan
from app.domain.correlation.joints import with_joints
from app.domain.correlation.naming import found_at, simplest_of
from app.domain.correlation.outcomes import Outcomes, outcomes_of
from app.domain.correlation.overall import overall
from app.domain.correlation.past import Past, past_of
from app.domain.correlation.predicates import alike, simplest
from app.domain.correlation.ranking import Ranking, rank
from app.domain.correlation.rules import Rules
from app.domain.correlation.tally import Tally, tally_of

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
    model = chronic(baseline, outcomes)
    rates = model.rates(window)
    tried = tuple(count * outcomes.count for count in space.tried)
    found = candidates(window, space, outcomes, min_failures=rules.min_failures)
    findings = tuple[Found, ...]()
    if found is not None:
        tally = tally_of(window, found, outcomes, rates)
        past = past_of(baseline, found, outcomes, model)
        first = rank(tally, past, tried=tried, rules=rules)
        if first.best is not None:
            model = with_joints(model, baseline)
        if model.joints:
            rates = model.rates(window)
            tally = tally_of(window, found, outcomes, rates)
            past = past_of(baseline, found, outcomes, model)
            first = rank(tally, past, tried=tried, rules=rules)
        findings = tuple(
            _findings(first, tally, past, space, outcomes=outcomes, tried=tried, rules=rules)
        )
    return Scan(
        findings=findings,
        overall=overall(window, baseline, rates[0] * window.n, [one.where for one in findings]),
        tests=sum(tried),
        notes=_notes(window, space),
    )


def _findings(
    ranking: Ranking,
    tally: Tally,
    past: Past,
    space: Space,
    *,
    outcomes: Outcomes,
    tried: tuple[int, ...],
    rules: Rules,
) -> Iterator[Found]:
    """Findings one after another: what each explains is taken from the tally."""
    window = tally.window
    for number in range(rules.max_findings):
        if number:
            ranking = rank(tally, past, tried=tried, rules=rules)
        if ranking.best is None:
            return
        best = predicate_at(tally.candidates, ranking.best)
        same = simplest(alike(window, space, best, same_rows=rules.same_rows))
        place, named = simplest_of(ranking, tally, ranking.best, same)
        one = found_at(ranking, tally, place, named, baseline=past.cube, outcomes=outcomes)
        others = tuple(other.where(window) for other in same if other != named)
        outcome = int(tally.candidates.outcome[place])
        yield replace(one, indistinguishable=others)
        tally.explain(named.fits(window), outcomes.explained_by(outcome))


def _notes(window: Cube, space: Space) -> tuple[str, ...]:
    if not space.left_out:
        return ()
    names = ", ".join(window.names[dim] for dim in space.left_out)
    return (f"very many dimensions: not looked at three at once with {names}",)

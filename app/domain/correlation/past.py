"""What the baseline says of single candidates, beyond the sum of their values."""

from dataclasses import dataclass, field

import numpy as np

from app.domain.correlation.candidates import Candidates, recoded
from app.domain.correlation.cells import Columns, Floats, sums_at
from app.domain.correlation.chronic import Chronic
from app.domain.correlation.cube import Cube, Integers
from app.domain.correlation.outcomes import Outcomes


@dataclass(frozen=True, slots=True)
class Before:
    """Counts of the baseline for some candidates: failures, and failures by the model."""

    o: Floats
    expected: Floats


@dataclass(frozen=True, slots=True)
class Past:
    """The baseline, ready to be asked about candidates.

    Attributes:
        cube: The baseline.
        columns: Its codes, as the candidates' keys have them.
        cells: Places of cells that failed.
        outcome: The outcome of each of these.
        model: What the baseline lets expect.
        rates: Of each outcome that was asked about, what the model says of each cell.
    """

    cube: Cube
    columns: Columns
    cells: Integers
    outcome: Integers
    model: Chronic
    rates: dict[int, Floats] = field(default_factory=dict)

    def of(self, found: Candidates, places: Integers) -> Before:
        """Counts for the candidates at these places."""
        o, expected = np.zeros(places.size), np.zeros(places.size)
        weights = self.cube.n.astype(np.float64)
        start = 0
        for part in found.parts:
            here = np.flatnonzero((places >= start) & (places < start + part.keys.size))
            if here.size:
                key, size = self.columns.key(part.dims), self.columns.size(part.dims)
                keys, outcome = (one[places[here] - start] for one in (part.keys, part.outcome))
                for number in np.unique(outcome):
                    own = here[outcome == number]
                    wanted = keys[outcome == number]
                    expected[own] = sums_at(wanted, key, weights * self.rate(int(number)), size)
                    failed = self.cells[self.outcome == number]
                    o[own] = sums_at(wanted, key[failed], weights[failed], size)
            start += part.keys.size
        return Before(o, expected)

    def failures(self, outcome: int) -> Floats:
        """How many of each cell's attempts ended so."""
        found = np.zeros(self.cube.n.size)
        cells = self.cells[self.outcome == outcome]
        found[cells] = self.cube.n[cells]
        return found

    def rate(self, outcome: int) -> Floats:
        """How often an attempt of each cell is expected to end so."""
        if outcome not in self.rates:
            self.rates[outcome] = self.model.rate(self.cube, outcome)
        return self.rates[outcome]


def past_of(baseline: Cube, found: Candidates, outcomes: Outcomes, model: Chronic) -> Past:
    """The baseline in the codes of candidates."""
    cells, outcome = outcomes.failures(baseline)
    return Past(baseline, recoded(baseline, found.known), cells, outcome, model)

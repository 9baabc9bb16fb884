"""An answer as a value: findings with what is known of each, and what they were found in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.correlation.found import Found, Onset, Overall
from app.service.correlate.bars import Bars
from app.service.correlate.boundary import Boundary
from app.service.correlate.exemplars import Exemplar
from app.service.correlate.question import Kind, Question
from app.service.correlate.reading import Grain, Hourly
from app.service.correlate.strip import Strip
from app.store.failure_templates import Template
from app.store.system_events import SystemEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding, and what is known of it.

    Attributes:
        template: What its fingerprint's failures say; None where it has none.
        onset: Since when, in microseconds; None: all window long, or nobody can tell.
        first_at: Its first attempt, where it came late in the window and none had been before.
        boundary: What changed nearest to the onset.
    """

    found: Found
    template: Template | None = None
    onset: Onset | None = None
    first_at: int | None = None
    boundary: Boundary | None = None
    exemplars: tuple[Exemplar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What an answer does not say, by reason; `app.service.correlate.notes` has the words."""

    reason: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What selected attempts of a window have in common that the others do not.

    Attributes:
        question: What was looked at: wider than asked for where rows are gone.
        slow_ms: Of the slowest: from how many milliseconds on an attempt is one of them.
        now: The database's moment of the answer.
        n, selected: Attempts of the window, and the selected ones of them; no repeats.
        repeats: Attempts that were left out of both.
        rise: What is known of a rise of everything: since when, what changed then.
        mix_value: Of a mix shift: the value that more traffic goes to.
        hourly: Workers hour by hour, as of `Reading`.
        events: What changed in the system during the window.
        tests: Predicates that were tried.
        cells: Cells that were scanned, of window and baseline.
        took_us: How long it took.
    """

    question: Question
    kind: Kind
    slow_ms: int | None
    grain: Grain
    is_whole_hours: bool
    now: int
    n: int
    selected: int
    repeats: int
    baseline_n: int
    baseline_selected: int
    overall: Overall
    rise: Finding | None
    mix_value: str | None
    findings: tuple[Finding, ...]
    dimensions: tuple[Bars, ...]
    strip: Strip
    hourly: Hourly | None
    events: tuple[SystemEvent, ...]
    tests: int
    cells: int
    notes: tuple[Note, ...]
    took_us: int

    @property
    def told(self) -> tuple[Finding, ...]:
        """Findings, the strongest first, and a rise of everything after them."""
        return self.findings if self.rise is None else (*self.findings, self.rise)

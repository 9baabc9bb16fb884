"""What a scan has found: predicates that failures share, and what became of the whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: A predicate: dimension -> value, one to three of them; {} is everything that runs.
Where = Mapping[str, str]
Kind = Literal["none", "global_rise", "mix_shift"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A predicate whose attempts fail more often than the rest and their own past explain.

    Attributes:
        where: The predicate.
        fingerprint: The failures that it is about; None: of any kind.
        n: Attempts of the window that fit.
        observed: Those of them that failed (with `fingerprint`).
        expected: How many would have, by the rest of the window and their baseline.
        lift: observed / expected.
        p: Probability of so many or more, were nothing there.
        q: The same, corrected for all that was tried (Benjamini-Hochberg).
        share: Part of all failures (of any kind) of the window that this explains, 0..1.
        baseline_n, baseline_failed: Attempts of the baseline that fit, and their failures (with
            `fingerprint`).
        indistinguishable: Other predicates with (nearly) the same attempts: which of them it is
            cannot be told from these attempts.
    """

    where: Where
    fingerprint: str | None
    n: int
    observed: int
    expected: float
    lift: float
    p: float
    q: float
    share: float
    baseline_n: int
    baseline_failed: int
    indistinguishable: tuple[Where, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """What became of the failures of the whole window.

    Attributes:
        kind: `global_rise`: all fails more often; `mix_shift`: more of what always failed often
            runs, and nothing broke.
        dimension: Of a mix shift: where the mix changed.
        observed: Failures of the window.
        expected: By the baseline's rates, for the mix of the window.
    """

    kind: Kind
    dimension: str | None
    observed: int
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """Since when it is so, in the unit of the moments given.

    Attributes:
        at: The likeliest moment.
        low, high: It lies between them with 95 %.
        n, observed: Attempts of the finding from `at` on, and those of them that failed so; None:
            not known.
    """

    at: float
    low: float
    high: float
    n: int | None = None
    observed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The answer of a scan: findings, the strongest first, each of other failures than the last.

    Attributes:
        tests: How many predicates were tried.
    """

    findings: tuple[Found, ...]
    overall: Overall
    tests: int = 0
    notes: tuple[str, ...] = field(default=())

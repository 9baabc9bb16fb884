"""What counts as a finding: the constants of the scan."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Constants of a scan; docs/adr/0017 says how they were chosen.

    Attributes:
        q: Share of false ones that is allowed among what is found (Benjamini-Hochberg).
        p: What is significant by itself, once anything is by `q`: among these the best is taken.
        min_failures: Predicates with fewer failures are no candidates; with fewer attempts they
            are not counted as tried.
        min_lift: Observed over expected, at least.
        min_sure_lift: What observed over expected is at least with 95 %.
        max_size: Dimensions of a predicate, at most.
        max_findings: Findings, at most.
        max_fingerprints: Fingerprints that are looked for one by one, the most frequent first.
        same_rows: Predicates are not told apart where so much of their attempts is common
            (Jaccard).
        budget: Of the error allowed, the part of predicates of one, two and three dimensions.
    """

    q: float = 0.005
    p: float = 0.01
    min_failures: int = 5
    min_lift: float = 1.5
    min_sure_lift: float = 1.25
    max_size: int = 3
    max_findings: int = 5
    max_fingerprints: int = 10
    same_rows: float = 0.95
    budget: tuple[float, ...] = (0.5, 0.3, 0.2)

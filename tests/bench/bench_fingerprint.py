"""How well fingerprints tell causes apart, beside the raw message and the type alone.

    python -m tests.bench.bench_fingerprint [--count 20000] [--seed 1] [--json]

Pairs are counted: precision is the part of the pairs in one group that have one cause, recall the
part of the pairs of one cause that are in one group. Frames are left out, which makes it harder.
Ends with 1 where one of the two is below 0.99.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from random import Random
from typing import Final

from app.domain.fingerprint import cause_of
from tests.bench.failures.causes import CAUSES
from tests.bench.failures.parts import Parts

BAR: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A failure whose cause is known."""

    cause: str
    error_type: str
    code: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How a way to group has done."""

    name: str
    group_count: int
    precision: float
    recall: float
    us: float


def messages(count: int, seed: int) -> list[Message]:
    """So many messages; some causes are far more frequent than others."""
    dice = Random(seed)  # noqa: S311 - reproducible
    names = sorted(CAUSES)
    dice.shuffle(names)
    weights = [1 / (1 + place) ** 0.7 for place in range(len(names))]
    parts = Parts(dice)
    chosen = [*names, *dice.choices(names, weights, k=max(0, count - len(names)))]
    return [
        Message(
            cause=name,
            error_type=CAUSES[name].error_type,
            code=CAUSES[name].code,
            text=CAUSES[name].says(parts),
        )
        for name in chosen
    ]


def score(name: str, found: Sequence[Message], group_of: Callable[[Message], str]) -> Score:
    """Pair precision and recall of the groups that `group_of` makes."""
    began = time.perf_counter()
    groups = [group_of(one) for one in found]
    took = time.perf_counter() - began
    both = Counter(zip((one.cause for one in found), groups, strict=True))
    together = _pairs(both)
    return Score(
        name=name,
        group_count=len(set(groups)),
        precision=together / max(1, _pairs(Counter(groups))),
        recall=together / max(1, _pairs(Counter(one.cause for one in found))),
        us=took / len(found) * 1e6,
    )


def _pairs(counts: Counter[str] | Counter[tuple[str, str]]) -> int:
    return sum(n * (n - 1) // 2 for n in counts.values())


def by_fingerprint(one: Message) -> str:
    """The group of a message by its fingerprint."""
    return cause_of(one.error_type, one.text, code=one.code).fingerprint


def by_hash(one: Message) -> str:
    """By type and raw message."""
    return blake2b(f"{one.error_type}\x1f{one.text}".encode(), digest_size=8).hexdigest()


def main() -> int:
    """Prints the table; 1 where fingerprints miss the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = messages(given.count, given.seed)
    print(f"{len(found)} messages of {len(CAUSES)} causes, seed {given.seed}")
    print(f"{'grouped by':<24} {'groups':>7} {'precision':>10} {'recall':>8} {'us':>7}")
    scores = [
        score("raw type and message", found, by_hash),
        score("type", found, lambda one: one.error_type),
        score("fingerprint", found, by_fingerprint),
    ]
    for one in scores:
        print(
            f"{one.name:<24} {one.group_count:>7} {one.precision:>10.4f} {one.recall:>8.4f}"
            f" {one.us:>7.1f}"
        )
    if given.json:
        print(json.dumps([asdict(one) for one in scores]))
    return 0 if min(scores[-1].precision, scores[-1].recall) >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())

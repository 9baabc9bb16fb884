"""The search for causes: each rule with a case of its own."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest

from app.domain.correlation.cube import Cube
from app.domain.correlation.found import Scan
from app.domain.correlation.grouping import grouped
from app.domain.correlation.rules import Rules
from app.domain.correlation.scan import scan
from tests.support.cells import Cell, encode
from tests.unit.correlation.attempts import NAMES, Rate, cells, cubes, usual, where


@pytest.mark.parametrize(
    "wanted",
    [
        {"engine": "e1"},
        {"worker": "w3", "voice": "v2"},
        {"worker": "w3", "voice": "v2", "length": "b"},
    ],
)
def test_scan_names_what_fails(wanted: dict[str, str]) -> None:
    """One, two or three dimensions: the predicate that was planted, and its counts."""
    window, baseline = cubes(where(0.6, **wanted), count=5_000)
    [found] = scan(window, baseline).findings
    assert dict(found.where) == wanted
    inside = _inside(window, wanted)
    assert found.n == window.n[inside].sum()
    assert found.observed == window.n[inside & (window.failure >= 0)].sum()
    assert found.baseline_n == baseline.n[_inside(baseline, wanted)].sum()
    assert found.expected < found.observed / 5
    assert found.lift == pytest.approx(found.observed / found.expected)
    assert found.share == found.observed / window.failed
    assert found.p <= found.q < 0.01


def test_scan_finds_nothing_where_nothing_is() -> None:
    """Twenty windows like their past: no finding."""
    found = [scan(*cubes(usual, count=500, seed=seed)) for seed in range(20)]
    assert [one for one in found if one.findings] == []
    assert {one.overall.kind for one in found} <= {"none", "mix_shift"}


def test_what_always_failed_is_not_found() -> None:
    """An engine fails five times as often as others, before as now; without a past it is told."""
    chronic = where(0.1, engine="e1")
    window, baseline = cubes(chronic, before=chronic)
    assert scan(window, baseline).findings == ()
    nothing = replace(
        baseline, codes=baseline.codes[:0], failure=baseline.failure[:0], n=baseline.n[:0]
    )
    [alone] = scan(window, nothing).findings
    assert dict(alone.where) == {"engine": "e1"}
    assert alone.baseline_n == 0


@pytest.mark.parametrize("rate", [0.95, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_what_has_always_failed_each_time_is_not_found(rate: float, seed: int) -> None:
    """A tenant of whom nothing ever worked, among forty that hardly fail: as ever."""
    rng = random.Random(seed)  # noqa: S311 - rows that can be made again

    def attempts(count: int) -> Iterator[Cell]:
        for _ in range(count):
            tenant = rng.randrange(40)
            has_failed = rng.random() < (rate if tenant == 7 else 0.002)
            yield (f"t{tenant}", f"r{rng.randrange(4)}"), "f" if has_failed else None, 1

    window, baseline = encode(("tenant", "region"), attempts(3_000), attempts(6_000))
    assert scan(window, baseline).findings == ()


def test_a_new_value_is_found_where_others_hardly_differ() -> None:
    """Its rate is seven times that of all others, of which none has ever differed from another."""

    def none_new(one: Cell) -> bool:
        return one[0][4] != "d"

    rate = where(0.15, length="d")
    given = [one for one in cells(3_000, rate, seed=8) if none_new(one) or one[0][0] in "w0 w1 w2"]
    window, baseline = encode(NAMES, given, filter(none_new, cells(20_000, usual, seed=9)))
    found = scan(window, baseline)
    assert [dict(one.where) for one in found.findings] == [{"length": "d"}]
    assert found.overall.kind == "none"


def test_a_worker_that_has_other_work_now_is_not_found() -> None:
    """It speaks one voice only, since now, which has always failed often: so it has not broken."""
    chronic = where(0.2, voice="v2")
    given = _with_only(6_000, chronic, voice="v2")
    window, baseline = encode(NAMES, given, cells(20_000, chronic, seed=5))
    assert scan(window, baseline).findings == ()


def test_a_pair_that_always_failed_is_not_found() -> None:
    """A worker fails with one length, as ever, and now has nothing else: it has not broken."""
    chronic = where(0.3, worker="w3", length="b")
    given = _with_only(8_000, chronic, length="b")
    window, baseline = encode(NAMES, given, cells(20_000, chronic, seed=5))
    assert scan(window, baseline).findings == ()


def _with_only(count: int, rate: Rate, **wanted: str) -> list[Cell]:
    """Attempts of which worker w3 has none but those with these values."""
    return [
        one
        for one in cells(count, rate, seed=4)
        if one[0][0] != "w3" or wanted.items() <= dict(zip(NAMES, one[0], strict=True)).items()
    ]


def test_what_fails_as_ever_is_not_found_where_the_rest_fails_less() -> None:
    """Half of the workers got well: the others are no news."""
    chronic = where(0.06)

    def is_half(values: Mapping[str, str]) -> tuple[float, str]:
        return (0.06, "") if values["worker"] in {"w0", "w1", "w2", "w3"} else (0.005, "")

    assert scan(*cubes(is_half, before=chronic)).findings == ()


def test_a_fingerprint_is_an_outcome_of_its_own() -> None:
    """Few failures of a kind that was not there: too few among all, but all of that kind."""
    window, baseline = cubes(where(0.12, "new", worker="w3"), count=2_000)
    [found] = scan(window, baseline).findings
    assert found.fingerprint == "new"
    assert dict(found.where) == {"worker": "w3"}
    assert found.baseline_failed == 0


def test_two_causes_are_found_one_after_the_other() -> None:
    """What the first explains is taken away; numbers are of all attempts all the same."""

    def both(values: Mapping[str, str]) -> tuple[float, str]:
        if values["worker"] == "w3":
            return 0.7, ""
        return where(0.4, voice="v2", length="b")(values)

    window, baseline = cubes(both, count=6_000)
    found = scan(window, baseline).findings
    assert [dict(one.where) for one in found] == [{"worker": "w3"}, {"voice": "v2", "length": "b"}]
    assert found[1].n == window.n[_inside(window, found[1].where)].sum()


def test_equal_attempts_cannot_be_told_apart() -> None:
    """Each host has one worker: the host is said to fit as well, the worker is named."""
    names = ("worker", "host", "length")

    def alone(count: int, rate: Rate, seed: int) -> list[tuple[tuple[str, ...], str | None, int]]:
        return [
            ((values[0], values[0].replace("w", "h"), values[4]), failure, n)
            for values, failure, n in cells(count, rate, seed=seed)
        ]

    window, baseline = encode(
        names, alone(2_000, where(0.5, worker="w3"), 1), alone(9_000, usual, 2)
    )
    [found] = scan(window, baseline).findings
    assert dict(found.where) == {"worker": "w3"}
    assert [dict(one) for one in found.indistinguishable] == [{"host": "h3"}]


def test_a_rise_of_everything_is_no_finding() -> None:
    """Everything fails three times as often: told of the whole, and of nothing in it."""
    window, baseline = cubes(lambda _: (0.06, ""))
    found = scan(window, baseline)
    assert found.findings == ()
    assert found.overall.kind == "global_rise"
    assert found.overall.observed == window.failed
    assert found.overall.expected < window.failed / 2


def test_a_shifted_mix_is_told_with_its_dimension() -> None:
    """Most attempts are of the engine now that has always failed often; nothing broke."""
    chronic = where(0.1, engine="e1")
    rng = random.Random(3)  # noqa: S311 - rows that can be made again
    given = [
        one for one in cells(5_000, chronic, seed=6) if one[0][2] == "e1" or rng.random() < 0.2
    ]
    window, baseline = encode(NAMES, given, cells(15_000, chronic, seed=7))
    found = scan(window, baseline)
    assert found.findings == ()
    assert found.overall.kind == "mix_shift"
    assert found.overall.dimension in {"engine", "voice"}


def test_a_cause_is_no_rise_of_everything() -> None:
    """What a finding explains is not told a second time, of the whole."""
    window, baseline = cubes(where(0.9, engine="e1"))
    found = scan(window, baseline)
    assert len(found.findings) == 1
    assert found.overall.kind == "none"


def test_the_mix_is_that_of_what_no_finding_explains() -> None:
    """Without the attempts that a finding explains, now and before, the others are as ever."""

    def often(values: Mapping[str, str]) -> tuple[float, str]:
        return (0.15, "") if values["worker"] in {"w1", "w2", "w3"} else (0.01, "")

    def worse(values: Mapping[str, str]) -> tuple[float, str]:
        return (0.9, "new") if values["voice"] == "v1" else often(values)

    def only(rate: Rate, count: int, seed: int) -> list[Cell]:
        """Workers that fail often speak other voices than those that do not."""
        return [
            one
            for one in cells(count, rate, seed=seed)
            if (one[0][0] in {"w1", "w2", "w3"}) != (one[0][3] == "v1")
        ]

    found = scan(*encode(NAMES, only(worse, 4_000, 10), only(often, 24_000, 11)))
    assert [dict(one.where) for one in found.findings] == [{"voice": "v1"}]
    assert found.overall.kind == "none"


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_attempts_does_not_matter(seed: int) -> None:
    """Permuted rows, and rows put together in cells, give the same answer, to the last digit."""
    given = list(cells(3_000, where(0.4, worker="w3", length="b"), seed=8))
    before = list(cells(9_000, usual, seed=9))
    first = scan(*(grouped(side) for side in encode(NAMES, given, before)))
    random.Random(seed).shuffle(given)  # noqa: S311 - rows that can be made again
    random.Random(seed).shuffle(before)  # noqa: S311 - rows that can be made again
    again = scan(*(grouped(side) for side in encode(NAMES, given, before)))
    assert again == first
    assert _rounded(scan(*encode(NAMES, given, before))) == _rounded(first)


def test_few_failures_are_no_finding() -> None:
    """Four failures of four attempts are not told: five are the least."""
    given = [*cells(500, lambda _: (0.0, ""), seed=1), (("w3", "h1", "e2", "v2", "a"), "x", 4)]
    assert scan(*encode(NAMES, given, cells(3_000, usual, seed=2))).findings == ()


def test_empty_sides_are_answered() -> None:
    """No attempt at all; no attempt before; nothing that failed."""
    assert scan(*encode(NAMES, [], [])).findings == ()
    assert scan(*encode(NAMES, [], cells(100, usual, seed=1))).overall.kind == "none"
    silent = scan(*encode(NAMES, cells(100, lambda _: (0.0, ""), seed=1), []))
    assert (silent.findings, silent.overall.kind) == ((), "none")
    assert scan(*encode((), [((), "x", 5)], [((), None, 5)])).findings == ()


def test_rules_bound_what_is_told() -> None:
    """At most so many findings; none of more dimensions than allowed; none below a lift."""

    def three(values: Mapping[str, str]) -> tuple[float, str]:
        return (0.6, "") if values["worker"] in {"w1", "w4", "w6"} else usual(values)

    window, baseline = cubes(three)
    assert len(scan(window, baseline).findings) == 3
    assert len(scan(window, baseline, rules=Rules(max_findings=2)).findings) == 2
    assert scan(window, baseline, rules=Rules(min_lift=100.0)).findings == ()
    single = scan(
        *cubes(where(0.9, worker="w3", voice="v2")), rules=Rules(max_size=1, budget=(1.0,))
    )
    assert {len(one.where) for one in single.findings} <= {1}


def test_many_values_and_many_dimensions_are_looked_at() -> None:
    """Two dimensions of thousands of values beside thirty others; the two that matter are named."""
    rng = np.random.default_rng(1)
    names = tuple(f"d{number}" for number in range(32))

    def rows(count: int, *, is_bad: bool) -> list[tuple[tuple[str, ...], str | None, int]]:
        codes = rng.integers(0, [3_000, 2_000, *([6] * 30)], (count, 32))
        codes[:, 5] = rng.integers(0, 2_000, count)
        fails = rng.random(count) < 0.02
        if is_bad:
            fails |= (codes[:, 9] == 1) & (codes[:, 20] == 4) & (rng.random(count) < 0.6)
        return [
            (tuple(map(str, row)), "x" if bad else None, 1)
            for row, bad in zip(codes.tolist(), fails.tolist(), strict=True)
        ]

    found = scan(*encode(names, rows(1_000, is_bad=True), rows(2_000, is_bad=False)))
    assert [dict(one.where) for one in found.findings] == [{"d9": "1", "d20": "4"}]
    assert found.notes == () or "three at once" in found.notes[0]


@pytest.mark.parametrize("seed", range(6))
def test_any_attempts_are_answered(seed: int) -> None:
    """Few and many, none that failed and all, of no dimension or five: numbers, and no warning."""
    rng = random.Random(seed)  # noqa: S311 - rows that can be made again
    for _ in range(25):
        cards = [rng.choice([1, 2, 3, 10]) for _ in range(rng.randint(0, 5))]
        window, baseline = encode(
            [f"d{dim}" for dim in range(len(cards))], _any(rng, cards), _any(rng, cards)
        )
        answer = scan(window, baseline)
        assert math.isfinite(answer.overall.expected)
        for one in answer.findings:
            assert 5 <= one.observed <= one.n
            assert one.expected > 0
            assert 0 <= one.p <= one.q < 0.01


def _any(rng: random.Random, cards: list[int]) -> list[Cell]:
    rate, most = rng.choice([0.0, 0.05, 0.5, 1.0]), rng.choice([1, 1_000, 1_000_000])
    return [
        (
            tuple(str(rng.randrange(card)) for card in cards),
            rng.choice(["", "a", "b"]) if rng.random() < rate else None,
            rng.choice([1, 2, 50, most]),
        )
        for _ in range(rng.choice([0, 3, 60, 300]))
    ]


def _inside(cube: Cube, wanted: Mapping[str, str]) -> np.ndarray:
    inside = np.ones(cube.n.size, dtype=np.bool_)
    for name, value in wanted.items():
        dim = cube.names.index(name)
        inside &= cube.codes[:, dim] == cube.values[dim].index(value)
    return inside


def _rounded(found: Scan) -> list[tuple[object, ...]]:
    return [
        (one.where, one.fingerprint, one.n, one.observed, round(one.expected, 6), f"{one.q:.4g}")
        for one in found.findings
    ]

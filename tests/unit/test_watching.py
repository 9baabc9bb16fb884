"""Which findings last: what is seen again, what is new, what is over, from values alone."""

import json
from typing import Any

import pytest

from app.domain import watching
from app.domain.correlation.found import Where
from app.domain.finding import FindingRecord, key_of
from app.domain.quiet import Attempt, well_since
from tests.support.found import sighting

SECOND = 1_000_000
W3, W4 = {"worker": "w3"}, {"worker": "w4"}
W3_AMY = {"worker": "w3", "voice": "amy"}


def _row(number: int, where: Where, fingerprint: str | None = None, **fields: Any) -> FindingRecord:
    values: dict[str, Any] = dict.fromkeys(FindingRecord.__dataclass_fields__)
    values |= {
        "id": number,
        "key": key_of(where, fingerprint),
        "state": "open",
        "misses": 0,
        "predicate": json.dumps(dict(where)),
        "fingerprint": fingerprint,
        "answer": json.dumps({"indistinguishable": fields.pop("alike", [])}),
    }
    return FindingRecord(**values | fields)


def _overlap(parts: dict[frozenset[str], float]) -> watching.Overlap:
    def told(one: Where, other: Where) -> float:
        return parts.get(frozenset({key_of(one, None), key_of(other, None)}), 0.0)

    return told


def _same(one: Where, other: Where, part: float) -> watching.Overlap:
    return _overlap({frozenset({key_of(one, None), key_of(other, None)}): part})


NOTHING = _overlap({})


def test_a_key_is_the_same_whatever_the_order() -> None:
    """And another for another value, fingerprint, or a value that looks like two."""
    assert key_of(W3_AMY, None) == key_of({"voice": "amy", "worker": "w3"}, None)
    keys = {
        key_of(W3, None),
        key_of(W3, "v2:0"),
        key_of(W3_AMY, None),
        key_of({"worker": 'w3" voice="amy'}, None),
        key_of({}, None),
    }
    assert len(keys) == 5
    assert key_of({}, None) == ""
    assert len(key_of({"host": "h" * 700}, None)) == 64


@pytest.mark.parametrize(
    ("row", "one", "overlap", "is_same"),
    [
        (_row(1, W3), sighting(W3), NOTHING, True),
        (_row(1, W3), sighting(W4), NOTHING, False),
        (_row(1, W3), sighting(W3_AMY), _same(W3, W3_AMY, 0.8), True),
        (_row(1, W3), sighting(W3_AMY), _same(W3, W3_AMY, 0.79), False),
        (_row(1, W3), sighting({"host": "h3"}, indistinguishable=(W3,)), NOTHING, True),
        (_row(1, W3, alike=[{"host": "h3"}]), sighting({"host": "h3"}), NOTHING, True),
        (_row(1, W3, "v2:a"), sighting(W3), _same(W3, W3, 1.0), True),
        (_row(1, W3, "v2:a"), sighting(W3, "v2:b"), _same(W3, W3, 1.0), False),
        (
            _row(1, W3, "v2:a", onset_at=100 * SECOND),
            sighting(W4, "v2:a", onset_at=190 * SECOND),
            NOTHING,
            True,
        ),
        (
            _row(1, W3, "v2:a", onset_at=100 * SECOND),
            sighting(W4, "v2:a", onset_at=400 * SECOND),
            NOTHING,
            False,
        ),
        (
            _row(1, W3, onset_at=100 * SECOND),
            sighting(W4, onset_at=100 * SECOND),
            NOTHING,
            False,
        ),
    ],
    ids=[
        "same key",
        "another worker",
        "nearly the same attempts",
        "too few of the same attempts",
        "cannot be told apart",
        "could not be told apart",
        "any failure, of the same attempts",
        "other failures of the same attempts",
        "the same failures since the same moment",
        "the same failures since another moment",
        "any failures since the same moment",
    ],
)
def test_what_is_seen_again_opens_nothing(
    row: FindingRecord, one: Any, overlap: watching.Overlap, *, is_same: bool
) -> None:
    """The same by its key, its attempts, or its failures and their onset; else it is new."""
    found = watching.match([row], [one], overlap)
    assert [pair for pair, _ in found.seen] == ([row] if is_same else [])
    assert list(found.new) == ([] if is_same else [one])


def test_two_causes_of_one_moment_are_two_findings() -> None:
    """A scan that tells two workers apart is believed, though they fail alike since the same."""
    seen = [sighting(where, "v2:a", onset_at=SECOND) for where in (W3, W4)]
    assert list(watching.match([], seen, NOTHING).new) == seen
    row = _row(1, W3, "v2:a", onset_at=SECOND)
    found = watching.match([row], seen, NOTHING)
    assert [one.where for _, one in found.seen] == [W3]
    assert [one.where for one in found.new] == [W4]


def test_what_a_scan_says_twice_is_one_finding() -> None:
    """A weaker sighting of the same attempts is none of its own; the same key goes first."""
    row = _row(1, W3)
    found = watching.match([row], [sighting(W3_AMY), sighting(W3)], _same(W3, W3_AMY, 0.9))
    assert [(pair.id, one.where) for pair, one in found.seen] == [(1, W3)]
    assert list(found.new) == []


def test_a_finding_is_closed_when_two_scans_do_not_see_it() -> None:
    """One miss may be chance; and it stays open while its own attempts say that it goes on."""
    once, twice = _row(1, W3), _row(2, W4, misses=1)
    nothing = watching.Matched(seen=(), new=())
    plan = watching.plan([once, twice], nothing, over=())
    assert list(plan.missed) == [once]
    assert list(plan.closed) == [(twice, "unseen")]
    plan = watching.plan([once, twice], nothing, over=(), going_on={2})
    assert (list(plan.missed), list(plan.closed)) == ([once], [])


def test_a_finding_whose_failures_stopped_is_closed_though_it_is_seen() -> None:
    """The hour still has its old failures."""
    row, one = _row(1, W3), sighting(W3)
    found = watching.match([row], [one], NOTHING)
    plan = watching.plan([row], found, over={1}, going_on={1})
    assert list(plan.closed) == [(row, "stopped")]
    assert (list(plan.seen), list(plan.opened)) == ([], [])


def _attempts(story: str) -> list[Attempt]:
    """F failed, s succeeded, each a second after the other."""
    return [Attempt(at=place, failed=sign == "F") for place, sign in enumerate(story)]


@pytest.mark.parametrize(
    ("story", "expected", "since"),
    [
        ("FFFFFFFFFFFFFFFFFFFF", 0.0, None),
        ("FFFFFFFFFFFFFFFFFFFFs", 0.0, None),
        ("FFFFFFFFFFFFFFFFFFFFssss", 0.0, 20),
        ("FsFFsFFFsF" * 4 + "sss", 0.0, None),
        ("FsFFsFFFsF" * 4 + "s" * 12, 0.0, 40),
        ("ssFss" * 20 + "s" * 12, 0.02, None),
        ("ssFss" * 20 + "s" * 40, 0.02, 98),
        ("F" * 20 + "s" * 60 + "F", 0.02, 20),
        ("F" * 20 + "s" * 60 + "FFF", 0.02, None),
        ("F" * 20, 0.9, None),
        ("ssss", 0.02, 0),
        ("", 0.02, None),
    ],
    ids=[
        "it goes on",
        "one success is chance",
        "four are none, where all failed",
        "three are, where two of three failed",
        "twelve are none",
        "a fifth fails: it takes longer to know",
        "forty successes",
        "one stray failure opens nothing again",
        "three do",
        "most were expected to fail",
        "nothing failed at all",
        "nothing ran",
    ],
)
def test_it_is_over_when_successes_say_so(story: str, expected: float, since: int | None) -> None:
    """Not when time has passed: each success counts by how unlikely it was before."""
    assert well_since(_attempts(story), expected=expected) == since

"""Contradictions between observers are found, and overlapping answers are none."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.monotone import Answer, contradictions


def _answer(begun_s: float, ended_s: float, value: int, name: str = "total") -> Answer:
    return Answer(begun_s=begun_s, ended_s=ended_s, by=f"{begun_s:g}", told={name: value})


def test_fall_is_found_after_an_answer_that_had_ended() -> None:
    """The smaller total is named with both who told it; in whatever order they are given."""
    answers = [_answer(0, 1, 5), _answer(2, 3, 4), _answer(2, 4, 5)]
    for given_order in (answers, answers[::-1]):
        assert contradictions(given_order) == ["total: 5 by 0, 1.000 s later 4 by 2"]


def test_overlapping_answers_contradict_nobody() -> None:
    """Who began before the other had ended may say less; another number is another."""
    assert contradictions([_answer(0, 2, 5), _answer(1, 3, 4)]) == []
    assert contradictions([_answer(0, 1, 5), _answer(2, 3, 4, "archived")]) == []


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9), st.integers(0, 5)), max_size=12))
def test_every_contradiction_is_found(parts: list[tuple[int, int, int]]) -> None:
    """For every history: as many as pairs-wise comparison finds answers that are too small."""
    answers = [_answer(begun, begun + took, value) for begun, took, value in parts]
    wrong = [
        one
        for one in answers
        if any(
            before.ended_s < one.begun_s and before.told["total"] > one.told["total"]
            for before in answers
        )
    ]
    assert len(contradictions(answers)) == len(wrong)

"""How much one transaction of retention holds: learnt from how long the last one took."""

import pytest

from app.config.settings import load
from app.service.retention.rules import DAY_US, rules_of
from app.service.retention.walk import FIRST, LEAST, MOST, fitting, next_weight

NOW = 400 * DAY_US


@pytest.mark.parametrize(
    ("weight", "took_s", "then"),
    [
        (FIRST, 0.2, FIRST // 2),
        (FIRST, 0.08, FIRST),
        (FIRST, 0.01, FIRST + FIRST // 4),
        (LEAST, 5.0, LEAST),
        (MOST, 0.0, MOST),
    ],
)
def test_weight_follows_the_time_that_was_taken(weight: int, took_s: float, then: int) -> None:
    """Half after more than a tenth of a second, more after less than half of that, in bounds."""
    assert next_weight(weight, took_s) == then


@pytest.mark.parametrize(
    ("weights", "n"), [([20, 20, 20], 2), ([20, 21], 1), ([900, 20], 1), ([], 1), ([1, 1], 2)]
)
def test_first_ones_that_fit_are_taken_and_one_at_least(weights: list[int], n: int) -> None:
    """What weighs more than all that may be is taken alone."""
    assert fitting(weights, 40) == n


def test_rules_are_of_what_is_not_kept_for_ever() -> None:
    """By default only deleted texts go; texts that were deleted before want nothing of any rule."""
    assert [rule.kind for rule in rules_of(load({}), NOW)] == ["deleted"]
    set_to = {"VOXTRACE_KEEP_COMPLETED_D": "90", "VOXTRACE_KEEP_FAILED_D": "0.5"}
    rules = rules_of(load(set_to), NOW)
    assert [(rule.kind, rule.before // DAY_US) for rule in rules] == [
        ("failed", 399),
        ("completed", 310),
        ("deleted", 370),
    ]
    assert {rule.deleted_before for rule in rules} == {NOW - 30 * DAY_US}
    kept = rules_of(load(set_to | {"VOXTRACE_KEEP_DELETED_D": "0"}), NOW)
    assert {rule.deleted_before for rule in kept} == {0}

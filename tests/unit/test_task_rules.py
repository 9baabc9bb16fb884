"""The rules that choose a task's next move."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ErrorKind
from app.domain.task import (
    FINAL,
    LIVE,
    MAX_LOST,
    TRANSITIONS,
    Backoff,
    Move,
    Status,
    Tries,
    decide_error,
    decide_loss,
)


def _tries(used: int = 0, most: int = 3, lost: int = 0) -> Tries:
    return Tries(tries_used=used, max_attempts=most, lost_count=lost)


def test_final_states_have_no_way_out() -> None:
    """No move leaves a final state, and every live state has one."""
    assert {status for status, _ in TRANSITIONS} == LIVE
    assert set(Status) == FINAL | LIVE


def test_retryable_is_tried_max_attempts_times() -> None:
    """A retryable error waits with backoff until the tries are used up."""
    moves = [
        decide_error(ErrorKind.RETRYABLE, _tries(used), retry_after_s=None, jitter=0).move
        for used in range(3)
    ]
    assert moves == [Move.RETRY_LATER, Move.RETRY_LATER, Move.FAIL]


def test_capacity_costs_nothing_and_waits_as_told() -> None:
    """A capacity error counts no try, however often, and waits at least as long as was asked."""
    decision = decide_error(
        ErrorKind.CAPACITY, _tries(used=2, most=1), retry_after_s=7.0, jitter=0.5
    )
    assert (decision.move, decision.counts_try) == (Move.WAIT_FOR_CAPACITY, False)
    assert decision.delay_us >= 7_000_000


def test_capacity_waits_grow_to_a_bound() -> None:
    """Each wait in vain is longer than the one before, up to five minutes."""
    waits_s = [
        decide_error(
            ErrorKind.CAPACITY,
            Tries(tries_used=0, max_attempts=3, lost_count=0, waits=waits),
            retry_after_s=None,
            jitter=0,
        ).delay_us
        / 1e6
        for waits in range(8)
    ]
    assert waits_s == [15, 30, 60, 120, 240, 300, 300, 300]


def test_permanent_and_caller_errors_fail_at_once() -> None:
    """What cannot be helped by trying again is not tried again."""
    for kind in (ErrorKind.PERMANENT, ErrorKind.CALLER):
        assert decide_error(kind, _tries(), retry_after_s=9, jitter=0).move is Move.FAIL


def test_retry_after_beats_a_shorter_backoff() -> None:
    """A provider's Retry-After is honoured."""
    decision = decide_error(ErrorKind.RETRYABLE, _tries(), retry_after_s=60, jitter=1)
    assert decision.delay_us == 60_000_000


def test_first_loss_runs_at_once_and_the_fifth_is_poison() -> None:
    """A lost worker costs nothing once; a task that loses five is poison."""
    decisions = [decide_loss(_tries(lost=lost), 0.0) for lost in range(MAX_LOST)]
    assert decisions[0].delay_us == 0
    assert all(decision.delay_us > 0 for decision in decisions[1:-1])
    assert [decision.move for decision in decisions[:-1]] == [Move.LOSE_WORKER] * 4
    assert (decisions[-1].move, decisions[-1].error_type) == (Move.FAIL, "worker_lost")


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0.01, 10), st.floats(10, 1000))
def test_backoff_is_bounded(count: int, jitter: float, base_s: float, cap_s: float) -> None:
    """For every count a wait is positive and at most the cap."""
    delay_us = Backoff(base_s=base_s, cap_s=cap_s).delay_us(count, jitter)
    assert 0 < delay_us <= cap_s * 1_000_000 + 1

"""Where the time went."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.records import AttemptRecord, SegmentRecord
from app.service.pieces import Piece
from app.service.spent import spent
from tests.support.rows import SECOND, T0, attempt, done, task

OUTCOMES = (
    "completed",
    "failed",
    "timeout",
    "cancelled",
    "retry",
    "capacity",
    "lost",
    "handed_back",
)


@st.composite
def histories(
    draw: st.DrawFn,
) -> tuple[list[AttemptRecord], list[SegmentRecord], int]:
    """Attempts one after another with segments inside, and the moment after them."""
    at = T0
    tried: list[AttemptRecord] = []
    made: list[SegmentRecord] = []
    for number in range(1, draw(st.integers(0, 5)) + 1):
        claimed = at + draw(st.integers(0, 30)) * SECOND
        end = claimed
        for _ in range(draw(st.integers(0, 4))):
            start = end + draw(st.integers(0, 3)) * SECOND
            end = start + draw(st.integers(0, 5)) * SECOND
            made.append(done(len(made), number, start, end, reused=draw(st.booleans())))
        end += draw(st.integers(0, 10)) * SECOND
        outcome = draw(st.sampled_from(OUTCOMES))
        reason = draw(st.sampled_from(["queued", "capacity", "backoff", "rescued"]))
        tried.append(attempt(number, claimed, finished_at=end, outcome=outcome, wait_reason=reason))
        at = end
    return tried, made, at + draw(st.integers(0, 20)) * SECOND


@given(
    history=histories(),
    status=st.sampled_from(["pending", "completed", "failed"]),
    with_calls=st.booleans(),
)
def test_parts_sum_to_the_whole_time(
    history: tuple[list[AttemptRecord], list[SegmentRecord], int], status: str, *, with_calls: bool
) -> None:
    """For every history: no part is negative, and together they are the time from submission."""
    tried, made, end = history
    calls = [
        Piece(
            span_id=f"call-{row.idx}",
            parent_id=row.span_id,
            name="text_to_speech tone",
            service="voxtrace-worker",
            kind="engine",
            start=row.started_at or 0,
            end=row.finished_at,
        )
        for row in made
        if with_calls
    ]
    row = task(status=status, finished_at=None if status == "pending" else end)
    parts = spent(row, tried, made, calls, end)
    values = (parts.waiting, parts.quota, parts.engine, parts.own, parts.lost)
    assert all(value >= 0 for value in values)
    assert parts.total_us == end - T0


def test_work_after_the_last_checkpoint_of_a_lost_attempt_is_lost() -> None:
    """A killed attempt keeps what it committed; only what came after is told as lost."""
    first = attempt(1, T0 + 2 * SECOND, finished_at=T0 + 20 * SECOND, outcome="lost")
    second = attempt(
        2,
        T0 + 25 * SECOND,
        finished_at=T0 + 40 * SECOND,
        outcome="completed",
        wait_reason="rescued",
    )
    made = [
        done(0, 1, T0 + 3 * SECOND, T0 + 10 * SECOND),
        done(1, 2, T0 + 26 * SECOND, T0 + 36 * SECOND),
    ]
    row = task(status="completed", finished_at=T0 + 40 * SECOND)
    parts = spent(row, [first, second], made, [], T0 + 40 * SECOND)
    assert parts.lost == 10 * SECOND
    assert parts.engine == 17 * SECOND
    assert parts.waiting == 7 * SECOND
    assert parts.own == 6 * SECOND


def test_a_wait_for_capacity_is_quota_and_no_loss() -> None:
    """Capacity is no failure: neither its wait nor the call that met it counts as lost."""
    first = attempt(1, T0 + SECOND, finished_at=T0 + 2 * SECOND, outcome="capacity")
    row = task(status="pending", wait_reason="capacity", attempt=1)
    parts = spent(row, [first], [], [], T0 + 12 * SECOND)
    assert (parts.lost, parts.quota) == (0, 11 * SECOND)

"""Rules about processes that need none to be tested."""

from hypothesis import given
from hypothesis import strategies as st

from app.process import RESTART_MAX_S, RESTART_S, restart_wait_s


@given(st.lists(st.floats(0, RESTART_MAX_S - 0.001), min_size=1, max_size=20))
def test_restart_wait_doubles_while_runs_are_short(runs_s: list[float]) -> None:
    """For every row of short runs: half a second, then twice as long each time, 30 s at most."""
    waits_s: list[float] = []
    for ran_s in runs_s:
        waits_s.append(restart_wait_s(waits_s[-1] if waits_s else None, ran_s))
    assert waits_s == [min(RESTART_MAX_S, RESTART_S * 2**n) for n in range(len(runs_s))]


@given(st.floats(0, RESTART_MAX_S), st.floats(RESTART_MAX_S, 1e9))
def test_restart_is_quick_again_after_a_long_run(last_s: float, ran_s: float) -> None:
    """A program that ran well is back at once, however often it had failed before."""
    assert restart_wait_s(last_s, ran_s) == RESTART_S

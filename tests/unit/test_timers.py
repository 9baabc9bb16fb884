"""Timers that were cancelled leave the hub's heap at once, and the others fire in their order."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kombu.asynchronous import Hub
from kombu.connection import Connection

from app import clock
from app.broker import timers, transport
from app.broker.timers import sweep_cancelled
from app.domain.claim import Claim


def _hub() -> Any:
    """A hub without any timer."""
    hub: Any = Hub()  # type: ignore[no-untyped-call]
    hub.timer.clear()
    return hub


def test_cancelled_timers_are_let_go() -> None:
    """Of a thousand attempts that ended none leaves a timer behind; those that run keep theirs."""
    hub = _hub()
    timers = [hub.call_later(2410, print, number) for number in range(1000)]
    for timer in timers[3:]:
        timer.cancel()
    assert len(hub.timer) == 1000
    assert sweep_cancelled(hub) == 997
    assert len(hub.timer) == 3
    assert sweep_cancelled(hub) == 0
    hub.close()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-100_000, -1000), st.booleans()), max_size=30))
def test_timers_that_are_left_fire_in_their_order(timers: list[tuple[int, bool]]) -> None:
    """For every set of timers that are due: the same fire, in the same order, as without it."""
    fired: list[int] = []
    hub = _hub()
    now_s = clock.monotonic_s()
    for after_ms, is_cancelled in timers:
        timer = hub.call_at(now_s + after_ms / 1000, fired.append, after_ms)
        if is_cancelled:
            timer.cancel()
    sweep_cancelled(hub)
    hub.fire_timers(max_timers=len(timers) + 1)
    hub.close()
    assert fired == sorted(after_ms for after_ms, is_cancelled in timers if not is_cancelled)


def test_sweep_within_a_timer_leaves_the_next_one() -> None:
    """The hub calls it between two timers: those after it fire all the same."""
    hub = _hub()
    fired: list[int] = []
    hub.call_later(-3, sweep_cancelled, hub)
    hub.call_later(-2, fired.append, 1).cancel()
    hub.call_later(-1, fired.append, 2)
    hub.fire_timers()
    hub.close()
    assert fired == [2]


class _Desk:
    """A desk with nothing to do."""

    def claim(self) -> Claim | None:
        """Nothing."""
        return None

    def give_back(self, task_id: int, attempt: int) -> None:
        """Nothing was given."""

    def time_limit_s(self, _claim: Claim) -> float:
        """Any."""
        return 1.0

    def start(self, hub: Any, look: Callable[[], None]) -> None:
        """Sets no timer."""


def test_worker_sweeps_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transport puts the sweep on the worker's hub."""
    monkeypatch.setattr(timers, "SWEEP_S", -1)
    monkeypatch.setattr(transport, "_desk", _Desk())
    hub = _hub()
    made: Any = Connection("voxtrace://").transport  # type: ignore[no-untyped-call]
    made.register_with_event_loop(None, hub)
    before = len(hub.timer)
    for _ in range(100):
        hub.call_later(2410, print).cancel()
    hub.fire_timers()
    hub.close()
    assert len(hub.timer) <= before

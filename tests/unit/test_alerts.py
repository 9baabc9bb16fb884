"""Alerts in words."""

from dataclasses import replace
from typing import Any

import pytest

from app.domain.records import DutyRecord
from app.service.alerts import Facts, alerts_of
from telemetry.outbox import OutboxState
from tests.support.rows import SECOND, T0, worker

NOW = T0 + 2 * SECOND


def _duty(name: str, **fields: Any) -> DutyRecord:
    values: dict[str, Any] = {
        "name": name,
        "holder": "h/1/x",
        "lease_until": NOW + 4 * SECOND,
        "ticked_at": NOW,
        "succeeded_at": NOW,
        "failure_count": 0,
        "last_error": None,
        "state": "{}",
    }
    return DutyRecord(**(values | fields))


OUTBOX = OutboxState(
    pending=0,
    pending_bytes=0,
    oldest_pending_us=None,
    sent=0,
    sent_bytes=0,
    poison=0,
    poison_bytes=0,
    lost_rows=0,
    lost_task_rows=0,
    lost_spans=0,
    last_lost_us=None,
)
WELL = Facts(
    now=NOW,
    waiting=3,
    oldest_waiting_at=T0,
    configured=2,
    usable=2,
    held_by_dead=0,
    late=0,
    workers=(worker(),),
    duties=(_duty("leader"), _duty("reaper")),
    outbox=OUTBOX,
    exports=True,
)


def test_nothing_is_said_while_all_is_well() -> None:
    """A page without alerts means that nothing needs a person."""
    assert alerts_of(WELL) == ()


@pytest.mark.parametrize(
    ("changes", "code", "level"),
    [
        ({"workers": (worker(heartbeat_at=T0 - 60 * SECOND),)}, "no_workers", "bad"),
        ({"workers": (worker(state="dead"),)}, "no_workers", "bad"),
        ({"workers": ()}, "no_workers", "bad"),
        ({"held_by_dead": 1}, "slots_held", "bad"),
        ({"late": 1}, "late", "warn"),
        ({"configured": 0}, "limit_zero", "warn"),
        ({"usable": 1}, "few_slots", "warn"),
        ({"duties": ()}, "no_duties", "bad"),
        ({"duties": (_duty("leader", lease_until=T0 - 20 * SECOND),)}, "no_duties", "bad"),
        (
            {"duties": (_duty("leader"), _duty("reaper", ticked_at=T0 - 60 * SECOND))},
            "duty_reaper",
            "bad",
        ),
        (
            {"duties": (_duty("leader"), _duty("forwarder", failure_count=2))},
            "duty_forwarder",
            "warn",
        ),
        (
            {"outbox": replace(OUTBOX, pending=4, oldest_pending_us=T0 - 90 * SECOND)},
            "outbox_behind",
            "warn",
        ),
        ({"outbox": replace(OUTBOX, poison=1)}, "outbox_refused", "warn"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], code: str, level: str) -> None:
    """Each fault has its alert, of its level, in both languages, and alone."""
    found = alerts_of(replace(WELL, **changes))
    assert [(alert.code, alert.level) for alert in found] == [(code, level)]
    assert found[0].en
    assert found[0].zh


def test_dead_workers_are_told_with_what_waits() -> None:
    """The sentence says what does not happen, and what to do."""
    alert = alerts_of(replace(WELL, workers=(worker(state="dead"),)))[0]
    assert alert.of("en").startswith("All workers are dead: 3 tasks wait")
    assert "voxtrace worker" in alert.of("zh")

"""Facts of a service that is well, made from few words, for tests of what is said of them."""

import json
from typing import Any

from app.domain.finding import DeliveryRecord, FindingRecord
from app.domain.records import CanaryRecord, DutyRecord
from app.service.checks.facts import Facts
from app.service.findings.deliveries import Deliveries
from app.service.neighbours import Neighbour, as_json
from app.service.recounts.verdict import Verdict
from app.service.retention.archived import Archived
from telemetry.outbox import OutboxState
from tests.support.rows import SECOND, T0, worker

NOW = T0 + 2 * SECOND
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


def duty(name: str, state: dict[str, Any] | None = None, **fields: Any) -> DutyRecord:
    """A duty that has just succeeded."""
    values: dict[str, Any] = {
        "name": name,
        "holder": "h/1/x",
        "lease_until": NOW + 4 * SECOND,
        "ticked_at": NOW,
        "succeeded_at": NOW,
        "failure_count": 0,
        "last_error": None,
        "state": json.dumps(state or {}),
    }
    return DutyRecord(**(values | fields))


def neighbour(address: str, **fields: Any) -> Neighbour:
    """One that has just answered."""
    values: dict[str, Any] = {"address": address, "at": NOW, "answered_at": NOW, "took_ms": 1.5}
    return Neighbour(**(values | fields))


def away(address: str, **fields: Any) -> Neighbour:
    """One that has not answered for a minute."""
    values: dict[str, Any] = {
        "answered_at": NOW - 61 * SECOND,
        "failures": 12,
        "since": NOW - 60 * SECOND,
        "words": "connection refused",
        "took_ms": None,
    }
    return neighbour(address, **(values | fields))


def neighbours(**found: Neighbour | None) -> DutyRecord:
    """The row of the duty that asks them; all answer unless `found` says otherwise."""
    values = {
        "web": neighbour("http://web"),
        "collector": neighbour("http://collector"),
        "jaeger": neighbour("http://jaeger"),
    } | found
    told: dict[str, Any] = {name: as_json(one) for name, one in values.items()}
    return duty("neighbours", told | {"host": "h"})


def canary(canary_id: int, **fields: Any) -> CanaryRecord:
    """A canary that came through a minute ago."""
    values: dict[str, Any] = {
        "id": canary_id,
        "task_id": 100 + canary_id,
        "started_at": NOW - 63 * SECOND,
        "stage": "done",
        "finished_at": NOW - 60 * SECOND,
        "is_ok": True,
        "cause": "found",
        "detail": "its trace was found in Jaeger",
        "queue_us": 20_000,
        "run_us": 900_000,
        "trace_us": 2_000_000,
    }
    return CanaryRecord(**(values | fields))


def recounted(**fields: Any) -> Verdict:
    """A verdict on statistics that agree, of a minute ago."""
    values: dict[str, Any] = {
        "state": "ok",
        "checked_count": 24,
        "waiting_count": 0,
        "last_checked_at": NOW - 60 * SECOND,
        "age_us": 60 * SECOND,
        "drift_count": 0,
    }
    return Verdict(**(values | fields))


def finding(**fields: Any) -> FindingRecord:
    """A finding that is open for a minute; the fields that nobody asks for here are None."""
    values: dict[str, Any] = dict.fromkeys(FindingRecord.__dataclass_fields__)
    return FindingRecord(**(values | {"id": 1, "state": "open", "opened_at": T0} | fields))


def delivery(**fields: Any) -> DeliveryRecord:
    """A call of the webhook that has waited for a second and was not tried yet."""
    values: dict[str, Any] = dict.fromkeys(DeliveryRecord.__dataclass_fields__)
    values |= {"id": 1, "tries": 0, "state": "waiting", "created_at": NOW - SECOND}
    return DeliveryRecord(**(values | fields))


#: Every duty of a service with a collector, a Jaeger and a ping, each well.
DUTIES = {
    one.name: one
    for one in (
        duty("leader"),
        duty("reaper", {"rescued": 3}),
        duty("janitor", {"killed": 0}),
        duty("window", {"removed": 7}),
        duty("sweeper", {"removed": 2}),
        duty("recount", {"checks": 9, "drifts": 0, "rounds": 1}),
        duty("retention", {"tasks": 4}),
        duty("forwarder", {"endpoint": "http://collector", "sent_spans": 12, "failures": 0}),
        duty("look-up", {"seen": 5, "resent": 1, "given_up": 0}),
        duty("metrics", {"sent": 4, "failures": 0}),
        duty("canary"),
        duty(
            "ping",
            {"is_set": True, "accepted_at": NOW - 22 * SECOND, "error": None, "held_by": []},
        ),
        duty("watch", {"scanned_at": NOW - 40 * SECOND, "took_ms": 31, "attempts": 900}),
        duty("webhook", {"is_set": True, "error": None}),
        neighbours(),
    )
}


def facts(*changed: DutyRecord, without: tuple[str, ...] = (), **fields: Any) -> Facts:
    """A service that is well, but for these duties and `fields`."""
    duties = DUTIES | {one.name: one for one in changed}
    values: dict[str, Any] = {
        "now": NOW,
        "waiting": 3,
        "configured": 2,
        "usable": 2,
        "held_by_dead": 0,
        "late": 0,
        "workers": (worker(),),
        "duties": tuple(one for name, one in duties.items() if name not in without),
        "outbox": OUTBOX,
        "outbox_max_bytes": 500_000_000,
        "exports": True,
        "is_traced": True,
        "canaries": (canary(1),),
        "canary_period_us": 600 * SECOND,
        "recount": recounted(),
        "archived": Archived(tasks=40, last_at=NOW - 60 * SECOND),
        "watch_period_us": 120 * SECOND,
        "findings": (),
        "deliveries": Deliveries(is_set=True),
    }
    return Facts(**(values | fields))

"""The list of checks: what is looked at, in the order in which it is told."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.service.checks.check import Check
from app.service.checks.check_backends import backend_checks, neighbours_of, web_check
from app.service.checks.check_duties import duty_checks
from app.service.checks.check_findings import finding_checks
from app.service.checks.check_forwarder import forwarder_check
from app.service.checks.check_metrics import metrics_check
from app.service.checks.check_outbox import outbox_check
from app.service.checks.check_recount import recount_check
from app.service.checks.check_retention import retention_check
from app.service.checks.check_watch import watch_checks
from app.service.checks.check_work import work_checks
from app.service.checks.facts import Facts

#: Area to its checks. `wal` is SQLite's alone; the engines are asked by `voxtrace doctor` only.
AREAS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "data": ("database", "schema", "storage", "disk", "wal", "clock", "search"),
        "work": ("web", "workers", "slots", "deadlines"),
        "duties": (
            "duties",
            "reaper",
            "janitor",
            "window",
            "sweeper",
            "retention",
            "recount",
            "neighbours",
        ),
        "traces": ("forwarder", "outbox", "collector", "jaeger", "look-up", "metrics"),
        "watch": ("canary", "ping", "watch", "findings", "webhook"),
    }
)
#: Those that are told from rows.
OF_ROWS: Final = tuple(name for area, names in AREAS.items() if area != "data" for name in names)


def row_checks(facts: Facts) -> tuple[Check, ...]:
    """The checks that are told from rows."""
    found = neighbours_of(facts)
    made = [
        web_check(facts, found),
        *work_checks(facts),
        *duty_checks(facts),
        forwarder_check(facts, found),
        outbox_check(facts, found),
        *backend_checks(facts, found),
        retention_check(facts),
        recount_check(facts),
        metrics_check(facts),
        *watch_checks(facts),
        *finding_checks(facts),
    ]
    by_name = {check.name: check for check in made}
    return tuple(by_name[name] for name in OF_ROWS)

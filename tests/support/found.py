"""Findings for tests: sightings made from few words, and rows of them."""

from dataclasses import replace
from typing import Any

from app import clock
from app.domain.finding import FindingRecord, Sighting, Told
from app.service.core import Core
from app.service.findings import sightings, webhook
from app.store import findings


def sighting(where: dict[str, str], fingerprint: str | None = None, **fields: Any) -> Sighting:
    """What one scan saw: 40 failures of 50, where 1 was expected."""
    values: dict[str, Any] = {"n": 50, "observed": 40, "expected": 1.0, "lift": 40.0, "q": 1e-9}
    values |= {"onset_at": None, "indistinguishable": ()} | fields
    answer: dict[str, Any] = {
        "where": where,
        "fingerprint": fingerprint,
        **dict.fromkeys(("error_type", "template", "onset", "first_at", "boundary")),
        "p": 1e-12,
        "share": 0.8,
        "baseline": {"n": 900, "failed": 9},
        "indistinguishable": [],
        "exemplars": [],
        "attempts_url": "/attempts",
        "all_attempts_url": "/attempts",
        **{name: values[name] for name in ("n", "observed", "expected", "lift", "q")},
    }
    return Sighting(where=where, fingerprint=fingerprint, **{"answer": answer, **values})


def opened(
    core: Core, where: dict[str, str] | None = None, *, exemplars: Any = (), **fields: Any
) -> FindingRecord:
    """The row of a finding that was opened now, told to a webhook where one is set."""
    one = sighting(where if where is not None else {"worker": "w3"})
    with core.database.write() as conn:
        now = core.database.now_us(conn)
        window = {"from": clock.iso(now - 3_600_000_000), "to": clock.iso(now)}
        seen = replace(one, answer={**one.answer, "window": window, "exemplars": exemplars})
        scan = {"trace_id": "a" * 32, "span_id": "b" * 16}
        row = findings.add(conn, sightings.first(seen, now) | scan | fields)
        assert row is not None
        tell(core, conn, row, "opened")
        return row


def closed(core: Core, row: FindingRecord) -> None:
    """Closes it now, and tells the webhook."""
    with core.database.write() as conn:
        now = core.database.now_us(conn)
        values = {"state": "closed", "closed_at": now, "closed_why": "stopped"}
        after = findings.change(conn, row.id, values)
        assert after is not None
        tell(core, conn, after, "closed")


def tell(core: Core, conn: Any, row: FindingRecord, event: Told) -> None:
    """Has the webhook told."""
    webhook.tell(core, conn, row, event, core.database.now_us(conn))

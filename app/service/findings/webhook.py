"""The webhook: what is told of findings, signed, at least once, in the order in which it happened.

A delivery is written in the transaction of what it tells. It is sent, and noted after that: who is
killed between the two sends it again, with the same `Voxtrace-Id`. The closing of a finding waits
until its opening is taken; where that was given up, nobody is told of the closing.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from app import clock
from app.domain.finding import DeliveryRecord, FindingRecord, Told
from app.logs.logger import logger_of
from app.service import calling
from app.service.core import Core
from app.service.findings.counted import CALLS
from app.service.findings.shapes import shape
from app.store import counts, webhook_deliveries
from app.store.database import Connection

log = logger_of(__name__)

#: Microseconds before the second try; the pause doubles with each, up to the longest.
FIRST_PAUSE_US: Final = 10_000_000
LONGEST_PAUSE_US: Final = 3_600_000_000
#: Microseconds after which a delivery is given up.
GIVE_UP_US: Final = 86_400_000_000
#: Characters of an error that are kept.
_ERROR_CHARS: Final = 400
_UNTOLD: Final = "its opening was never taken"

Outcome = Literal["delivered", "failed", "given_up", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How a try went; `gone`: somebody else had noted the delivery meanwhile."""

    outcome: Outcome
    error: str | None


def tell(core: Core, conn: Connection, row: FindingRecord, event: Told, now: int) -> None:
    """Has the webhook told of a finding, in the transaction of what happened to it.

    Each is told once, and of the end only who was told of the beginning, or will be.
    """
    if core.settings.webhook_url is None:
        return
    before = {one.event: one.state for one in webhook_deliveries.of_finding(conn, row.id)}
    if event in before or (event == "closed" and before.get("opened") in {None, "given_up"}):
        return
    webhook_deliveries.add(
        conn,
        {
            "finding_id": row.id,
            "event": event,
            "created_at": now,
            "next_at": now,
            "state": "waiting",
            "body": body_of(row, event, now, core.settings.public_url),
        },
    )


def body_of(row: FindingRecord, event: Told, now: int, public_url: str | None) -> str:
    """What is sent, as JSON; addresses of ours are paths where it is not known where we are."""
    finding = shape(row, now)
    told: dict[str, Any] = {
        "event": f"finding.{event}",
        "at": clock.iso(now),
        "finding": finding if public_url is None else _absolute(finding, public_url),
    }
    return json.dumps(told, ensure_ascii=False)


def _absolute(told: Any, public_url: str) -> Any:
    """The same with whole addresses for paths."""
    if isinstance(told, list):
        return [_absolute(one, public_url) for one in told]
    if not isinstance(told, dict):
        return told
    return {
        name: f"{public_url}{value}"
        if name.endswith("url") and isinstance(value, str) and value.startswith("/")
        else _absolute(value, public_url)
        for name, value in told.items()
    }


def signature(secret: str, at_s: int, body: bytes) -> str:
    """The header that proves who sends it, and when: HMAC-SHA256 of `<at_s>.<body>` in hex."""
    signed = f"{at_s}.".encode() + body
    made = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={made}"


def send_next(core: Core) -> Tried | None:
    """Sends what is due first; None where nothing is, or no webhook is set.

    No transaction is open while it is sent.
    """
    url, secret = core.settings.webhook_url, core.settings.webhook_secret
    if url is None or secret is None:
        return None
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        due = webhook_deliveries.next_due(conn, now)
    if due is None:
        return None
    body = due.body.encode()
    called = calling.call(
        url, method="POST", body=body, headers=_headers(core, secret, due, now, body)
    )
    return core.database.run(lambda conn: _note(core, conn, due, called))


def _headers(core: Core, secret: str, due: DeliveryRecord, now: int, body: bytes) -> dict[str, str]:
    finding = json.loads(due.body)["finding"]
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": f"voxtrace/{core.settings.release}",
        "Voxtrace-Id": f"{due.finding_id}-{due.event}-{due.created_at}",
        "Voxtrace-Event": f"finding.{due.event}",
        "Voxtrace-Signature": signature(secret, now // 1_000_000, body),
    }
    if finding["trace_id"] is not None:
        headers["traceparent"] = f"00-{finding['trace_id']}-{finding['span_id']}-01"
    return headers


def _note(core: Core, conn: Connection, due: DeliveryRecord, called: calling.Called) -> Tried:
    now = core.database.now_us(conn)
    outcome: Outcome = "failed"
    values: dict[str, Any] = {
        "tries": due.tries + 1,
        "last_status": called.status,
        "last_error": called.error[:_ERROR_CHARS] if called.error is not None else None,
    }
    if called.error is None:
        outcome = "delivered"
        values |= {"state": "delivered", "ended_at": now}
    elif now - due.created_at >= GIVE_UP_US:
        outcome = "given_up"
        values |= {"state": "given_up", "ended_at": now}
    else:
        values |= {"next_at": now + pause_us(due.tries + 1)}
    if not webhook_deliveries.change(conn, due.id, values):
        return Tried(outcome="gone", error=None)
    counts.add(conn, CALLS[outcome])
    if outcome == "given_up":
        _give_up_closing(conn, due, now)
    return Tried(outcome=outcome, error=called.error)


def _give_up_closing(conn: Connection, due: DeliveryRecord, now: int) -> None:
    """Of a finding whose opening nobody took, nobody is told that it is closed."""
    for one in webhook_deliveries.of_finding(conn, due.finding_id):
        if one.id > due.id and one.state == "waiting":
            values = {"state": "given_up", "ended_at": now, "last_error": _UNTOLD}
            if webhook_deliveries.change(conn, one.id, values):
                counts.add(conn, CALLS["given_up"])


def pause_us(tries: int) -> int:
    """The pause after so many tries: 10 s, 20 s, 40 s … an hour."""
    return min(LONGEST_PAUSE_US, FIRST_PAUSE_US << min(tries - 1, 20))

"""The webhook: signed, at least once, in order, and its address and secret never told."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app import clock
from app.domain.finding import DeliveryRecord
from app.duties.webhook import IDLE_S, ROUND_S, Webhook
from app.service import public_settings
from app.service.core import Core
from app.service.findings import webhook
from app.service.retention import records
from app.store import attempt_ends, counts, findings, webhook_deliveries
from tests.support import found
from tests.support.home import Home
from tests.support.hook_place import Call, HookPlace
from tests.support.statements import plan, recorded

SECRET = "0123456789abcdef-secret"  # noqa: S105 - of tests
HOUR_US = 3_600_000_000
PAGE = Path(__file__).parents[2] / "docs" / "findings.md"


@pytest.fixture
def place() -> Iterator[HookPlace]:
    """A place that answers 200."""
    with HookPlace() as made:
        yield made


def _core(home: Home, place: HookPlace) -> Core:
    home.environ |= {"VOXTRACE_WEBHOOK_URL": place.url, "VOXTRACE_WEBHOOK_SECRET": SECRET}
    return home.core


def _deliveries(core: Core, finding_id: int) -> list[DeliveryRecord]:
    with core.database.read() as conn:
        return webhook_deliveries.of_finding(conn, finding_id)


def _make_due(core: Core, created_ago_us: int = 0) -> None:
    """What waits is due now, and as old as that."""
    with core.database.write() as conn:
        now = core.database.now_us(conn)
        conn.execute(
            text("UPDATE webhook_delivery SET next_at = :now, created_at = created_at - :ago"),
            {"now": now, "ago": created_ago_us},
        )


def _is_signed(call: Call) -> bool:
    said = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", call.headers["voxtrace-signature"])
    assert said is not None
    at, made = said.groups()
    assert abs(int(at) - clock.now_us() // 1_000_000) < 60
    wanted = hmac.new(SECRET.encode(), f"{at}.".encode() + call.body, hashlib.sha256)
    return hmac.compare_digest(wanted.hexdigest(), made)


def test_it_is_told_when_a_finding_opens_and_closes(any_home: Home, place: HookPlace) -> None:
    """Both with the whole finding, signed, in order; then nothing waits."""
    core = _core(any_home, place)
    row = found.opened(core)
    found.closed(core, row)
    duty = Webhook(core)
    assert duty.step() < ROUND_S
    assert duty.step() < ROUND_S
    assert duty.step() == ROUND_S
    first, second = place.calls
    assert [one.told["event"] for one in place.calls] == ["finding.opened", "finding.closed"]
    assert first.told["finding"]["state"] == "open"
    assert second.told["finding"]["closed_why"] == "stopped"
    assert second.told["finding"]["where"] == {"worker": "w3"}
    assert first.headers["traceparent"] == f"00-{'a' * 32}-{'b' * 16}-01"
    assert first.headers["content-type"].startswith("application/json")
    assert _is_signed(first)
    assert _is_signed(second)
    assert first.headers["voxtrace-id"] != second.headers["voxtrace-id"]
    assert {one.state for one in _deliveries(core, row.id)} == {"delivered"}
    with core.database.read() as conn:
        assert webhook_deliveries.waiting(conn).n == 0
        assert counts.every(conn)["webhook.delivered"] == 2


def test_it_is_tried_again_and_the_closing_waits(any_home: Home, place: HookPlace) -> None:
    """A refused opening is tried again after a pause; its closing is not sent before."""
    core = _core(any_home, place)
    place.script.extend([503, 301, 0])
    row = found.opened(core)
    found.closed(core, row)
    errors = []
    for tries in (1, 2, 3):
        tried = webhook.send_next(core)
        assert tried is not None
        errors.append(tried.error)
        assert webhook.send_next(core) is None, "nothing else is due"
        first, last = _deliveries(core, row.id)
        assert (first.tries, first.state, last.tries) == (tries, "waiting", 0)
        assert first.next_at - clock.now_us() > webhook.pause_us(tries) - 60_000_000
        _make_due(core)
    assert errors[0] == "it answers 503 Service Unavailable"
    assert str(errors[1]).startswith("it answers 301, a redirect")
    assert str(errors[2]).startswith("no answer: ")
    assert webhook.send_next(core) is not None
    assert webhook.send_next(core) is not None
    events = [one.told["event"] for one in place.calls]
    assert events == ["finding.opened"] * 4 + ["finding.closed"]
    assert len({one.headers["voxtrace-id"] for one in place.calls}) == 2


def test_another_finding_does_not_wait(home: Home, place: HookPlace) -> None:
    """What one finding's refused call holds up is told of that finding only."""
    core = _core(home, place)
    place.script.append(500)
    one = found.opened(core)
    found.closed(core, one)
    other = found.opened(core, {"worker": "w4"})
    webhook.send_next(core)
    webhook.send_next(core)
    assert webhook.send_next(core) is None
    assert [call.told["finding"]["id"] for call in place.calls] == [one.id, other.id]


def test_it_is_given_up_after_a_day(home: Home, place: HookPlace) -> None:
    """Then nobody is told of the closing either, and the counts say so."""
    core = _core(home, place)
    place.script.append(500)
    row = found.opened(core)
    found.closed(core, row)
    _make_due(core, created_ago_us=24 * HOUR_US)
    tried = webhook.send_next(core)
    assert tried is not None
    assert tried.outcome == "given_up"
    assert webhook.send_next(core) is None
    assert [one.state for one in _deliveries(core, row.id)] == ["given_up", "given_up"]
    with core.database.read() as conn:
        assert counts.every(conn)["webhook.given_up"] == 2


#: What is asked all the time, and the index that its docstring names.
ASKED: tuple[tuple[Callable[[Connection], object], str], ...] = (
    (lambda conn: webhook_deliveries.next_due(conn, 1), "ix_webhook_delivery_waiting"),
    (lambda conn: webhook_deliveries.next_due(conn, 1), "ix_webhook_delivery_finding"),
    (webhook_deliveries.waiting, "ix_webhook_delivery_waiting"),
    (webhook_deliveries.oldest_waiting, "ix_webhook_delivery_waiting"),
    (lambda conn: webhook_deliveries.of_finding(conn, 1), "ix_webhook_delivery_finding"),
    (findings.open_ones, "ux_finding_open"),
    (findings.count_open, "ux_finding_open"),
    (lambda conn: findings.closed_since(conn, 1), "ix_finding_closed"),
    (lambda conn: attempt_ends.between(conn, 1, 2), "ix_task_attempt_ended"),
    (lambda conn: attempt_ends.between(conn, 1, 2), "SEARCH stat_profile USING COVERING INDEX"),
)


def test_what_is_asked_all_the_time_uses_its_index(home: Home) -> None:
    """The web asks each second, the duty too, whatever was told before."""
    with home.core.database.read() as conn:
        for ask, index in ASKED:
            with recorded(conn.engine) as seen:
                ask(conn)
            [(sql, values)] = [one for one in seen if one[0].startswith("SELECT")]
            assert index in " ".join(plan(conn, sql, values)), sql


def test_pauses_grow_from_ten_seconds_to_an_hour() -> None:
    """Each is twice the one before."""
    pauses = [webhook.pause_us(tries) // 1_000_000 for tries in (1, 2, 3, 9, 10, 99)]
    assert pauses == [10, 20, 40, 2560, 3600, 3600]


def test_nothing_is_kept_for_a_webhook_that_is_not_set(home: Home) -> None:
    """Who sets one later is told of what opens from then on."""
    row = found.opened(home.core)
    assert _deliveries(home.core, row.id) == []
    assert Webhook(home.core).step() == IDLE_S


def test_address_and_secret_are_never_told(
    home: Home, place: HookPlace, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in the duty's row, its lines, the delivery's row, or the public settings."""
    core = _core(home, place)
    place.script.append(404)
    row = found.opened(core)
    duty = Webhook(core)
    duty.step()
    told = duty.state() + str(_deliveries(core, row.id))
    told += str(public_settings.of(core))
    told += "".join(one.getMessage() for one in caplog.records if one.name.startswith("app."))
    assert json.loads(duty.state())["error"] == "it answers 404 Not Found"
    assert "secret-key" not in told
    assert SECRET not in told


def test_killed_between_sending_and_noting_it_sends_again(home: Home, place: HookPlace) -> None:
    """The duties are SIGKILLed while the receiver has the call and has not answered it."""
    core = _core(home, place)
    place.hold()
    row = found.opened(core)
    duties = home.start_duties(VOXTRACE_WATCH_EVERY_S="3600")  # who watches not closes it
    [first] = place.until_called(1)
    duties.kill()
    place.release()
    assert [one.state for one in _deliveries(core, row.id)] == ["waiting"]
    Webhook(core).step()  # of whoever leads next
    again = place.until_called(2)[1]
    assert again.headers["voxtrace-id"] == first.headers["voxtrace-id"]
    assert again.body == first.body
    assert [one.state for one in _deliveries(core, row.id)] == ["delivered"]


def test_the_documented_receiver_believes_us_and_nobody_else(home: Home, place: HookPlace) -> None:
    """The snippet of docs/findings.md takes what we send, and nothing forged, altered or old."""
    core = _core(home, place)
    found.opened(core)
    webhook.send_next(core)
    [call] = place.calls
    [snippet] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102 - what the page tells people to run
    is_ours = names["is_ours"]
    header = call.headers["voxtrace-signature"]
    assert is_ours(SECRET, header, call.body)
    assert not is_ours("another secret of the same", header, call.body)
    assert not is_ours(SECRET, header, call.body + b" ")
    old = webhook.signature(SECRET, clock.now_us() // 1_000_000 - 600, call.body)
    assert not is_ours(SECRET, old, call.body)
    assert not is_ours(SECRET, "nonsense", call.body)


def test_what_was_told_of_an_open_finding_is_kept(home: Home, place: HookPlace) -> None:
    """However old it is: who was told that it opened is told that it closed."""
    core = _core(home, place)
    row = found.opened(core)
    assert webhook.send_next(core) is not None
    with core.database.write() as conn:
        conn.execute(text("UPDATE webhook_delivery SET created_at = 1, ended_at = 1"))
    assert records.sweep(core) == 0
    found.closed(core, row)
    assert webhook.send_next(core) is not None
    assert [one.told["event"] for one in place.calls] == ["finding.opened", "finding.closed"]
    assert records.sweep(core) == 1


def test_addresses_are_whole_where_it_is_known_where_we_are(home: Home, place: HookPlace) -> None:
    """Every path of ours in it, however deep; others stay."""
    home.environ["VOXTRACE_PUBLIC_URL"] = "https://voxtrace.example/base/"
    core = _core(home, place)
    twin = {"url": "/tasks/2", "jaeger_url": "http://jaeger/trace/2"}
    one = {"url": "/tasks/1", "compare_url": None, "success": twin}
    found.opened(core, exemplars=[one])
    webhook.send_next(core)
    told = place.calls[0].told["finding"]
    here = "https://voxtrace.example/base"
    assert told["attempts_url"] == f"{here}/attempts"
    assert told["url"].startswith(f"{here}/api/v1/findings/")
    assert told["correlate_url"].startswith(f"{here}/correlate?")
    assert told["exemplars"][0]["url"] == f"{here}/tasks/1"
    assert told["exemplars"][0]["success"] == {**twin, "url": f"{here}/tasks/2"}


def test_who_was_not_told_of_the_opening_is_not_told_of_the_closing(
    home: Home, place: HookPlace
) -> None:
    """It was given up long before the end; and nobody is told of anything twice."""
    core = _core(home, place)
    place.script.append(500)
    row = found.opened(core)
    _make_due(core, created_ago_us=24 * HOUR_US)
    webhook.send_next(core)
    found.closed(core, row)
    assert [one.event for one in _deliveries(core, row.id)] == ["opened"]
    other = found.opened(core, {"worker": "w4"})
    with core.database.write() as conn:
        found.tell(core, conn, other, "opened")
    assert [one.event for one in _deliveries(core, other.id)] == ["opened"]

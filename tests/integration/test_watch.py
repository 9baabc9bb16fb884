"""The watch: findings open with what fails now, last while it does, and close when it is over."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from app.domain.finding import FindingRecord
from app.duties.watch import WatchDuty
from app.service import leader
from app.service.core import Core
from app.service.findings import watch
from app.service.findings.watch import Scanned
from app.store import counts, findings, webhook_deliveries
from telemetry import codec, names
from tests.support import recent
from tests.support.home import Home
from tests.support.hook_place import HookPlace
from tests.support.recent import MINUTE_US, SECOND_US, now_us, traffic

GROUP, OTHER = "v2:00000000000000aa", "v2:00000000000000bb"
W3_AMY = {"worker": "w3", "voice": "amy"}
QUIET_US = 10 * SECOND_US


def _scan(core: Core) -> Scanned:
    return watch.scan(core, quiet_us=QUIET_US)


def _open(core: Core) -> list[FindingRecord]:
    with core.database.read() as conn:
        return findings.open_ones(conn)


def _begin(core: Core) -> int:
    """A past of three days in which a few of all fail; the moment now."""
    recent.begin(core)
    now = now_us(core)
    past = now - 60 * MINUTE_US
    rows = traffic(past - 3000 * MINUTE_US, past, every_us=4 * MINUTE_US)
    for place in range(0, len(rows), 40):
        rows[place] |= {"failed": OTHER}
    recent.put(core, rows)
    return now


def test_a_finding_lasts_while_its_failures_do(any_home: Home) -> None:
    """Opened by the first scan that sees it, one row however often it is seen, then closed.

    The old failures of the hour neither keep it open nor open it again; new ones do.
    """
    core = any_home.core
    now = _begin(core)
    recent.put(core, traffic(now - 60 * MINUTE_US, now - 20 * MINUTE_US, every_us=9 * SECOND_US))
    assert _scan(core).opened == []
    failing = traffic(
        now - 20 * MINUTE_US, now - 2 * MINUTE_US, every_us=6 * SECOND_US, failed=GROUP, **W3_AMY
    )
    recent.put(core, failing)
    [row] = _scan(core).opened
    assert row.where == W3_AMY
    assert row.fingerprint in {None, GROUP}
    assert row.observed == sum("failed" in one for one in failing)
    assert row.onset_at is not None
    assert abs(row.onset_at - (now - 20 * MINUTE_US)) < MINUTE_US
    again = _scan(core)
    assert (again.opened, again.closed) == ([], [])
    assert [(one.id, one.misses) for one in _open(core)] == [(row.id, 0)]
    recent.put(core, traffic(now - 2 * MINUTE_US, now, every_us=SECOND_US))
    [over] = _scan(core).closed
    assert (over.id, over.closed_why) == (row.id, "stopped")
    assert _open(core) == []
    after = _scan(core)
    assert after.seen, "the hour still has its failures"
    assert after.opened == []
    since = over.closed_at or 0
    recent.put(core, traffic(since, now_us(core), every_us=500, failed=GROUP, **W3_AMY))
    [new] = _scan(core).opened
    assert new.id != row.id
    with core.database.read() as conn:
        assert counts.every(conn)["findings_opened"] == 2


def test_what_two_scans_do_not_see_is_closed(home: Home) -> None:
    """Its rows are gone, and nothing ran since that could say more."""
    core = home.core
    now = _begin(core)
    rows = traffic(now - 20 * MINUTE_US, now, every_us=6 * SECOND_US, failed=GROUP, worker="w3")
    recent.put(core, rows)
    [row] = _scan(core).opened
    with core.database.write() as conn:
        conn.execute(text("UPDATE task_attempt SET finished_at = finished_at - 7200000000"))
    assert _scan(core).closed == []
    assert [one.misses for one in _open(core)] == [1]
    [over] = _scan(core).closed
    assert (over.id, over.closed_why) == (row.id, "unseen")


def test_a_new_release_ends_what_the_old_one_began(home: Home) -> None:
    """Nothing runs with the bad release any more; that its worker fares well says it is over."""
    core = home.core
    now = _begin(core)
    recent.put(core, traffic(now - 60 * MINUTE_US, now - 20 * MINUTE_US, every_us=9 * SECOND_US))
    bad = traffic(
        now - 20 * MINUTE_US, now - 2 * MINUTE_US, every_us=6 * SECOND_US, failed=GROUP, worker="w3"
    )
    recent.put(core, [one | ({"release": "1.4.2"} if one["worker"] == "w3" else {}) for one in bad])
    [row] = _scan(core).opened
    good = traffic(now - 2 * MINUTE_US, now, every_us=SECOND_US)
    others = [one for one in good if one["worker"] != "w3"]
    recent.put(core, others)
    assert _scan(core).closed == [], "others fare well, as they always did"
    recent.put(core, [one | {"release": "1.4.3"} for one in good if one["worker"] == "w3"])
    assert [one.id for one in _scan(core).closed] == [row.id]


def test_a_rise_of_everything_is_a_finding(home: Home) -> None:
    """Its predicate is empty, and it says so in words."""
    core = home.core
    now = _begin(core)
    rows = traffic(now - 50 * MINUTE_US, now, every_us=5 * SECOND_US)
    recent.put(
        core, [row | ({"failed": GROUP} if at % 7 == 0 else {}) for at, row in enumerate(rows)]
    )
    [row] = _scan(core).opened
    assert row.where == {}
    assert "rose everywhere" in json.loads(row.answer)["words_en"]


def test_nothing_opens_where_nothing_stands_out(home: Home) -> None:
    """Failures spread as before are no finding; nor is an empty hour."""
    core = home.core
    recent.begin(core)
    assert _scan(core).opened == []
    now = now_us(core)
    rows = traffic(now - 3000 * MINUTE_US, now, every_us=2 * MINUTE_US)
    recent.put(
        core, [row | ({"failed": OTHER} if at % 13 == 0 else {}) for at, row in enumerate(rows)]
    )
    found = _scan(core)
    assert 29 <= found.attempts <= 30
    assert found.opened == []


def test_the_scan_is_a_span_that_is_linked_to_what_it_shows(home: Home) -> None:
    """Its numbers are on it; the finding that it opened names it; it waits in the outbox."""
    core = home.core
    now = _begin(core)
    recent.put(
        core, traffic(now - 20 * MINUTE_US, now, every_us=6 * SECOND_US, failed=GROUP, **W3_AMY)
    )
    [row] = _scan(core).opened
    with core.database.read() as conn:
        payloads = conn.execute(text("SELECT payload FROM span_outbox")).scalars()
        [span] = [one for payload in payloads for one in codec.decode(payload)]
    assert (span.name, span.service) == (names.SPAN_WATCH, names.SERVICE_DUTIES)
    assert (span.trace_id, span.span_id) == (row.trace_id, row.span_id)
    assert span.attributes[names.CORRELATE_ATTEMPTS] == 200
    assert span.attributes[names.CORRELATE_SELECTED] == row.observed
    assert span.attributes[names.FINDINGS_OPENED] == 1
    shown = json.loads(row.answer)["exemplars"]
    assert len(shown) == 5
    linked = {(link.trace_id, link.span_id) for link in span.links}
    assert linked == {(one["trace_id"], one["span_id"]) for one in shown}


def test_two_leaders_that_scan_at_once_open_one_finding(any_home: Home) -> None:
    """The second writes when the first has: it fails at nothing, and writes nothing."""
    core = any_home.core
    now = _begin(core)
    rows = traffic(now - 20 * MINUTE_US, now, every_us=6 * SECOND_US, failed=GROUP, **W3_AMY)
    recent.put(core, rows)
    together = threading.Barrier(2, timeout=60)
    scans = [watch.read(core, quiet_us=QUIET_US) for _ in range(2)]

    def write(scan: watch.Read) -> Scanned:
        together.wait()
        return watch.write(core, scan)

    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(write, scans))
    assert sorted(len(one.opened) for one in done) == [0, 1]
    [row] = _open(core)
    assert row.where == W3_AMY
    with core.database.write() as conn:
        values = {"key": row.key, "state": "open", "predicate": "{}", "answer": "{}"}
        numbers = dict.fromkeys(("opened_at", "updated_at", "seen_at", "observed", "expected",
                                 "n", "lift", "q"), 1)  # fmt: skip
        assert findings.add(conn, values | numbers) is None


@pytest.fixture
def told(home: Home) -> Iterator[HookPlace]:
    """A home with a webhook."""
    with HookPlace() as place:
        home.environ |= {
            "VOXTRACE_WEBHOOK_URL": place.url,
            "VOXTRACE_WEBHOOK_SECRET": "0123456789abcdef",
            "VOXTRACE_WATCH_EVERY_S": "60",
        }
        yield place


@pytest.mark.usefixtures("told")
def test_opening_and_closing_are_told_in_their_transaction(home: Home) -> None:
    """A delivery for each, written with the row; turning the watch off closes what is open."""
    core = home.core
    now = _begin(core)
    recent.put(
        core, traffic(now - 20 * MINUTE_US, now, every_us=6 * SECOND_US, failed=GROUP, **W3_AMY)
    )
    [row] = _scan(core).opened
    assert watch.close_all(core) == 1
    with core.database.read() as conn:
        told = webhook_deliveries.of_finding(conn, row.id)
        closed = findings.get(conn, row.id)
    assert [one.event for one in told] == ["opened", "closed"]
    assert closed is not None
    assert closed.closed_why == "off"
    said = json.loads(told[0].body)["finding"]
    assert said["where"] == W3_AMY
    assert "worker w3" in said["words_en"]
    assert "w3" in said["words_zh"]
    assert len(said["exemplars"]) == 5


@pytest.mark.usefixtures("told")
def test_a_new_leader_keeps_the_pace(home: Home) -> None:
    """Its first scan is when the last leader's next would have been; its row tells the last one."""
    core = home.core
    recent.begin(core)
    first = WatchDuty(core)
    assert first.step() == 20.0
    state = {"scanned_at": now_us(core) - 61 * SECOND_US, "took_ms": 3}
    leader.note_success(core, first.name, "h/1/x", json.dumps(state))
    second = WatchDuty(core)
    second.step()
    scanned_at = json.loads(second.state())["scanned_at"]
    assert now_us(core) - scanned_at < 10 * SECOND_US
    assert second.step() == 30.0
    leader.note_success(core, first.name, "h/1/x", second.state())
    third = WatchDuty(core)
    assert third.step() == 20.0
    assert json.loads(third.state())["scanned_at"] == scanned_at


def test_waits_and_one_broken_text_are_silence(home: Home) -> None:
    """Waits for capacity count nowhere; a text that fails each time counts once."""
    core = home.core
    now = _begin(core)
    start = now - 40 * MINUTE_US
    recent.put(core, traffic(start, now, every_us=9 * SECOND_US))
    waits = traffic(start, now, every_us=9 * SECOND_US)
    recent.put(core, [row | {"outcome": "capacity"} for row in waits if row["worker"] == "w3"])
    tries = [{"at": start + n * MINUTE_US, "worker": "w2", "failed": GROUP} for n in range(30)]
    recent.put(core, [row | {"is_repeat": n > 0} for n, row in enumerate(tries)])
    found = _scan(core)
    assert found.selected == 1
    assert found.opened == []

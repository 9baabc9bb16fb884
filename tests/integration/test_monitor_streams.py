"""Monitors that are open: one thread of a web process reads for all of them, and says the truth."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.service import cancel, shared_monitor, watch
from app.service.retention.prune import prune
from app.service.retention.rules import rules_before
from app.service.shared_monitor import monitor_glance
from app.web import frame, state, streams
from tests.support.aged_rows import age
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.server_events import events_of
from tests.support.service import claimed, run, spoken, start_worker, submitted
from tests.support.wait import wait_until

_PATH = "/api/v1/monitor/stream"
#: Changes that every monitor is told while it is counted who reads.
_CHANGES = 5


class Monitor:
    """A monitor that is open, read by a thread of its own."""

    def __init__(self, client: DocumentedClient) -> None:
        self.told: list[dict[str, Any]] = []
        self.seen = ""
        self._response = client.application.test_client().get(_PATH)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for one in events_of(self._response):
            if one["event"] == "monitor":
                self.seen = one["id"]
                self.told.append(one["data"])

    def has_seen(self, total: int) -> bool:
        """Whether it was told of so many texts."""
        return bool(self.told) and self.told[-1]["stats"]["total"] == total

    def close(self) -> None:
        """Waits for the end of the stream, which the watcher's stop brings."""
        self._thread.join(20)
        self._response.close()


@contextmanager
def _monitors(home: Home, n: int) -> Iterator[tuple[DocumentedClient, list[Monitor]]]:
    """A web process with so many monitors open, each of which was told the present state."""
    with web_client(home.settings) as client:
        found = state.of(client.application)
        opened = [Monitor(client) for _ in range(n)]
        wait_until(lambda: all(one.told for one in opened), 20, what="all are told the present")
        yield client, opened
        found.watcher.stop()
        for one in opened:
            one.close()


@contextmanager
def _readers(*clients: DocumentedClient) -> Iterator[Counter[tuple[str, bool]]]:
    """Statements that web processes send, by thread, and whether they read what a monitor shows."""
    seen: Counter[tuple[str, bool]] = Counter()
    engines = [_engine(client) for client in clients]

    def note(_conn: object, _cursor: object, sql: str, *_: object) -> None:
        seen[threading.current_thread().name, "FROM canary" in sql] += 1

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def _engine(client: DocumentedClient) -> Engine:
    with state.of(client.application).core.database.read() as conn:
        return conn.engine


@pytest.mark.parametrize("n", [1, 25])
def test_monitors_are_read_for_once_however_many(
    home: Home, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    """The same bound for 1 and for 25: one look a period, by one thread; no stream asks itself."""
    monkeypatch.setattr(shared_monitor, "MONITOR_S", 0.2)
    monkeypatch.setattr(watch, "LOOK_S", 0.05)
    with _monitors(home, n) as (client, opened):
        begun_s = time.monotonic()
        with _readers(client) as seen:
            for number in range(1, _CHANGES + 1):
                submitted(home.core, f"Text {number}.")
                wait_until(lambda: all(one.has_seen(number) for one in opened), 20)  # noqa: B023
            took_s = time.monotonic() - begun_s
            looks = seen["watcher", True]
        assert {name for name, _ in seen} == {"watcher"}
        assert _CHANGES <= looks <= took_s / shared_monitor.MONITOR_S + 1


@pytest.mark.parametrize("n", [1, 10])
def test_pages_share_what_was_read_for_their_streams(
    home: Home, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    """A change is read once for all pages of a process, and once by another that they come to."""
    monkeypatch.setattr(shared_monitor, "MOVING_US", 3_600_000_000)
    monkeypatch.setattr(shared_monitor, "MONITOR_S", 0.2)
    with _monitors(home, n) as (pages, opened), web_client(home.settings) as other:
        with _readers(pages, other) as reads:
            for number in range(1, _CHANGES + 1):
                submitted(home.core, f"Text {number}.")
                wait_until(lambda: all(one.has_seen(number) for one in opened), 20)  # noqa: B023
                for one in opened:
                    told = {frame.SEEN_HEADER: one.seen}
                    drawn = [client.get("/monitor", headers=told).text for client in (pages, other)]
                    assert all(f'data-flash="{number}">{number}<' in page for page in drawn)
        assert 1 <= reads[threading.current_thread().name, True] <= _CHANGES


def test_page_of_a_person_is_read_for_it(home: Home) -> None:
    """Who comes to a page, or comes back after doing something, sees what is at that moment."""
    with web_client(home.settings) as client:
        submitted(home.core, "One.")
        page = client.get("/monitor").text
        assert 'data-flash="1">1<' in page
        seen = re.search(r'data-seen="([^"]+)"', page)
        assert seen is not None
        submitted(home.core, "Two.")
        told = {frame.SEEN_HEADER: seen[1]}
        assert 'data-flash="1">1<' in client.get("/monitor", headers=told).text
        assert 'data-flash="2">2<' in client.get("/monitor").text


def test_version_changes_with_what_is_seen_not_with_the_clock(home: Home) -> None:
    """Where nothing waits or runs, time alone makes no new version; what waits ages in steps."""
    with web_client(home.settings) as client:
        found = state.of(client.application).watcher.monitor
        view = found.fresh().view
        later = replace(view, now=view.now + 3_600_000_000, checks=())
        quiet = replace(view, checks=())
        assert view.outbox is not None
        kept = replace(quiet, outbox=replace(view.outbox, pending=3))
        for now_us, exports in ((kept.now, False), (kept.now + 60_000_000, True)):
            aged = replace(kept, now=now_us + 5_000_000, exports=exports)
            same = replace(kept, now=now_us, exports=exports)
            is_same = monitor_glance(aged).version == monitor_glance(same).version
            assert is_same is not exports  # what is on its way ages, what is kept does not
        assert monitor_glance(quiet).version == monitor_glance(later).version
        submitted(home.core, "Waits.")
        waits = replace(found.fresh().view, checks=())
        assert monitor_glance(waits).version != monitor_glance(quiet).version
        later = replace(waits, now=waits.now + 5_000_000)
        assert monitor_glance(waits).version != monitor_glance(later).version


def test_stream_of_what_rests_tells_that_it_was_looked(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without news a stream says when it was last looked, and how old each sign of life is then."""
    monkeypatch.setattr(shared_monitor, "UNWELL_US", 3_600_000_000)
    monkeypatch.setattr(shared_monitor, "MONITOR_S", 0.1)
    monkeypatch.setattr(watch, "LOOK_S", 0.05)
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.3)
    worker = start_worker(home.core)
    with web_client(home.settings) as client:
        response = client.application.test_client().get(_PATH)
        events = events_of(response)
        first, *others = (next(events) for _ in range(4))
        response.close()
    assert [one["event"] for one in others] == ["alive"] * 3
    moments = [one["data"]["now"] for one in others]
    assert [first["data"]["as_of"], *moments] == sorted({first["data"]["as_of"], *moments})
    assert set(others[0]["data"]["ages_s"]) == {f"worker:{worker}"}
    assert first["id"].split("@")[0] == others[-1]["data"]["seen"].split("@")[0]


def test_monitors_beyond_half_of_the_threads_are_read_for_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that must call again every 2 s get what was seen within a period."""
    monkeypatch.setattr(shared_monitor, "MONITOR_S", 60)
    with web_client(home.settings) as client:
        found = state.of(client.application)
        while found.holds.take_stream():
            pass
        with _readers(client) as seen:
            answers = [client.get(_PATH, buffered=True).text for _ in range(20)]
    assert sum(n for (_, is_monitor), n in seen.items() if is_monitor) == 1
    assert {text.count("data:") for text in answers} == {1}
    assert len(set(answers)) == 1


def test_monitor_tells_the_statistics_of_its_moment(home: Home) -> None:
    """What a stream tells at rest is what the statistics say, archived tasks included."""
    core = home.core
    spoken(core, "Removed long ago.")
    age(core, 91)
    with core.database.read() as conn:
        rules = rules_before({"completed": core.database.now_us(conn) - 90 * 86_400_000_000})
    assert prune(core, rules, keeps_unsent=False, on_step=lambda _step: None).total.tasks == 1
    spoken(core, "Spoken.")
    spoken(core, "@fail permanent no", engine="scripted")
    cancel.cancel_text(core, submitted(core, "Taken back.").text.id)
    submitted(core, "Runs.")
    running = claimed(core, start_worker(core))
    submitted(core, "Waits.")
    with web_client(home.settings) as client:
        response = client.get(_PATH)
        told = next(events_of(response))["data"]["stats"]
        response.close()
        statistics = client.get("/api/v1/stats").get_json()
        legacy = client.get("/api/monitor/stats").get_json()
    found = {status: told["tasks_by_status"].get(status, 0) for status in statistics["by_status"]}
    assert found == statistics["by_status"]
    assert sum(found.values()) == statistics["total"] == 6
    assert (statistics["archived"], found["completed"], told["total"]) == (1, 2, 5)
    assert told["texts_by_state"] == legacy["by_state"]
    assert told["total"] == legacy["total_tasks"]
    assert (found["pending"], found["processing"]) == (1, 1)
    run(core, running)

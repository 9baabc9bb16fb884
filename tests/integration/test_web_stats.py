"""GET /api/v1/stats and its series, and `voxtrace stats`: real work, counted and named."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.service import cancel
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.service import spoken, start_worker, submitted


@pytest.fixture
def client(any_home: Home) -> Iterator[DocumentedClient]:
    """A client of the application, whose answers are held against the OpenAPI document."""
    with web_client(any_home.settings) as made:
        yield made


def _get(client: DocumentedClient, path: str, **query: str) -> Any:
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def _work(home: Home) -> None:
    """One completed, one failed, one cancelled, one that waits, a follower, one skipped."""
    core = home.core
    start_worker(core)
    spoken(core, "One.")
    spoken(core, "@fail permanent\nTwo.", engine="scripted")
    spoken(core, "A canary.", source="canary")
    cancelled = submitted(core, "Three.")
    cancel.cancel_task(core, cancelled.task.id, everyone=True)
    submitted(core, "It waits.")
    submitted(core, "It waits.")
    submitted(core, "One.")


def test_all_time_counts_every_task_once(any_home: Home, client: DocumentedClient) -> None:
    """Each status, canaries left out; total is the sum; savings name followers and the skipped."""
    empty = _get(client, "/api/v1/stats")
    assert (empty["total"], empty["finished_ratio"], empty["latency"]["run"]) == (0, None, None)
    _work(any_home)
    told = _get(client, "/api/v1/stats")
    assert told["by_status"] == {
        "pending": 1,
        "processing": 0,
        "completed": 1,
        "failed": 1,
        "timeout": 0,
        "cancelled": 1,
    }
    assert told["total"] == sum(told["by_status"].values())
    assert told["finished_ratio"] == 0.5
    assert told["query"] == ""
    assert {name: one["count"] for name, one in told["savings"].items()} == {
        "new": 4,
        "followed": 1,
        "skipped": 1,
    }
    assert told["savings"]["skipped"]["characters"] == len("One.")
    assert told["savings"]["skipped"]["audio_ms"] == told["audio_ms"] > 0
    assert told["latency"]["total"]["p50_ms"] == pytest.approx(
        told["latency"]["total"]["mean_ms"], rel=0.011, abs=0.6
    )


def test_window_that_reaches_now_has_what_lives(any_home: Home, client: DocumentedClient) -> None:
    """From an hour ago: everything; before that hour: nothing, and what lives is not in it."""
    _work(any_home)
    now = _get(client, "/api/v1/stats", **{"from": "1h", "exact": "1"})
    assert (now["total"], now["by_status"]["pending"]) == (4, 1)
    assert now["query"].startswith("ended:>=")
    assert now["latency"]["run"]["is_exact"] is True
    assert isinstance(now["latency"]["run"]["p95_ms"], int)
    before = _get(client, "/api/v1/stats", to="1h")
    assert before["total"] == 0
    assert before["query"].startswith("ended:1970-01-01..")


def test_groups_open_their_own_rows(any_home: Home, client: DocumentedClient) -> None:
    """By engine: the parts add up to the whole; each names a filter of its own."""
    _work(any_home)
    told = _get(client, "/api/v1/stats", by="engine", query="-status:pending")
    assert [(one["value"], one["total"]) for one in told["groups"]] == [
        ("tone", 2),
        ("scripted", 1),
    ]
    assert told["total"] == 3
    assert told["groups"][1]["query"] == "engine:scripted -status:pending"
    assert told["savings"] is None


@pytest.mark.parametrize(
    "query", ["engine:tone,scripted " * 50, "status:failed,completed voice:-," + "a," * 478 + "b"]
)
def test_longest_filter_opens_its_rows(
    any_home: Home, client: DocumentedClient, query: str
) -> None:
    """As many terms and characters as may be typed: what the window and groups add opens, too."""
    _work(any_home)
    query = query.replace("voice:-,", "-voice:").strip()
    assert len(query.split()) == 50 or len(query) > 980
    found = _get(client, "/api/v1/stats", query=query, by="voice", **{"from": "1h"})
    assert found["groups"]
    for told in (found, *found["groups"]):
        rows = _get(client, "/api/v1/tasks", query=told["query"], count="1")
        assert rows["count"]["n"] == told["total"] > 0


def test_series_has_a_point_for_each_hour(any_home: Home, client: DocumentedClient) -> None:
    """Oldest first, empty ones included; the last one has what ended in this hour."""
    _work(any_home)
    told = _get(client, "/api/v1/stats/series", **{"from": "3h", "by": "engine"})
    assert told["step"] == "hour"
    assert len(told["points"]) == 4
    starts = [datetime.fromisoformat(point["start"]) for point in told["points"]]
    assert starts == sorted(starts)
    assert all(at.minute == 0 and at.tzinfo == UTC for at in starts)
    ended = [point["total"] for point in told["points"]]
    assert sum(ended) == 3
    assert (
        told["points"][-1]["savings"]["new"]["count"]
        + told["points"][-2]["savings"]["new"]["count"]
        == 4
    )
    days = _get(client, "/api/v1/stats/series", **{"from": "30d", "step": "auto"})
    assert days["step"] == "day"
    assert len(days["points"]) == 31


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"query": "chars:>5"}, "character 1: statistics are not kept by chars"),
        ({"query": "engine:tone colour:red"}, "character 13"),
        ({"by": "status"}, "by 'status' is none; allowed: engine, voice"),
        ({"from": "yesterday"}, "from must be so long ago"),
        ({"from": "1h", "to": "2h"}, "from must be before to"),
        ({"exact": "yes"}, "exact must be one of 0, 1"),
        ({"window": "1h"}, "'window' is not known"),
    ],
)
def test_wrong_requests_are_named(
    client: DocumentedClient, query: dict[str, str], words: str
) -> None:
    """What was wrong, what was got, what is allowed."""
    answer = client.get("/api/v1/stats", query_string=query)
    assert answer.status_code == 400
    assert words in (answer.json or {})["detail"]


def test_series_of_too_many_points_is_refused(client: DocumentedClient) -> None:
    """Hours of a year: told how many that are, and what to do."""
    answer = client.get("/api/v1/stats/series", query_string={"from": "365d", "step": "hour"})
    assert answer.status_code == 400
    assert "take a shorter window, or step=day" in (answer.json or {})["detail"]


def test_window_that_is_not_yet_is_refused(client: DocumentedClient) -> None:
    """What begins in the future is no window of an hour of today."""
    for path in ("/api/v1/stats", "/api/v1/stats/series"):
        answer = client.get(path, query_string={"from": "2099-01-01"})
        assert answer.status_code == 400
        assert "from is in the future" in (answer.json or {})["detail"]


def test_group_of_nothing_is_no_group(any_home: Home, client: DocumentedClient) -> None:
    """What was counted and taken back again is not listed."""
    _work(any_home)
    with any_home.core.database.write() as conn:
        conn.execute(text("UPDATE task SET engine = 'other' WHERE engine = 'scripted'"))
        conn.execute(text("UPDATE task SET engine = 'scripted' WHERE engine = 'other'"))
    told = _get(client, "/api/v1/stats", by="engine")
    assert [group["value"] for group in told["groups"]] == ["tone", "scripted"]


def test_command_tells_the_same(any_home: Home, client: DocumentedClient) -> None:
    """`voxtrace stats --json` is the API's answer; the table has each group, then all."""
    _work(any_home)
    told = json.loads(any_home.run("stats", "--by", "engine", "--json").stdout)
    over_http = _get(client, "/api/v1/stats", by="engine")
    for one in (told, over_http):
        one.pop("as_of")
        one.pop("per_hour")
        one.pop("characters_per_hour")
        for group in one["groups"]:
            group.pop("per_hour")
            group.pop("characters_per_hour")
    assert told == over_http
    table = any_home.run("stats", "--by", "engine").stdout.splitlines()
    assert [line.split()[0] for line in table[1:4]] == ["tone", "scripted", "all"]
    assert "not checked yet: voxtrace reconcile" in table


def test_command_takes_a_filter_as_lists_do(any_home: Home) -> None:
    """Terms with a minus are terms; a wrong one is underlined and ends with 2."""
    _work(any_home)
    told = json.loads(any_home.run("stats", "-engine:tone", "status:failed", "--json").stdout)
    assert (told["query"], told["total"]) == ("-engine:tone status:failed", 1)
    wrong = any_home.run("stats", "engine:tone", "status:faild")
    assert wrong.returncode == 2
    assert wrong.stderr.splitlines()[-2:] == ["  engine:tone status:faild", " " * 21 + "^^^^^"]
    moment = any_home.run("stats", "--since", "99")
    assert "--since must be so long ago" in moment.stderr
    assert any_home.run("reconcile").returncode == 0
    assert "as the rows say: recounted" in any_home.run("stats").stdout
    with any_home.core.database.write() as conn:
        conn.execute(text("UPDATE stat_total SET n = n + 1 WHERE status = 'failed'"))
    assert any_home.run("reconcile").returncode == 1
    assert "WRONG: 1 number is not as the rows say" in any_home.run("stats").stdout

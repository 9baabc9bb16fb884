"""/api/v1/failures and `voxtrace failures`: groups told and decided about, errors exact."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.cli import failures
from app.domain.records import FailureGroupRecord
from app.domain.window import DAY_US
from app.web.shapes import moment
from tests.support.attempt_rows import NOW_US, Listed, listed, populate
from tests.support.documented import DocumentedClient, web_client
from tests.support.failure_rows import failed, plant
from tests.support.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A service with failure groups, and what is in it."""

    home: Home
    client: DocumentedClient
    rows: list[Listed]
    groups: list[FailureGroupRecord]

    def get(self, path: str = "", **args: object) -> Any:
        """The answer; its shape is held against the document."""
        answer = self.client.get(f"/api/v1/failures{path}", query_string=args)
        assert answer.status_code == 200, answer.json
        return answer.json

    def post(self, path: str, **body: object) -> Any:
        """The answer to a decision."""
        return self.client.post(f"/api/v1/failures{path}", json=body)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Planted attempts and their groups behind the API."""
    with Home.make(tmp_path_factory.mktemp("failures") / "home") as home:
        with home.core.database.write() as conn:
            populate(conn, count=150, seed=8)
            rows = list(listed(conn))
            groups = plant(conn, rows)
        with web_client(home.settings) as client:
            yield Site(home=home, client=client, rows=rows, groups=groups)


WINDOW = {"from": str(moment(NOW_US - 2 * DAY_US)), "to": str(moment(NOW_US))}


def test_list_tells_groups_and_where_their_attempts_are(site: Site) -> None:
    """Each number opens a list of exactly so many attempts."""
    found = site.get(**WINDOW, sort="count")
    assert found["window"] == {
        **WINDOW, "is_whole_hours": False, "bins_from": WINDOW["from"], "bin_s": 7200.0,
    }  # fmt: skip
    assert [one["count"] for one in found["failures"]] == sorted(
        (len(failed(site.rows, one.fingerprint, NOW_US - 2 * DAY_US, NOW_US, {}))
         for one in site.groups),
        reverse=True,
    )  # fmt: skip
    for one in found["failures"]:
        assert one["texts"] == one["count"] - one["repeats"]
        assert len(one["bins"]) == 24
        assert _count(site, one["attempts_url"]) == one["count"]
        assert one["frames"] == ["app.a:f", "app.b:g"]
    assert sum(found["states"].values()) == found["total"] == len(site.groups)
    only = site.get(**WINDOW, worker="w1")
    assert all(_count(site, one["attempts_url"]) == one["count"] for one in only["failures"])


def _count(site: Site, url: str) -> int:
    [query] = parse_qs(urlsplit(url).query)["q"]
    answer = site.client.get("/api/v1/attempts", query_string={"q": query, "count": 1}).json
    assert answer is not None
    return int(answer["count"]["n"])


def test_pages_lead_on_by_their_cursors(site: Site) -> None:
    """Cursors of one page give the next and the one before."""
    first = site.get(**WINDOW, limit=3)
    second = site.get(**WINDOW, limit=3, cursor=first["next"])
    back = site.get(**WINDOW, limit=3, cursor=second["previous"])
    assert back["failures"] == first["failures"]
    assert second["next"] is None
    keys = {one["fingerprint"] for page in (first, second) for one in page["failures"]}
    assert keys == {one.fingerprint for one in site.groups}


def test_group_tells_everything_about_itself(site: Site) -> None:
    """Counts of the window and of all time, exemplars with their pages, events."""
    key = site.groups[1].fingerprint
    found = site.get(f"/{key}", **WINDOW)
    assert found["state"] == "resolved"
    assert _count(site, found["in_window"]["attempts_url"]) == found["in_window"]["count"]
    own = failed(site.rows, key, 0, NOW_US + 1, {})
    assert found["all_time"]["count"] == len(own)
    assert {one["which"] for one in found["exemplars"]} == {"newest", "first", "slowest"}
    newest = next(one for one in found["exemplars"] if one["which"] == "newest")
    assert newest["url"] == f"/tasks/{newest['task_id']}?tab=attempts#attempt-{newest['attempt']}"
    assert (newest["jaeger_url"], found["events"]) == (None, [])


def test_decisions_are_told_with_who_made_them(site: Site) -> None:
    """Resolve, assign and note answer with the group; its events say who, when and what."""
    key = site.groups[0].fingerprint
    answer = site.post(f"/{key}", action="resolve", by="ann")
    assert answer.status_code == 200
    assert (answer.json["state"], answer.json["state_by"]) == ("resolved", "ann (web)")
    assert site.post(f"/{key}", action="assign", assignee="李雷").json["assignee"] == "李雷"
    assert site.post(f"/{key}", action="note", note="the disk").json["note"] == "the disk"
    assert site.post(f"/{key}", action="reopen").json["state"] == "ongoing"
    events = site.get(f"/{key}")["events"]
    assert [(one["kind"], one["by"], one["detail"]) for one in events] == [
        ("reopened", "web", None),
        ("noted", "web", "the disk"),
        ("assigned", "web", "李雷"),
        ("resolved", "ann (web)", None),
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "field 'action' is missing; it must be a string"),
        ({"action": "close"}, "action must be one of resolve, reopen, mute, unmute, assign, note"),
        ({"action": "assign"}, "action 'assign' needs the field 'assignee'"),
        ({"action": "mute", "note": "x"}, "action 'mute' takes no field 'note'"),
        ({"action": "note", "note": "x" * 2001}, "note must have at most 2000 characters"),
        ({"action": "mute", "until": 5}, "field 'until' is not known; allowed: action, assignee"),
        ({"action": 5}, "field 'action' must be a string, got a whole number"),
    ],
)
def test_wrong_decision_says_what_is_allowed(
    site: Site, body: dict[str, object], words: str
) -> None:
    """400 with what was got and what is allowed."""
    answer = site.post(f"/{site.groups[2].fingerprint}", **body)
    assert answer.status_code == 400
    assert words in answer.json["detail"]


def test_what_is_not_there_is_not_found(site: Site) -> None:
    """404 for a group that nothing failed in; 400 for parameters that are none."""
    for answer in (
        site.client.get("/api/v1/failures/v2:ffffffffffffffff"),
        site.post("/v2:ffffffffffffffff", action="mute"),
    ):
        assert answer.status_code == 404
        assert b"'v2:ffffffffffffffff' does not exist" in answer.data
    answer = site.client.get("/api/v1/failures?colour=red")
    assert answer.status_code == 400
    assert b"parameter 'colour' is not known; allowed: from, to, state" in answer.data
    assert site.client.get("/api/v1/failures?limit=0").status_code == 400
    other = {"Origin": "https://evil.example.com"}
    path = f"/api/v1/failures/{site.groups[2].fingerprint}"
    assert site.client.post(path, json={"action": "mute"}, headers=other).status_code == 403


def test_command_line_lists_and_refuses(site: Site) -> None:
    """Alone it lists the same groups; errors end with 1."""
    since, until = WINDOW["from"], WINDOW["to"]
    listed_ = site.home.run("failures", "--since", since, "--until", until, "--sort", "count")
    assert listed_.returncode == 0, listed_.stderr
    lines = listed_.stdout.splitlines()
    assert {line.split()[0] for line in lines[:-1]} == {one.fingerprint for one in site.groups}
    told = site.get(**WINDOW)
    assert lines[-1].startswith(f"4 groups, {told['failed']} failures since ")
    wrong = site.home.run("failures", "resolve", "v2:x")
    assert (wrong.returncode, "'v2:x' does not exist" in wrong.stderr) == (1, True)


def test_command_line_decides_and_shows(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """By words and as JSON, with who decided."""
    key, settings = site.groups[2].fingerprint, site.home.settings
    given = {"fingerprint": key, "since": WINDOW["from"], "until": WINDOW["to"], "json": False}
    decided = {"fingerprint": key, "by": "bob", "json": True}
    for action, by in (("unmute", None), ("resolve", "bob (cli)"), ("reopen", None)):
        assert failures.decide(settings, action, None, decided) == 0
        assert json.loads(capsys.readouterr().out)["state_by"] == by
    assert failures.show(settings, given) == 0
    shown = capsys.readouterr().out
    assert f"{key}  ongoing" in shown
    assert "unmuted by bob (cli)" in shown
    assert not re.search("^  (resolved|muted|decided) ", shown, re.MULTILINE)
    ever = site.get(f"/{key}")["all_time"]
    assert f"failed {ever['count']} times, {ever['repeats']} of them again" in shown
    kept = f"kept are {ever['kept']} attempts of {ever['tasks']} tasks"
    assert f"{kept}; {ever['tasks_ended']} tasks failed for good" in shown

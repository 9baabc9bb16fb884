"""Every command does its work on the database of the home, without the web.

One home for all tests of a kind: without a worker what is submitted waits, with one it is spoken.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.service import limits, task_list
from telemetry import names
from tests.support.home import Home
from tests.support.running import PATIENCE_S
from tests.support.spans import spans_of
from tests.support.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Done = subprocess.CompletedProcess[str]


def _data(done: Done) -> Any:
    """What a command printed with --json."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _refused(done: Done, code: int, words: str) -> None:
    """The command ended with this code and said why, without a traceback or any data."""
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def _file(home: Home, content: str) -> str:
    """A text file with content of its own."""
    path = home.path / f"text-{abs(hash(content))}.txt"
    path.write_text(content)
    return str(path)


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home on which nothing runs."""
    with Home.make(tmp_path_factory.mktemp("idle") / "home") as home:
        yield home


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a worker and duties, without the web."""
    with Home.make(tmp_path_factory.mktemp("working") / "home") as home:
        home.start_duties()
        home.start_worker()
        yield home


def test_migrate_makes_the_schema_and_others_ask_for_it(tmp_path: Path) -> None:
    """Every other command refuses a database without the schema; migrating again does nothing."""
    made = Home.make(tmp_path / "made")
    home = Home(made.path, {**made.environ, "VOXTRACE_HOME": str(tmp_path / "new")})
    _refused(home.run("list"), 1, "voxtrace migrate")
    first = home.run("migrate")
    assert (first.returncode, first.stderr) == (0, "")
    told, head = first.stdout.strip().split(" -> ")
    assert told == "database: empty"
    assert home.run("migrate").stdout.strip() == f"database: {head} -> {head}"
    assert _data(home.run("list", "--json")) == []


def test_submit_show_cancel_retry_and_list_without_anything_running(idle: Home) -> None:
    """A file becomes a task that waits, is shown, listed, cancelled, retried; all without web."""
    told = _data(idle.run("submit", _file(idle, "Said by hand."), "--title", "By hand", "--json"))
    task_id, trace_id = told["task"]["id"], told["task"]["trace_id"]
    assert (told["disposition"], told["text"]["encoding"]) == ("new", "utf-8")
    assert "Said by hand." not in json.dumps(told)
    assert task_list.get(idle.core, task_id).status == "pending"
    root = next(span for span in spans_of(idle.core, task_id) if span.name == names.SPAN_SUBMIT)
    assert (root.parent_span_id, root.trace_id) == (None, trace_id)

    shown = idle.run("show", str(task_id))
    assert shown.returncode == 0
    assert "By hand" in shown.stdout
    assert f"trace {trace_id}" in shown.stdout
    assert "Start a worker" in shown.stdout
    assert _data(idle.run("show", str(task_id), "--json"))["task"]["id"] == task_id

    listed = _data(idle.run("list", "--status", "pending", "--limit", "1000", "--json"))
    assert [row["title"] for row in listed if row["id"] == task_id] == ["By hand"]
    assert _data(idle.run("cancel", str(task_id), "--json"))["is_task_cancelled"] is True
    assert task_list.get(idle.core, task_id).status == "cancelled"
    _refused(idle.run("cancel", str(task_id)), 1, f"task {task_id} is cancelled")

    again = _data(idle.run("retry", str(task_id), "--json"))["task"]
    assert (again["retry_of"], again["status"]) == (task_id, "pending")
    plain = idle.run("list")
    assert plain.returncode == 0
    assert "By hand" in plain.stdout


def test_limit_is_read_and_set(idle: Home) -> None:
    """`limit` tells the limits, `limit N` changes them in the database, for one engine too."""
    before = _data(idle.run("limit", "--json"))["max_concurrent"]
    assert before == idle.settings.max_concurrent
    assert _data(idle.run("limit", "5", "--json"))["max_concurrent"] == 5
    assert idle.run("limit", "1", "--engine", "tone").returncode == 0
    now = limits.read(idle.core)
    assert (now.max_concurrent, now.engines) == (5, {"tone": 1})
    _refused(idle.run("limit", "1", "--engine", "nobody"), 1, "engine 'nobody' is not offered")


def test_doctor_says_what_is_not_well_and_what_to_do(idle: Home, working: Home) -> None:
    """Exit 1 where a part is not well, each with what to do; exit 0 where all is."""
    done = idle.run("doctor", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert not found["workers"]["ok"]
    assert "voxtrace worker" in found["workers"]["fix"]
    assert not found["duties"]["ok"]
    assert found["database"]["ok"]
    assert found["engine tone"]["ok"]
    switches = {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    found = json.loads(idle.run("doctor", "--json", **switches).stdout)
    said = {found[name]["detail"] for name in ("collector", "forwarder", "export")}
    assert said == {"tracing is turned off: OTEL_SDK_DISABLED"}, "an endpoint is set all the same"
    wait_until(lambda: working.run("doctor").returncode == 0, PATIENCE_S, what="all is well")


def test_submit_waits_for_the_end_and_tells_it(working: Home) -> None:
    """`submit --wait`: 0 and the task where it completed, 1 and the reason where it failed.

    The same content again is answered by the audio that exists.
    """
    spoken = ("submit", _file(working, "Spoken for the command."), "--engine", "tone", "--wait")
    told = _data(working.run(*spoken, "--json"))
    assert told["status"] == "completed"
    assert told["audio_duration_ms"] > 0
    again = working.run(*spoken)
    assert again.returncode == 0
    assert "is answered by audio that exists" in again.stdout
    failing = _file(working, "@fail permanent on purpose\nText.")
    done = working.run("submit", failing, "--engine", "scripted", "--wait")
    assert done.returncode == 1
    assert "failed (on purpose)" in done.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sing", "No such command 'sing'"),
        ("submit", "Missing argument 'FILE'"),
        ("limit many", "not a valid integer"),
        ("list --status lost", "'lost' is not one of 'pending'"),
        ("list --limit 0", "0 is not in the range"),
        ("show first", "not a valid integer"),
        ("submit x.txt --format au", "'au' is not one of 'mp3'"),
        ("up now", "unexpected extra argument"),
    ],
)
def test_wrong_usage_exits_with_2(idle: Home, command: str, words: str) -> None:
    """Exit 2 and what was wrong."""
    _refused(idle.run(*command.split()), 2, words)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("show 999999", "task 999999 does not exist"),
        ("cancel 999999", "task 999999 does not exist"),
        ("retry 999999", "task 999999 does not exist"),
        ("submit /no/such/file.txt", "/no/such/file.txt cannot be read"),
    ],
)
def test_what_is_not_there_exits_with_1(idle: Home, command: str, words: str) -> None:
    """Exit 1 and what is missing."""
    _refused(idle.run(*command.split()), 1, words)

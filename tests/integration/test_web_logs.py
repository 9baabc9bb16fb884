"""The log of a task over the API, on its page and in its stream; requests and commands in it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.logs.about import about_claim
from app.logs.logger import logger_of
from app.service.task_logs import task_log
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.log_lines import logging_as
from tests.support.service import claimed, run, start_worker, submitted

HTML = {"Accept": "text/html,application/xhtml+xml"}
log = logger_of("app.test")


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of the application on the test's home."""
    home.environ["VOXTRACE_DEFAULT_ENGINE"] = "tone"
    with web_client(home.settings) as made:
        yield made


def retried(home: Home) -> int:
    """A task with two attempts, of which the first failed."""
    content = "@fail-until-attempt 2 retryable no\nHello."
    task = submitted(home.core, content, engine="scripted").task
    worker = start_worker(home.core)
    for _ in range(2):
        with home.core.database.write() as conn:
            conn.exec_driver_sql("UPDATE task SET not_before = 1 WHERE status = 'pending'")
        claim = claimed(home.core, worker)
        with logging_as(), about_claim(claim):
            run(home.core, claim)
    return task.id


def test_api_pages_through_the_lines(home: Home, client: DocumentedClient) -> None:
    """`after` goes on where a page ended; level and attempt choose; the end is told."""
    path = f"/api/v1/tasks/{retried(home)}/logs"
    everything = client.get(path).json
    assert everything is not None
    assert (everything["is_final"], everything["kept"]) == (True, 200)
    messages = [line["message"] for line in everything["lines"]]
    assert (messages[0], messages[-1]) == ("submitted", "completed")
    seen: list[Any] = []
    last_id = 0
    while True:
        page = client.get(f"{path}?after={last_id}&limit=2").json
        assert page is not None
        if not page["lines"]:
            break
        seen += page["lines"]
        last_id = page["last_id"]
    assert seen == everything["lines"]
    warned = client.get(f"{path}?level=warning").json
    assert warned is not None
    [line] = warned["lines"]
    assert (line["level"], line["attempt"], line["fields"]["error"]) == ("warning", 1, "no")
    second = client.get(f"{path}?attempt=2").json
    assert second is not None
    assert {line["attempt"] for line in second["lines"]} == {2}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("level=loud", "level must be one of debug, info, warning, error"),
        ("attempt=0", "attempt must be a whole number from 1"),
        ("limit=1001", "limit must be a whole number from 1 to 1000"),
        ("after=-1", "after must be a whole number from 0"),
        ("since=1", "parameter 'since' is not known"),
    ],
)
def test_wrong_question_is_named(
    home: Home, client: DocumentedClient, query: str, words: str
) -> None:
    """400 with the parameter, what was got and what is allowed; 404 for no such task."""
    task_id = submitted(home.core, "Hello.").task.id
    answer = client.get(f"/api/v1/tasks/{task_id}/logs?{query}")
    assert answer.status_code == 400
    assert words in (answer.json or {})["detail"]
    assert client.get("/api/v1/tasks/999/logs").status_code == 404


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tab_shows_the_lines_in_both_languages(
    home: Home, client: DocumentedClient, lang: str
) -> None:
    """Time, sign, words, fields and attempt of each; by attempt and by level where asked."""
    path = f"/tasks/{retried(home)}?lang={lang}&tab=log"
    page = client.get(path, headers=HTML).text
    lines = _lines(page)
    assert len(lines) == 10
    assert lines[0].startswith(("info submitted", "信息 submitted"))
    assert "engine=scripted" in lines[0]
    assert page.count('<li data-level="warn">') == 1
    first = _lines(client.get(f"{path}&attempt=1", headers=HTML).text)
    assert len(first) == 3
    assert len(_lines(client.get(f"{path}&level=warning", headers=HTML).text)) == 1
    none = client.get(f"{path}&attempt=2&level=warning", headers=HTML).text
    assert _lines(none) == []
    assert {"en": "No line matches.", "zh": "没有符合条件的日志。"}[lang] in none


def _lines(page: str) -> list[str]:
    """The lines of the tab: level, words and fields of each."""
    found = re.findall(r'<div lang="en">(.*?)</div>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", line).replace("&#61;", "=").split()) for line in found]


def test_tab_says_why_there_is_no_line(home: Home, client: DocumentedClient) -> None:
    """None yet, none kept of this one, or none kept at all with the setting that is 0."""
    task_id = submitted(home.core, "Hello.").task.id
    with home.core.database.write() as conn:
        conn.exec_driver_sql("DELETE FROM task_log")
    path = f"/tasks/{task_id}?tab=log"
    assert "No line yet." in client.get(path, headers=HTML).text
    home.environ["VOXTRACE_TASK_LOG_LINES"] = "0"
    with web_client(home.settings) as other:
        page = other.get(path, headers=HTML).text
    assert "No lines are kept." in page
    assert "VOXTRACE_TASK_LOG_LINES" in page


def test_line_is_never_markup_and_its_frames_can_be_opened(
    home: Home, client: DocumentedClient
) -> None:
    """What a line says is text; a stack is behind a summary; only the newest lines are drawn."""
    task = submitted(home.core, "Hello.").task
    with logging_as():
        for _ in range(300):
            log.info("again", task_id=task.id)
        log.error("<b>bad</b>", task_id=task.id, attempt=1, stack="frame <x>", a="<i>")
        task_log.write_waiting(home.core)
    page = client.get(f"/tasks/{task.id}?tab=log", headers=HTML).text
    assert "&lt;b&gt;bad&lt;/b&gt;" in page
    assert "<pre>frame &lt;x&gt;</pre>" in page
    assert "&lt;i&gt;" in page
    assert len(_lines(page)) == 200
    with home.core.database.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM task_log").scalar_one() == 200


def test_stream_of_a_task_tells_that_a_line_came(home: Home, client: DocumentedClient) -> None:
    """A task that stands still is told again when its log grows; a text's stream is not."""
    task = submitted(home.core, "Hello.").task
    response = client.get(f"/api/v1/tasks/{task.id}/stream")
    ids = _ids(response)
    first = next(ids)
    with logging_as():
        log.warning("the engine is slow", task_id=task.id)
        task_log.write_waiting(home.core)
    assert next(ids).partition("-")[0] == first.partition("-")[0]
    response.close()
    text_id = client.get(f"/api/task/stream/{task.text_id}")
    assert "-" not in next(_ids(text_id))
    text_id.close()


def _ids(response: Any) -> Iterator[str]:
    for chunk in response.iter_encoded():
        for line in chunk.decode().splitlines():
            if line.startswith("id: "):
                yield line.removeprefix("id: ")


def test_requests_are_in_the_log_of_the_task_that_they_made(client: DocumentedClient) -> None:
    """Submitted, followed and cancelled over HTTP: each line has the request's trace and span."""
    with logging_as("web") as lines:
        made = client.post("/api/v1/texts", json={"content": "Hello there."}).json
        client.post("/api/v1/texts", json={"content": "Hello there."})
        assert made is not None
        task_id = made["task"]["id"]
        client.post(f"/api/v1/tasks/{task_id}/cancel", json={"everyone": True})
        log.info("after the requests")
    told = {line.message: line for line in lines if line.task_id == task_id}
    assert list(told) == ["submitted", "followed by the same content", "cancelled while it waited"]
    assert told["submitted"].trace_id == made["task"]["trace_id"]
    assert told["submitted"].span_id == made["task"]["parent_span_id"]
    traces = {line.trace_id for line in told.values()}
    assert len(traces) == 3
    assert None not in traces
    kept = client.get(f"/api/v1/tasks/{task_id}/logs").json
    assert kept is not None
    assert {line["program"] for line in kept["lines"]} == {"web"}
    assert kept["lines"][0]["span_id"] == made["task"]["parent_span_id"]


def test_command_prints_the_lines_and_follows_to_the_end(home: Home) -> None:
    """`voxtrace logs`: text for people, JSON for programs; --follow ends with the task."""
    task_id = retried(home)
    told = home.run("logs", str(task_id), "--follow")
    assert told.returncode == 0
    lines = told.stdout.splitlines()
    assert len(lines) == 10
    assert re.match(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  info      -  submitted  text_id=", lines[0]
    )
    asked = home.run("logs", str(task_id), "--json", "--level", "warning")
    assert json.loads(asked.stdout)["fields"]["error"] == "no"
    none = home.run("logs", str(task_id), "--attempt", "9")
    assert (none.returncode, none.stdout, none.stderr.strip()) == (
        0,
        "",
        f"task {task_id} has no such line",
    )
    missing = home.run("logs", "999")
    assert (missing.returncode, missing.stderr) == (1, "voxtrace: task 999 does not exist\n")


def test_commands_keep_their_lines_off_the_terminal(home: Home) -> None:
    """A submission is in the task's log; the terminal shows it only where a level is asked for."""
    text = home.path / "a.txt"
    text.write_text("Hello there.")
    quiet = home.run("submit", str(text))
    assert quiet.stderr == ""
    loud = home.run("cancel", "1", VOXTRACE_LOG_LEVEL="info", VOXTRACE_LOG_FORMAT="json")
    assert json.loads(loud.stderr)["event"] == "cancelled while it waited"
    kept = json.loads(home.run("logs", "1", "--json").stdout.splitlines()[0])
    assert (kept["message"], kept["program"]) == ("submitted", "cli")

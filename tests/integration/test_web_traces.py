"""Requests and their tasks: one trace, kept in the outbox, linked where a request follows."""

from collections.abc import Iterator

import pytest

from app.domain.records import TaskRecord
from app.service import task_list
from app.service.request_span import RequestSpanWriter
from app.service.turn import Turns
from app.web import state
from telemetry import outbox
from telemetry.names import SpanKind
from telemetry.spans import DecodedSpan
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.service import submitted
from tests.support.spans import spans_of

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of the application on the test's home."""
    home.environ["VOXTRACE_DEFAULT_ENGINE"] = "tone"
    with web_client(home.settings) as made:
        yield made


def _servers(home: Home, client: DocumentedClient, task_id: int) -> list[DecodedSpan]:
    """The SERVER spans in the outbox that name a task, once they are written."""
    assert state.of(client.application).request_spans.flush()
    return [span for span in spans_of(home.core, task_id) if span.kind is SpanKind.SERVER]


def _task(home: Home, answer: object) -> TaskRecord:
    assert isinstance(answer, dict)
    return task_list.get(home.core, answer.get("task_id") or answer["task"]["id"])


@pytest.mark.parametrize("path", ["/upload", "/api/v1/texts"])
def test_task_is_a_child_of_the_request_that_made_it(
    home: Home, client: DocumentedClient, path: str
) -> None:
    """The request's span waits in the outbox, and the task's parent is that very span."""
    task = _task(home, client.post(path, json={"content": "Trace me."}).json)
    [server] = _servers(home, client, task.id)
    assert server.name == f"POST {path}"
    assert (server.trace_id, server.span_id) == (task.trace_id, task.parent_span_id)
    assert server.attributes["http.route"] == path
    assert server.attributes["voxtrace.task.id"] == str(task.id)


def test_callers_trace_is_continued_or_only_linked(home: Home, client: DocumentedClient) -> None:
    """A caller's trace goes through the request to the task; untrusted, it is linked to."""
    headers = {"traceparent": CALLER}
    task = _task(home, client.post("/upload", json={"content": "One."}, headers=headers).json)
    [server] = _servers(home, client, task.id)
    assert task.trace_id == server.trace_id == CALLER[3:35]
    assert server.parent_span_id == CALLER[36:52]
    home.environ["VOXTRACE_TRUST_TRACEPARENT"] = "0"
    with web_client(home.settings) as wary:
        task = _task(home, wary.post("/upload", json={"content": "Two."}, headers=headers).json)
        [server] = _servers(home, wary, task.id)
    assert task.trace_id == server.trace_id != CALLER[3:35]
    assert [link.trace_id for link in server.links] == [CALLER[3:35]]


def test_following_request_links_to_the_task(home: Home, client: DocumentedClient) -> None:
    """A follower has a trace of its own, whose span points at the task that it follows."""
    task = _task(home, client.post("/api/v1/texts", json={"content": "Same."}).json)
    client.post("/api/v1/texts", json={"content": "Same."})
    first, second = _servers(home, client, task.id)
    assert first.links == ()
    assert second.trace_id != task.trace_id
    [link] = second.links
    assert (link.trace_id, link.span_id) == (task.trace_id, task.span_id)


def test_retry_is_traced_like_a_submission(home: Home, client: DocumentedClient) -> None:
    """The retry's task is a child of the retry's request, and links to the task before it."""
    before = _task(home, client.post("/upload", json={"content": "Again."}).json)
    client.post(f"/api/v1/tasks/{before.id}/cancel")
    task = _task(home, client.post(f"/api/v1/tasks/{before.id}/retry").json)
    [server] = _servers(home, client, task.id)
    assert (server.trace_id, server.span_id) == (task.trace_id, task.parent_span_id)
    assert server.name == "POST /api/v1/tasks/<int:task_id>/retry"


def test_refused_and_reading_requests_keep_nothing(home: Home, client: DocumentedClient) -> None:
    """Only what made or followed a task waits in the outbox."""
    client.post("/upload", json={"content": ""})
    client.get("/api/v1/monitor")
    client.get("/readyz")
    assert state.of(client.application).request_spans.flush()
    with home.core.database.read() as conn:
        assert outbox.measure(conn).pending == 0


def test_busy_database_delays_a_span_and_loses_none(home: Home) -> None:
    """While another writes, spans wait; all of them are there when it is done."""
    task_id = submitted(home.core, "Busy.").task.id
    writer = RequestSpanWriter(home.core, Turns(home.core.database))
    with home.core.database.write():
        for number in range(3):
            writer.keep(b"span", f"{number:032x}", (task_id,), 1)
        assert not writer.flush(timeout_s=0.2)
    assert writer.flush()
    writer.stop()
    with home.core.database.read() as conn:
        assert outbox.spans_of_task(conn, task_id).count(b"span") == 3


def test_ended_process_has_written_its_spans(home: Home) -> None:
    """What waits when a web process stops is written before it ends."""
    home.environ["VOXTRACE_DEFAULT_ENGINE"] = "tone"
    with web_client(home.settings) as client:
        task = _task(home, client.post("/upload", json={"content": "Last."}).json)
    with home.core.database.read() as conn:
        assert len(outbox.spans_of_task(conn, task.id)) == 1


def test_everything_works_without_tracing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_SDK_DISABLED leaves spans off; texts are accepted, errors have no reference."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    home.environ["VOXTRACE_DEFAULT_ENGINE"] = "tone"
    with web_client(home.settings) as client:
        task = _task(home, client.post("/api/v1/texts", json={"content": "Quiet."}).json)
        assert task.parent_span_id is None
        problem = client.get("/api/v1/tasks/99").json or {}
        assert "trace_id" not in problem
        shown = client.get(f"/api/v1/tasks/{task.id}").json or {}
        assert shown["waterfall"]["source"] == "rows"
    with home.core.database.read() as conn:
        assert outbox.spans_of_task(conn, task.id) == []

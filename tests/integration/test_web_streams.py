"""Server-sent events: present state first, every change, the end; resumed by Last-Event-ID."""

from collections.abc import Iterator

import pytest

from app.service import cancel, library
from app.web import state, streams
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.server_events import events_of
from tests.support.service import claimed, run, spoken, start_worker, submitted


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of the application on the test's home."""
    with web_client(home.settings) as made:
        yield made


def test_stream_begins_with_the_present_state_and_ends_at_the_end(
    home: Home, client: DocumentedClient
) -> None:
    """pending, started, completed, with the old members; after the end nothing more comes."""
    text_id = submitted(home.core, "Hello there.").text.id
    response = client.get(f"/api/task/stream/{text_id}")
    assert response.mimetype == "text/event-stream"
    events = events_of(response)
    first = next(events)
    assert (first["data"]["event"], first["data"]["status"]) == ("pending", "pending")
    claim = claimed(home.core, start_worker(home.core))
    assert next(events)["data"]["event"] == "started"
    task = run(home.core, claim)
    rest = [event["data"] for event in events]
    assert (rest[-1]["event"], rest[-1]["status"]) == ("completed", "completed")
    assert rest[-1]["audio_url"] == f"/api/v1/audio/{task.audio_id}/file"
    assert {event["event"] for event in rest[:-1]} <= {"progress", "started"}
    assert {"event", "text_id", "status"} <= set(first["data"])
    response.close()


def test_stream_resumes_where_it_was_on_another_process(
    home: Home, client: DocumentedClient
) -> None:
    """What happened since the last seen event is told in order; the end is told once."""
    text_id = submitted(home.core, "Hello there.").text.id
    first = client.get(f"/api/task/stream/{text_id}")
    seen = next(events_of(first))["id"]
    first.close()
    run(home.core, claimed(home.core, start_worker(home.core)))
    with web_client(home.settings) as other:
        again = other.get(f"/api/task/stream/{text_id}", headers={"Last-Event-ID": seen})
        events = list(events_of(again))
        again.close()
        assert [event["data"]["event"] for event in events] == ["started", "completed"]
        for event in events:
            ended = other.get(f"/api/task/stream/{text_id}", headers={"Last-Event-ID": event["id"]})
            is_last = event is events[-1]
            assert ended.status_code == (204 if is_last else 200)
            ended.close()


def test_task_stream_tells_progress_and_events(home: Home, client: DocumentedClient) -> None:
    """v1: named events whose data is the task's row with what happened since."""
    task = submitted(home.core, "One. " * 30).task
    response = client.get(f"/api/v1/tasks/{task.id}/stream")
    events = events_of(response)
    first = next(events)
    assert (first["event"], first["data"]["queue_position"]) == ("task", 1)
    run(home.core, claimed(home.core, start_worker(home.core)))
    rest = list(events)
    assert rest[-1]["data"]["is_final"] is True
    kinds = [event["kind"] for one in rest for event in one["data"]["events"]]
    assert kinds == ["claim", "complete"]
    response.close()


def test_follower_of_a_cancelled_request_hears_the_end(
    home: Home, client: DocumentedClient
) -> None:
    """A text that takes its request back ends its stream, while its task goes on for others."""
    submitted(home.core, "Shared.")
    text_id = submitted(home.core, "Shared.").text.id
    response = client.get(f"/api/task/stream/{text_id}")
    events = events_of(response)
    next(events)
    cancel.cancel_text(home.core, text_id)
    rest = [event["data"] for event in events]
    assert [(one["event"], one["status"], one["state"]) for one in rest] == [
        ("failed", "failed", "cancelled")
    ]
    assert rest[0]["error_message"] == "cancelled"
    response.close()


def test_deleted_text_ends_its_stream(home: Home, client: DocumentedClient) -> None:
    """Nobody waits for a text that is no more; an unknown one is 404 at once."""
    text_id = submitted(home.core, "Soon gone.").text.id
    response = client.get(f"/api/task/stream/{text_id}")
    events = events_of(response)
    next(events)
    library.hide(home.core, text_id)
    assert [event["data"]["state"] for event in events] == ["deleted"]
    response.close()
    assert client.get(f"/api/task/stream/{text_id}").status_code == 404


def test_monitor_stream_tells_what_changes(home: Home, client: DocumentedClient) -> None:
    """The first event is the monitor of now; a submission makes another."""
    response = client.get("/api/v1/monitor/stream")
    events = events_of(response)
    assert next(events)["data"]["stats"]["total"] == 0
    submitted(home.core, "New.")
    assert next(events)["data"]["stats"]["total"] == 1
    response.close()


def test_stop_ends_a_stream(home: Home, client: DocumentedClient) -> None:
    """A web process that stops ends its streams within a look."""
    text_id = submitted(home.core, "Waiting.").text.id
    response = client.get(f"/api/task/stream/{text_id}")
    events = events_of(response)
    next(events)
    state.of(client.application).watcher.stop()
    assert list(events) == []
    response.close()


def test_streams_give_their_threads_back(home: Home, client: DocumentedClient) -> None:
    """Read to the end, left in the middle, or never begun: no thread stays held."""
    done = spoken(home.core, "Done.")
    waiting = submitted(home.core, "Waiting.").text.id
    holds = state.of(client.application).holds
    client.get(f"/api/task/stream/{done.text_id}", buffered=True)
    left = client.get(f"/api/task/stream/{waiting}")
    next(events_of(left))
    assert holds.held >= 1
    left.close()
    client.get(f"/api/task/stream/{waiting}").close()
    client.get(f"/api/task/stream/{done.text_id}").close()
    assert holds.held == 0


def test_above_half_of_the_threads_a_stream_is_short(home: Home, client: DocumentedClient) -> None:
    """It tells the present state, asks to be called in 2 s, and ends."""
    text_id = submitted(home.core, "Waiting.").text.id
    holds = state.of(client.application).holds
    while holds.take_stream():
        pass
    answer = client.get(f"/api/task/stream/{text_id}", buffered=True)
    assert answer.text.startswith("retry: 2000\n")
    assert '"status": "pending"' in answer.text
    assert answer.text.count("data:") == 1


def test_stream_shows_life_and_ends_in_time(
    home: Home, client: DocumentedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing changes there are comments, and the end comes well before half a minute."""
    assert streams.LIFE_S < 30
    monkeypatch.setattr(streams, "LIFE_S", 1.0)
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.2)
    text_id = submitted(home.core, "Waiting.").text.id
    answer = client.get(f"/api/task/stream/{text_id}", buffered=True)
    assert answer.text.count("data:") == 1
    assert answer.text.count(": alive\n\n") >= 2

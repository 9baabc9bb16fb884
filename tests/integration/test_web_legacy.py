"""The routes of the old service: shapes, statuses, and that they agree with each other."""

import io
import json
from collections.abc import Iterator

import pytest

from app.service import cancel
from app.store import audios
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker, submitted

#: Members of the old answers, as the problem report lists them.
UPLOAD = {"success", "text_id", "message", "filename", "char_count"}
STATUS = {
    "text_id",
    "status",
    "start_time",
    "completed_time",
    "error_message",
    "audio_url",
    "filename",
}
STATS = {
    "active_tasks",
    "max_concurrent",
    "total_tasks",
    "success_rate",
    "avg_duration",
    "tasks_completed",
    "tasks_failed",
    "active_list",
    "timestamp",
}
ACTIVE = {"text_id", "status", "start_time", "duration"}
AUDIO = {"audio_id", "audio_url", "filename", "file_size", "created_at"}


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of the application on the test's home."""
    home.environ["VOXTRACE_DEFAULT_ENGINE"] = "tone"
    with web_client(home.settings) as made:
        yield made


def test_upload_as_json_form_and_file_answer_alike(client: DocumentedClient) -> None:
    """The three ways of the old upload give the old members, with status 200."""
    answers = [
        client.post("/upload", json={"title": "A", "content": "One.", "filename": "a.txt"}),
        client.post("/upload", data={"title": "B", "content": "Two."}),
        client.post("/upload", data={"file": (io.BytesIO("三。".encode("gb18030")), "c.txt")}),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert set(answer.json or {}) >= UPLOAD
        assert (answer.json or {})["success"] is True
    told = [answer.json or {} for answer in answers]
    assert [one["filename"] for one in told] == ["a.txt", "B.txt", "c.txt"]
    assert [one["char_count"] for one in told] == [4, 4, 2]
    assert told[2]["encoding"] == "gb18030"


def test_same_content_follows_and_then_is_skipped(home: Home, client: DocumentedClient) -> None:
    """While it runs the second follows; once the audio exists an upload answers with it."""
    first = client.post("/upload", json={"content": "Same words."}).json or {}
    second = client.post("/upload", json={"content": "Same words."}).json or {}
    assert first["text_id"] != second["text_id"]
    assert first["task_id"] == second["task_id"]
    assert "skipped" not in second
    run(home.core, claimed(home.core, start_worker(home.core)))
    third = client.post("/upload", json={"content": "Same words."}).json or {}
    assert third["skipped"] is True
    assert client.get(third["audio_url"], buffered=True).status_code == 200


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"content": ""}, 400, "content is empty"),
        ({"title": "x"}, 400, "'content' is missing"),
        ({"content": 5}, 400, "must be a string, got a whole number"),
        ({"content": "x\0y"}, 400, "NUL character at offset 1"),
        ({"content": "x\ud800"}, 400, "U+D800 at offset 1"),
        ({"content": "x", "engine": "nope"}, 400, "engine 'nope' is not offered"),
        ({"content": "x", "color": 1}, 400, "'color' is not known"),
        (["content"], 400, "must be a JSON object, got a list"),
    ],
)
def test_wrong_upload_is_told_in_the_old_shape(
    client: DocumentedClient, body: object, code: int, words: str
) -> None:
    """What is wrong is named, in the members success, error, error_type."""
    data = json.dumps(body).encode()  # lone surrogates as escapes
    answer = client.post("/upload", data=data, content_type="application/json")
    assert answer.status_code == code
    told = answer.json or {}
    assert (told["success"], told["error_type"]) == (False, "validation_error")
    assert words in told["error"]


def test_unreadable_file_is_a_validation_error(client: DocumentedClient) -> None:
    """A file that is no text, or of another kind, gets 400 with what is allowed."""
    for name, data, words in (
        ("a.pdf", b"%PDF", ".txt"),
        ("a.txt", b"ok \xff\xff\xfe\xff ok", "offset"),
    ):
        answer = client.post("/upload", data={"file": (io.BytesIO(data), name)})
        assert answer.status_code == 400
        assert words in (answer.json or {})["error"]


def test_browser_form_is_redirected_to_the_task(client: DocumentedClient) -> None:
    """A plain form, without any script, ends on the page of its task; several on the library."""
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    one = client.post("/upload", data={"content": "Form."}, headers=headers)
    assert (one.status_code, one.headers["Location"]) == (303, "/tasks/1")
    files = [(io.BytesIO(b"One file."), "1.txt"), (io.BytesIO(b"Two file."), "2.md")]
    several = client.post("/upload", data={"file": files}, headers=headers)
    assert (several.status_code, several.headers["Location"]) == (303, "/")
    traces = {client.get(f"/api/task/status/{n}").json["trace_id"] for n in (2, 3)}  # type: ignore[index]
    assert len(traces) == 2


def test_status_follows_a_text_from_pending_to_completed(
    home: Home, client: DocumentedClient
) -> None:
    """The five statuses, epoch seconds, and the audio that can be fetched at the end."""
    assert client.get("/api/task/status/1").status_code == 404
    text_id = submitted(home.core, "Hello there.").text.id
    waiting = client.get(f"/api/task/status/{text_id}").json or {}
    assert set(waiting) >= STATUS
    assert (waiting["status"], waiting["start_time"], waiting["audio_url"]) == (
        "pending",
        None,
        None,
    )
    claim = claimed(home.core, start_worker(home.core))
    running = client.get(f"/api/task/status/{text_id}").json or {}
    assert running["status"] == "processing"
    assert running["start_time"] == pytest.approx(claim.claimed_at / 1e6)
    task = run(home.core, claim)
    done = client.get(f"/api/task/status/{text_id}").json or {}
    assert done["status"] == "completed"
    assert done["completed_time"] == pytest.approx((task.finished_at or 0) / 1e6)
    assert done["duration"] == pytest.approx(done["completed_time"] - done["start_time"], abs=0.01)
    assert client.get(done["audio_url"], buffered=True).status_code == 200


def test_cancelled_shows_as_failed_and_says_so(home: Home, client: DocumentedClient) -> None:
    """Old clients know five statuses: the sixth is told by error_message and `state`."""
    text_id = submitted(home.core, "Never mind.").text.id
    cancel.cancel_text(home.core, text_id)
    told = client.get(f"/api/task/status/{text_id}").json or {}
    assert (told["status"], told["error_message"], told["state"]) == (
        "failed",
        "cancelled",
        "cancelled",
    )
    stats = client.get("/api/monitor/stats").json or {}
    assert (stats["tasks_failed"], stats["total_tasks"]) == (1, 1)


def test_retry_starts_again_only_what_did_not_complete(
    home: Home, client: DocumentedClient
) -> None:
    """404 for an unknown text, 400 where audio exists or the task runs, else a new task."""
    assert client.post("/api/task/retry/99").status_code == 404
    done = spoken(home.core, "All well.")
    refused = client.post(f"/api/task/retry/{done.text_id}")
    assert refused.status_code == 400
    assert "valid audio" in (refused.json or {})["error"]
    text_id = submitted(home.core, "Again.").text.id
    assert client.post(f"/api/task/retry/{text_id}").status_code == 400
    cancel.cancel_text(home.core, text_id)
    answer = client.post(f"/api/task/retry/{text_id}")
    assert answer.status_code == 200
    assert set(answer.json or {}) >= UPLOAD
    assert (client.get(f"/api/task/status/{text_id}").json or {})["status"] == "pending"


def test_stats_agree_with_themselves_and_the_texts(home: Home, client: DocumentedClient) -> None:
    """Total = pending + active + completed + failed, and the list is as long as active says."""
    spoken(home.core, "One.")
    spoken(home.core, "Two @ two.", engine="scripted")
    spoken(home.core, "@fail permanent\nThree.", engine="scripted")
    submitted(home.core, "Four.")
    submitted(home.core, "Four.")
    claimed(home.core, start_worker(home.core))
    submitted(home.core, "Five.")
    stats = client.get("/api/monitor/stats").json or {}
    assert set(stats) >= STATS
    assert all(set(active) >= ACTIVE for active in stats["active_list"])
    parts = [
        stats[name] for name in ("tasks_pending", "active_tasks", "tasks_completed", "tasks_failed")
    ]
    assert parts == [1, 2, 2, 1]
    assert stats["total_tasks"] == sum(parts)
    assert len(stats["active_list"]) == stats["active_tasks"]
    assert stats["success_rate"] == 33.3
    assert stats["avg_duration"] > 0
    assert stats["max_concurrent"] == 4


def test_audio_url_and_delete(home: Home, client: DocumentedClient) -> None:
    """A valid audio is refused with 400; a corrupt one goes, and its text can be made again."""
    task = spoken(home.core, "Hi.")
    url = client.get(f"/api/audio/url/{task.audio_id}").json or {}
    assert set(url) >= AUDIO
    assert url["file_size"] == task.audio_bytes
    assert url["file_size"] < 5000, "a short text is valid whatever its size"
    refused = client.delete(f"/api/audio/{task.audio_id}")
    assert refused.status_code == 400
    with home.core.database.write() as conn:
        audios.mark_invalid(conn, task.audio_id or 0)
    deleted = client.delete(f"/api/audio/{task.audio_id}")
    assert (deleted.status_code, (deleted.json or {})["success"]) == (200, True)
    assert client.get(f"/api/audio/url/{task.audio_id}").status_code == 404
    assert client.delete(f"/api/audio/{task.audio_id}").status_code == 404
    told = client.get(f"/api/task/status/{task.text_id}").json or {}
    assert told["status"] == "failed"
    assert "audio is gone" in told["error_message"]
    shown = client.get(f"/api/v1/texts/{task.text_id}").json or {}
    assert shown["text"]["reason"].startswith("The audio is gone.")
    assert client.post(f"/api/task/retry/{task.text_id}").status_code == 200


def test_title_exists(home: Home, client: DocumentedClient) -> None:
    """The very title, of a text that is there."""
    submitted(home.core, "Words.", title="第一回")
    assert client.get("/api/text/title_exists?title=第一回").json == {
        "exists": True,
        "title": "第一回",
    }
    assert (client.get("/api/text/title_exists?title=other").json or {})["exists"] is False
    assert client.get("/api/text/title_exists?title=a%00b").status_code == 400


def test_diagnose_tells_what_works(client: DocumentedClient) -> None:
    """Engines and storage are asked themselves."""
    tts = client.get("/api/diagnose/tts").json or {}
    assert tts["success"] is True
    assert {engine["name"] for engine in tts["engines"]} == {"tone", "scripted"}
    oss = client.get("/api/diagnose/oss").json or {}
    assert oss["success"] is True
    assert oss["storage"]["free_bytes"] > 0


def test_errors_of_the_database_are_storage_errors(home: Home, client: DocumentedClient) -> None:
    """A database that cannot be had is told as storage_error with 500, and nothing leaks."""
    home.path.joinpath("voxtrace.db").rename(home.path / "gone.db")
    for name in ("voxtrace.db-wal", "voxtrace.db-shm"):
        home.path.joinpath(name).unlink(missing_ok=True)
    answer = client.get("/api/monitor/stats")
    assert answer.status_code == 500
    assert (answer.json or {})["error_type"] == "storage_error"
    assert "SELECT" not in (answer.json or {})["error"]

"""The v1 API: submit, read, page, cancel, retry, limits, monitor; wrong requests named."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store import workers as worker_store
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker, submitted


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of the application on the test's home."""
    home.environ["VOXTRACE_DEFAULT_ENGINE"] = "tone"
    with web_client(home.settings) as made:
        yield made


def _post(client: DocumentedClient, path: str, body: Any = None, **headers: str) -> Any:
    """The status, and the JSON of the answer."""
    data = None if body is None else json.dumps(body).encode()
    kind = None if body is None else "application/json"
    answer = client.post(path, data=data, content_type=kind, headers=headers)
    return answer.status_code, answer.json


def test_submit_says_what_became_of_it(home: Home, client: DocumentedClient) -> None:
    """201 for new work, 200 where it follows or is skipped; `disposition` says which."""
    first = _post(client, "/api/v1/texts", {"title": "T", "content": "Some words."})
    assert first[0] == 201
    assert first[1]["disposition"] == "new"
    assert first[1]["task"]["text_id"] == first[1]["text"]["id"]
    second = _post(client, "/api/v1/texts", {"content": "Some words."})
    assert (second[0], second[1]["disposition"]) == (200, "followed")
    assert second[1]["task"]["id"] == first[1]["task"]["id"]
    run(home.core, claimed(home.core, start_worker(home.core)))
    third = _post(client, "/api/v1/texts", {"content": "Some words."})
    assert (third[0], third[1]["disposition"]) == (200, "skipped")
    assert third[1]["audio"]["is_valid"] is True


def test_submit_takes_files_in_every_chinese_encoding(client: DocumentedClient) -> None:
    """The answer names the encoding that was chosen, and `encoding` overrides it."""
    text = "話說孫悟空大鬧天宮，這一回說的是他的來歷，那時候天下太平。"
    cases = [
        (text.encode("utf-8"), None, "utf-8"),
        (text.encode("utf-16"), None, "utf-16-le"),
        (text.encode("big5hkscs"), "big5", "big5"),
        ("话说孙悟空大闹天宫，这一回说的是他的来历。".encode("gb18030"), None, "gb18030"),
    ]
    for number, (data, encoding, chosen) in enumerate(cases):
        form: dict[str, Any] = {"file": (io.BytesIO(data), f"{number}.txt")}
        form |= {"encoding": encoding} if encoding else {}
        answer = client.post("/api/v1/texts", data=form)
        assert answer.status_code in {200, 201}, answer.text
        told = (answer.json or {})["text"]
        assert (told["encoding"], told["filename"]) == (chosen, f"{number}.txt")


def test_idempotency_key_answers_as_the_first_time(client: DocumentedClient) -> None:
    """The same key and request make one text; another request under the key gets 409."""
    body = {"content": "Once."}
    key = {"Idempotency-Key": "k1"}
    first = _post(client, "/api/v1/texts", body, **key)
    again = _post(client, "/api/v1/texts", body, **key)
    assert (again[0], again[1]["text"]["id"]) == (first[0], first[1]["text"]["id"])
    other = _post(client, "/api/v1/texts", {"content": "Twice."}, **key)
    assert (other[0], other[1]["error_type"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"content": 5}, "'content' must be a string, got a whole number"),
        ({"content": None}, "'content' is missing"),
        ({"content": "x", "timeout_s": "5"}, "'timeout_s' must be a whole number or a number"),
        ({"content": "x", "timeout_s": True}, "'timeout_s' must be"),
        ({"content": "x", "timeout_s": 0}, "timeout_s must be a number from 1 to"),
        ({"content": "x", "max_attempts": 1.5}, "'max_attempts' must be a whole number"),
        ({"content": "x", "voice": "nobody"}, "voice 'nobody' is not one of tone's"),
        ({"content": "x", "params": {"speed": 9}}, "speed must be a number from 0.5 to 2"),
        ({"content": "x", "params": {"warp": 1}}, "'warp' is not one of tone's; allowed: speed"),
        ({"content": "x", "format": "midi"}, "allowed: mp3, opus, flac, wav"),
        ({"content": "x", "colour": "red"}, "'colour' is not known; allowed: title, content"),
        ({"content": " \n "}, "content is empty"),
        ([], "must be a JSON object, got a list"),
    ],
)
def test_wrong_submission_names_the_field(
    client: DocumentedClient, body: object, words: str
) -> None:
    """400 as problem+json: what was wrong, what was got, what is allowed."""
    status, problem = _post(client, "/api/v1/texts", body)
    assert status == 400
    assert words in problem["detail"]
    assert problem["status"] == 400
    assert problem["type"].endswith(problem["error_type"])
    assert problem["instance"].endswith(problem["trace_id"])


def test_other_wrong_bodies_have_their_codes(home: Home, client: DocumentedClient) -> None:
    """Not JSON: 415; broken JSON: 400; a body or a text that is too long: 413."""
    plain = client.post("/api/v1/texts", data=b"content=x", content_type="text/plain")
    assert plain.status_code == 415
    for broken in (b"{", b"\xff\xfe{}", b"[" * 100_000):
        answer = client.post("/api/v1/texts", data=broken, content_type="application/json")
        assert answer.status_code == 400
    home.environ["VOXTRACE_MAX_TEXT_CHARS"] = "100"
    with web_client(home.settings) as small:
        assert _post(small, "/api/v1/texts", {"content": "x" * 101})[0] == 413
        assert _post(small, "/api/v1/texts", {"content": "x" * 2_000_000})[0] == 413
        assert _post(small, "/api/v1/texts", {"content": "字" * 100})[0] == 201


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(
    st.dictionaries(
        st.sampled_from(["title", "content", "engine", "voice", "format", "timeout_s", "x"]),
        st.none()
        | st.booleans()
        | st.integers(-5, 5)
        | st.floats()
        | st.text(max_size=5)
        | st.lists(st.none(), max_size=1),
    )
)
def test_no_body_breaks_the_service(client: DocumentedClient, body: dict[str, object]) -> None:
    """For every JSON object of the known names: an answer that is described, never 500."""
    status, told = _post(client, "/api/v1/texts", body)
    assert status in {200, 201, 400}
    assert told


def test_library_searches_filters_and_pages(home: Home, client: DocumentedClient) -> None:
    """Search, order, filters and pages are the database's work and agree with each other."""
    done = spoken(home.core, "The cat sat.", title="Cats")
    failed = spoken(home.core, "@fail permanent\nA dog.", title="Dogs", engine="scripted")
    for number in range(5):
        submitted(home.core, f"Waiting {number}.", title=f"W{number}")

    def listed(query: str) -> tuple[list[str], int]:
        told = client.get(f"/api/v1/texts?{query}").json or {}
        return [text["title"] for text in told["texts"]], told["total"]

    assert listed("q=cat") == (["Cats"], 1)
    assert listed("audio_filter=generated") == (["Cats"], 1)
    assert listed("audio_filter=not_generated&order=asc")[1] == 6
    assert listed("status=problem") == (["Dogs"], 1)
    assert listed("status=pending,completed&page_size=4&page=2&order=asc") == (["W3", "W4"], 6)
    told = client.get("/api/v1/texts?status=failed").json or {}
    assert told["texts"][0]["reason"].startswith("Failed")
    assert told["texts"][0]["task"]["id"] == failed.id
    assert client.get("/api/v1/texts?status=nope").status_code == 400
    assert client.get("/api/v1/texts?page=0").status_code == 400
    assert client.get("/api/v1/texts?colour=red").status_code == 400
    shown = client.get(f"/api/v1/texts/{done.text_id}").json or {}
    assert shown["text"]["content"] == "The cat sat."


def test_delete_is_undone_by_restore(home: Home, client: DocumentedClient) -> None:
    """A deleted text is in no list and no count until it is restored, with its audio."""
    done = spoken(home.core, "Keep me.")
    url = f"/api/v1/texts/{done.text_id}"
    assert client.delete(url).status_code == 200
    assert client.get(url).status_code == 404
    assert client.delete(url).status_code == 404
    assert (client.get("/api/v1/monitor").json or {})["stats"]["total"] == 0
    status, told = _post(client, f"{url}/restore")
    assert (status, told["text"]["audio"]["id"]) == (200, done.audio_id)
    assert (client.get("/api/v1/monitor").json or {})["stats"]["completed"] == 1
    assert _post(client, "/api/v1/texts/99/restore")[0] == 404


def test_tasks_are_paged_by_key(home: Home, client: DocumentedClient) -> None:
    """Every task is met once, newest first, however the pages are cut."""
    made = [submitted(home.core, f"Text {number}.").task.id for number in range(7)]
    met: list[int] = []
    before = ""
    while True:
        told = client.get(f"/api/v1/tasks?limit=3{before}").json or {}
        met += [task["id"] for task in told["tasks"]]
        if told["next_before"] is None:
            break
        before = f"&before={told['next_before']}"
    assert met == sorted(made, reverse=True)
    assert len((client.get("/api/v1/tasks?status=pending").json or {})["tasks"]) == 7
    assert (client.get("/api/v1/tasks?status=failed").json or {})["tasks"] == []
    assert client.get("/api/v1/tasks?status=done").status_code == 400


def test_task_tells_everything(home: Home, client: DocumentedClient) -> None:
    """A finished task comes with its attempts, events, segments, reason, path and spans."""
    task = spoken(home.core, "One sentence. Another sentence.", title="Both")
    told = client.get(f"/api/v1/tasks/{task.id}").json or {}
    assert told["status"] == "completed"
    assert told["reason"].startswith("Completed in")
    assert told["reason_zh"].startswith("已完成")
    assert [attempt["outcome"] for attempt in told["attempts"]] == ["completed"]
    assert [event["kind"] for event in told["events"]] == ["submitted", "claim", "complete"]
    assert [step["status"] for step in told["path"]] == ["pending", "processing", "completed"]
    assert told["segments"]["done"] == told["segments"]["total"] == task.segment_count
    assert told["waterfall"]["source"] == "outbox"
    assert {"tts task", "queue wait", "process tts"} <= {row["name"] for row in told["spans"]}
    assert sum(told["spent_s"].values()) == pytest.approx(
        ((task.finished_at or 0) - task.submitted_at) / 1e6
    )
    segments = client.get(f"/api/v1/tasks/{task.id}/segments?marks=1").json or {}
    assert "".join(one["text"] for one in segments["segments"]) == (
        "One sentence. Another sentence."
    )
    assert any(one["marks"] for one in segments["segments"])
    assert client.get("/api/v1/tasks/99").status_code == 404
    assert client.get("/api/v1/tasks/99/segments").status_code == 404


def test_cancel_and_retry(home: Home, client: DocumentedClient) -> None:
    """A follower's cancel leaves the task; the last one ends it; a retry is linked to it."""
    first = submitted(home.core, "Shared.")
    second = submitted(home.core, "Shared.")
    status, told = _post(client, f"/api/v1/texts/{second.text.id}/cancel")
    assert (status, told["is_task_cancelled"], told["still_wanted_by"]) == (200, False, 1)
    left = client.get(f"/api/v1/texts/{second.text.id}").json or {}
    assert left["text"]["state"] == "cancelled"
    assert left["text"]["reason"].startswith("Cancelled. Its request was taken back")
    status, told = _post(client, f"/api/v1/tasks/{first.task.id}/cancel")
    assert (status, told["is_task_cancelled"]) == (200, True)
    assert _post(client, f"/api/v1/tasks/{first.task.id}/cancel")[0] == 409
    status, told = _post(client, f"/api/v1/tasks/{first.task.id}/retry")
    assert (status, told["task"]["retry_of"]) == (201, first.task.id)
    assert told["task"]["links"][0]["span_id"] == first.task.span_id
    assert _post(client, f"/api/v1/texts/{first.text.id}/retry")[0] == 409
    seen = client.get(f"/api/v1/tasks/{first.task.id}").json or {}
    assert seen["retried_by"] == told["task"]["id"]
    assert _post(client, "/api/v1/tasks/99/retry")[0] == 404
    assert _post(client, "/api/v1/texts/99/cancel")[0] == 404


def test_cancel_everyone(home: Home, client: DocumentedClient) -> None:
    """`everyone` takes back every request for a task at once."""
    first = submitted(home.core, "Shared.")
    submitted(home.core, "Shared.")
    path = f"/api/v1/tasks/{first.task.id}/cancel"
    assert _post(client, path, {"everyone": "yes"})[0] == 400
    status, told = _post(client, path, {"everyone": True})
    assert (status, told["is_task_cancelled"], told["still_wanted_by"]) == (200, True, 0)


def test_limits_change_all_or_none(client: DocumentedClient) -> None:
    """A wrong member changes nothing; null removes an engine's limit."""

    def put(body: object) -> tuple[int, Any]:
        answer = client.put("/api/v1/limits", json=body)
        return answer.status_code, answer.json

    assert put({"max_concurrent": 7, "engines": {"tone": 2}}) == (
        200,
        {"max_concurrent": 7, "engines": {"tone": 2}},
    )
    for wrong in (
        {},
        {"max_concurrent": "7"},
        {"max_concurrent": -1},
        {"max_concurrent": 9, "engines": {"nope": 1}},
        {"max_concurrent": 9, "engines": {"tone": "x"}},
    ):
        assert put(wrong)[0] == 400
    assert put({"engines": {"tone": None}}) == (200, {"max_concurrent": 7, "engines": {}})
    assert client.get("/api/v1/limits").json == {"max_concurrent": 7, "engines": {}}


def test_monitor_derives_slots_from_rows(home: Home, client: DocumentedClient) -> None:
    """Busy and held by dead are what the rows say; dead workers are told in words."""
    worker_id = start_worker(home.core, concurrency=3)
    submitted(home.core, "Running.")
    claimed(home.core, worker_id)
    told = client.get("/api/v1/monitor").json or {}
    assert told["slots"] == {"configured": 3, "usable": 3, "busy": 1, "held_by_dead": 0}
    assert told["active"][0]["task"]["status"] == "processing"
    with home.core.database.write() as conn:
        worker_store.end(conn, worker_id, 1, state="dead", reason="test")
    told = client.get("/api/v1/monitor").json or {}
    assert told["slots"] == {"configured": 3, "usable": 0, "busy": 0, "held_by_dead": 1}
    assert "workers" in {warning["code"] for warning in told["warnings"]}
    assert (client.get("/api/v1/workers").json or {})["workers"][0]["is_alive"] is False


def test_settings_hide_what_is_secret(home: Home) -> None:
    """No token, credential or header is shown, only that one is set."""
    token = "a-secret-token-of-tests"  # noqa: S105 - of this test
    home.environ |= {"VOXTRACE_API_TOKEN": token}
    with web_client(home.settings) as client:
        for path in ("/api/v1/settings", "/api/v1/health"):
            answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200
            assert token not in answer.text
        told = client.get("/api/v1/settings", headers={"Authorization": f"Bearer {token}"}).json
    shown = {one["name"]: one for one in (told or {})["settings"]}
    assert shown["VOXTRACE_API_TOKEN"]["value"] == "set"
    assert shown["VOXTRACE_DATABASE_URL"]["value"].startswith("sqlite: ")
    assert shown["VOXTRACE_TASK_TIMEOUT_S"]["value"] == "2400"


def test_engines_tell_voices_and_ranges(client: DocumentedClient) -> None:
    """What a form needs to offer: the default engine first, its voices, its parameters."""
    told = client.get("/api/v1/engines").json or {}
    assert [engine["name"] for engine in told["engines"]] == ["tone", "scripted"]
    assert told["engines"][0]["is_default"] is True
    assert told["engines"][0]["params"]["speed"] == {"minimum": 0.5, "default": 1, "maximum": 2}
    assert told["formats"] == ["mp3", "opus", "flac", "wav"]

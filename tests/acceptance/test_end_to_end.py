"""From text to speech to trace: uploads over HTTP, sound that decodes, one whole trace for each.

One service for all tests, with espeak and a real OTLP receiver. It has run before without one, so
that a window of spans waits in its outbox.
"""

import io
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import requests
import soundfile

from app.store import attempts
from telemetry import names, outbox
from tests.support.home import Home
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.otlp_spans import ReceivedSpan
from tests.support.running import (
    FINAL,
    PATIENCE_S,
    Json,
    get,
    kill_everything,
    start_up,
    status,
    stream,
    task,
    until,
    upload,
)
from tests.support.wait import wait_until
from tests.support.whole_trace import (
    check_documented,
    check_resources,
    check_whole,
    rows_of,
    trace_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TEXTS = Path(__file__).parents[1] / "data" / "texts"
#: Files, and how many of their characters are spoken here (None: all).
FILES = {
    "mixed-report.zh-en.txt": None,
    "alice-in-wonderland.en.txt": 6000,
    "journey-to-the-west-ch1-8.zh.txt": 6000,
}
#: Bytes in a row that a text and a span may never have in common.
ALIKE_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The running service.

    Attributes:
        window: A text that was spoken while no endpoint was set.
        waited: Rows that then waited in the outbox.
    """

    home: Home
    receiver: OtlpReceiver
    window: Json
    waited: int


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A first start without an endpoint, stopped in an orderly way; then one with it."""
    path = tmp_path_factory.mktemp("end-to-end") / "home"
    environ = {"VOXTRACE_ENGINES": "espeak,tone,scripted", "VOXTRACE_WEB_PROCESSES": "2"}
    with OtlpReceiver() as receiver, Home.make(path, **environ) as home:
        up = start_up(home)
        window = upload(home, "Spoken before there was a collector.", engine="tone")
        until(home, window["text_id"], *FINAL)
        up.signal(signal.SIGINT)
        assert up.wait(PATIENCE_S) == 0
        with home.core.database.read() as conn:
            waited = outbox.measure(conn).pending
        up = start_up(home, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
        yield Service(home=home, receiver=receiver, window=window, waited=waited)
        kill_everything(up)


def _content(name: str) -> str:
    return (TEXTS / name).read_text(encoding="utf-8")[: FILES[name]]


def _send(home: Home, name: str, data: bytes, **form: str) -> Json:
    """Uploads a file as `curl -F file=@NAME` does."""
    answer = requests.post(
        f"{home.url}/upload", files={"file": (name, data)}, data=form, timeout=PATIENCE_S
    )
    assert answer.ok, answer.text
    found: Json = answer.json()
    return found


@pytest.fixture(scope="module")
def sent(service: Service) -> Mapping[str, Json]:
    """The three files, uploaded one after the other; the answers."""
    return {name: _send(service.home, name, _content(name).encode()) for name in FILES}


# Speech ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_file_becomes_sound_that_decodes(
    service: Service, sent: Mapping[str, Json], name: str
) -> None:
    """A file is accepted with the answer of old, spoken by espeak, and its mp3 decodes.

    The decoded duration is the one that is told, and it is no silence.
    """
    answer = sent[name]
    assert (answer["success"], answer["filename"]) == (True, name)
    assert (answer["char_count"], answer["encoding"]) == (len(_content(name)), "utf-8")
    seen = until(service.home, answer["text_id"], *FINAL, timeout_s=240)
    assert seen["status"] == "completed", seen["error_message"]
    file = get(service.home, seen["audio_url"])
    assert file.headers["Content-Type"] == "audio/mpeg"
    samples, rate = soundfile.read(io.BytesIO(file.content), dtype="float32")
    told = get(service.home, f"/api/audio/url/{seen['audio_id']}").json()
    decoded_s = len(samples) / rate
    print(f"{name}: {decoded_s:.1f} s of sound decoded")
    assert decoded_s == pytest.approx(told["duration"], abs=0.1)
    assert told["file_size"] == len(file.content)
    assert float(np.abs(samples).max()) > 0.1


# Traces ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_file_has_one_whole_trace_without_its_text(
    service: Service, sent: Mapping[str, Json], name: str
) -> None:
    """One complete trace reaches the receiver, as the rows tell it, with no word of the text."""
    until(service.home, sent[name]["text_id"], *FINAL, timeout_s=240)
    rows = rows_of(service.home, sent[name]["task_id"])
    assert rows.task.trace_id == sent[name]["trace_id"]
    found = trace_of(service.receiver, rows)
    check_whole(rows, found)
    check_resources(found)
    check_documented(found)
    assert all(span.status == 0 for span in found)
    assert len(rows.attempts) == 1
    secret = _runs(_content(name).encode())
    assert _runs(_content(name)[40:60].encode()) <= secret  # the search would find it
    for span in _of_tasks(service.receiver, found):
        wire = span.wire + repr(sorted(span.resource.items())).encode()
        assert not _runs(wire) & secret, f"{span.name}: {_runs(wire) & secret}"


def _of_tasks(receiver: OtlpReceiver, found: list[ReceivedSpan]) -> list[ReceivedSpan]:
    """Every span but those of other requests: one text speaks of addresses that this test asks."""
    ids = {span.span_id for span in found}
    return [
        span for span in receiver.spans if span.kind != names.SpanKind.SERVER or span.span_id in ids
    ]


def _runs(data: bytes) -> set[bytes]:
    """Every run of `ALIKE_BYTES` bytes."""
    return {data[at : at + ALIKE_BYTES] for at in range(len(data) - ALIKE_BYTES + 1)}


def test_retried_and_killed_task_has_a_whole_trace(service: Service) -> None:
    """An attempt that failed, one whose process was killed, one that made it: a span for each.

    The killed one's span is rebuilt from its row and says so; what was made is made once.
    """
    home = service.home
    content = "Made at once.\n\n@fail-until-attempt 2 retryable\n@sleep 2\nMade in the end."
    text = upload(home, content)
    pid = wait_until(
        lambda: _attempt_pid(home, text["task_id"], 2), PATIENCE_S, what="a second attempt"
    )
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert until(home, text["text_id"], *FINAL)["status"] == "completed"
    rows = rows_of(home, text["task_id"])
    assert [row.outcome for row in rows.attempts] == ["retry", "lost", "completed"]
    found = trace_of(service.receiver, rows)
    check_whole(rows, found)
    check_resources(found)
    by_id = {span.span_id: span for span in found}
    failed, killed, last = (by_id[row.span_id] for row in rows.attempts)
    assert (failed.status, last.status, by_id[rows.task.span_id].status) == (2, 0, 0)
    assert failed.attributes[names.ERROR_TYPE] == "engine_error"
    assert killed.attributes[names.SPAN_RECOVERED] is True
    assert killed.attributes[names.EXIT_SIGNAL] == signal.SIGKILL
    assert killed.attributes[names.ERROR_TYPE] == "worker_lost"
    assert names.SPAN_RECOVERED not in last.attributes


def _attempt_pid(home: Home, task_id: int, number: int) -> int | None:
    """The process that runs an attempt of a task, once it has begun."""
    with home.core.database.read() as conn:
        row = attempts.get(conn, task_id, number)
    return row.pid if row is not None else None


def test_window_is_sent_when_an_endpoint_is_set_later(service: Service) -> None:
    """Without an endpoint spans stay in the outbox; with one they are sent, the trace whole."""
    assert service.waited > 0
    rows = rows_of(service.home, service.window["task_id"])
    check_whole(rows, trace_of(service.receiver, rows))


# Streams -----------------------------------------------------------------------------------------


def test_stream_resumes_where_it_was_left(service: Service) -> None:
    """With Last-Event-ID a stream tells what was missed; after the end there is nothing to come."""
    home = service.home
    text = upload(home, "@sleep 1.5\nListened to with a break.")
    path = f"/api/task/stream/{text['text_id']}"
    [first] = islice(stream(home, path), 1)
    assert first.data["event"] in {"pending", "started"}
    until(home, text["text_id"], *FINAL)
    events = list(stream(home, path, last_id=first.id))
    told = [event.data["event"] for event in events]
    assert told == (["started"] if first.data["event"] == "pending" else []) + ["completed"]
    assert events[-1].data["audio_url"] == status(home, text["text_id"])["audio_url"]
    again = get(home, path, headers={"Last-Event-ID": events[-1].id})
    assert (again.status_code, again.content) == (204, b"")

    [whole] = stream(home, f"/api/v1/tasks/{text['task_id']}/stream", last_id=first.id)
    assert whole.name == "task"
    assert whole.data["is_final"] is True
    assert whole.data["events"][-1]["kind"] == "complete"


# The same again ----------------------------------------------------------------------------------


def test_same_content_follows_and_is_then_skipped(service: Service) -> None:
    """While it runs the same content follows it; afterwards its audio answers; one synthesis.

    The requests that made no work link to the task's span.
    """
    home = service.home
    content = "@sleep 1.5\nThe same words, three times."
    first, second = upload(home, content), upload(home, content, title="Another title")
    assert (first["disposition"], second["disposition"]) == ("new", "followed")
    assert second["text_id"] != first["text_id"]
    events = [
        event.data["event"] for event in stream(home, f"/api/task/stream/{second['text_id']}")
    ]
    assert events[-1] == "completed"
    urls = {until(home, text["text_id"], *FINAL)["audio_url"] for text in (first, second)}
    assert len(urls) == 1
    third = upload(home, content)
    assert (third["skipped"], third["audio_url"]) == (True, urls.pop())
    assert {first["task_id"], second["task_id"], third["task_id"]} == {first["task_id"]}
    assert task(home, first["task_id"])["attempt"] == 1

    rows = rows_of(home, first["task_id"])
    root = (rows.task.trace_id, rows.task.span_id)
    service.receiver.wait_for(lambda receiver: len(_linked(receiver, root)) == 2, PATIENCE_S)
    assert all(span.name == "POST /upload" for span in _linked(service.receiver, root))
    tasks = [span for span in trace_of(service.receiver, rows) if span.name == names.SPAN_TASK]
    assert len(tasks) == 1


def _linked(receiver: OtlpReceiver, root: tuple[str, str]) -> list[ReceivedSpan]:
    """Spans that link to a task's span."""
    return [span for span in receiver.distinct().values() if root in span.links]


# Encodings ---------------------------------------------------------------------------------------

SIMPLIFIED = "这是一个用国标编码的文件，我们来听一听它的声音。说的都是平常的话。"
TRADITIONAL = "這是一個用大五碼的檔案，我們來聽一聽它的聲音。說的都是平常的話。"


@pytest.mark.parametrize(
    ("content", "codec", "named", "told"),
    [
        (SIMPLIFIED, "gb18030", None, "gb18030"),
        (TRADITIONAL, "big5", None, "big5"),
        (SIMPLIFIED, "utf-16", None, "utf-16-le"),
        ("Plain words, two bytes each.", "utf-16-be", None, "utf-16-be"),
        (TRADITIONAL, "utf-8-sig", None, "utf-8"),
        ("好", "big5", "big5", "big5"),
    ],
    ids=["gb18030", "big5", "utf-16", "utf-16 without a mark", "utf-8 with a mark", "named"],
)
def test_file_is_read_in_its_encoding(
    service: Service, content: str, codec: str, named: str | None, told: str
) -> None:
    """The answer names the encoding that was chosen; the text is what was written, and spoken."""
    form = {"engine": "tone"} | ({"encoding": named} if named else {})
    answer = _send(service.home, f"{codec}.txt", content.encode(codec), **form)
    assert answer["encoding"] == told
    text = get(service.home, f"/api/v1/texts/{answer['text_id']}").json()["text"]
    assert text["content"] == content
    assert until(service.home, answer["text_id"], *FINAL)["status"] == "completed"

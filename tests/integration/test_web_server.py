"""The web as real processes: ready, streams and uploads at once, stops, refuses, survives."""

import http.client
import json
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.domain.query.order import NEVER_US, Begun, Cursor, Order, Sort
from app.service import task_list
from tests.support.home import Home, Program, children_of, terminate
from tests.support.service import submitted
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow


def _get(url: str, **headers: str) -> tuple[int, Any]:
    """Status and decoded JSON."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def _start(home: Home, **environ: str) -> Program:
    """A web that answers."""
    web = home.start("web", **environ)

    def answers() -> bool:
        assert web.popen.poll() is None, web.output()
        try:
            return _get(f"{home.url}/healthz")[0] == 200
        except OSError:
            return False

    wait_until(answers, 30, what="the web answers")
    wait_until(
        lambda: len(children_of(web.pid)) == home.settings.web_processes,
        30,
        what="all web processes run",
    )
    return web


class Stream:
    """A stream that is read by a thread of its own."""

    def __init__(self, home: Home, path: str) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.text = ""
        self.failure: OSError | http.client.HTTPException | None = None
        host, _, port = home.environ["VOXTRACE_BIND"].rpartition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=60)
        self._path = path
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            self._connection.request("GET", self._path)
            answer = self._connection.getresponse()
            while block := answer.read1(65536):
                self.text += block.decode()
                if "data:" in self.text:
                    self.begun.set()
        except (OSError, http.client.HTTPException) as error:
            self.failure = error
        finally:
            self._connection.close()
            self.ended.set()


def test_two_hundred_streams_leave_uploads_alone(home: Home) -> None:
    """200 streams tell the present state, held or short; each of 20 uploads takes under 1 s."""
    home.environ |= {"VOXTRACE_WEB_PROCESSES": "4", "VOXTRACE_DEFAULT_ENGINE": "tone"}
    text_id = submitted(home.core, "Nobody speaks this.").text.id
    _start(home)
    streams = [Stream(home, f"/api/task/stream/{text_id}") for _ in range(200)]
    for stream in streams:
        assert stream.begun.wait(30), stream.failure or stream.text

    def upload(number: int) -> float:
        body = json.dumps({"content": f"Upload {number}."}).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{home.url}/upload", body, {"Content-Type": "application/json"}
        )
        begun = time.monotonic()
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            assert json.load(answer)["success"] is True
        return time.monotonic() - begun

    with ThreadPoolExecutor(20) as pool:
        took = sorted(pool.map(upload, range(20)))
    assert took[-1] < 1, took
    assert all(stream.failure is None for stream in streams)
    assert all('"status": "pending"' in stream.text for stream in streams)
    held = [stream for stream in streams if not stream.ended.is_set()]
    short = [stream for stream in streams if stream.text.startswith("retry: 2000")]
    assert len(held) <= 4 * 32
    assert len(held) + len(short) >= 190


def test_stop_ends_streams_within_a_second(home: Home) -> None:
    """SIGTERM ends every stream and every process at once, and the exit code is 0."""
    text_id = submitted(home.core, "Nobody speaks this.").text.id
    web = _start(home)
    streams = [Stream(home, f"/api/task/stream/{text_id}") for _ in range(10)]
    for stream in streams:
        assert stream.begun.wait(30)
    begun = time.monotonic()
    web.signal(signal.SIGTERM)
    for stream in streams:
        assert stream.ended.wait(10)
    took = time.monotonic() - begun
    assert web.wait(10) == 0
    assert took < 1.5, f"streams ended after {took:.1f} s"
    assert [stream.failure for stream in streams] == [None] * 10
    assert children_of(web.pid) == []


def test_stream_lives_to_the_end_of_a_real_task(home: Home) -> None:
    """A stream over real processes: present state, progress, completed with an audio that plays."""
    home.start_worker(VOXTRACE_WORKER_CONCURRENCY="1")
    _start(home)
    task = submitted(home.core, "Hello there. " * 200).task
    stream = Stream(home, f"/api/task/stream/{task.text_id}")
    assert stream.ended.wait(30)
    events = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data:")]
    assert events[-1]["event"] == "completed"
    assert all(event["text_id"] == task.text_id for event in events)
    with urllib.request.urlopen(home.url + events[-1]["audio_url"], timeout=10) as audio:  # noqa: S310
        assert audio.headers["Content-Type"] == "audio/mpeg"
        assert len(audio.read()) == task_list.get(home.core, task.id).audio_bytes


def test_ready_when_everything_runs_and_not_after(home: Home) -> None:
    """200 with worker and duties; 503 that names the worker after it has stopped."""
    _start(home)
    worker = home.start_worker()
    home.start_duties()
    wait_until(lambda: _get(f"{home.url}/readyz")[0] == 200, 30, what="the service is ready")
    terminate(worker)

    def names_the_worker() -> bool:
        status, told = _get(f"{home.url}/readyz")
        return status == 503 and not told["checks"]["workers"]["ok"]

    wait_until(names_the_worker, 30, what="the service is not ready")


def test_old_schema_is_refused_in_words(home: Home) -> None:
    """A database of another release ends the start with exit 1 and what to do."""
    with home.core.database.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'v0000'")
    done = home.run("web")
    assert done.returncode == 1
    assert "voxtrace migrate" in done.stderr


def test_processes_die_with_the_master(home: Home) -> None:
    """SIGKILL of the master leaves no web process behind; the port is free for the next start."""
    web = _start(home)
    children = children_of(web.pid)
    web.kill()
    wait_until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in children),
        10,
        what="the web processes are gone",
    )
    _start(home)


def test_killed_process_is_replaced_and_nothing_is_forgotten(home: Home) -> None:
    """A web process holds no state: after its SIGKILL every answer is as before."""
    submitted(home.core, "Waiting.")
    web = _start(home)
    before = _get(f"{home.url}/api/monitor/stats")[1]
    for pid in children_of(web.pid):
        os.kill(pid, signal.SIGKILL)

    def same() -> bool:
        try:
            told = _get(f"{home.url}/api/monitor/stats")[1]
        except OSError:
            return False
        names = ("total_tasks", "tasks_pending", "active_tasks")
        return [told[name] for name in names] == [before[name] for name in names]

    wait_until(same, 30, what="the answers are as before")


def test_too_large_body_hears_its_answer(home: Home) -> None:
    """A client that sends everything before it listens still reads 413, not a reset."""
    home.environ["VOXTRACE_MAX_TEXT_CHARS"] = "1000"
    _start(home)
    host, _, port = home.environ["VOXTRACE_BIND"].rpartition(":")
    body = b'{"content": "' + b"x" * 5_000_000 + b'"}'
    head = (
        f"POST /api/v1/texts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"a text may have 1000 characters" in answer


def test_open_legacy_routes_are_warned_of(home: Home) -> None:
    """Who opens the old routes beside a token reads at the start what that means."""
    web = _start(home, VOXTRACE_API_TOKEN="x" * 32, VOXTRACE_LEGACY_OPEN="1")
    assert "VOXTRACE_LEGACY_OPEN" in web.output()
    assert _get(f"{home.url}/api/monitor/stats")[0] == 200
    assert _get(f"{home.url}/api/v1/monitor")[0] == 401
    assert terminate(web) == 0


def test_longest_filter_is_taken_and_a_longer_address_is_a_problem(home: Home) -> None:
    """As many Chinese characters as a filter may have, with a cursor; beyond that a problem."""
    _start(home)
    begun = Begun(at=NEVER_US - 1, oldest=NEVER_US - 1)
    order = Order(sort=Sort.ENDED, is_ascending=True)
    cursor = Cursor(order=order, key=(NEVER_US,) * 3, is_backwards=True, begun=begun)
    others = f"sort={order}&cursor={cursor}&limit=200&count=1&status=processing"
    answers = [
        _get(f"{home.url}/api/v1/tasks?{others}&query={urllib.parse.quote('第' * count)}")
        for count in (840, 844, 1000)
    ]
    assert [status for status, _ in answers] == [200, 400, 414]
    assert answers[0][1]["query"] == "text:" + "第" * 840 + " status:processing"
    assert (answers[1][1]["position"], answers[1][1]["length"]) == (0, 844)
    told = answers[2][1]
    assert (told["error_type"], told["status"]) == ("too_long", 414)
    assert "has 8190 bytes at most, and a filter in it 7600" in told["detail"]

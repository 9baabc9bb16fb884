"""The whole service as a user runs it: `voxtrace up` on a home, its processes, requests to it."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from app import process
from tests.support.home import Home, Program, children_of
from tests.support.wait import wait_until

#: Seconds that anything may take before a test gives up; the machine may be busy.
PATIENCE_S: Final = 90.0
FINAL: Final = ("completed", "failed", "timeout")
READY: Final = "voxtrace is ready: "

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pid:
    """One process for ever: its pid, and when it was started."""

    pid: int
    ticks: int | None

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return process.is_alive(self.pid, self.ticks)


def start_up(home: Home, **environ: str) -> Program:
    """Starts `voxtrace up` and waits until it says that everything answers."""
    up = home.start("up", **environ)
    wait_until(lambda: is_ready(up), PATIENCE_S, what="voxtrace up is ready")
    return up


def is_ready(up: Program) -> bool:
    """Whether `up` has told its address; fails where it has ended."""
    code = up.popen.poll()
    assert code is None, f"up ended with {code}:\n{up.output()[-4000:]}"
    return READY in up.output()


def part(up: Program, name: str) -> Pid:
    """The program `web`, `worker` or `duties` that runs under `up` now."""

    def look() -> Pid | None:
        for pid in children_of(up.pid):
            if name in command_line(pid):
                return Pid(pid, process.start_ticks(pid))
        return None

    found = wait_until(look, PATIENCE_S, what=f"{name} runs under up")
    assert found is not None
    return found


def command_line(pid: int) -> list[str]:
    """The words that a process was started with; none where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def web_processes(up: Program, count: int = 4) -> list[int]:
    """Pids of the web processes that `up` runs, once there are `count` of them."""
    master = part(up, "web").pid
    wait_until(lambda: len(children_of(master)) == count, PATIENCE_S, what=f"{count} web processes")
    return sorted(children_of(master))


def family(up: Program) -> list[Pid]:
    """Everything that this start of `up` started and that runs now, however deep."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            pid = int(entry.name)
            mark = process.run_mark_of(pid) or ""
            ticks = process.start_ticks(pid)
            if ticks is not None and mark.rpartition("|")[0].endswith(f"|{up.pid}"):
                found.append(Pid(pid, ticks))
    return found


def kill_everything(up: Program) -> None:
    """SIGKILLs `up` and everything that it started; waits until nothing is left."""
    up.kill()

    def is_over() -> bool:
        left = family(up)
        for one in left:
            try:
                os.kill(one.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not left

    wait_until(is_over, 30, what="everything is killed")


@contextmanager
def running_up(home: Home, **environ: str) -> Iterator[Program]:
    """`voxtrace up`, ready; what is left of it in the end is killed, whatever became of it."""
    up = start_up(home, **environ)
    try:
        yield up
    finally:
        kill_everything(up)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEvent:
    """One server-sent event; `name` is "" for the default one."""

    id: str
    name: str
    data: Json


def stream(home: Home, path: str, *, last_id: str | None = None) -> Iterator[ServerEvent]:
    """The events of a stream, until the server ends it."""
    headers = {"Last-Event-ID": last_id} if last_id is not None else {}
    with get(home, path, headers=headers, stream=True) as answer:
        fields: dict[str, str] = {}
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            name, _, value = line.partition(": ")
            fields[name] = value
            if not line and "data" in fields:
                yield ServerEvent(
                    id=fields["id"], name=fields.get("event", ""), data=json.loads(fields["data"])
                )
            if not line:
                fields = {}


def get(
    home: Home, path: str, *, session: requests.Session | None = None, **fields: Any
) -> requests.Response:
    """A GET that must succeed, with the token where one is set, on a connection of its own."""
    headers = _token(home) | fields.pop("headers", {})
    answer = (session or requests).get(
        f"{home.url}{path}", headers=headers, timeout=PATIENCE_S, **fields
    )
    assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"
    return answer


def _token(home: Home) -> dict[str, str]:
    """The header that shows the token; none where none is set."""
    token = home.environ.get("VOXTRACE_API_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def upload(
    home: Home, content: str, *, session: requests.Session | None = None, **fields: Any
) -> Json:
    """Submits a text over POST /upload, for the scripted engine unless another is named."""
    key = fields.pop("idempotency_key", None)
    body = {"content": content, "engine": "scripted"} | fields
    headers = _token(home) | ({"Idempotency-Key": key} if key else {})
    post = session.post if session is not None else requests.post
    answer = post(f"{home.url}/upload", json=body, headers=headers, timeout=PATIENCE_S)
    assert answer.ok, f"{answer.status_code} {answer.text[:500]}"
    found: Json = answer.json()
    return found


def status(home: Home, text_id: int) -> Json:
    """GET /api/task/status of a text."""
    found: Json = get(home, f"/api/task/status/{text_id}").json()
    return found


def stats(home: Home) -> Json:
    """GET /api/monitor/stats."""
    found: Json = get(home, "/api/monitor/stats").json()
    return found


def until(home: Home, text_id: int, *statuses: str, timeout_s: float = PATIENCE_S) -> Json:
    """A text's status as soon as it is one of `statuses`."""

    def look() -> Json | None:
        seen = status(home, text_id)
        return seen if seen["status"] in statuses else None

    what = f"text {text_id} is {' or '.join(statuses)}"
    found = wait_until(look, timeout_s, what=what, every_s=0.1)
    assert found is not None
    return found


def until_all(home: Home, text_ids: list[int], *, timeout_s: float = 2 * PATIENCE_S) -> list[Json]:
    """The statuses of texts when every one of them is over."""
    for text_id in reversed(text_ids):
        until(home, text_id, *FINAL, timeout_s=timeout_s)
    return [status(home, text_id) for text_id in text_ids]


def task(home: Home, task_id: int) -> Json:
    """GET /api/v1/tasks/{id}: everything about a task."""
    found: Json = get(home, f"/api/v1/tasks/{task_id}").json()
    return found


def run_pid(home: Home, task_id: int) -> int:
    """The process that runs a task, once it has begun."""

    def look() -> int | None:
        attempts = task(home, task_id)["attempts"]
        return attempts[-1]["pid"] if attempts and not attempts[-1]["finished_at"] else None

    pid = wait_until(look, PATIENCE_S, what=f"task {task_id} has begun")
    assert pid is not None
    return int(pid)

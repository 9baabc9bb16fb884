"""`voxtrace up` as a user runs it: its start, its stop, its death, what it says when it cannot."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from app import process
from app.service import task_list
from app.store import workers
from tests.support.home import Home, Program, free_port
from tests.support.running import (
    FINAL,
    PATIENCE_S,
    READY,
    Pid,
    command_line,
    family,
    kill_everything,
    part,
    run_pid,
    running_up,
    start_up,
    task,
    until,
    upload,
)
from tests.support.system import System
from tests.support.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def _new_home(path: Path, **environ: str) -> Home:
    """A home whose directory is not there yet; output of programs goes beside it."""
    made = Home.make(path / "beside", VOXTRACE_WEB_PROCESSES="2", **environ)
    return Home(made.path, {**made.environ, "VOXTRACE_HOME": str(path / "new" / "home")})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One start on a new home, for what does not end it."""
    with _new_home(tmp_path_factory.mktemp("up")) as home:
        system = System(home, start_up(home))
        yield system
        kill_everything(system.up)


def test_up_makes_a_home_and_tells_its_address_when_all_answer(running: System) -> None:
    """On a new home: migrated, every part well, the page there, the address told, no secret."""
    bind = running.home.environ["VOXTRACE_BIND"]
    port = bind.rpartition(":")[2]
    output = running.up.output()
    assert f"voxtrace is ready: http://localhost:{port}/" in output
    assert re.search(r"database is now at \S+ \(was empty\)", output)
    answer = requests.get(f"http://localhost:{port}/readyz", timeout=PATIENCE_S)
    assert answer.json()["ready"] is True
    assert requests.get(f"http://localhost:{port}/", timeout=PATIENCE_S).status_code == 200
    assert Path(running.home.environ["VOXTRACE_HOME"]).stat().st_mode & 0o077 == 0


def test_second_start_says_what_holds_the_port(running: System) -> None:
    """A second start on the same port ends with 1, names the process; the first is unharmed."""
    before = set(family(running.up))
    done = running.home.run("up")
    assert done.returncode == 1
    line = done.stderr.strip()
    assert "\n" not in line
    assert running.home.environ["VOXTRACE_BIND"] in line
    holder = re.search(r"\(pid (\d+)\)", line)
    assert holder is not None, line
    assert int(holder[1]) in {one.pid for one in before}
    assert "VOXTRACE_BIND" in line  # what to do
    assert set(family(running.up)) == before
    assert running.up.popen.poll() is None


def test_second_start_on_the_same_home_says_who_has_it(running: System) -> None:
    """A second start on the same home, at another port, ends with 1 and names the first one."""
    done = running.home.run("up", VOXTRACE_BIND=f"127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert f"in use by another `voxtrace up` (pid {running.up.pid})" in done.stderr
    assert running.up.popen.poll() is None


@pytest.mark.parametrize("name", ["web", "worker", "duties"])
def test_killed_program_is_started_again(running: System, name: str) -> None:
    """Kill -9 of the web, the worker or the duties: a new one comes, and all is well again."""
    home, old = running.home, part(running.up, name)
    os.kill(old.pid, signal.SIGKILL)
    wait_until(lambda: not old.is_alive, 10, what=f"{name} is dead")
    wait_until(lambda: part(running.up, name) != old, PATIENCE_S, what=f"a new {name}")
    wait_until(lambda: _ready(home), PATIENCE_S, what="everything answers again")
    text = upload(home, f"Spoken after the {name} was killed.")
    assert until(home, text["text_id"], *FINAL)["status"] == "completed"
    told = re.search(
        rf"a program ended: it is started again.* name={name} code=-9 ", running.up.output()
    )
    assert told, running.up.output()[-2000:]


def _ready(home: Home) -> bool:
    try:
        return requests.get(f"{home.url}/readyz", timeout=PATIENCE_S).ok
    except requests.RequestException:
        return False


def _segments_done(home: Home, task_id: int) -> int:
    return task_list.get(home.core, task_id).segments_done


def _living(found: list[Pid]) -> list[Pid]:
    return [one for one in found if one.is_alive]


#: One child, one task at once: what waits must stay where it is.
ALONE = {
    "VOXTRACE_WORKER_CONCURRENCY": "1",
    "VOXTRACE_MAX_CONCURRENT": "1",
    "VOXTRACE_WEB_PROCESSES": "2",
}


def test_ctrl_c_hands_back_at_the_checkpoint_and_the_next_start_finishes(tmp_path: Path) -> None:
    """One SIGINT to `up` alone: no new claim, the running task handed back, nothing left, exit 0.

    The next start makes only what is missing, and then what waited.
    """
    with (
        Home.make(tmp_path / "home", **ALONE, VOXTRACE_DRAIN_S="0.5") as home,
        running_up(home) as up,
    ):
        long = upload(home, "Kept from before.\n\n@sleep 5\nMade after the stop.")
        waiting = upload(home, "Not begun before the stop.")
        wait_until(lambda: _segments_done(home, long["task_id"]) == 1, PATIENCE_S, what="a segment")
        everything = family(up)
        up.signal(signal.SIGINT)
        assert up.wait(PATIENCE_S) == 0
        assert _living(everything) == family(up) == []
        assert up.output().endswith("voxtrace: stopped\n")

        row = task_list.get(home.core, long["task_id"])
        assert (row.status, row.wait_reason, row.segments_done) == ("pending", "handed_back", 1)
        assert (row.attempt, row.tries_used, row.lost_count) == (1, 0, 0)
        other = task_list.get(home.core, waiting["task_id"])
        assert (other.status, other.attempt) == ("pending", 0)
        with home.core.database.read() as conn:
            assert {worker.state for worker in workers.latest(conn)} == {"stopped"}

        with running_up(home):
            assert until(home, long["text_id"], *FINAL)["status"] == "completed"
            view = task(home, long["task_id"])
            assert [one["outcome"] for one in view["attempts"]] == ["handed_back", "completed"]
            assert [one["segments_made"] for one in view["attempts"]] == [1, 1]
            assert until(home, waiting["text_id"], *FINAL)["status"] == "completed"


def test_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    """A second SIGINT does not wait for the drain: handed back and gone, long before its end."""
    with (
        Home.make(tmp_path / "home", **ALONE, VOXTRACE_DRAIN_S="3000") as home,
        running_up(home) as up,
    ):
        stuck = upload(home, "@spin 2000\nNever heard.")
        run_pid(home, stuck["task_id"])
        everything = family(up)
        up.signal(signal.SIGINT)
        wait_until(lambda: _worker_state(home) == "draining", PATIENCE_S, what="the drain begins")
        assert up.popen.poll() is None
        up.signal(signal.SIGINT)
        assert up.wait(PATIENCE_S) == 0
        assert _living(everything) == family(up) == []
        row = task_list.get(home.core, stuck["task_id"])
        assert (row.status, row.wait_reason) == ("pending", "handed_back")


def _worker_state(home: Home) -> str:
    with home.core.database.read() as conn:
        return workers.latest(conn)[0].state


def test_kill_of_up_leaves_nothing_running(tmp_path: Path) -> None:
    """Kill -9 of `up`: all that it started is gone by itself; what resists, by the next start.

    The grandchild of an attempt ignores SIGTERM and knows nothing of its parent's death.
    """
    with (
        Home.make(tmp_path / "home", **ALONE, VOXTRACE_ENGINES="tone,scripted,espeak") as home,
        running_up(home) as up,
    ):
        until(home, upload(home, "Spoken.", engine="espeak")["text_id"], "completed")
        stuck = upload(home, "@subprocess 2000\nNever heard.")
        run_pid(home, stuck["task_id"])
        wait_until(lambda: _running(up, "sleep"), PATIENCE_S, what="a grandchild")
        [resists] = _running(up, "sleep")
        others = [one for one in family(up) if one != resists]
        assert {part(up, name) for name in ("web", "worker", "duties")} < set(others)
        assert _running(up, "app.speech.espeak_host")
        up.kill()
        wait_until(lambda: not _living(others), 20, what="all that up had started is gone")
        assert _living([resists]), "it was to resist: the next start would have nothing to kill"

        with running_up(home) as again:
            assert not _living([resists])
            assert "processes that an earlier start had left" in again.output()


def test_program_started_by_hand_outlives_its_shell(home: Home) -> None:
    """What a shell starts in the background goes on when that shell ends: it has no supervisor."""
    environ = {name: value for name, value in os.environ.items() if name != process.PARENT_PID}
    log = home.path / "by-hand.log"
    log.touch()
    with subprocess.Popen(
        ["/bin/sh", "-c", f"{sys.executable} -m app duties >{log} 2>&1 & echo $!; read end"],
        env=environ | home.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
        ends = os.pidfd_open(pid)
        try:
            wait_until(lambda: "this process leads" in log.read_text(), PATIENCE_S, what="it works")
            shell.communicate("", timeout=PATIENCE_S)
            assert select.select([ends], [], [], 0.5)[0] == [], "it ended with its shell"
            os.kill(pid, signal.SIGTERM)
            assert select.select([ends], [], [], PATIENCE_S)[0] == [ends]
        finally:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(ends, signal.SIGKILL)
            os.close(ends)


def _running(up: Program, word: str) -> list[Pid]:
    """What `up` has started with this word in its command."""
    return [one for one in family(up) if word in command_line(one.pid)]


WRONG = {
    "VOXTRACE_TASK_TIMEOUT_S": ("-1", "seconds|number"),
    "VOXTRACE_WEB_PROCESSES": ("many", "whole number"),
    "VOXTRACE_BIND": ("everywhere", "HOST:PORT|host"),
}


@pytest.mark.parametrize("command", ["up", "web", "worker", "duties", "list"])
def test_wrong_settings_end_a_program_with_a_line_each(home: Home, command: str) -> None:
    """Exit 2, and for each wrong setting one line: its name, what was got, what is allowed."""
    done = home.run(command, **{name: value for name, (value, _) in WRONG.items()})
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == len(WRONG), done.stderr
    for name, (value, allowed) in WRONG.items():
        line = next(line for line in lines if name in line)
        assert f"got '{value}'" in line
        assert re.search(allowed, line), line


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("VOXTRACE_BIND", "0.0.0.0:8082", "VOXTRACE_API_TOKEN"),
        ("VOXTRACE_HOME", "/proc/nowhere", "VOXTRACE_HOME must be a directory"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ],
)
def test_impossible_settings_end_up_before_anything_starts(
    home: Home, name: str, value: str, words: str
) -> None:
    """No open bind without a token, no home that cannot be made, no collector that is no URL."""
    done = home.run("up", **{name: value})
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert done.stdout == ""


def test_failing_program_at_the_start_ends_up_with_1(tmp_path: Path) -> None:
    """Where one program cannot start, `up` says which, ends the others, and exits with 1."""
    with Home.make(tmp_path / "home", VOXTRACE_WEB_PROCESSES="1") as home:
        (home.path / "audio").write_text("not a directory: sound has no place")
        up = home.start("up")
        assert up.wait(PATIENCE_S) == 1
        assert re.search(r"voxtrace: (web|worker|duties) ended at its start", up.output())
        assert READY not in up.output()
        assert family(up) == []

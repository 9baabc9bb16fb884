"""The eight problems of the report, by number, against four web processes and real workers.

One start of `voxtrace up` (SQLite, `gunicorn -w 4`, a worker of two children, duties) is shared;
three of the tests kill all of it and start it again. Each puts its own texts there and takes away
what still runs, so that their order does not matter. `tests/acceptance/regressions` has a patch for
each that puts the problem back.
"""

import hashlib
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from html import unescape

import pytest
import requests

from app import process
from tests.support.figures import most_at_once, recounted_figures, resident_kib, told_figures
from tests.support.home import Home
from tests.support.running import (
    FINAL,
    PATIENCE_S,
    Json,
    command_line,
    get,
    kill_everything,
    part,
    run_pid,
    start_up,
    stats,
    status,
    stream,
    task,
    until,
    until_all,
    upload,
)
from tests.support.system import System
from tests.support.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: Tasks at once, as configured.
LIMIT = 2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One start for all tests."""
    path = tmp_path_factory.mktemp("report") / "home"
    environ = {"VOXTRACE_WEB_PROCESSES": "4", "VOXTRACE_MAX_CONCURRENT": str(LIMIT)}
    with Home.make(path, **environ) as home:
        system = System(home, start_up(home))
        yield system
        kill_everything(system.up)


@pytest.fixture
def system(running: System) -> Iterator[System]:
    """The service, alive and idle before and after."""
    running.revive()
    yield running
    running.tidy()


# P1 ----------------------------------------------------------------------------------------------


def test_p1_nothing_is_lost_when_everything_is_killed_and_started_again(system: System) -> None:
    """P1 "in-memory storage, everything lost at restart": a kill -9 of every process loses nothing.

    After the new start each text has its status, times, error, audio and trace, figures and lists
    are what they were, an idempotency key still answers with its first text, and what ran is shown,
    and finished.
    """
    home = system.home
    made = [
        upload(home, "P1, spoken before.", title="P1 spoken", idempotency_key="p1"),
        upload(home, "@fail permanent P1 on purpose\nText.", title="P1 failed"),
        upload(home, "@sleep 60\nP1, too slow.", title="P1 slow", timeout_s=1),
    ]
    seen = until_all(home, [text["text_id"] for text in made])
    assert [one["status"] for one in seen] == ["completed", "failed", "timeout"]
    before, total = _picture(home, made), stats(home)["total_tasks"]
    busy = upload(home, "@sleep 2\nP1, running when all was killed.", title="P1 running")
    run_pid(home, busy["task_id"])

    system.restart()

    assert stats(home)["total_tasks"] == total + 1
    assert _picture(home, made) == before
    again = upload(home, "P1, spoken before.", title="P1 spoken", idempotency_key="p1")
    assert again["text_id"] == made[0]["text_id"]
    assert stats(home)["total_tasks"] == total + 1
    assert until(home, busy["text_id"], *FINAL)["status"] == "completed"
    assert task(home, busy["task_id"])["lost_count"] == 1


def _picture(home: Home, made: Sequence[Json]) -> Json:
    """Everything that is shown of texts that are over."""
    tasks = [task(home, text["task_id"]) for text in made]
    for one in tasks:
        for attempt in one["attempts"]:
            attempt.pop("worker_state")  # of the worker now, not of the attempt
    kept = ("attempts", "events", "spans", "reason", "submissions")
    told = stats(home)
    audio_url = status(home, made[0]["text_id"])["audio_url"]
    library, audios = get(home, "/?q=P1").text, get(home, "/audios?q=P1").text
    return {
        "status": [status(home, text["text_id"]) for text in made],
        "tasks": [{name: one[name] for name in kept} for one in tasks],
        "audio": hashlib.sha256(get(home, audio_url).content).hexdigest(),
        "figures": [told[name] for name in ("tasks_completed", "tasks_failed", "avg_duration")],
        "library": [title in library for title in ("P1 spoken", "P1 failed", "P1 slow")],
        "audios": "P1 spoken" in audios,
    }


# P2 ----------------------------------------------------------------------------------------------


def test_p2_four_web_processes_answer_the_same(system: System) -> None:
    """P2 "workers do not share state, monitoring data split": four processes, one truth.

    Each of the four web processes, asked alone, tells the same statistics, the same active tasks
    and the same status of a text, whichever process took it.
    """
    home, among = system.home, system.web()
    made = []
    for pid, line in zip(among, ("P2, spoken.", *["@sleep 120"] * 3), strict=True):
        with system.connection_to(pid) as taker:
            made.append(upload(home, f"{line}\nBy {pid}.", title=f"P2 by {pid}", session=taker))
        if len(made) == 1:
            until(home, made[0]["text_id"], "completed")
    done, *busy, waiting = (text["text_id"] for text in made)
    wait_until(lambda: _have_begun(home, made[1:3]), PATIENCE_S, what="two tasks run")

    told = {pid: _steady(answer.json()) for pid, answer in system.ask_each(_STATS).items()}
    assert len(told) == 4
    for figures in told.values():
        assert figures == told[among[0]]
    assert told[among[0]]["active_tasks"] == LIMIT
    assert [one["text_id"] for one in told[among[0]]["active_list"]] == busy
    wanted = {done: "completed", busy[0]: "processing", busy[1]: "processing", waiting: "pending"}
    for text_id, expected in wanted.items():
        answers = system.ask_each(f"/api/task/status/{text_id}").values()
        seen = [answer.json()["status"] for answer in answers]
        assert seen == [expected] * 4, [task(home, text["task_id"])["events"] for text in made]
    for page in system.ask_each("/monitor").values():
        assert all(f"P2 by {pid}" in page.text for pid in among[1:3])


_STATS = "/api/monitor/stats"


def _have_begun(home: Home, made: Sequence[Json]) -> bool:
    """Whether the tasks of these texts run, and have come as far as they will."""
    tasks = [task(home, text["task_id"]) for text in made]
    return all(one["status"] == "processing" and one["segment_count"] for one in tasks)


def _steady(figures: Json) -> Json:
    """Statistics without what moves with the clock."""
    active = [{**one, "duration": None} for one in figures["active_list"]]
    return {**figures, "active_list": active, "timestamp": None}


# P3 ----------------------------------------------------------------------------------------------

#: Tasks before the first measurement, and between it and the second.
WARM_COUNT = 60
MORE_COUNT = 120
#: Spaces at the end of each text: a process that kept texts or tasks would show it.
PADDING = " " * 200_000
#: How much any process may grow, of what it has.
GROWTH_RATIO = 0.05


def test_p3_finished_tasks_are_not_kept_in_memory(system: System) -> None:
    """P3 "finished tasks never cleaned up, memory grows for ever": memory stays what it was.

    After several hundred tasks every process (web, worker, its children, duties) is as large as
    after the first of them, and the first one's status can still be asked for.
    """
    home, among = system.home, system.web()
    for pid in among:  # else one that was never asked would grow by its first requests
        with system.connection_to(pid) as connection:
            upload(home, f"Warm {pid}.{PADDING}", session=connection)
    system.tidy()
    first = _finish_many(home, range(WARM_COUNT))
    before = resident_kib(system.up)
    _finish_many(home, range(WARM_COUNT, WARM_COUNT + MORE_COUNT))
    after = resident_kib(system.up)
    grown = {pid: after[pid] / before[pid] - 1 for pid in before if pid in after}
    assert {*among, part(system.up, "worker").pid} <= set(grown)
    shown = {f"{command_line(pid)[3]} {pid}": f"{ratio:+.1%}" for pid, ratio in grown.items()}
    print(shown)
    assert max(grown.values()) < GROWTH_RATIO, shown
    assert status(home, first)["status"] == "completed"


def _finish_many(home: Home, numbers: range) -> int:
    """Has tiny tasks done, half of them spoken, half of them failing; the first one's text."""
    before = stats(home)
    ids = []
    with requests.Session() as session:  # one web process takes most of them
        for number in numbers:
            engine, line = ("tone", "") if number % 2 == 0 else ("scripted", "@fail permanent no\n")
            body = {"content": f"{line}p {number}{PADDING}", "engine": engine}
            answer = session.post(f"{home.url}/upload", json=body, timeout=PATIENCE_S)
            assert answer.ok, answer.text
            ids.append(int(answer.json()["text_id"]))

    def is_over() -> bool:
        now = stats(home)
        ended = [now[name] - before[name] for name in ("tasks_completed", "tasks_failed")]
        return ended == [len(ids) // 2] * 2

    wait_until(is_over, 240, what=f"{len(ids)} tasks are over", every_s=0.2)
    return ids[0]


# P4 ----------------------------------------------------------------------------------------------


def test_p4_statistics_equal_a_recount_of_the_rows_after_a_restart(system: System) -> None:
    """P4 "statistics disagree with the database, zero after a restart": they are the rows'.

    After 100 tasks, a restart and 1 more, total, success rate and mean duration are those of the
    rows, counted by hand; never "success rate 100 %, total 1".
    """
    home = system.home
    made = [
        upload(home, f"{'@fail permanent no' if n % 10 < 3 else ''}\nP4 number {n}.")["text_id"]
        for n in range(100)
    ]
    ends = Counter(one["status"] for one in until_all(home, made))
    assert ends == {"completed": 70, "failed": 30}
    before = told_figures(home)
    assert before == recounted_figures(home)

    system.restart()

    assert told_figures(home) == before
    assert recounted_figures(home) == before
    until(home, upload(home, "P4, one after the restart.")["text_id"], "completed")
    after = told_figures(home)
    assert after == recounted_figures(home)
    assert after["total_tasks"] == before["total_tasks"] + 1
    assert after["success_rate"] < 100


# P5 ----------------------------------------------------------------------------------------------


def test_p5_stuck_task_becomes_timeout_in_time_and_its_slot_is_free(system: System) -> None:
    """P5 "timeout check not in use": a stuck task is `timeout` soon after its limit.

    Within 5 s, over status, stream and statistics; its processes are gone and its slot is free.
    """
    home = system.home
    made = [
        upload(home, f"{command}\nP5, never heard.", timeout_s=2)
        for command in ("@spin 120", "@subprocess 120")
    ]
    pids = [run_pid(home, text["task_id"]) for text in made]
    assert stats(home)["active_tasks"] == LIMIT
    waiting = upload(home, "P5, next in the queue.")["text_id"]
    events = [event.data for event in stream(home, f"/api/task/stream/{made[0]['text_id']}")]
    names = [event["event"] for event in events if event["event"] != "progress"]
    assert names == ["started", "timeout"]
    assert events[-1]["status"] == "timeout"
    for text in made:
        seen = until(home, text["text_id"], *FINAL, timeout_s=20)
        assert seen["status"] == "timeout"
        assert 2 <= seen["completed_time"] - seen["start_time"] < 2 + 5
        assert seen["error_message"]
    until(home, waiting, "completed")
    told = stats(home)
    assert (told["active_tasks"], told["active_list"]) == (0, [])
    wait_until(lambda: not any(map(process.group_members, pids)), 10, what="its processes are gone")


# P6 ----------------------------------------------------------------------------------------------


def test_p6_failed_and_timed_out_filter_is_right_after_a_restart(system: System) -> None:
    """P6 "front-end filter depends on memory, wrong after restart": it asks the database.

    "failed / timeout only" on the page and in the API shows these very texts, before and after a
    restart, in every web process.
    """
    home, among = system.home, system.web()
    with system.connection_to(among[0]) as taker:
        made = {
            "P6 spoken": upload(home, "P6, spoken.", title="P6 spoken", session=taker),
            "P6 failed": upload(home, "@fail permanent no\nP6.", title="P6 failed", session=taker),
            "P6 late": upload(home, "@sleep 60\nP6.", title="P6 late", timeout_s=1, session=taker),
        }
    until_all(home, [text["text_id"] for text in made.values()])
    path = _filter_of_the_page(home)
    with system.connection_to(among[0]) as taker:
        assert _titles(get(home, path, session=taker).text) == {"P6 failed", "P6 late"}

    system.restart()

    for page in system.ask_each(path).values():
        assert _titles(page.text) == {"P6 failed", "P6 late"}
    wanted = {made[title]["text_id"] for title in ("P6 failed", "P6 late")}
    for answer in system.ask_each("/api/v1/texts?status=problem&q=P6").values():
        assert {text["id"] for text in answer.json()["texts"]} == wanted
    assert _titles(get(home, "/?q=P6").text) == set(made)


def _filter_of_the_page(home: Home) -> str:
    """The address behind the library's own filter, searching for this test's texts."""
    page = get(home, "/?q=P6", headers={"Accept-Language": "en"}).text
    links = [unescape(link) for link in re.findall(r'href="([^"]*status=[^"]*)"', page)]
    found = [link for link in links if "failed" in link]
    assert len(found) == 1, links
    return found[0] if found[0].startswith("/") else f"/{found[0]}"


def _titles(page: str) -> set[str]:
    return {unescape(title) for title in re.findall(r"data-open>(P6 [^<]*)</a>", page)}


# P7 ----------------------------------------------------------------------------------------------


def test_p7_max_concurrent_is_the_configured_limit(system: System) -> None:
    """P7 "max_concurrent read wrongly": it is the configured limit, whatever runs.

    In every web process it is the same, does not move while tasks run, and follows
    `voxtrace limit N` at once.
    """
    home = system.home
    assert _limits(system) == [LIMIT] * 4
    busy = [upload(home, f"@sleep 120\nP7 number {n}.") for n in range(5)]
    for text in busy[:LIMIT]:
        until(home, text["text_id"], "processing")
        assert _limits(system) == [LIMIT] * 4
    try:
        system.limit(1)
        assert _limits(system) == [1] * 4
        assert stats(home)["active_tasks"] == LIMIT  # what runs goes on
        system.limit(7)
        assert _limits(system) == [7] * 4
    finally:
        system.limit(LIMIT)
    assert _limits(system) == [LIMIT] * 4


def _limits(system: System) -> list[int]:
    return [answer.json()["max_concurrent"] for answer in system.ask_each(_STATS).values()]


# Row 8 -------------------------------------------------------------------------------------------


def test_row8_real_concurrency_returns_after_stuck_tasks_and_killed_workers(
    system: System,
) -> None:
    """Row 8 "check_timeouts() defined, never called; it keeps its concurrency slot": none is kept.

    After stuck tasks and a killed worker as many tasks run at once as are configured, no more, no
    less.
    """
    home = system.home
    stuck = [
        upload(home, f"{command}\nRow 8.", timeout_s=1)
        for command in ("@spin 120", "@subprocess 121", "@spin 122")
    ]
    ends = until_all(home, [text["text_id"] for text in stuck], timeout_s=PATIENCE_S)
    assert [end["status"] for end in ends] == ["timeout"] * 3
    lost = [upload(home, f"@sleep 1.5\nRow 8, lost {n}.") for n in range(LIMIT)]
    for text in lost:
        run_pid(home, text["task_id"])
    os.kill(part(system.up, "worker").pid, signal.SIGKILL)
    ends = until_all(home, [text["text_id"] for text in lost])
    assert [end["status"] for end in ends] == ["completed"] * LIMIT
    assert [task(home, text["task_id"])["lost_count"] for text in lost] == [1] * LIMIT

    after = [upload(home, f"@sleep 0.8\nRow 8, after {n}.") for n in range(2 * LIMIT)]
    until_all(home, [text["text_id"] for text in after])
    assert most_at_once(home, [text["task_id"] for text in after]) == LIMIT
    slots = get(home, "/api/v1/monitor").json()["slots"]
    assert slots == {"configured": LIMIT, "usable": LIMIT, "busy": 0, "held_by_dead": 0}

"""Workers as real processes: what dies, hangs or stands still, and what becomes of its task.

A start costs more than most of what is done to it: one each for all tests that end no worker.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import process
from app.domain.records import TaskRecord
from app.service import cancel, limits, task_list
from app.service.core import Core
from app.service.submit import SubmitRequest, submit
from app.store import attempts, tasks, workers
from telemetry import names
from tests.conftest import KINDS, database_url
from tests.support.home import Home, Program, children_of, live_workers, terminate
from tests.support.postgres import programs, shared_server
from tests.support.spans import spans_of
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow
#: Leases of ten seconds run out while other tests run.
BEGUN_FIRST = "silent"


def _submit(core: Core, content: str, **fields: object) -> int:
    request = SubmitRequest(content=content, source="api", engine="scripted", **fields)  # type: ignore[arg-type]
    return submit(core, request).task.id


def _status(core: Core, task_id: int, *statuses: str, timeout_s: float = 20) -> TaskRecord:
    """The task as soon as it has one of the statuses."""

    def look() -> TaskRecord | None:
        task = task_list.get(core, task_id)
        return task if task.status in statuses else None

    task = wait_until(look, timeout_s, what=f"task {task_id} is {statuses}")
    assert task is not None
    return task


def _running_pid(core: Core, task_id: int) -> int:
    """The process that runs a task, once it has begun."""

    def look() -> int | None:
        with core.database.read() as conn:
            rows = attempts.of_task(conn, task_id)
        return rows[-1].pid if rows and rows[-1].finished_at is None else None

    pid = wait_until(look, 20, what=f"task {task_id} has begun")
    assert pid is not None
    return pid


def _busy(core: Core) -> int:
    with core.database.read() as conn:
        return tasks.count_processing(conn)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a worker of one child, for one task at once: its first program."""
    with Home.make(tmp_path_factory.mktemp("narrow") / "home") as made:
        limits.set_max_concurrent(made.core, 1)
        made.start_worker(VOXTRACE_WORKER_CONCURRENCY="1")
        yield made


@pytest.fixture(scope="module")
def brisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a worker that tries again soon: its first program."""
    with Home.make(tmp_path_factory.mktemp("brisk") / "home") as made:
        made.start_worker(VOXTRACE_BACKOFF_S="0.05")
        yield made


def test_text_becomes_valid_audio_with_a_whole_trace(any_home: Home) -> None:
    """A text is spoken; task, attempt, segments and their spans agree with the rows."""
    core = any_home.core
    any_home.start_worker()
    task_id = _submit(core, "First line here.\n\nSecond paragraph, a bit longer than that.")
    task = _status(core, task_id, "completed", "failed")
    assert task.status == "completed", task.error_message
    found = spans_of(core, task_id)
    by_name = {span.name: span for span in found}
    attempt, root = by_name[names.SPAN_ATTEMPT], by_name[names.SPAN_TASK]
    assert (root.start_us, root.end_us) == (task.submitted_at, task.finished_at)
    assert attempt.parent_span_id == root.span_id
    assert attempt.start_us == task.claimed_at
    assert attempt.end_us == task.finished_at
    segments = [span for span in found if span.name == names.SPAN_SEGMENT]
    assert len(segments) == task.segment_count == 2
    assert all(span.parent_span_id == attempt.span_id for span in segments)
    assert not any(span.is_error for span in found)


@pytest.mark.parametrize("command", ["@sleep 60", "@spin 60", "@subprocess 60"])
def test_stuck_task_times_out_and_frees_its_slot(narrow: Home, command: str) -> None:
    """A sleep, a C call that holds the GIL, a hung grandchild: `timeout` within 5 s, all gone."""
    core = narrow.core
    task_id = _submit(core, f"{command}\nNever heard.", timeout_s=1.0)
    pid = _running_pid(core, task_id)
    task = _status(core, task_id, "timeout", "completed", "failed", timeout_s=10)
    assert task.status == "timeout"
    assert task.deadline_at is not None
    assert task.finished_at is not None
    assert task.finished_at - task.deadline_at < 5_000_000
    assert task.timed_out_at == task.deadline_at
    # a sleep that asks the scope ends by itself and its process lives; the others are killed
    kept = [pid] if command == "@sleep 60" else []
    wait_until(lambda: process.group_members(pid) == kept, 3, what="the attempt's group")
    after = _status(core, _submit(core, "Next."), "completed", timeout_s=10)
    assert after.started_at is not None
    assert after.started_at - task.deadline_at < 5_000_000
    found = [span.name for span in spans_of(core, task_id)]
    assert found.count(names.SPAN_DEADLINE_EXCEEDED) == 1
    assert found.count(names.SPAN_ATTEMPT) == 1
    assert found.count(names.SPAN_TASK) == 1


def test_killed_child_runs_again_at_once(brisk: Home) -> None:
    """SIGKILL of a child: its task runs again at once, as a second attempt; the loss is told."""
    core = brisk.core
    task_id = _submit(core, "@sleep 1.5\nHeard after all.")
    pid = _running_pid(core, task_id)
    os.kill(pid, signal.SIGKILL)
    task = _status(core, task_id, "completed", "failed")
    assert (task.status, task.attempt, task.lost_count, task.tries_used) == ("completed", 2, 1, 0)
    with core.database.read() as conn:
        first, second = attempts.of_task(conn, task_id)
    assert (first.outcome, first.exit_signal) == ("lost", 9)
    assert first.finished_at is not None
    assert second.claimed_at - first.finished_at < 2_000_000
    assert task.rescued_by == "worker w1"
    rebuilt = [s for s in spans_of(core, task_id) if s.attributes.get(names.SPAN_RECOVERED)]
    assert len(rebuilt) == 1
    assert rebuilt[0].attributes[names.EXIT_SIGNAL] == 9


def test_retry_keeps_the_segments_that_were_made(brisk: Home) -> None:
    """After a kill the next attempt makes only what is missing."""
    core = brisk.core
    lines = "\n\n".join(f"Paragraph number {n} is spoken." for n in range(8))
    task_id = _submit(core, f"{lines}\n\n@sleep 1.5\nThe last one.")
    pid = _running_pid(core, task_id)
    wait_until(lambda: task_list.get(core, task_id).segments_done >= 8, 20, what="8 segments")
    os.kill(pid, signal.SIGKILL)
    task = _status(core, task_id, "completed", "failed")
    assert task.status == "completed", task.error_message
    made = [s for s in spans_of(core, task_id) if s.name == names.SPAN_SEGMENT and not s.is_error]
    assert len(made) == task.segment_count
    with_pid = {span.attributes[names.SEGMENT_INDEX] for span in made}
    assert len(with_pid) == task.segment_count


@pytest.mark.parametrize(
    ("command", "signum", "code"), [("@segv", signal.SIGSEGV, None), ("@exit 9", None, 9)]
)
def test_poison_task_fails_after_five_losses(
    brisk: Home, command: str, signum: int | None, code: int | None
) -> None:
    """A task that kills its process every time fails as worker_lost; the worker goes on."""
    core = brisk.core
    task = _status(core, _submit(core, f"{command}\nText."), "failed", "completed", timeout_s=60)
    assert (task.status, task.error_type, task.lost_count) == ("failed", "worker_lost", 5)
    with core.database.read() as conn:
        rows = attempts.of_task(conn, task.id)
    assert {(row.exit_signal, row.exit_code) for row in rows} == {(signum, code)}
    assert _status(core, _submit(core, "Still works."), "completed").status == "completed"


def test_memory_error_is_a_retryable_error(brisk: Home) -> None:
    """A MemoryError ends the attempt, not the worker."""
    core = brisk.core
    task = _status(core, _submit(core, "@oom\nText.", max_attempts=1), "failed")
    assert task.error_type == "out_of_memory"
    assert brisk.programs[0].popen.poll() is None


def test_error_kinds_decide(home: Home) -> None:
    """Permanent fails at once, retryable is tried max_attempts times, capacity costs nothing."""
    core = home.core
    home.start_worker(VOXTRACE_BACKOFF_S="0.05")
    permanent = _status(core, _submit(core, "@fail permanent no\nText."), "failed")
    assert (permanent.attempt, permanent.tries_used) == (1, 0)
    flaky = _submit(core, "@fail-until-attempt 2 retryable\nText.")
    assert _status(core, flaky, "completed", "failed").attempt == 2
    tired = _status(core, _submit(core, "@fail retryable busy\nText.", max_attempts=2), "failed")
    assert (tired.attempt, tired.tries_used) == (2, 2)
    waiting = _submit(core, "@fail capacity quota\nText.")
    wait_until(lambda: task_list.get(core, waiting).wait_reason == "capacity", 10)
    task = task_list.get(core, waiting)
    assert (task.status, task.tries_used, task.lost_count) == ("pending", 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A worker w1 that went silent with a task in hand, and since when (database time)."""

    home: Home
    worker: Program
    worker_id: str
    task_id: int
    since_at: int


Silents = dict[str, Silent]


def _silent(home: Home, silence: Callable[[Program], None], content: str) -> Silent:
    """A task that runs on w1, beside duties, when w1 is silenced."""
    home.start_duties()
    worker = home.start_worker("w1", VOXTRACE_WORKER_CONCURRENCY="1")
    task_id = _submit(home.core, content, timeout_s=60)
    _running_pid(home.core, task_id)
    [row] = live_workers(home.core)
    since_at = core_now(home.core)
    silence(worker)
    return Silent(home=home, worker=worker, worker_id=row.id, task_id=task_id, since_at=since_at)


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silents]:
    """A worker that is frozen, and one that was killed on each kind of database.

    Silenced one after the other, so that their leases run out at the same time.
    """
    with ExitStack() as homes:

        def home(name: str, url: str | None = None) -> Home:
            return homes.enter_context(Home.make(tmp_path_factory.mktemp(name) / "home", url))

        found = {"frozen": _silent(home("frozen"), _freeze, "@sleep 30\nText.")}
        for kind in ("sqlite", "postgres") if programs() else ("sqlite",):
            url = database_url(kind, tmp_path_factory.mktemp("database"))
            found[kind] = _silent(home(kind, url), Program.kill, "@sleep 2\nText.")
            found[kind].home.start_worker("w2", VOXTRACE_WORKER_CONCURRENCY="1")
        yield found


def _freeze(worker: Program) -> None:
    worker.signal(signal.SIGSTOP)


@pytest.mark.parametrize("kind", KINDS)
def test_dead_worker_is_rescued_within_15_s_and_marked(silent: Silents, kind: str) -> None:
    """SIGKILL of a worker's parent: another worker runs the task; the row says who rescued it."""
    if kind not in silent:
        shared_server()  # skips, and says what is missing
    core = silent[kind].home.core
    task = _status(core, silent[kind].task_id, "completed", "failed", timeout_s=30)
    assert (task.status, task.attempt, task.lost_count) == ("completed", 2, 1)
    assert task.rescued_at is not None
    assert task.rescued_at - silent[kind].since_at < 15_000_000
    assert (task.rescued_by or "").startswith("reaper on ")
    assert "w1" in (task.rescued_reason or "")
    with core.database.read() as conn:
        dead = [row for row in workers.latest(conn) if row.name == "w1"]
    assert dead[0].state == "dead"


def core_now(core: Core) -> int:
    """The database's time."""
    with core.database.read() as conn:
        return core.database.now_us(conn)


def test_resisting_grandchild_of_a_dead_worker_is_killed(home: Home) -> None:
    """After kill -9 of the whole worker, a grandchild that resists is killed by the duties."""
    core = home.core
    worker = home.start_worker(VOXTRACE_WORKER_CONCURRENCY="1")
    task_id = _submit(core, "@subprocess 60\nText.")
    pid = _running_pid(core, task_id)
    grandchild = wait_until(lambda: children_of(pid), 10, what="a grandchild")[0]
    ticks = process.start_ticks(grandchild)
    worker.kill()
    home.start_duties()
    wait_until(lambda: not process.is_alive(grandchild, ticks), 20, what="the grandchild is killed")


def test_frozen_worker_is_fenced_and_starts_over(silent: Silents) -> None:
    """A worker that stood still (SIGSTOP) beyond its lease loses its task and works on after."""
    frozen = silent["frozen"]
    core = frozen.home.core
    _status(core, frozen.task_id, "pending", timeout_s=25)
    frozen.worker.signal(signal.SIGCONT)
    wait_until(
        lambda: any(
            found.name == "w1" and found.id != frozen.worker_id for found in live_workers(core)
        ),
        20,
        what="the thawed worker registers anew",
    )
    assert _status(core, frozen.task_id, "processing", timeout_s=10).attempt == 2


def test_cancel_kills_a_running_attempt(narrow: Home) -> None:
    """A cancelled task is final at once, and its process is gone soon after."""
    core = narrow.core
    task_id = _submit(core, "@spin 60\nText.")
    pid = _running_pid(core, task_id)
    cancel.cancel_task(core, task_id)
    assert task_list.get(core, task_id).status == "cancelled"
    wait_until(lambda: not process.group_members(pid), 5, what="the child is killed")
    assert _status(core, _submit(core, "Next."), "completed").status == "completed"
    assert [s.name for s in spans_of(core, task_id)].count(names.SPAN_TASK) == 1


def test_limit_is_never_exceeded_and_changes_at_once(home: Home) -> None:
    """max_concurrent holds over all workers, and a changed value is obeyed by the next claim."""
    core = home.core
    limits.set_max_concurrent(core, 1)
    home.start_worker("w1")
    home.start_worker("w2")
    ids = [_submit(core, f"@sleep 0.4\nText {n}.") for n in range(6)]
    seen: list[int] = []

    def done(count: int) -> bool:
        seen.append(_busy(core))
        return sum(task_list.get(core, task_id).is_final for task_id in ids) >= count

    wait_until(lambda: done(2), 20, every_s=0.02)
    assert max(seen) == 1
    limits.set_max_concurrent(core, 4)
    wait_until(lambda: done(6), 20, every_s=0.02)
    assert 1 < max(seen) <= 4


def test_stop_hands_back_at_the_checkpoint(home: Home) -> None:
    """One SIGTERM: no new claim, after the drain running attempts are handed back, all is gone."""
    core = home.core
    worker = home.start_worker(VOXTRACE_DRAIN_S="0.5", VOXTRACE_WORKER_CONCURRENCY="1")
    task_id = _submit(core, "Kept.\n\n@sleep 60\nText.")
    pid = _running_pid(core, task_id)
    wait_until(lambda: task_list.get(core, task_id).segments_done == 1, 10)
    assert terminate(worker, 15) == 0
    task = task_list.get(core, task_id)
    assert (task.status, task.wait_reason) == ("pending", "handed_back")
    assert (task.tries_used, task.lost_count, task.segments_done) == (0, 0, 1)
    assert not process.group_members(pid)
    with core.database.read() as conn:
        assert workers.latest(conn)[0].state == "stopped"


def test_forking_process_has_one_thread_and_no_connection_crosses(home: Home) -> None:
    """The worker's parent, which forks, has a single thread, and no connection crosses a fork.

    Its children hold no file of the database that they did not open themselves.
    """
    worker = home.start_worker()
    assert len(list(Path(f"/proc/{worker.pid}/task").iterdir())) == 1
    for child in worker.children():
        names = [str(entry.readlink()) for entry in Path(f"/proc/{child}/fd").iterdir()]
        assert not [name for name in names if "voxtrace.db" in name]


def test_idle_stop_is_quick(home: Home) -> None:
    """A worker without work stops within two seconds of SIGTERM."""
    worker = home.start_worker()
    assert terminate(worker, 4) == 0


def test_database_locked_at_a_claim_frees_the_slot(narrow: Home) -> None:
    """A database locked for 2 s while a task waits: it runs within 5 s after; nothing leaks."""
    core = narrow.core
    with core.database.write():
        task_id = _blocked_submit(narrow)
        _pause(2.0)
    task = _status(core, task_id(), "completed", timeout_s=10)
    assert task.attempt == 1
    assert narrow.programs[0].popen.poll() is None
    assert _busy(core) == 0


def _blocked_submit(home: Home) -> Callable[[], int]:
    program = home.start("submit", str(_text_file(home)), "--engine", "tone", "--json")

    def task_id() -> int:
        assert program.wait(20) == 0, program.output()
        return int(json.loads(program.output())["task"]["id"])

    return task_id


def _text_file(home: Home) -> Path:
    path = home.path / "text.txt"
    path.write_text("Spoken after the lock.")
    return path


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def test_database_locked_when_a_child_dies_frees_the_slot(narrow: Home) -> None:
    """A database locked for 2 s at the death of a child: the task runs again within 5 s."""
    core = narrow.core
    task_id = _submit(core, "@sleep 1\nText.")
    pid = _running_pid(core, task_id)
    with core.database.write():
        os.kill(pid, signal.SIGKILL)
        _pause(2.0)
    unlocked = core_now(core)
    task = _status(core, task_id, "completed", "failed", timeout_s=15)
    assert (task.status, task.attempt) == ("completed", 2)
    assert task.claimed_at is not None
    assert task.claimed_at - unlocked < 5_000_000
    assert narrow.programs[0].popen.poll() is None

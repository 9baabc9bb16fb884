"""The log of a task: kept with what it tells, bounded, from every process, never with a text."""

import json
import logging
import threading
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from app import bootstrap
from app.domain.errors import DatabaseBusyError, LeaseLostError, NotFoundError
from app.logs.about import about, about_claim
from app.logs.kept import KEPT
from app.logs.line import Line
from app.logs.logger import logger_of
from app.service import cancel, reap, retry, verdict
from app.service.core import Core
from app.service.execute import execute
from app.service.task_logs import task_log
from app.service.task_logs.line_writer import LineWriter
from app.service.task_logs.task_log import LogPage
from app.store import task_log as task_log_store
from app.store.database import Connection
from tests.support import service
from tests.support.home import Home
from tests.support.log_lines import logging_as
from tests.support.wait import wait_until

log = logger_of("app.test")


def told(core: Core, task_id: int, **wanted: Any) -> list[str]:
    """The messages of a task's lines."""
    return [line.message for line in task_log.page(core, task_id, **wanted).lines]


def run(core: Core, content: str, **fields: Any) -> int:
    """Speaks a text in this process as a child does; returns the task."""
    task_id = service.submitted(core, content, **fields).task.id
    claim = service.claimed(core, service.start_worker(core))
    with about_claim(claim):
        service.run(core, claim)
    return task_id


def test_log_tells_how_a_task_was_done(any_home: Home) -> None:
    """From the submission to the end, in order, each line with its attempt, span and facts."""
    core = any_home.core
    with logging_as():
        task_id = run(core, "Hello there.")
    page = task_log.page(core, task_id)
    assert [(line.message, line.attempt) for line in page.lines] == [
        ("submitted", None),
        ("claimed", 1),
        ("the text is split", 1),
        ("every segment is spoken", 1),
        ("encoded", 1),
        ("stored", 1),
        ("completed", 1),
    ]
    assert (page.is_final, page.total, page.last_id) == (True, 7, page.lines[-1].id)
    fields = {line.message: json.loads(line.fields) for line in page.lines}
    assert fields["claimed"]["worker"] == "w1"
    assert fields["the text is split"] == {"characters": 12, "segments": 1}
    assert fields["completed"]["audio_s"] > 0
    with core.database.read() as conn:
        span_id = conn.execute(text("SELECT span_id FROM task_attempt")).scalar_one()
    assert {line.span_id for line in page.lines if line.attempt} == {span_id}
    assert {(line.program, line.host) for line in page.lines} == {("child", core.host)}
    moments = [line.at for line in page.lines]  # a child's by its clock, shifted to the database's
    assert all(after >= before - 5_000 for before, after in pairwise(moments))


@pytest.mark.parametrize(
    ("content", "level", "event", "facts"),
    [
        ("@fail permanent no\nHi.", logging.ERROR, "failed", {"error": "no"}),
        (
            "@fail retryable no\nHi.",
            logging.WARNING,
            "the attempt failed",
            {"tries_used": "1 of 3"},
        ),
        ("@fail capacity no\nHi.", logging.INFO, "the engine has no capacity", {"error": "no"}),
        ("@oom\nHi.", logging.WARNING, "the attempt failed", {"error_type": "out_of_memory"}),
        ("@sleep 9\nHi.", logging.ERROR, "timed out", {"error_type": "deadline_exceeded"}),
    ],
)
def test_verdict_is_told_with_its_reason(
    home: Home, content: str, level: int, event: str, facts: dict[str, object]
) -> None:
    """Level, words and reason of each end; of a retry when it comes."""
    with logging_as():
        limit_s = 1 if content.startswith("@sleep") else 60
        task_id = run(home.core, content, engine="scripted", timeout_s=limit_s)
    last = task_log.page(home.core, task_id).lines[-1]
    fields = json.loads(last.fields)
    assert (last.level, last.message.startswith(event)) == (level, True)
    assert facts.items() <= fields.items()
    assert ("again_in_s" in fields) == (level != logging.ERROR)


def test_line_of_a_transaction_that_was_rolled_back_is_not_told(any_home: Home) -> None:
    """Neither in the rows nor in the log; one that commits is told once in each."""
    core = any_home.core
    task = service.submitted(core, "Hello.").task
    line = task_log.Told(task=task, logger="app.test", event="it is so", fields={"n": 1})

    def fail(conn: Connection) -> None:
        task_log.tell(core, conn, line, 1)
        raise RuntimeError

    with logging_as() as lines:
        with pytest.raises(RuntimeError):
            core.database.run(fail)
        assert lines == []
        core.database.run(lambda conn: task_log.tell(core, conn, line, 2))
    [logged] = lines
    assert (logged.message, logged.task_id, dict(logged.fields)) == ("it is so", task.id, {"n": 1})
    assert KEPT.task_ids() == []
    assert told(core, task.id).count("it is so") == 1


def test_newest_lines_are_kept(any_home: Home) -> None:
    """Above the bound the oldest go, whoever writes; other tasks keep theirs."""
    any_home.environ["VOXTRACE_TASK_LOG_LINES"] = "3"
    core = any_home.core
    one, other = (service.submitted(core, content).task for content in ("One.", "Two."))
    with logging_as():
        for number in range(10):
            log.info("n", task_id=one.id, number=number)
        assert task_log.write_waiting(core) == 10
    numbers = [json.loads(line.fields)["number"] for line in task_log.page(core, one.id).lines]
    assert numbers == [7, 8, 9]
    for number in range(4):
        line = task_log.Told(task=one, logger="x", event=f"told {number}", fields={})
        with core.database.write() as conn:
            task_log.tell(core, conn, line, 1)
    assert told(core, one.id) == ["told 1", "told 2", "told 3"]
    assert told(core, other.id) == ["submitted"]


def test_nothing_is_kept_with_zero_lines(any_home: Home) -> None:
    """VOXTRACE_TASK_LOG_LINES=0: lines are logged, and no row is written."""
    any_home.environ["VOXTRACE_TASK_LOG_LINES"] = "0"
    with logging_as(keeps_lines=False) as lines:
        task_id = run(any_home.core, "Hello there.")
    assert "completed" in [line.message for line in lines]
    assert task_log.page(any_home.core, task_id).total == 0


def test_level_bounds_what_is_kept(home: Home) -> None:
    """VOXTRACE_LOG_LEVEL=warning: rows hold warnings and errors only."""
    home.environ["VOXTRACE_LOG_LEVEL"] = "WARNING"
    with logging_as(level="warning"):
        task_id = run(home.core, "@fail retryable no\nHi.", engine="scripted")
    assert told(home.core, task_id) == ["the attempt failed: the task runs again"]


def test_lines_wait_for_a_database_that_is_busy(home: Home) -> None:
    """They are not lost: the checkpoint that fails gives them back, the next one writes them."""
    core = home.core
    task = service.submitted(core, "Hello there.").task
    claim = service.claimed(core, service.start_worker(core))
    attempt = service.attempt_of(core, claim)
    hub = bootstrap.make_core(home.settings, role="hub", actor="test")
    with logging_as(), about_claim(claim):
        log.info("before the checkpoint")
        with pytest.raises(LeaseLostError):
            attempt.write(lambda _conn, _now: attempt.require(is_mine=False))
        assert "before the checkpoint" not in told(core, task.id)
        with core.database.write(), pytest.raises(DatabaseBusyError):
            task_log.write_waiting(hub)
        attempt.write(lambda _conn, _now: None)
    assert told(core, task.id)[-1] == "before the checkpoint"
    hub.database.close()


def test_line_of_a_task_that_is_gone_goes_too(any_home: Home) -> None:
    """No row can refer to it; the line is logged and forgotten."""
    with logging_as():
        log.info("of nobody", task_id=999)
        task_log.write_waiting(any_home.core)
        assert KEPT.task_ids() == []
    with pytest.raises(NotFoundError, match="task 999"):
        task_log.page(any_home.core, 999)


def test_line_does_not_wait_for_a_checkpoint_that_does_not_come(any_home: Home) -> None:
    """A thread writes what is old; at the stop it writes what is there."""
    core = any_home.core
    task = service.submitted(core, "Hello there.").task
    with logging_as():
        writer = LineWriter(core, age_s=0.05)
        writer.start()
        log.warning("the engine is slow", task_id=task.id)
        wait_until(
            lambda: "the engine is slow" in told(core, task.id), 20, what="the line is written"
        )
        log.info("at the end", task_id=task.id)
        writer.stop()
    assert told(core, task.id)[-1] == "at the end"


def test_lines_of_a_task_commit_in_the_order_of_their_ids(any_home: Home) -> None:
    """Who goes on after the last id that it saw misses no line, whoever writes at the same time."""
    core = any_home.core
    task = service.submitted(core, "Hello there.").task
    other = bootstrap.make_core(any_home.settings, role="cli", actor="other")
    with logging_as():
        log.info("the second", task_id=task.id)
        writer = threading.Thread(target=task_log.write_waiting, args=(other,))
        with core.database.write() as conn:
            assert task_log_store.hold(conn, task.id) == task.trace_id
            first = task_log.Told(task=task, logger="x", event="the first", fields={})
            task_log.tell(core, conn, first, 1)
            writer.start()
            writer.join(0.3)
            assert writer.is_alive()
            assert told(core, task.id) == ["submitted"]
        writer.join(20)
    assert told(core, task.id) == ["submitted", "the first", "the second"]
    other.database.close()


def test_only_ids_of_spans_of_the_task_are_kept(any_home: Home) -> None:
    """A line that was told in another trace keeps no span id: the task's page cannot lead to it."""
    task = service.submitted(any_home.core, "Hello there.").task
    with logging_as():
        with about(task_id=task.id, trace_id="f" * 32, span_id="e" * 16):
            log.info("in another trace")
        with about(task_id=task.id, trace_id=task.trace_id, span_id="d" * 16):
            log.info("in its own")
        task_log.write_waiting(any_home.core)
    lines = task_log.page(any_home.core, task.id).lines
    assert [line.span_id for line in lines[-2:]] == [None, "d" * 16]


def test_page_of_lines_goes_on_where_it_ended(any_home: Home) -> None:
    """Pages by id, from a level on, of one attempt; without an id the last lines."""
    core = any_home.core
    task = service.submitted(core, "Hello there.").task
    with logging_as():
        for number in range(6):
            level = logging.ERROR if number % 2 else logging.INFO
            event = f"line {number}"
            log.log(level, event, task_id=task.id, attempt=1 + number // 3)
        task_log.write_waiting(core)

    def page(**wanted: Any) -> LogPage:
        return task_log.page(core, task.id, **wanted)

    first = page(limit=3)
    assert [line.message for line in first.lines] == ["submitted", "line 0", "line 1"]
    second = page(after_id=first.last_id)
    assert [line.message for line in second.lines] == [f"line {n}" for n in (2, 3, 4, 5)]
    assert page(after_id=second.last_id).last_id == second.last_id
    assert [one.message for one in page(level="error", attempt=2).lines] == ["line 3", "line 5"]
    assert [one.message for one in page(after_id=None, limit=2).lines] == ["line 4", "line 5"]
    assert (first.total, first.is_final) == (7, False)


def test_log_tells_of_requests_and_of_verdicts_from_outside(any_home: Home) -> None:
    """Followed, withdrawn, lost, cancelled, retried: each with who did it."""
    core = any_home.core
    with logging_as():
        first = service.submitted(core, "Hello there.")
        again = service.submitted(core, "Hello there.")
        cancel.cancel_text(core, again.text.id)
        claim = service.claimed(core, service.start_worker(core))
        verdict.lose(core, claim.task_id, 1, reason="killed", exit_signal=9)
        claim = service.claimed(core, service.start_worker(core))
        cancel.cancel_task(core, claim.task_id)
        second = retry.retry_task(core, claim.task_id, source="api").task
        cancel.cancel_task(core, second.id)
    assert told(core, first.task.id) == [
        "submitted",
        "followed by the same content",
        "a request was taken back",
        "claimed",
        "the attempt was lost: the task runs again",
        "claimed",
        "cancelled while it ran",
    ]
    lost = task_log.page(core, first.task.id, level="warning").lines
    [fields] = [json.loads(line.fields) for line in lost]
    assert (fields["exit_signal"], fields["error"], fields["by"]) == (9, "killed", "test")
    assert told(core, second.id) == ["submitted", "cancelled while it waited"]


def test_log_tells_of_a_task_that_waited_too_long_and_of_a_dead_worker(any_home: Home) -> None:
    """The reaper's verdicts are in the task's log; a dead worker is told by its name."""
    core = any_home.core
    runs = service.submitted(core, "It runs.").task
    service.claimed(core, service.start_worker(core))
    waits = service.submitted(core, "It waits.").task
    with core.database.write() as conn:
        conn.execute(text("UPDATE task SET give_up_at = 1"))
        conn.execute(text("UPDATE worker SET heartbeat_at = 1"))
    with logging_as() as lines:
        reap.reap(bootstrap.with_actor(core, "reaper on h"))
    assert told(core, waits.id)[-1].startswith("gave up waiting")
    assert told(core, runs.id)[-1].startswith("the attempt was lost")
    [dead] = [line for line in lines if line.message.startswith("a worker is dead")]
    assert dead.fields["worker"] == "w1"


#: What a text may make an engine do; the words after it must not be told.
_TROUBLE = (
    "@fail retryable broken",
    "@fail permanent broken",
    "@fail capacity broken",
    "@fail-until-attempt 9 retryable broken",
    "@oom",
    "@silence",
    "@truncate",
    "@wrong-text",
    "@sleep x",
    "@sleep 9",
)
_SENTINEL = "Quicksilver marmalade"


def test_no_line_holds_a_text_whatever_the_engine_does(home: Home) -> None:
    """The words of a text are in no line: not logged, not kept, not in a stack."""
    for command in _TROUBLE:
        with logging_as(form="json") as lines:
            task_id = run(
                home.core,
                f"{_SENTINEL} one.\n{command}\n{_SENTINEL} two.",
                title="A title",
                engine="scripted",
                timeout_s=1,
            )
        kept = task_log.page(home.core, task_id).lines
        assert len(kept) >= 3, command
        assert not [line for line in lines if _holds(line)], command
        said = [f"{line.message}{line.fields}".lower() for line in kept]
        assert not [line for line in said if "marmalade" in line], command
        with home.core.database.write() as conn:  # what waits for another try is not claimed again
            conn.execute(text("UPDATE task SET not_before = not_before + 3600000000"))


def test_no_line_holds_a_text_that_a_foreign_exception_quotes(home: Home) -> None:
    """A plug-in that raises its text as a message: class and frames are told, nothing of it."""
    core = home.core
    task_id = service.submitted(core, f"{_SENTINEL} three.").task.id
    claim = service.claimed(core, service.start_worker(core))
    engine = core.engines["tone"]

    class Broken:
        name, version = engine.name, engine.version
        capabilities = engine.capabilities

        def open(self, request: Any, _scope: Any) -> Any:
            raise ValueError(request.text)

    broken: Any = {**core.engines, "tone": Broken()}
    with logging_as() as lines, about_claim(claim):
        attempt = service.attempt_of(core, claim)
        object.__setattr__(attempt.core, "engines", broken)
        execute(attempt)
    [told_of] = [line for line in lines if line.fields.get("exception")]
    assert told_of.fields["exception"] == "ValueError"
    assert "in open" in str(told_of.fields["stack"])
    assert not [line for line in lines if _holds(line)]
    assert not [
        line
        for line in task_log.page(core, task_id).lines
        if "marmalade" in f"{line.message}{line.fields}".lower()
    ]


def _holds(line: Line) -> bool:
    return "marmalade" in f"{line.message}{dict(line.fields)}".lower()

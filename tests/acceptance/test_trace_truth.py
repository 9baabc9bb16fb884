"""For every task one task span in a real Jaeger, equal to its row: whoever is killed, and when.

One collector and one Jaeger for all tests, a home for each.
"""

import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.records import AttemptRecord, TaskRecord
from app.service import leader, task_list
from telemetry import names
from tests.support.backends import Jaeger, Pair
from tests.support.home import Home, Program, terminate
from tests.support.jaeger_trace import sent_at_of, spans_of, whole_trace
from tests.support.otlp_spans import ReceivedSpan
from tests.support.service import submitted
from tests.support.traced_tasks import (
    SOON_S,
    attempts_of,
    kill_process,
    traced_home,
    until_made,
    until_over,
)
from tests.support.wait import wait_until
from tests.support.whole_trace import Rows, rows_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

_SECOND_US = 1_000_000
#: A lease of ten seconds runs out while other tests run.
BEGUN_FIRST = "lost"


@contextmanager
def _home(pair: Pair, path: Path, **environ: str) -> Iterator[Home]:
    """A home with duties that send to the pair."""
    with traced_home(pair, path, VOXTRACE_DRAIN_S="0", **environ) as home:
        home.start_duties()
        yield home


@pytest.fixture(scope="module")
def plain_home(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with an ordinary worker, and a forwarder that does its rounds."""
    with _home(pair, tmp_path_factory.mktemp("plain")) as home:
        home.start_worker("w1")
        wait_until(lambda: _does_rounds(home, "forwarder"), SOON_S, what="the forwarder works")
        yield home


def _does_rounds(home: Home, duty: str) -> bool:
    """Whether a duty has done a round: until a process leads, a second after its start, none is."""
    rows = leader.every(home.core)
    return any(row.name == duty and row.succeeded_at is not None for row in rows)


def _recycling_worker(home: Home, name: str) -> Program:
    """A worker whose children end after one task each."""
    return home.start_worker(name, module="tests.support.recycling_worker")


def _submit(home: Home, *contents: str, timeout_s: float = 60.0) -> list[int]:
    """Ids of new tasks for the scripted engine."""
    return [
        submitted(home.core, content, engine="scripted", timeout_s=timeout_s).task.id
        for content in contents
    ]


def _running(home: Home, task_ids: Sequence[int]) -> list[AttemptRecord]:
    """Attempts of these tasks that a process has begun and not ended."""
    found = [attempt for task_id in task_ids for attempt in attempts_of(home, task_id)]
    return [one for one in found if one.pid is not None and one.finished_at is None]


# Ten tasks, ten spans ----------------------------------------------------------------------------
# opentelemetry-python-contrib issue 4916: a Celery child that is recycled, killed or stopped takes
# the spans of tasks along that had long ended; of ten tasks one span arrives, without a warning.


def _check_ten(home: Home, jaeger: Jaeger, task_ids: Sequence[int]) -> Mapping[str, int]:
    """Jaeger has one task span for each of ten tasks, and one span for each of their attempts.

    Returns:
        How many attempts there were, by outcome.
    """
    rows = until_over(home, task_ids)
    done = home.run("verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["tasks"], told["equal"]) == (10, 10)
    assert len({row.trace_id for row in rows}) == 10
    outcomes: dict[str, int] = {}
    for row in rows:
        found = spans_of(jaeger, row.trace_id)
        [root] = [span for span in found if span.name == names.SPAN_TASK]
        assert root.span_id == row.span_id
        assert root.attributes[names.TASK_STATUS] == row.status
        assert (root.start_ns, root.end_ns) == (row.submitted_at * 1000, _ns(row.finished_at))
        spans = [span for span in found if span.name == names.SPAN_ATTEMPT]
        made = attempts_of(home, row.id)
        assert {span.span_id for span in spans} == {attempt.span_id for attempt in made}
        assert len(spans) == len(made)
        for attempt in made:
            outcomes[attempt.outcome or ""] = outcomes.get(attempt.outcome or "", 0) + 1
    return outcomes


def _ns(moment_us: int | None) -> int:
    assert moment_us is not None
    return moment_us * 1000


def test_ten_tasks_are_ten_spans_when_children_are_recycled(pair: Pair, tmp_path: Path) -> None:
    """Each child ends after one task, and takes nothing along."""
    with _home(pair, tmp_path) as home:
        _recycling_worker(home, "w1")
        ids = _submit(home, *(f"Spoken by child {number}." for number in range(10)))
        assert _check_ten(home, pair.jaeger, ids) == {"completed": 10}
        pids = {attempt.pid for task_id in ids for attempt in attempts_of(home, task_id)}
        assert len(pids) == 10


def test_ten_tasks_are_ten_spans_when_limits_are_hard(pair: Pair, tmp_path: Path) -> None:
    """Five of ten hang in a foreign program and are killed at their deadline."""
    with _home(
        pair, tmp_path, VOXTRACE_WORKER_CONCURRENCY="5", VOXTRACE_MAX_CONCURRENT="5"
    ) as home:
        _recycling_worker(home, "w1")
        ids = _submit(home, *(f"Spoken, {number}." for number in range(5)))
        ids += _submit(home, *(f"@subprocess 60\nHung, {n}." for n in range(5)), timeout_s=1.0)
        assert _check_ten(home, pair.jaeger, ids) == {"completed": 5, "timeout": 5}


def test_ten_tasks_are_ten_spans_when_the_worker_is_stopped(pair: Pair, tmp_path: Path) -> None:
    """SIGTERM hands running attempts back; another worker ends them."""
    with _home(pair, tmp_path) as home:
        worker = _recycling_worker(home, "w1")
        ids = _submit(home, *(f"@sleep 0.3\nStopped, {number}." for number in range(10)))
        wait_until(lambda: len(_running(home, ids)) == 4, SOON_S, what="four run")
        assert terminate(worker) == 0
        _recycling_worker(home, "w2")
        outcomes = _check_ten(home, pair.jaeger, ids)
        assert outcomes["completed"] == 10
        assert outcomes["handed_back"] >= 1


def test_ten_tasks_are_ten_spans_when_each_child_is_killed(pair: Pair, tmp_path: Path) -> None:
    """The child of each first attempt is SIGKILLed in the middle of it."""
    with _home(pair, tmp_path) as home:
        _recycling_worker(home, "w1")
        ids = _submit(home, *(f"@sleep 0.4\nKilled, {number}." for number in range(10)))
        killed: set[int] = set()

        def kill_first_attempts() -> bool:
            for attempt in _running(home, ids):
                if attempt.attempt == 1 and attempt.task_id not in killed:
                    kill_process(attempt)
                    killed.add(attempt.task_id)
            return len(killed) == 10

        wait_until(kill_first_attempts, SOON_S, what="ten children are killed")
        assert _check_ten(home, pair.jaeger, ids) == {"lost": 10, "completed": 10}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lost:
    """Ten tasks of a worker that was killed, and the first attempt of the first of them."""

    home: Home
    ids: list[int]
    attempt: AttemptRecord


@pytest.fixture(scope="module")
def lost(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Lost]:
    """The whole worker was SIGKILLed while four ran, and another one came."""
    with _home(pair, tmp_path_factory.mktemp("lost")) as home:
        worker = _recycling_worker(home, "w1")
        ids = _submit(home, *(_two_pieces(0.4, number) for number in range(10)))
        wait_until(lambda: len(_running(home, ids)) == 4, SOON_S, what="four run")
        attempt = until_made(home, ids[0])
        worker.kill()
        _recycling_worker(home, "w2")
        yield _Lost(home=home, ids=ids, attempt=attempt)


def test_ten_tasks_are_ten_spans_when_the_worker_is_killed(pair: Pair, lost: _Lost) -> None:
    """The whole worker is SIGKILLed; the reaper finds what it held, another worker ends it.

    Each attempt that was lost keeps the segment that it had finished, and has a span that the
    reaper rebuilt, with the last heartbeat of the worker.
    """
    outcomes = _check_ten(lost.home, pair.jaeger, lost.ids)
    rows, span = _killed_span(lost.home, pair.jaeger, lost.attempt)
    assert outcomes["completed"] == 10
    assert 1 <= outcomes["lost"] <= 4
    assert rows.task.rescued_at is not None
    beat_us = span.attributes[names.LAST_HEARTBEAT_US]
    assert beat_us == rows.attempts[0].last_heartbeat_at
    assert lost.attempt.claimed_at - 2 * _SECOND_US < beat_us < (rows.attempts[0].finished_at or 0)
    assert span.attributes[names.RECOVERED_BY].startswith("reaper on ")
    assert span.attributes[names.RECOVERED_REASON].startswith("worker w1 is ")
    assert names.EXIT_SIGNAL not in span.attributes


# While it runs -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A marker as Jaeger showed it, and the task's row at that moment."""

    span: ReceivedSpan
    row: TaskRecord


def _until_seen(home: Home, jaeger: Jaeger, task_id: int, name: str) -> _Seen:
    """Waits for a span of a task that still runs."""

    def look() -> _Seen | None:
        row = task_list.get(home.core, task_id)
        found = [span for span in spans_of(jaeger, row.trace_id) if span.name == name]
        return _Seen(span=found[0], row=row) if found else None

    seen = wait_until(look, SOON_S, what=f"{name} is in Jaeger")
    assert seen is not None
    return seen


def test_running_task_is_in_jaeger_while_it_runs(pair: Pair, plain_home: Home) -> None:
    """Its claim leaves within a second, its missed deadline within two, both before its end.

    One task hangs in a foreign program, one in a call that holds the interpreter: the process of
    the second can say nothing itself.
    """
    home, jaeger = plain_home, pair.jaeger
    ids = _submit(home, "@subprocess 60", "@spin 60", timeout_s=4.0)
    started = [_until_seen(home, jaeger, task_id, names.SPAN_ATTEMPT_STARTED) for task_id in ids]
    assert {seen.row.status for seen in started} == {"processing"}
    late = [_until_seen(home, jaeger, task_id, names.SPAN_DEADLINE_EXCEEDED) for task_id in ids]
    for row, first, second in zip(until_over(home, ids), started, late, strict=True):
        [attempt] = attempts_of(home, row.id)
        assert first.span.start_ns == first.span.end_ns == attempt.claimed_at * 1000
        assert second.span.start_ns == second.span.end_ns == _ns(attempt.deadline_at)
        assert {first.span.parent_span_id, second.span.parent_span_id} == {attempt.span_id}
        first_us = sent_at_of(home, row.trace_id, first.span.span_id)
        second_us = sent_at_of(home, row.trace_id, second.span.span_id)
        print(
            f"task {row.id}: sent {first_us - attempt.claimed_at} us after the claim,"
            f" {second_us - attempt.deadline_at} us after the deadline"
        )
        assert row.status == "timeout"
        assert 0 <= first_us - attempt.claimed_at < _SECOND_US
        assert 0 <= second_us - attempt.deadline_at < 2 * _SECOND_US
        assert second_us < (row.finished_at or 0)


# Killed attempts ---------------------------------------------------------------------------------


def _two_pieces(pause_s: float, number: int = 0) -> str:
    """A text of two segments, of which the second lasts."""
    return f"Made before the end, {number}.\n\n@sleep {pause_s}\nMade after it."


def _killed_span(home: Home, jaeger: Jaeger, killed: AttemptRecord) -> tuple[Rows, ReceivedSpan]:
    """The rows of a task that is over, and the rebuilt span of an attempt that was killed.

    The segment that it had finished hangs below it, and ended within it.
    """
    until_over(home, [killed.task_id])
    rows = rows_of(home, killed.task_id)
    by_id = {span.span_id: span for span in whole_trace(home, jaeger, rows)}
    row, span = rows.attempts[killed.attempt - 1], by_id[killed.span_id]
    assert span.attributes[names.SPAN_RECOVERED] is True
    assert (span.status, span.attributes[names.ERROR_TYPE]) == (2, "worker_lost")
    assert (span.start_ns, span.end_ns) == (row.claimed_at * 1000, _ns(row.finished_at))
    first = by_id[rows.segments[0].span_id or ""]
    assert first.name == names.SPAN_SEGMENT
    assert first.parent_span_id == span.span_id
    assert span.start_ns <= first.start_ns <= first.end_ns <= span.end_ns
    return rows, span


def test_killed_child_leaves_its_segments_and_a_rebuilt_span(pair: Pair, plain_home: Home) -> None:
    """The worker rebuilds the span, and knows the signal."""
    home = plain_home
    [task_id] = _submit(home, _two_pieces(1.0))
    killed = until_made(home, task_id)
    kill_process(killed)
    rows, span = _killed_span(home, pair.jaeger, killed)
    assert [row.outcome for row in rows.attempts] == ["lost", "completed"]
    assert span.attributes[names.EXIT_SIGNAL] == signal.SIGKILL
    assert names.EXIT_CODE not in span.attributes
    assert span.attributes[names.RECOVERED_BY] == "worker w1"
    assert span.attributes[names.RECOVERED_REASON] == "its process ended with signal 9"
    assert names.LAST_HEARTBEAT_US in span.attributes


def test_child_that_exits_tells_its_code(pair: Pair, plain_home: Home) -> None:
    """Each of the attempts that a text ends has a span with the exit code, also the last."""
    home = plain_home
    [task_id] = _submit(home, "Made before the end.\n\n@exit 9")
    until_over(home, [task_id])
    rows, span = _killed_span(home, pair.jaeger, attempts_of(home, task_id)[0])
    found = {span.span_id: span for span in whole_trace(home, pair.jaeger, rows)}
    assert (rows.task.status, rows.task.error_type) == ("failed", "worker_lost")
    assert len(rows.attempts) == rows.task.lost_count > 1
    for row in rows.attempts:
        assert found[row.span_id].attributes[names.EXIT_CODE] == 9
        assert names.EXIT_SIGNAL not in found[row.span_id].attributes
    assert span.attributes[names.RECOVERED_REASON] == "its process ended with exit code 9"

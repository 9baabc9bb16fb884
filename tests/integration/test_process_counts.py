"""What attempts and processes measure reaches the tables: once, with commits that happen anyway."""

from collections import Counter

import pytest
from sqlalchemy import Connection

from app.domain.engine_calls import Bucket
from app.service import presence
from app.service.core import Core
from app.service.execute import execute
from app.service.process_counts import CountsThread, ProcessCounts, Source
from app.service.tally import Tally
from app.store import counts
from app.store.counts import ProcessCount
from telemetry import names
from tests.support.home import Home
from tests.support.service import attempt_of, claimed, run, spoken, start_worker, submitted
from tests.support.spans import spans_of
from tests.support.wait import wait_until


def _calls(core: Core) -> list[Bucket]:
    with core.database.read() as conn:
        return counts.engine_calls(conn)


def _by_outcome(core: Core) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in _calls(core):
        found[f"{one.engine} {one.outcome}"] += one.n
    return dict(found)


def _told(core: Core) -> dict[ProcessCount, int]:
    with core.database.read() as conn:
        return counts.of_processes(conn)


def _engine_spans_us(core: Core, task_id: int) -> list[int]:
    """How long each engine call's span is, in microseconds."""
    return [
        span.end_us - span.start_us
        for span in spans_of(core, task_id)
        if span.name.startswith(names.ENGINE_OPERATION)
    ]


def test_every_engine_call_is_counted_with_its_time(any_home: Home) -> None:
    """As many calls as spans of calls, failed ones too; their times are those of the spans."""
    core = any_home.core
    worker = start_worker(core)
    texts = ("@sleep 0.12\nSlow.\n\nQuick.", "@fail permanent\nNever.", "@silence\nRefused.")
    spans_us = []
    for content in texts:
        submitted(core, content, engine="scripted")
        spans_us += _engine_spans_us(core, run(core, claimed(core, worker)).id)
    found = _calls(core)
    assert sum(one.n for one in found) == len(spans_us)
    assert abs(sum(one.sum_us for one in found) - sum(spans_us)) < 100_000 * len(spans_us)
    assert _by_outcome(core)["scripted error"] == 1
    assert any(one.bucket >= 2 and one.outcome == "ok" for one in found)


def test_canary_counts_no_engine_call(any_home: Home) -> None:
    """What a canary speaks is in no histogram."""
    assert spoken(any_home.core, "A canary.", source="canary").status == "completed"
    assert _calls(any_home.core) == []


def test_segment_that_is_taken_over_is_no_call(home: Home) -> None:
    """Only the engine's work counts: a segment that another task made is none of it."""
    core = home.core
    spoken(core, "The same words.\n\nAnd others.")
    before = _by_outcome(core)
    spoken(core, "The same words.\n\nNew ones.")
    assert before == {"tone ok": 2}
    assert _by_outcome(core) == {"tone ok": 3}


def test_call_past_the_deadline_is_an_error_and_one_of_a_lost_attempt_is_none(home: Home) -> None:
    """An engine that was too slow has failed; who no longer owns the task counts nothing."""
    core = home.core
    worker = start_worker(core)
    submitted(core, "@sleep 2\nToo slow.", engine="scripted", timeout_s=1)
    assert run(core, claimed(core, worker)).status == "timeout"
    assert _by_outcome(core) == {"scripted error": 1}
    submitted(core, "Taken away.")
    attempt = attempt_of(core, claimed(core, worker))
    attempt.lost.set()
    assert execute(attempt) == "lost"
    assert _by_outcome(core) == {"scripted error": 1}


def test_rolled_back_checkpoint_counts_nothing_and_its_retry_once(any_home: Home) -> None:
    """What a transaction wrote that failed is written again by the next one, once."""
    core = any_home.core
    submitted(core, "One.")
    attempt = attempt_of(core, claimed(core, start_worker(core)))
    with attempt.tally.engine_call("tone"):
        pass

    def fail(conn: Connection, _now: int) -> None:
        attempt.tally.put(conn)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attempt.write(fail)
    assert _calls(core) == []
    attempt.write(lambda _conn, _now: None)
    attempt.write(lambda _conn, _now: None)
    assert _by_outcome(core) == {"tone ok": 1}


def _source(totals: dict[tuple[str, str], int]) -> Source:
    return lambda: dict(totals)


def test_process_tells_growth_and_totals_never_fall(any_home: Home) -> None:
    """Two processes of a program add up; a process that starts again adds from 0; none takes."""
    core = any_home.core
    totals = {("x", "{}"): 5}
    first = ProcessCounts("web", _source(totals))
    first.tell(core)
    totals["x", "{}"] = 7
    first.tell(core)  # not due yet
    assert _told(core)[ProcessCount("web", "x", "{}")] == 5
    first.tell(core, is_last=True)
    again = ProcessCounts("web", _source({("x", "{}"): 2}))
    again.tell(core)
    ProcessCounts("duties", _source({("x", "{}"): 1})).tell(core)
    told = _told(core)
    assert told[ProcessCount("web", "x", "{}")] == 9
    assert told[ProcessCount("duties", "x", "{}")] == 1


def test_heartbeat_carries_what_the_parent_counted(home: Home) -> None:
    """The worker's parent has no thread for it: its counts go with its heartbeat."""
    core = home.core
    worker = presence.register(core, pid=1)
    counted = ProcessCounts("worker", _source({("x", "{}"): 3}))
    assert presence.beat(core, worker, counted)
    assert presence.beat(core, worker, counted)
    assert _told(core)[ProcessCount("worker", "x", "{}")] == 3


def test_child_tells_with_its_checkpoints(home: Home) -> None:
    """The spans that a child began are counted with a checkpoint of the attempt, not by itself."""
    core = home.core
    submitted(core, "One.")
    attempt = attempt_of(core, claimed(core, start_worker(core)))
    attempt.tally = Tally(
        counts_calls=True, process=ProcessCounts("child", _source({("x", "{}"): 3}))
    )
    execute(attempt)
    assert _told(core)[ProcessCount("child", "x", "{}")] == 3


def test_thread_tells_a_last_time_when_it_ends(home: Home) -> None:
    """An orderly end loses nothing, even in the first seconds."""
    core = home.core
    thread = CountsThread(core, ProcessCounts("web", _source({("x", "{}"): 4})))
    thread.start()
    thread.stop()
    wait_until(lambda: ProcessCount("web", "x", "{}") in _told(core), 5, what="the counts")
    assert _told(core)[ProcessCount("web", "x", "{}")] == 4

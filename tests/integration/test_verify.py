"""Verify and the look-up against a real collector and a real Jaeger."""

import json
import random
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Pool, delete, event, select, update

from app.domain.errors import ConfigError, VoxtraceError
from app.domain.records import TaskRecord
from app.service import cancel, task_list, window
from app.service.core import Core
from app.service.traces import look_up
from app.service.traces.trace_compare import Match
from app.service.traces.trace_state import TraceLook, Where
from app.service.traces.verify import Verified, verify
from app.store.tables import event_table, outbox_table, task_table
from telemetry.jaeger import JaegerClient, JaegerError
from tests.support.backends import Jaeger, Pair
from tests.support.home import Home, free_port
from tests.support.jaeger_site import JaegerSite
from tests.support.service import claimed, run, spoken, start_worker, submitted
from tests.support.spans import spans_of
from tests.support.traces import drain, send_anew
from tests.support.wait import wait_until

_O = outbox_table.c


@pytest.fixture
def core(any_home: Home, pair: Pair) -> Core:
    """A home on each database that knows a real Jaeger."""
    any_home.environ |= pair.environ
    return any_home.core


def _pretend_sent(core: Core, task: TaskRecord) -> None:
    """As a collector that acknowledged spans, and lost them."""
    with core.database.write() as conn:
        now = core.database.now_us(conn)
        conn.execute(
            update(outbox_table)
            .where(_O.task_id == task.id)
            .values(state="sent", sent_at=now - 60_000_000, look_at=now - 1)
        )


def _events(core: Core, task: TaskRecord, kind: str) -> int:
    with core.database.read() as conn:
        wanted = (event_table.c.task_id == task.id) & (event_table.c.kind == kind)
        return len(conn.execute(select(event_table).where(wanted)).all())


def _now(core: Core) -> int:
    with core.database.read() as conn:
        return core.database.now_us(conn)


def _verified(core: Core, since: int, counts: dict[Match, int]) -> Verified:
    """What it finds once all that was sent is there: asked anew, since what is lost never comes."""

    def look() -> Verified | None:
        found = verify(core, since=since, wait_s=0)
        return found if {match: found.counts.get(match, 0) for match in counts} == counts else None

    found = wait_until(look, 10, what=f"{counts}")
    assert found is not None
    return found


def test_what_was_sent_is_equal(core: Core, pair: Pair) -> None:
    """Tasks whose spans arrived are equal: what Jaeger tells is what the rows say."""
    since = _now(core)
    for number in range(3):
        spoken(core, f"Sentence number {number}. Another one.")
    drain(core, pair)
    found = verify(core, since=since)
    assert (found.tasks, found.is_equal, list(found.differences)) == (3, True, [])
    assert found.spans >= 24


def test_each_difference_has_its_name(core: Core, pair: Pair) -> None:
    """Lost, doubled, changed and gapped traces of a real Jaeger are each told for what they are."""
    since = _now(core)
    tasks = {match: spoken(core, f"A task that will be {match}.") for match in Match}
    _pretend_sent(core, tasks[Match.MISSING])
    with core.database.write() as conn:
        first = select(_O.id).where(_O.task_id == tasks[Match.INCOMPLETE].id).order_by(_O.id)
        conn.execute(delete(outbox_table).where(_O.id == conn.scalars(first).first()))
    doubled = tasks[Match.DOUBLED]
    [root] = [span for span in spans_of(core, doubled.id) if span.span_id == doubled.span_id]
    send_anew(core, doubled, root, start_us=doubled.submitted_at + 1000)
    drain(core, pair)
    with core.database.write() as conn:
        changed = task_table.c.id == tasks[Match.DIFFERENT].id
        conn.execute(update(task_table).where(changed).values(voice="changed"))
    found = _verified(core, since, dict.fromkeys(Match, 1))
    kinds = {one.task_id: one.kind for one in reversed(found.differences)}
    assert kinds == {task.id: match for match, task in tasks.items() if match is not Match.EQUAL}
    assert found.counts == dict.fromkeys(Match, 1)
    assert not found.is_equal


def test_repair_sends_again_what_is_missing(core: Core, pair: Pair) -> None:
    """`repair` sends lost spans again, and makes those that left the outbox; the row says so."""
    since = _now(core)
    lost, pruned = spoken(core, "Lost on the way."), spoken(core, "Lost, and pruned here.")
    for task in (lost, pruned):
        _pretend_sent(core, task)
    with core.database.write() as conn:
        conn.execute(delete(outbox_table).where(_O.task_id == pruned.id))
    found = verify(core, since=since, wait_s=0, repair=True)
    assert found.counts[Match.MISSING] == 2
    assert found.resent is not None
    assert found.resent.task_ids == {lost.id, pruned.id}
    drain(core, pair)
    again = _verified(core, since, {Match.MISSING: 0})
    assert {one.task_id for one in again.differences} <= {pruned.id}  # its details are gone
    row = task_list.get(core, lost.id)
    assert (row.trace_resends, row.trace_seen_at) == (1, None)
    assert _events(core, lost, look_up.EVENT_RESENT) == 1


def test_young_spans_are_waited_for(core: Core, pair: Pair) -> None:
    """A task whose spans have not left is not judged before the wait is over."""
    since = _now(core)
    task = spoken(core, "Still here.")
    assert verify(core, since=since, wait_s=0).counts == {Match.MISSING: 1}
    told: list[int] = []

    def send_meanwhile(done: int) -> None:
        if not told:
            drain(core, pair)
        told.append(done)

    assert verify(core, since=since, wait_s=20, on_progress=send_meanwhile).is_equal
    assert task.id


def test_retention_bounds_how_far_back(any_home: Home, pair: Pair) -> None:
    """What is older than VOXTRACE_JAEGER_RETENTION is not looked for."""
    any_home.environ |= pair.environ | {"VOXTRACE_JAEGER_RETENTION": "1"}
    core = any_home.core
    task = spoken(core, "An old one.")
    with core.database.write() as conn:
        hours = 2 * 3_600_000_000
        conn.execute(
            update(task_table)
            .where(task_table.c.id == task.id)
            .values(
                submitted_at=task.submitted_at - hours,
                finished_at=(task.finished_at or 0) - hours,
            )
        )
    assert verify(core, since=0, wait_s=0).tasks == 0
    state = TraceLook(core).look(task.id)
    assert (state.where, state.url) == (Where.GONE, None)


def test_jaeger_that_is_away_is_no_difference(any_home: Home) -> None:
    """Without an answer there is no verdict: an error that says so, and nothing is sent again."""
    core = any_home.core
    with pytest.raises(ConfigError, match="VOXTRACE_JAEGER_URL"):
        verify(core, since=0)
    nobody = {"VOXTRACE_JAEGER_URL": f"http://127.0.0.1:{free_port()}"}
    with Home(any_home.path, any_home.environ | nobody) as away:
        task = spoken(away.core, "Nobody looks.")
        _pretend_sent(away.core, task)
        with pytest.raises(VoxtraceError, match="does not answer"):
            verify(away.core, since=0, repair=True)
        with pytest.raises(JaegerError, match="does not answer"):
            look_up.look(away.core, JaegerClient(str(away.settings.jaeger_url), timeout_s=1))
        assert TraceLook(away.core).look(task.id).where is Where.UNREACHABLE
        assert task_list.get(away.core, task.id).trace_resends == 0


def test_look_up_sees_sends_again_and_sees(core: Core, pair: Pair) -> None:
    """What is there is seen once; what is not is sent again, and seen then."""
    there, lost = spoken(core, "This one arrives."), spoken(core, "This one is lost.")
    _pretend_sent(core, lost)
    drain(core, pair)
    with core.database.write() as conn:
        conn.execute(update(outbox_table).where(_O.look_at.is_not(None)).values(look_at=1))
        conn.execute(update(outbox_table).values(sent_at=1))
    jaeger = JaegerClient(pair.jaeger.url)
    sent = {span.span_id for span in spans_of(core, there.id)}

    def is_there() -> bool:
        trace = jaeger.trace(there.trace_id)  # a trace grows as its batches are written
        return trace is not None and sent <= {span.span_id for span in trace.spans}

    wait_until(is_there, 10, what="the whole trace is in Jaeger")
    looked = look_up.look(core, jaeger)
    assert (looked.seen, looked.resent) == (1, 1)
    assert task_list.get(core, there.id).trace_seen_at
    missing = task_list.get(core, lost.id)
    assert (missing.trace_seen_at, missing.trace_resends) == (None, 1)
    assert TraceLook(core).look(lost.id).where is Where.MISSING
    assert look_up.look(core, jaeger).total == 0  # neither is due: one was seen, one must leave
    drain(core, pair)
    state = wait_until(lambda: _state_seen(core, lost.id), 10, what="it is seen")
    assert state
    assert task_list.get(core, lost.id).trace_seen_at


def _state_seen(core: Core, task_id: int) -> bool:
    state = TraceLook(core).look(task_id)
    return state.where is Where.SEEN and state.url is not None


def test_lost_trace_is_not_sent_without_end(core: Core, pair: Pair) -> None:
    """A trace that stays away is sent again after growing pauses, ten times at most."""
    task = spoken(core, "Never arrives.")
    jaeger = JaegerClient(pair.jaeger.url)
    for number in range(1, look_up.MAX_RESENDS + 1):
        _pretend_sent(core, task)
        assert look_up.look(core, jaeger).resent == 1
        _pretend_sent(core, task)
        assert look_up.look(core, jaeger).resent == 0  # its pause has not passed
        row = task_list.get(core, task.id)
        assert row.trace_resends == number
        with core.database.write() as conn:
            conn.execute(update(task_table).values(trace_missing_at=1))
    _pretend_sent(core, task)
    assert look_up.look(core, jaeger).given_up == 1
    assert look_up.look(core, jaeger).total == 0


def test_what_leaves_at_once_is_looked_for_again(core: Core, pair: Pair) -> None:
    """The forwarder may send what is missing before the look-up has noted that it is sent again."""
    lost = [spoken(core, f"Lost, number {number}.") for number in range(3)]
    for task in lost:
        _pretend_sent(core, task)
    is_sending = False

    def send_first(*_: object) -> None:
        """Before each transaction of the look-up, all that waits has left."""
        nonlocal is_sending
        if not is_sending:
            is_sending = True
            drain(core, pair)
            is_sending = False

    event.listen(Pool, "checkout", send_first)
    try:
        assert look_up.look(core, JaegerClient(pair.jaeger.url)).resent == len(lost)
    finally:
        event.remove(Pool, "checkout", send_first)
    with core.database.read() as conn:
        to_come = set(conn.scalars(select(_O.task_id).where(_O.look_at.is_not(None))))
    assert to_come == {task.id for task in lost}


def test_running_task_is_told_with_what_jaeger_has(core: Core, pair: Pair) -> None:
    """A task that runs: no link before its marker arrived, and one after."""
    submitted(core, "Runs for a while.")
    claim = claimed(core, start_worker(core))
    look = TraceLook(core)
    before = look.look(claim.task_id)
    assert (before.where, before.url) == (Where.RUNNING, None)
    drain(core, pair)

    def is_found() -> bool:
        state = look.look(claim.task_id)
        return state.where is Where.RUNNING and bool(state.url) and bool(state.spans)

    wait_until(is_found, 10, what="the marker is in Jaeger")


def test_command_tells_and_exits(home: Home, pair: Pair) -> None:
    """`voxtrace verify`: 0 where they agree, 1 where they differ, 2 without a Jaeger; JSON too."""
    home.environ |= pair.environ
    task = spoken(home.core, "A task for the command.")
    drain(home.core, pair)
    done = home.run("verify")
    assert (done.returncode, "table and Jaeger agree" in done.stdout) == (0, True), done
    _pretend_sent(home.core, spoken(home.core, "A lost task for the command."))
    done = home.run("verify", "--json", "--since", "1h", "--wait", "0")
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert (told["tasks"], told["equal"], told["missing"]) == (2, 1, 1)
    assert {"doubled", "different", "incomplete", "parent_lost"} <= set(told)
    assert (told["resent"], task_list.get(home.core, task.id + 1).trace_resends) == (None, 0)
    [difference] = told["differences"]
    assert difference["task_id"] == task.id + 1
    del home.environ["VOXTRACE_JAEGER_URL"]
    done = home.run("verify")
    assert (done.returncode, "VOXTRACE_JAEGER_URL" in done.stderr) == (2, True)
    home.environ["VOXTRACE_JAEGER_URL"] = f"http://127.0.0.1:{free_port()}"
    done = home.run("verify")
    assert (done.returncode, "does not answer" in done.stderr) == (2, True)
    done = home.run("verify", "--since", "yesterday")
    assert (done.returncode, "got 'yesterday'" in done.stderr) == (2, True)


def test_command_repairs_and_prints_what_it_found(home: Home, pair: Pair) -> None:
    """`--repair` sends again what differs; verdicts, differences, lost parents have lines."""
    home.environ |= pair.environ
    core, since = home.core, _now(home.core)
    orphan = submitted(core, "Its request died before its span.").task
    with core.database.write() as conn:
        conn.execute(update(task_table).values(parent_span_id="ab" * 8))
    run(core, claimed(core, start_worker(core)))
    changed = spoken(core, "A row that will say something else.")
    drain(core, pair)
    assert verify(core, since=since, wait_s=20).is_equal
    with core.database.write() as conn:
        conn.execute(update(outbox_table).values(sent_at=1))
        conn.execute(
            update(task_table).where(task_table.c.id == changed.id).values(voice="changed")
        )
    lost = spoken(core, "Lost.")
    _pretend_sent(core, lost)
    done = home.run("verify", "--repair", "--wait", "0")
    assert done.returncode == 1, done
    first, *lines, _read, verdict = done.stdout.splitlines()
    assert first.endswith(": 3")
    table = [(words[0], words[1]) for words in (line.split() for line in lines[:6])]
    one_each = {Match.EQUAL, Match.MISSING, Match.DIFFERENT, "parent_lost"}
    assert len(table) == len(set(table)) == 6
    assert set(table) == {(name, f"{int(name in one_each)}") for name in (*Match, "parent_lost")}
    where = {task.id: f"task {task.id}, tts task {task.span_id}" for task in (changed, lost)}
    said = "voxtrace.voice is 'changed' in the table, 'auto' in Jaeger"
    assert lines[6:] == [
        f"    different: {where[changed.id]}: {said}",
        f"    missing: {where[lost.id]}",
    ]
    waiting = window.measure(core).pending
    assert waiting >= len([changed, lost])
    assert verdict.startswith(f"2 tasks differ; sent again: {waiting} rows of 2 tasks.")
    resends = [task_list.get(core, task.id).trace_resends for task in (orphan, changed, lost)]
    assert resends == [0, 1, 1]


def test_verify_reads_eight_traces_at_a_time(home: Home) -> None:
    """Eight traces are read at once, over connections that are kept from one to the next."""
    with JaegerSite.running() as site:
        home.environ["VOXTRACE_JAEGER_URL"] = site.url
        core, since = home.core, _now(home.core)
        for number in range(12):
            cancel.cancel_task(core, submitted(core, f"Text number {number}.").task.id)
        site.together = 8
        found = verify(core, since=since, wait_s=0)
    assert found.counts == {Match.MISSING: 12}
    assert len(set(site.asked)) == 12
    assert (site.most, site.connections) == (8, 8)


def test_deleted_jaeger_is_told(core: Core, jaeger: Jaeger, pair: Pair) -> None:
    """A trace that was seen and is no longer there: "lost", without a link, and soon sent again."""
    task = spoken(core, "Seen, then wiped.")
    drain(core, pair)
    look = TraceLook(core)
    wait_until(lambda: look.look(task.id).where is Where.SEEN, 10, what="it is seen")
    other = replace(core, settings=replace(core.settings, jaeger_url=jaeger.url))
    state = TraceLook(other).look(task.id)
    assert (state.where, state.url) == (Where.LOST, None)
    with core.database.write() as conn:
        conn.execute(update(outbox_table).values(sent_at=1))
    assert look_up.look(other, JaegerClient(jaeger.url)).resent == 1


def test_wiped_jaeger_gets_everything_again(core: Core, jaeger: Jaeger, pair: Pair) -> None:
    """A Jaeger that lost its disk is found out by a sample, and every trace is sent again."""
    tasks = [spoken(core, f"Seen number {number}, then wiped.") for number in range(3)]
    drain(core, pair)
    look, dice = TraceLook(core), random.Random(1)  # noqa: S311 - a repeatable walk
    for task in tasks:
        wait_until(partial(_state_seen, core, task.id), 10, what="it is seen")
    assert look.look(tasks[0].id).where is Where.SEEN
    with core.database.write() as conn:
        conn.execute(update(outbox_table).values(sent_at=1, look_at=None))
    assert not look_up.sample(core, JaegerClient(pair.jaeger.url), dice)
    wiped = JaegerClient(jaeger.url)
    assert look_up.look(core, wiped).total == 0
    assert look_up.sample(core, wiped, dice)
    assert look_up.look(core, wiped).resent == len(tasks)


def test_repair_leaves_alone_what_is_on_its_way(core: Core) -> None:
    """Spans that wait are not "missing, sent again": the row and the events say nothing of it."""
    since = _now(core)
    task = spoken(core, "Still waiting.")
    found = verify(core, since=since, wait_s=0, repair=True)
    assert (found.on_its_way, found.resent) == (1, None)
    row = task_list.get(core, task.id)
    assert (row.trace_missing_at, row.trace_resends) == (None, 0)
    assert _events(core, task, look_up.EVENT_RESENT) == 0

"""Every failed attempt and task has its cause, whoever gives the verdict; groups start with it."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from app import bootstrap, process
from app.domain.claim import Claim
from app.domain.fingerprint import frames_of
from app.domain.records import AttemptRecord, FailureGroupRecord, TaskRecord
from app.domain.task import Decision, Move
from app.service import cancel, claim, reap, task_list, verdict
from app.service.core import Core
from app.service.failures import actions, group, listing
from app.service.failures.asked import asked
from app.service.finish import Verdict, settle
from app.store import attempts, failure_counts, failure_groups
from telemetry import names
from tests.conftest import KINDS, database_url
from tests.support.home import Home
from tests.support.service import run, start_worker, submitted
from tests.support.spans import spans_of
from tests.support.statements import plan, recorded


@pytest.fixture(params=KINDS, scope="module")
def core(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Core]:
    """A home on each database, for all tests of this module; every text is another."""
    path = tmp_path_factory.mktemp("causes")
    with Home.make(path / "home", database_url(request.param, path)) as home:
        yield home.core


def _taken(core: Core, task_id: int) -> Claim:
    """A claim of this very task: other tests leave tasks that wait."""
    worker = start_worker(core, concurrency=99)
    found = claim.claim_next(core, worker_id=worker, task_id=task_id)
    assert found is not None
    assert claim.begin(core, found, pid=os.getpid(), ticks=process.start_ticks(os.getpid()))
    return found


def _claim(core: Core, content: str) -> tuple[int, int]:
    found = _taken(core, submitted(core, content, engine="scripted").task.id)
    return found.task_id, found.attempt


def _speak(core: Core, content: str, **fields: Any) -> tuple[TaskRecord, AttemptRecord]:
    """A text submitted and spoken: its task and its attempt, which is the only one."""
    fields = {"engine": "scripted", "max_attempts": 1} | fields
    task = run(core, _taken(core, submitted(core, content, **fields).task.id))
    return task, _attempt(core, task.id, task.attempt)


def _attempt(core: Core, task_id: int, attempt: int) -> AttemptRecord:
    with core.database.read() as conn:
        row = attempts.get(conn, task_id, attempt)
    assert row is not None
    return row


def _group(core: Core, fingerprint: str | None) -> FailureGroupRecord:
    with core.database.read() as conn:
        row = failure_groups.get(conn, fingerprint or "")
    assert row is not None
    return row


def _kinds(core: Core, fingerprint: str | None) -> list[str]:
    with core.database.read() as conn:
        return [one.kind for one in failure_groups.events_of(conn, fingerprint or "", 99)]


def test_a_failed_attempt_its_task_and_its_spans_have_one_fingerprint(core: Core) -> None:
    """Row, task, attempt span and task span say the same; the row says why; a group is made."""
    task, row = _speak(core, "@fail permanent code 31 from https://a.example.com/7", source="cli")
    assert task.status == "failed"
    assert row.fingerprint == task.fingerprint
    assert row.fingerprint is not None
    assert row.fingerprint.startswith("v2:")
    assert row.template == "code 31 from <url>"
    assert frames_of(row.frames)[0] == "app.speech.scripted:_raise"
    assert not any("execute" in frame or "worker" in frame for frame in frames_of(row.frames))
    assert row.source == "cli"
    told = {span.name: span.attributes.get(names.FINGERPRINT) for span in spans_of(core, task.id)}
    assert told[names.SPAN_TASK] == told[names.SPAN_ATTEMPT] == row.fingerprint
    found = _group(core, row.fingerprint)
    assert (found.state, found.template, found.error_type) == (
        "open",
        row.template,
        "engine_rejected",
    )
    assert (found.frames, found.first_at) == (row.frames, row.finished_at)
    assert _kinds(core, row.fingerprint) == ["new"]


def test_a_retried_failure_repeats_itself_and_another_text_does_not(core: Core) -> None:
    """The second failure of a text is a repeat; another text's first with that cause is not."""
    words = "@fail retryable slot 5 of 17 is taken"
    made = submitted(core, words, engine="scripted", max_attempts=2, title="one")
    task = run(core, _taken(core, made.task.id))
    assert (task.status, task.fingerprint) == ("pending", None)
    with core.database.write() as conn:
        conn.execute(text("UPDATE task SET not_before = 0 WHERE id = :id"), {"id": task.id})
    task = run(core, _taken(core, task.id))
    first, second = _attempt(core, task.id, 1), _attempt(core, task.id, 2)
    assert (first.outcome, second.outcome) == ("retry", "failed")
    assert first.fingerprint == second.fingerprint == task.fingerprint
    assert (first.is_repeat, second.is_repeat) == (False, True)
    _, other = _speak(core, "@fail retryable slot 6 of 20 is taken", title="two")
    assert (other.fingerprint, other.is_repeat) == (first.fingerprint, False)
    assert _kinds(core, first.fingerprint) == ["new"]


def test_bad_audio_is_told_apart_by_what_is_wrong_with_it(core: Core) -> None:
    """Audio that is too short and silent audio are two groups, found where they were judged."""
    short, mute = (
        _speak(core, f"@{word}\nA sentence that is long enough to be judged.")[1]
        for word in ("truncate", "silence")
    )
    assert (short.error_type, mute.error_type) == ("audio_truncated", "audio_silent")
    assert short.fingerprint != mute.fingerprint
    assert frames_of(short.frames)[0] == "app.speech.validation:check_segment"
    assert short.template == "audio has <duration>; its text allows <n> to <duration>"


def test_a_signal_an_exit_code_and_a_lost_lease_are_three_causes(core: Core) -> None:
    """Deaths are told apart by how the process ended, not by the worker's name."""
    keys, task_id = [], 0
    ends: list[dict[str, Any]] = [
        {"reason": "its process ended with signal 9", "exit_signal": 9},
        {"reason": "its process ended with signal 9", "exit_signal": 9},
        {"reason": "its process ended with signal 11", "exit_signal": 11},
        {"reason": "its process ended with exit code 1", "exit_code": 1},
    ]
    for number, end in enumerate(ends):
        task_id, attempt = _claim(core, f"Killed {number}.")
        assert verdict.lose(core, task_id, attempt, **end)
        keys.append(_attempt(core, task_id, attempt).fingerprint)
    for name in ("w7", "gpu-2"):
        task_id, attempt = _claim_of_dead(core, name)
        reap.reap(core)
        row = _attempt(core, task_id, attempt)
        assert (row.outcome, row.template) == ("lost", "its worker is dead: its lease ran out")
        keys.append(row.fingerprint)
    first, again, segv, code, lease, lease_again = keys
    assert (first, lease) == (again, lease_again)
    assert len({first, segv, code, lease}) == 4
    rebuilt = [one for one in spans_of(core, task_id) if one.name == names.SPAN_ATTEMPT]
    assert [one.attributes[names.FINGERPRINT] for one in rebuilt] == [lease]


def _claim_of_dead(core: Core, name: str) -> tuple[int, int]:
    """A claim of a worker whose lease has run out."""
    task_id = submitted(core, f"Left by {name}.", engine="scripted").task.id
    worker = start_worker(core, name=name, concurrency=99)
    found = claim.claim_next(core, worker_id=worker, task_id=task_id)
    assert found is not None
    with core.database.write() as conn:
        conn.execute(
            text("UPDATE worker SET heartbeat_at = 1, started_at = 1 WHERE id = :id"),
            {"id": worker},
        )
    return found.task_id, found.attempt


def test_a_passed_deadline_is_one_cause_whatever_its_number(core: Core) -> None:
    """Limits of 2 s and of 90 s are one cause; killed for it and seen by itself are two."""
    killed, task_id = [], 0
    for limit in ("2", "90"):
        task_id, attempt = _claim(core, f"Late by {limit}.")
        reason = f"the limit of {limit} s passed; killed by worker w{limit}"
        assert verdict.time_out(
            core, task_id, attempt, reason=reason, words="the limit passed; killed by its worker"
        )
        killed.append(_attempt(core, task_id, attempt))
    assert killed[0].fingerprint == killed[1].fingerprint
    assert task_list.get(core, task_id).fingerprint == killed[1].fingerprint
    task, row = _speak(core, "@sleep 9", timeout_s=1)
    assert (task.status, row.template, row.frames) == ("timeout", "the limit passed", "")
    assert row.fingerprint not in {None, killed[0].fingerprint}


def test_a_task_that_waited_too_long_has_a_cause_without_any_attempt(core: Core) -> None:
    """It is in the group of tasks that nothing ever ran."""
    task = _expired(core, "Nobody comes.")
    assert (task.status, task.error_type, task.attempt) == ("failed", "queue_expired", 0)
    assert _group(core, task.fingerprint).error_type == "queue_expired"
    page = listing.groups(core, asked({"error_type": "queue_expired"}))
    [counts] = [one.counts for one in page.groups]
    assert (counts.count, sum(counts.bins), counts.trend) == (1, 1, 2.0)  # it has just begun
    view = group.group(core, task.fingerprint or "", asked({}))
    assert (view.in_window.count, view.task_count, view.ended_count) == (1, 0, 1)
    assert view.group.last_at == task.finished_at
    there = {"worker": "w1"}  # no worker ever had it
    assert listing.groups(core, asked({"error_type": "queue_expired"} | there)).total == 0
    assert group.group(core, task.fingerprint or "", asked(there)).in_window.count == 0
    late = _expired(core, "Nobody comes either.")
    between = (task.finished_at or 0, late.finished_at or 0)
    with core.database.read() as conn:  # one that ended later takes no place of one in the window
        ends = failure_counts.ends_of_tasks(conn, task.fingerprint or "", between, 1)
    assert ends == [task.finished_at]


def _expired(core: Core, content: str) -> TaskRecord:
    """A task that waited longer than it may."""
    task_id = submitted(core, content).task.id
    with core.database.write() as conn:
        conn.execute(text("UPDATE task SET give_up_at = 1 WHERE id = :id"), {"id": task_id})
    assert reap.reap(core).expired == 1
    return task_list.get(core, task_id)


def test_what_is_no_failure_has_no_fingerprint(core: Core) -> None:
    """Completed, cancelled, handed back and full accounts: no cause, no repeat, no group."""
    task, row = _speak(core, "All is well.")
    assert (task.status, task.fingerprint, row.fingerprint, row.template) == (
        "completed", None, None, None,
    )  # fmt: skip
    assert row.language == "en"
    _, full = _speak(core, "@fail capacity the account is full")
    assert (full.outcome, full.fingerprint) == ("capacity", None)
    task_id, attempt = _claim(core, "Taken back.")
    cancel.cancel_task(core, task_id)
    handed_id, handed = _claim(core, "Handed back.")
    assert verdict.hand_back(core, handed_id, handed, reason="drain")
    ends = [_attempt(core, *key) for key in ((task_id, attempt), (handed_id, handed))]
    assert [one.outcome for one in ends] == ["cancelled", "handed_back"]
    assert [one.fingerprint for one in ends] == [None, None]


def test_a_canary_fails_in_no_group(core: Core) -> None:
    """What is hidden everywhere makes no group, and brings none back."""
    _, row = _speak(core, "@fail permanent the canary is ill", source="canary")
    assert row.fingerprint is not None
    with core.database.read() as conn:
        assert failure_groups.get(conn, row.fingerprint) is None


def test_a_failure_after_a_resolution_opens_the_group_again_once(core: Core) -> None:
    """The first failure after it is the regression, with its release; muted groups stay muted."""
    words = "@fail permanent the model of voice {} is gone"
    _, row = _speak(core, words.format(1))
    key = row.fingerprint or ""
    actions.act(core, key, actions.done("resolve", {}, by="ann"))
    resolved = _group(core, key)
    assert (resolved.state, resolved.state_by) == ("resolved", f"ann ({core.actor})")
    for number in (2, 3):
        _speak(core, words.format(number))
    back = _group(core, key)
    assert (back.state, back.regressed_release) == ("open", row.release)
    assert back.state_by == resolved.state_by
    assert _kinds(core, key) == ["regressed", "resolved", "new"]
    actions.act(core, key, actions.done("mute", {}))
    _speak(core, words.format(4))
    assert _group(core, key).state == "muted"
    assert _kinds(core, key) == ["muted", "regressed", "resolved", "new"]


def test_failures_at_the_same_moment_make_one_group_and_one_regression(core: Core) -> None:
    """Eight workers fail at once: one `new` event; after a resolution one `regressed` event."""
    key = ""
    for round_ in (1, 2):
        keys = [_claim(core, f"Race {round_} {number}.") for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda one: _fail(core, *one), keys))
        rows = [_attempt(core, *one) for one in keys]
        assert len({row.fingerprint for row in rows}) == 1
        key = rows[0].fingerprint or ""
        assert _kinds(core, key) == ["new", "resolved", "regressed"][: 2 * round_ - 1][::-1]
        actions.act(core, key, actions.done("resolve", {}))


def _fail(core: Core, task_id: int, attempt: int) -> bool:
    given = Verdict(
        decision=Decision(move=Move.FAIL),
        error_type="engine_error",
        error_kind="permanent",
        error_message="all at once",
        rebuilt_reason="test",
    )
    worker = bootstrap.with_actor(core, "worker w1")

    def work(conn: Any) -> bool:
        now = core.database.now_us(conn)
        return settle(worker, conn, task_id, attempt, given, now=now) is not None

    return core.database.run(work)


def test_success_pays_nothing_for_failures(core: Core) -> None:
    """An attempt that completes asks for no earlier failure and for no group."""
    found = _taken(core, submitted(core, "Nothing more.", engine="scripted").task.id)
    with core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        assert run(core, found).status == "completed"
    assert not [sql for sql, _ in statements if "failure_" in sql]
    assert not [sql for sql, _ in statements if "fingerprint = " in sql and "UPDATE" not in sql]


def test_a_failure_looks_by_keys_only(core: Core) -> None:
    """Whether the text failed so before, and the group: by its text, its tasks, the key."""
    made = submitted(core, "@fail permanent plan", engine="scripted", max_attempts=1)
    found = _taken(core, made.task.id)
    with core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        run(core, found)
    wanted = [
        (sql, values)
        for sql, values in statements
        if sql.startswith("SELECT") and ("failure_group" in sql or "text_id = " in sql)
    ]
    assert len(wanted) >= 2
    with core.database.read() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        plans = ["\n".join(plan(conn, sql, values)) for sql, values in wanted]
    joined = "\n".join(plans)
    assert "ix_task_text" in joined
    assert not [one for one in plans if "SCAN task" in one or "Seq Scan" in one]

"""Random walks over the moves of tasks, against a real database, beside a model of it."""

import random
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, TextClause, text
from typing_extensions import override

from app.domain.claim import Claim
from app.domain.errors import ConflictError, ErrorKind
from app.domain.task import (
    FINAL,
    LEASE_US,
    LIVE,
    MAX_LOST,
    TRANSITIONS,
    Decision,
    Move,
    Status,
    Tries,
    decide_error,
)
from app.service import cancel, claim, limits, presence, reap, retry, task_list, verdict
from app.service.core import Core
from app.service.finish import Verdict, settle
from app.service.submit import SubmitRequest, submit
from app.store import tasks, totals, workers
from tests.conftest import database_url
from tests.support.home import Home
from tests.support.spans import spans_of


def finish(core: Core, made: Claim, given: Verdict) -> bool:
    """Settles an attempt as its own process would, without a live span."""

    def work(conn: Connection) -> bool:
        now = core.database.now_us(conn)
        return settle(core, conn, made.task_id, made.attempt, given, now=now) is not None

    return core.database.run(work)


COMPLETE = Verdict(decision=Decision(move=Move.COMPLETE))


def _counts(conn: Connection, statement: TextClause) -> dict[str, int]:
    return {key: int(n) for key, n in conn.execute(statement)}


def recount(core: Core) -> tuple[dict[str, int], dict[str, int]]:
    """(tasks by status, texts by state), counted from the rows."""
    with core.database.read() as conn:
        by_status = _counts(conn, text("SELECT status, count(*) FROM task GROUP BY status"))
        by_state = _counts(conn, text("SELECT state, count(*) FROM text GROUP BY state"))
        kept_status = {k: v.n for k, v in totals.by_status(totals.of_tasks(conn)).items() if v.n}
        kept_state = {k: v for k, v in totals.texts_by_state(conn).items() if v}
    assert kept_status == by_status
    assert kept_state == by_state
    return by_status, by_state


class TaskMachine(RuleBasedStateMachine):
    """One worker's claims, and everything that may happen to them."""

    @initialize()
    def start(self) -> None:
        """A new database with one worker."""
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        self.home = Home.make(path / "home", database_url("sqlite", path))
        self.core = self.home.core
        self.worker = presence.register(self.core, pid=1)
        self.limit = 2
        limits.set_max_concurrent(self.core, 2)
        self.status: dict[int, str] = {}
        self.texts: dict[int, int] = {}
        self.held: dict[int, Claim] = {}
        self.stale: list[Claim] = []
        self.lost: dict[int, int] = {}

    @override
    def teardown(self) -> None:
        """Removes the database."""
        if hasattr(self, "home"):
            self.home.stop_all()
            self.folder.cleanup()

    @rule(number=st.integers(0, 3))
    def submit(self, number: int) -> None:
        """New work, or a follower of the same content."""
        result = submit(
            self.core,
            SubmitRequest(content=f"Text {number}.", source="api", engine="tone", max_attempts=2),
        )
        is_live = result.task.id in self.status and self.status[result.task.id] in LIVE
        assert result.disposition == ("followed" if is_live else "new")
        self.status.setdefault(result.task.id, "pending")
        self.texts[result.text.id] = result.task.id

    @rule()
    def claim(self) -> None:
        """A claim succeeds exactly when something waits and a slot is free."""
        self._make_due()
        made = claim.claim_next(self.core, worker_id=self.worker)
        waiting = sorted(t for t, s in self.status.items() if s == "pending")
        may = bool(waiting) and len(self.held) < self.limit
        assert (made is not None) == may
        if made is not None:
            assert made.task_id == waiting[0]
            self.held[made.task_id] = made
            self.status[made.task_id] = "processing"

    def _make_due(self) -> None:
        with self.core.database.write() as conn:
            conn.execute(text("UPDATE task SET not_before = 0 WHERE status = 'pending'"))

    def _take(self, data: st.DataObject) -> Claim:
        task_id = data.draw(st.sampled_from(sorted(self.held)))
        made = self.held.pop(task_id)
        self.stale.append(made)
        return made

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def progress(self, data: st.DataObject) -> None:
        """Progress is accepted from the holder."""
        made = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        with self.core.database.write() as conn:
            assert tasks.progress(
                conn, made.task_id, made.attempt, now=1, phase="speak", permille=500
            )

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        """The holder completes."""
        made = self._take(data)
        assert finish(self.core, made, COMPLETE)
        self.status[made.task_id] = "completed"

    @precondition(lambda self: self.held)
    @rule(data=st.data(), kind=st.sampled_from(list(ErrorKind)))
    def fail(self, data: st.DataObject, kind: ErrorKind) -> None:
        """The holder fails: what follows is what `decide_error` says."""
        made = self._take(data)
        task = task_list.get(self.core, made.task_id)
        decision = decide_error(
            kind, Tries(tries_used=task.tries_used, max_attempts=2, lost_count=0),
            retry_after_s=None, jitter=0.0,
        )  # fmt: skip
        given = Verdict(decision=decision, error_type="x", error_kind=str(kind), error_message="m")
        assert finish(self.core, made, given)
        self.status[made.task_id] = TRANSITIONS[Status.PROCESSING, decision.move]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        """The child dies."""
        made = self._take(data)
        assert verdict.lose(self.core, made.task_id, made.attempt, reason="killed")
        self._count_loss(made.task_id)

    def _count_loss(self, task_id: int) -> None:
        self.lost[task_id] = self.lost.get(task_id, 0) + 1
        self.status[task_id] = "failed" if self.lost[task_id] >= MAX_LOST else "pending"

    @precondition(lambda self: self.held)
    @rule()
    def lose_worker(self) -> None:
        """The worker's heart stops: everything it held is given back, and it starts anew."""
        with self.core.database.write() as conn:
            workers.beat(conn, self.worker, self.core.database.now_us(conn) - LEASE_US - 1)
        done = reap.reap(self.core)
        assert done.rescued == len(self.held)
        for task_id, made in self.held.items():
            self.stale.append(made)
            self._count_loss(task_id)
        self.held.clear()
        self.worker = presence.register(self.core, pid=1)

    @precondition(lambda self: self.stale)
    @rule(
        data=st.data(), move=st.sampled_from(["complete", "fail", "lose", "late", "back", "step"])
    )
    def stale_write(self, data: st.DataObject, move: str) -> None:
        """Whoever lost its claim can write nothing."""
        made = data.draw(st.sampled_from(self.stale))
        before = task_list.get(self.core, made.task_id)
        key = (made.task_id, made.attempt)
        match move:
            case "complete":
                assert not finish(self.core, made, COMPLETE)
            case "fail":
                assert not finish(self.core, made, Verdict(decision=Decision(move=Move.FAIL)))
            case "lose":
                assert not verdict.lose(self.core, *key, reason="late")
            case "late":
                assert not verdict.time_out(self.core, *key, reason="late")
            case "back":
                assert not verdict.hand_back(self.core, *key, reason="late")
            case _:
                with self.core.database.write() as conn:
                    assert not tasks.progress(conn, *key, now=1, phase="speak", permille=1)
        assert task_list.get(self.core, made.task_id) == before

    @precondition(lambda self: self.status)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """A live task is cancelled for everyone; an ended one cannot be."""
        task_id = data.draw(st.sampled_from(sorted(self.status)))
        if self.status[task_id] in FINAL:
            with pytest.raises(ConflictError):
                cancel.cancel_task(self.core, task_id, everyone=True)
            return
        cancel.cancel_task(self.core, task_id, everyone=True)
        self.status[task_id] = "cancelled"
        if task_id in self.held:
            self.stale.append(self.held.pop(task_id))

    @precondition(lambda self: self.texts)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """A text whose task ended is spoken again by a new (or a live equal) task."""
        text_id = data.draw(st.sampled_from(sorted(self.texts)))
        if self.status[self.texts[text_id]] in LIVE:
            with pytest.raises(ConflictError):
                retry.retry_text(self.core, text_id, source="api")
            return
        result = retry.retry_text(self.core, text_id, source="api")
        assert result.task.id != self.texts[text_id]
        self.status.setdefault(result.task.id, "pending")
        self.texts[text_id] = result.task.id

    @rule(value=st.integers(0, 4))
    def change_limit(self, value: int) -> None:
        """The limit changes; what runs goes on."""
        limits.set_max_concurrent(self.core, value)
        self.limit = value

    @invariant()
    def rows_are_as_the_model(self) -> None:
        """Every row has the model's status; slots in use are the held claims, no more."""
        if not hasattr(self, "core"):
            return
        for task_id, status in self.status.items():
            assert task_list.get(self.core, task_id).status == status
        with self.core.database.read() as conn:
            assert tasks.count_processing(conn) == len(self.held)
        recount(self.core)

    @invariant()
    def one_task_span_for_each_end(self) -> None:
        """An ended task has exactly one task span, equal to its row; a live one has none."""
        if not hasattr(self, "core"):
            return
        for task_id, status in self.status.items():
            found = [span for span in spans_of(self.core, task_id) if span.name == "tts task"]
            assert len(found) == (1 if status in FINAL else 0)
            if found:
                task = task_list.get(self.core, task_id)
                assert found[0].attributes["voxtrace.task.status"] == task.status
                assert (found[0].start_us, found[0].end_us) == (task.submitted_at, task.finished_at)


TestTaskMachine = TaskMachine.TestCase
TestTaskMachine.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.postgres
def test_moves_on_eight_connections_lose_nothing(tmp_path: Path) -> None:
    """Eight PostgreSQL connections submit, claim, give back, lose, cancel and finish at once.

    Never above the limit, no leaked slot, one task span for each end, totals equal a recount.
    """
    url = database_url("postgres", tmp_path)
    with Home.make(tmp_path / "home", url) as home:
        limits.set_max_concurrent(home.core, 4)
        errors: list[BaseException] = []
        highest: list[int] = [0]
        threads = [
            threading.Thread(target=_storm, args=(home, number, errors, highest))
            for number in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not errors
        assert 0 < highest[0] <= 4
        by_status, _ = recount(home.core)
        assert by_status.get("processing", 0) == 0
        for listed in task_list.page(home.core, limit=1000).tasks:
            found = [s for s in spans_of(home.core, listed.task.id) if s.name == "tts task"]
            assert len(found) == (1 if listed.task.is_final else 0)


def _storm(home: Home, number: int, errors: list[BaseException], highest: list[int]) -> None:
    from app import bootstrap

    dice = random.Random(number)  # noqa: S311 - a repeatable walk
    core = bootstrap.make_core(home.settings, role="attempt", actor=f"thread {number}", pool_size=1)
    try:
        worker = presence.register(core, pid=number)
        for step in range(40):
            submit(
                core, SubmitRequest(content=f"T {dice.randrange(40)}.", source="api", engine="tone")
            )
            made = claim.claim_next(core, worker_id=worker)
            if made is None:
                continue
            with core.database.read() as conn:
                highest[0] = max(highest[0], tasks.count_processing(conn))
            match dice.randrange(5):
                case 0:
                    verdict.hand_back(core, made.task_id, made.attempt, reason="storm")
                case 1:
                    verdict.lose(core, made.task_id, made.attempt, reason="storm")
                case 2:
                    _cancel(core, made.task_id)
                case _:
                    finish(core, made, COMPLETE)
            del step
    except BaseException as error:  # noqa: BLE001 - told by the test
        errors.append(error)
    finally:
        core.database.close()


def _cancel(core: Core, task_id: int) -> None:
    try:
        cancel.cancel_task(core, task_id, everyone=True)
    except ConflictError:
        return

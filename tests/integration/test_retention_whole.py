"""Retention with tasks that were really spoken: what is left of them, and what still answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app import bootstrap
from app.domain.errors import DatabaseBusyError, NotFoundError
from app.domain.records import TaskRecord
from app.duties import retention as duty_module
from app.duties.retention import ASIDE_S, IDLE_S, Retention
from app.service import audio, library, retry, sweep, task_list
from app.service.core import Core
from app.service.retention import walk
from app.service.retention.archived import archived
from app.service.retention.prune import Pruned, prune
from app.service.retention.rules import rules_now
from app.store import totals
from app.store.tables import stat_check_table, submission_table, text_table
from app.web.factory import create_app
from tests.support.aged_rows import AgedRows, age, orphans
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker, submitted


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rest between batches."""
    monkeypatch.setattr(walk, "LEAST_PAUSE_S", 0.0)


def _kept(home: Home, **days: int) -> Core:
    """The Core of a home that keeps kinds for so many days."""
    home.environ |= {f"VOXTRACE_KEEP_{kind.upper()}_D": str(n) for kind, n in days.items()}
    return home.core


def _prune(core: Core, *, keeps_unsent: bool = False) -> Pruned:
    return prune(core, rules_now(core), keeps_unsent=keeps_unsent, on_step=lambda _step: None)


def _files(core: Core) -> int:
    prefixes = (sweep.AUDIO_PREFIX, sweep.SEGMENT_PREFIX)
    return sum(1 for prefix in prefixes for _ in core.storage.iterate(prefix))


def _size(core: Core, audio_id: int | None) -> int:
    """Bytes of an audio's file, which must be there to be heard."""
    with audio.open_file(core, audio_id or 0).stream as stream:
        return len(stream.read())


def _is_there(core: Core, task: TaskRecord) -> bool:
    try:
        return task_list.get(core, task.id).id == task.id
    except NotFoundError:
        return False


def test_nothing_of_a_removed_task_is_left_but_its_numbers(any_home: Home) -> None:
    """Rows, spans and, with the sweep, files go; 89 days old it stays whole, and its file too."""
    core = _kept(any_home, completed=90, failed=90)
    made = spoken(core, "First part.\n\nSecond part.")
    failed = spoken(core, "Spoken.\n\n@fail permanent no", engine="scripted")
    age(core, 89)
    assert _prune(core).total.tasks == 0
    assert sweep.sweep(core, min_age_us=0) >= 1
    assert _size(core, made.audio_id) == made.audio_bytes
    age(core, 2)
    removed = _prune(core).total
    assert (removed.tasks, removed.texts, removed.spans > 0) == (2, 2, True)
    assert removed.audio_bytes == made.audio_bytes
    assert not _is_there(core, made)
    assert not _is_there(core, failed)
    assert _gone(core) == 2
    sweep.sweep(core, min_age_us=0)
    assert _files(core) == 0
    with core.database.read() as conn:
        assert orphans(conn) == []
        assert conn.execute(select(text_table.c.id)).all() == []


def test_settings_keep_the_library_for_ever_and_what_was_deleted_for_a_month(
    any_home: Home,
) -> None:
    """With no setting at all: ten years old and kept; deleted 31 days ago and gone, 29 and kept."""
    core = any_home.core
    made = [spoken(core, f"Text {number}.") for number in range(3)]
    age(core, 3650)
    for task, days in ((made[0], 31), (made[1], 29)):
        with core.database.write() as conn:
            at = core.database.now_us(conn) - days * 86_400_000_000
            mine = text_table.c.id == task.text_id
            conn.execute(update(text_table).where(mine).values(deleted_at=at))
    assert _prune(core).total.tasks == 1
    assert [_is_there(core, task) for task in made] == [False, True, True]
    assert library.bring_back(core, made[1].text_id).audio is not None


def test_audio_that_answers_a_younger_text_stays(any_home: Home) -> None:
    """A text of today that is answered by audio of last year can be heard, whatever is deleted."""
    core = _kept(any_home, completed=90)
    made = spoken(core, "Said before.")
    library.hide(core, made.text_id)
    age(core, 365)
    with core.database.write() as conn:
        conn.execute(update(text_table).values(deleted_at=text_table.c.created_at))
    again = submitted(core, "Said before.", title="Again")
    assert (again.disposition, again.task.id) == ("skipped", made.id)
    assert _prune(core).last.held == {"wanted": 2}, "by its age, and as one of a deleted text"
    assert _size(core, again.text.audio_id) == made.audio_bytes
    age(core, 91)
    assert _prune(core).total.texts == 2
    with pytest.raises(NotFoundError):
        library.get(core, again.text.id)


def test_answer_of_a_text_goes_with_its_last_task(any_home: Home) -> None:
    """Failed is kept for a year: so is what completed after it, for it answers for the text."""
    core = _kept(any_home, completed=90, failed=365)
    failed = spoken(core, "@fail permanent no", engine="scripted")
    with core.database.write() as conn:
        conn.execute(update(text_table).values(content="Now it is well."))
    retried = retry.retry_text(core, failed.text_id, source="api").task
    assert run(core, claimed(core, start_worker(core))).status == "completed"
    age(core, 100)
    assert _prune(core).last.held == {"answers": 1}
    age(core, 300)
    removed = _prune(core)
    assert (removed.total.tasks, removed.total.texts) == (2, 1)
    assert not _is_there(core, retried)


def test_spans_that_wait_keep_their_task_where_they_can_be_sent(any_home: Home) -> None:
    """With a collector a task stays until its spans have left; without one nothing waits."""
    core = _kept(any_home, completed=90)
    made = spoken(core, "Not sent yet.")
    age(core, 91)
    assert _prune(core, keeps_unsent=True).last.held == {"unsent": 1}
    assert _is_there(core, made)
    assert _prune(core, keeps_unsent=False).total.tasks == 1


def test_task_waits_for_the_check_of_its_hour(any_home: Home) -> None:
    """An hour that was not recomputed, or in which a drift was found, keeps its tasks."""
    core = _kept(any_home, completed=90)
    spoken(core, "Spoken.")
    age(core, 91)
    with core.database.write() as conn:
        conn.execute(update(stat_check_table).values(drift_count=1))
    assert _prune(core).last.held == {"unchecked": 1}
    with core.database.write() as conn:
        conn.execute(delete(stat_check_table))
    assert _prune(core).last.held == {"unchecked": 1}


def test_retry_of_a_removed_task_says_so(home: Home) -> None:
    """The task page names what it is a retry of: as a link, and without one once it is removed."""
    core = _kept(home, failed=90)
    failed = spoken(core, "@fail permanent no", engine="scripted")
    retried = retry.retry_text(core, failed.text_id, source="api").task
    age(core, 91)
    page = f"/tasks/{retried.id}?lang=en"
    with create_app(home.settings, core).test_client() as client:
        before = client.get(page, headers={"Accept": "text/html"}).text
        assert f'href="/tasks/{failed.id}">retry of {failed.id}</a>' in before
        assert _prune(core).total.tasks == 1
        after = client.get(page, headers={"Accept": "text/html"}).text
        assert f"retry of {failed.id}, which was removed" in after
        assert f'href="/tasks/{failed.id}"' not in after
        told = client.get(f"/api/v1/tasks/{retried.id}").json
        assert told is not None
        assert told["retry_of"] == failed.id
        assert client.get(f"/api/v1/tasks/{failed.id}").status_code == 404


def _gone(core: Core) -> int:
    """Tasks that were ever removed."""
    with core.database.read() as conn:
        return archived(conn, totals.of_tasks(conn)).tasks


def _state(duty: Retention) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(duty.state())
    return found


def test_duty_does_a_round_and_then_waits(any_home: Home) -> None:
    """Keys, then tasks, a batch a step; then it ticks each minute until the hour is over."""
    core = _kept(any_home, completed=90)
    for number in range(3):
        spoken(core, f"Text {number}.", idempotency_key=f"k{number}")
    young = spoken(core, "Young.", idempotency_key="young")
    age(core, 91)
    with core.database.write() as conn:
        mine = submission_table.c.idempotency_key == "young"
        now = core.database.now_us(conn)
        conn.execute(update(submission_table).where(mine).values(created_at=now))
    duty = Retention(core, sends=False)
    steps = 0
    while duty.step() < IDLE_S:
        steps += 1
        assert steps < 20
    state = _state(duty)
    assert (state["tasks"], state["texts"], state["keys"]) == (3, 3, 3)
    assert state["held"] == {"wanted": 1}
    assert state["walks"] is False
    assert _gone(core) == 3
    assert _is_there(core, young)
    age(core, 91)
    assert duty.step() == IDLE_S, "the next round is not due"
    assert _is_there(core, young)
    other = Retention(core, sends=False)
    while other.step() < IDLE_S:
        pass
    assert (_state(other)["tasks"], _gone(core)) == (1, 4)


def test_file_gives_back_what_removed_rows_took(home: Home) -> None:
    """SQLite: 30 MB of texts go, and the file is smaller by most of it; some stays for new rows."""
    core = _kept(home, completed=90)
    spoken(core, "Young.")
    with core.database.write() as conn:
        rows = AgedRows(core, conn, core.database.now_us(conn))
        for number in range(60):
            text_id = rows.text(2400)
            mine = update(text_table).where(text_table.c.id == text_id)
            conn.execute(mine.values(content=f"{number:05}" * 100_000))
            rows.spoken(text_id, 2400)
        rows.check_hours()
    core.database.pragma("wal_checkpoint(TRUNCATE)")
    path = Path(core.database.raw_path() or "")
    before = path.stat().st_size
    pruned = _prune(core)
    core.database.pragma("wal_checkpoint(TRUNCATE)")
    assert pruned.total.texts == 60
    assert pruned.freed_bytes > 15_000_000
    assert path.stat().st_size == before - pruned.freed_bytes


def test_duty_steps_aside_and_then_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """While others hold the lock it waits, and nothing is said; what lasts is a failure."""
    monkeypatch.setattr(duty_module, "PATIENCE", 3)
    core = _kept(home, completed=90)
    spoken(core, "Text.")
    age(core, 91)
    hurried = bootstrap.make_core(home.settings, role="hub", actor="test")
    duty = Retention(hurried, sends=False)
    for _ in range(2):
        assert duty.step() < ASIDE_S, "keys, then a look: nothing is to be written"
    with core.database.write():
        assert [duty.step() for _ in range(2)] == [ASIDE_S, ASIDE_S]
        with pytest.raises(DatabaseBusyError):
            duty.step()
    while duty.step() < IDLE_S:
        pass
    assert _state(duty)["tasks"] == 1
    hurried.database.close()

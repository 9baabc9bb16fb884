"""Retention: what has had its time goes with all that belongs to it; numbers and the rest stay."""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from app.service.core import Core
from app.service.retention import walk
from app.service.retention.forecast import forecast
from app.service.retention.prune import Pruned, prune
from app.service.retention.rules import DAY_US, KINDS, Rule, rules_before
from app.store import archive
from app.store.tables import task_table, text_table
from tests.support import recount
from tests.support.aged_rows import AgedRows, clear, orphans
from tests.support.expected_retention import expected
from tests.support.home import Home

FINAL = KINDS[:4]
LIVE = ("pending", "processing")
#: Ages in days at which things happen, and limits beside them.
AGES = st.integers(0, 400)
LIMITS = st.sampled_from((None, 30, 90, 365))


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened so many days ago, to one of what is there by then."""

    days: int
    what: str
    which: int
    other: int
    status: str
    is_sent: bool


happenings = st.lists(
    st.builds(
        Happened,
        days=AGES,
        what=st.sampled_from(("new", "new", "follow", "retry", "anew", "delete")),
        which=st.integers(0, 99),
        other=st.integers(0, 99),
        status=st.sampled_from((*FINAL, *FINAL, "completed", *LIVE)),
        is_sent=st.sampled_from((True, True, True, False)),
    ),
    min_size=1,
    max_size=25,
).map(lambda found: sorted(found, key=lambda one: -one.days))


def _then(days: int, what: str, which: int = 0, other: int = 0, status: str = "failed") -> Happened:
    return Happened(days=days, what=what, which=which, other=other, status=status, is_sent=True)


#: What chance rarely finds: a deleted text that waits for a live task; a text that asked lately,
#: and is answered by another task by now; one that asked lately, and was deleted long ago.
WAITS = [_then(40, "new", status="processing"), _then(39, "follow"), _then(35, "delete", 1)]
ANSWERED_ANEW = [
    _then(100, "new"),
    _then(60, "follow"),
    _then(59, "new", status="completed"),
    _then(58, "anew", 1, 1),
]
ASKED_AND_DELETED = [_then(100, "new"), _then(60, "follow"), _then(50, "delete", 1)]


def _happen(rows: AgedRows, happened: list[Happened]) -> list[int]:
    """Lets it all happen, the oldest first; returns the tasks."""
    texts: list[int] = []
    tasks: list[int] = []
    for one in happened:
        hours = one.days * 24.0
        what = one.what if tasks else "new"
        if what == "new":
            texts.append(rows.text(hours + 1))
            tasks.append(rows.spoken(texts[-1], hours, one.status, is_sent=one.is_sent))
        elif what == "follow":
            texts.append(rows.followed(tasks[one.which % len(tasks)], hours))
        elif what == "retry":
            tasks.append(rows.spoken(texts[one.which % len(texts)], hours, one.status))
        elif what == "anew":
            _answer_anew(rows, texts[one.which % len(texts)], tasks[one.other % len(tasks)], hours)
        else:
            rows.delete_text(texts[one.which % len(texts)], hours)
    return tasks


def _answer_anew(rows: AgedRows, text_id: int, task_id: int, hours: float) -> None:
    """Only a task that is newer than all that were made for the text can answer it anew."""
    mine = select(task_table.c.id).where(task_table.c.text_id == text_id)
    if all(one < task_id for one in rows.conn.scalars(mine)):
        rows.answered_anew(text_id, task_id, hours)


def _ids(conn: Connection) -> tuple[set[int], set[int]]:
    return (
        set(conn.scalars(select(task_table.c.id))),
        set(conn.scalars(select(text_table.c.id))),
    )


def _prune(core: Core, rules: tuple[Rule, ...], *, keeps_unsent: bool = False) -> Pruned:
    return prune(core, rules, keeps_unsent=keeps_unsent, on_step=lambda _step: None)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two tasks at first, and no rest between them."""
    monkeypatch.setattr(walk, "LEAST_PAUSE_S", 0.0)
    monkeypatch.setattr(walk, "FIRST", 2 * walk.TASK_WEIGHT + 4)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=25,
)
@given(
    happened=happenings,
    limits=st.tuples(LIMITS, LIMITS, LIMITS, LIMITS, LIMITS),
    unchecked=st.integers(0, 9),
    keeps_unsent=st.booleans(),
)
@example(happened=WAITS, limits=(None,) * 4 + (30,), unchecked=0, keeps_unsent=False)
@example(happened=ANSWERED_ANEW, limits=(90,) + (None,) * 4, unchecked=0, keeps_unsent=False)
@example(
    happened=ASKED_AND_DELETED, limits=(90, None, None, None, 30), unchecked=0, keeps_unsent=True
)
@pytest.mark.usefixtures("hasty")
def test_what_had_its_time_goes_and_nothing_else(
    any_home: Home,
    *,
    happened: list[Happened],
    limits: tuple[int | None, ...],
    unchecked: int,
    keeps_unsent: bool,
) -> None:
    """Whatever happened and whatever is set: rows, numbers, ledger and forecast are as they must.

    Exactly the tasks and texts go that a naive look over all rows names, none of them live; no row
    points to what is gone; all-time numbers (sums, histogram, rollups) are those of before; what is
    not archived equals a recount; the ledger adds up to the archive; the forecast told it all.
    """
    core = any_home.core
    with core.database.write() as conn:
        clear(conn)
        rows = AgedRows(core, conn, core.database.now_us(conn))
        tasks = _happen(rows, happened)
        rows.check_hours(but=tasks[3 : 3 + unchecked // 7])
        kept_days = dict(zip(KINDS, limits, strict=True))
        before = {
            kind: rows.now - days * DAY_US for kind, days in kept_days.items() if days is not None
        }
        must = expected(conn, before, keeps_unsent=keeps_unsent)
        all_tasks, all_texts = _ids(conn)
        all_time = recount.all_time(recount.kept(conn))
    rules = rules_before(before)
    told = forecast(core, rules, keeps_unsent=keeps_unsent)
    pruned = _prune(core, rules, keeps_unsent=keeps_unsent)
    with core.database.read() as conn:
        assert _ids(conn) == (all_tasks - must.tasks, all_texts - must.texts)
        assert orphans(conn) == []
        kept = recount.kept(conn)
        assert recount.all_time(kept) == all_time
        assert recount.live(kept) == recount.from_rows(conn)
        archived = {key[1]: one for key, one in kept["stat_total"].items() if key[0] == 1}
        assert archive.by_status(conn) == archived
    assert (pruned.total.tasks, pruned.total.texts) == (len(must.tasks), len(must.texts))
    assert sum(one.tasks for one in told) == len(must.tasks)
    assert sum(one.texts for one in told) == len(must.texts)
    assert sum(one.audio_bytes for one in told) == pruned.total.audio_bytes
    assert sum(one.spans for one in told) == pruned.total.spans == 3 * len(must.tasks)

"""Recounts: drift that is planted is found and named, mended exactly, and where none is none."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, text

from app.domain.drift import Drift
from app.domain.histogram import MEASURES, histogram_of, unpack
from app.duties.recount import Recount
from app.service.core import Core
from app.service.recounts.reconcile import reconcile
from app.service.recounts.verdict import Verdict, verdict
from app.store import recount_latencies
from app.store.rows import records
from app.store.tables import stat_drift_table
from tests.support import cube_rows, planted, recount
from tests.support.home import Home
from tests.support.task_rows import HOUR_US, INSERT, START_US, columns
from tests.support.worked import worked


@pytest.fixture
def core(any_home: Home) -> Core:
    """A core on each database, with a text that has audio."""
    with any_home.core.database.write() as conn:
        planted.put_text(conn)
    return any_home.core


def run(core: Core, *, rounds: int = 1) -> Recount:
    """The duty, until it has gone once over everything."""
    duty = Recount(core, round_s=0, share=1, least_rest_s=0)
    while json.loads(duty.state())["rounds"] <= rounds:
        duty.step()
    return duty


def read(core: Core) -> Verdict:
    """The verdict now."""
    with core.database.read() as conn:
        return verdict(conn, core.database.now_us(conn))


def empty_cells(core: Core) -> int:
    """Cells of the cube that say nothing."""
    with core.database.read() as conn:
        found = conn.execute(
            text("SELECT count(*) FROM stat_cube WHERE n = 0 AND char_count = 0 AND total_ms = 0")
        )
        return int(found.scalar_one())


def kept(core: Core) -> list[Drift]:
    """All drift that is written down."""
    with core.database.read() as conn:
        return list(records(Drift, conn.execute(select(stat_drift_table))))


def is_exact(core: Core) -> bool:
    """Whether a recount in plain Python says the same as every counter."""
    with core.database.read() as conn:
        attempts = {key: n for key, n in cube_rows.kept(conn).items() if not key[2]}
        is_exact_of_attempts = attempts == cube_rows.from_rows(conn)
        return is_exact_of_attempts and recount.live(recount.kept(conn)) == recount.from_rows(conn)


@pytest.mark.parametrize("plants", [planted.ROWS, planted.COUNTERS], ids=["rows", "counters"])
def test_planted_drift_is_named_and_mended(core: Core, plants: dict[str, tuple[str, str]]) -> None:
    """The duty and the command find each by table and key; a rebuild mends all, exactly."""
    with core.database.write() as conn:
        planted.some(conn)
        planted.asked(conn)
        planted.tried(conn)
    run(core)
    assert read(core).state == "ok"
    with planted.without_triggers(core.database) as conn:
        for statement in plants:
            assert conn.execute(text(statement)).rowcount, statement
    run(core)
    told = read(core)
    assert told.state == "drift"
    found = reconcile(core)
    assert not found.is_equal
    for drifts in (kept(core), found.drifts):
        for place, words in plants.values():
            assert any(one.place == place and words in one.name for one in drifts), words
    rebuilt = reconcile(core, rebuild=True)
    assert rebuilt.is_equal
    assert (rebuilt.drift_count, rebuilt.drifts) == (found.drift_count, found.drifts)
    assert {place for place, _ in plants.values()} <= set(rebuilt.mended)
    assert is_exact(core)
    assert not empty_cells(core)
    assert not reconcile(core).drifts
    assert (read(core).state, read(core).drifts) == ("ok", ())


@pytest.mark.parametrize(
    ("emptied", "drift_count"), [("stat_attempt", 12), ("stat_profile", 24), ("task_attempt", 12)]
)
def test_emptied_table_of_attempts_is_found_and_mended(
    core: Core, emptied: str, drift_count: int
) -> None:
    """TRUNCATE goes past triggers: every cell that is wrong is told, and made right."""
    with core.database.write() as conn:
        planted.some(conn)
        planted.tried(conn)
    with planted.without_triggers(core.database) as conn:
        way = "DELETE FROM" if conn.dialect.name == "sqlite" else "TRUNCATE"
        conn.execute(text(f"{way} {emptied}"))
    found = reconcile(core)
    # four profiles in three hours; without profiles they are there twice: wanted, and of nobody
    assert {one.place for one in found.drifts} == {"stat_attempt"}
    assert found.drift_count == drift_count
    assert reconcile(core, rebuild=True).is_equal
    assert is_exact(core)
    assert reconcile(core).is_equal


def test_removed_attempts_that_contradict_each_other_are_told(core: Core) -> None:
    """Nothing tells what was removed but an hour and its day: it is named, left, and accepted."""
    with core.database.write() as conn:
        planted.some(conn)
        planted.tried(conn)
        conn.execute(text("DELETE FROM task_attempt WHERE outcome = 'failed'"))
    assert reconcile(core).is_equal
    with core.database.write() as conn:
        conn.execute(text("UPDATE stat_attempt SET n = 9 WHERE archived = 1 AND start = :at"),
                     {"at": START_US + HOUR_US})  # fmt: skip
    found = reconcile(core, rebuild=True)
    assert [one.name for one in found.left] == [
        "day 2026-01-01 removed w1/h1/tone/v1/en/1.0/100-499/api v2:f repeat n"
    ]
    assert (found.left[0].expected, found.left[0].got, found.lost) == (10, 2, 1)
    accepted = reconcile(core, rebuild=True, accept=True)
    assert accepted.is_equal
    assert [one.place for one in accepted.accepted] == ["accepted"]
    assert reconcile(core).is_equal


#: (what, which of the rows, with what)
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("insert", "many", "status", "amend")),
        st.integers(0, 9),
        columns(),
    ),
    min_size=1,
    max_size=10,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=10,
)
@given(steps=_STEPS)
def test_nothing_is_found_on_any_history(
    core: Core, steps: list[tuple[str, int, dict[str, Any]]]
) -> None:
    """Whatever is written while triggers are there, rows and counters agree, hour by hour.

    The histograms of each hour, whole since its first recount, hold what its counters count.
    """
    with core.database.write() as conn:
        for table in ("task", *_STATISTICS):
            conn.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of this test
        for step in steps:
            _do(conn, *step)
    assert reconcile(core).drifts == ()
    assert read(core).state == "ok"
    with core.database.write() as conn:
        conn.execute(text("DELETE FROM task WHERE id % 2 = 0"))
    assert reconcile(core).drifts == ()
    with core.database.read() as conn:
        latencies = conn.execute(_LATENCIES).all()
        assert [tuple(row) for row in latencies] == [
            tuple(row) for row in conn.execute(_COMPLETED).all()
        ]


_STATISTICS = (
    "stat_total",
    "stat_hist",
    "stat_period",
    "stat_cube",
    "stat_latency",
    "stat_check",
    "stat_drift",
)
_LATENCIES = text(
    "SELECT grain, start, sum(n) FROM stat_latency WHERE dimension = ''"
    " GROUP BY grain, start ORDER BY grain, start"
)
_COMPLETED = text(
    "SELECT grain, start, sum(n) FROM stat_period WHERE status = 'completed'"
    " GROUP BY grain, start HAVING sum(n) > 0 ORDER BY grain, start"
)


def _do(conn: Connection, what: str, which: int, values: dict[str, Any]) -> None:
    ids = conn.execute(text("SELECT id FROM task ORDER BY id")).scalars().all()
    if what in {"insert", "many"}:
        rows = [
            {**values, "key": f"k{len(ids)}.{which}.{n}"} for n in range(3 if what == "many" else 1)
        ]
        conn.execute(INSERT, rows)
    elif ids:
        conn.execute(_CHANGES[what], {**values, "id": ids[which % len(ids)]})


_CHANGES = {
    "status": text(
        "UPDATE task SET status = :status, finished_at = :finished, run_us = :run,"
        " attempt = :attempt, worker_name = :worker WHERE id = :id"
    ),
    "amend": text(
        "UPDATE task SET voice = :voice, char_count = :chars, source = :source WHERE id >= :id"
    ),
}


def test_histograms_of_an_hour_are_those_of_its_rows(core: Core) -> None:
    """Of all tasks and by each dimension, in the hour and the day; they outlive the rows."""
    with core.database.write() as conn:
        planted.some(conn)
    reconcile(core)
    by_voice = {
        voice: [1_000 * (n + 1) for n in range(5) if n != 3 and f"v{n % 2}" == voice]
        for voice in ("v0", "v1")
    }
    with core.database.read() as conn:
        kept_hour = recount_latencies.of_start(conn, "hour", START_US - 2 * HOUR_US)
        day = recount_latencies.of_start(conn, "day", START_US - 24 * HOUR_US)
    assert kept_hour == day
    for voice, runs in by_voice.items():
        n, packed = kept_hour["voice", voice]
        found = unpack(packed)
        assert n == len(runs)
        assert found["run"] == histogram_of(runs)
        assert {found[one].n for one in MEASURES} == {n}
    assert set(kept_hour) == {
        ("", ""),
        *(("voice", voice) for voice in by_voice),
        *(("engine", "tone"), ("language", "en"), ("worker", "w1"), ("host", "w1")),
        ("release", "1.0"),
    }
    with core.database.write() as conn:
        conn.execute(text("DELETE FROM task WHERE finished_at < :at"), {"at": START_US})
    reconcile(core)
    with core.database.read() as conn:
        assert recount_latencies.of_start(conn, "hour", START_US - 2 * HOUR_US) == kept_hour


def test_requests_count_by_their_own_rows(any_home: Home) -> None:
    """New, followed and skipped ones, a retry, one that was removed: the row says what it adds.

    That is its task's engine, its text's length, and the sound that was there already.
    """
    core = any_home.core
    worked(core)
    assert is_exact(core)
    with core.database.read() as conn:
        rows = [tuple(row) for row in conn.execute(_REQUESTS)]
        kept = recount.kept(conn)["stat_submission"]
        removed = {key[3]: one.n for key, one in kept.items() if key[0] == "all" and key[2]}
    assert {disposition for disposition, *_ in rows} == {"new", "followed", "skipped"}
    assert [row for row in rows if row[1:4] != row[4:]] == []
    assert any(row[3] for row in rows)
    assert removed == {"new": 1}
    assert reconcile(core).drifts == ()


_REQUESTS = text(
    "SELECT s.disposition, s.engine, s.char_count, s.audio_ms, t.engine, x.char_count,"
    " CASE WHEN s.disposition = 'skipped' THEN t.audio_duration_ms ELSE 0 END"
    " FROM submission s JOIN task t ON t.id = s.task_id JOIN text x ON x.id = s.text_id"
)


def test_cells_of_removed_tasks_are_tidied(core: Core) -> None:
    """What triggers leave at zero, where all of a cell was removed, goes in the next round."""
    with core.database.write() as conn:
        planted.some(conn)
        conn.execute(text("DELETE FROM task WHERE finished_at < :at"), {"at": START_US})
    before = empty_cells(core)
    assert before
    run(core)
    assert not empty_cells(core)
    with core.database.read() as conn:
        removed = conn.execute(text("SELECT sum(n) FROM stat_cube WHERE archived = 1"))
        assert removed.scalar_one() == 15


def test_histograms_follow_a_row_that_is_changed(core: Core) -> None:
    """A change by hand is counted at once; histograms are told, and wait for a rebuild."""
    with core.database.write() as conn:
        planted.put(conn, {})
    reconcile(core)
    with core.database.write() as conn:
        conn.execute(text("UPDATE task SET run_us = 4000000"))
    assert {one.place for one in reconcile(core).drifts} == {"stat_latency"}
    assert reconcile(core, rebuild=True).is_equal
    with core.database.read() as conn:
        for grain in ("hour", "day"):
            [(n, packed)] = [recount_latencies.of_start(conn, grain, START_US)["engine", "tone"]]
            assert (n, unpack(packed)["run"]) == (1, histogram_of([4000]))

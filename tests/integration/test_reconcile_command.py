"""`voxtrace reconcile` as a user runs it: what it prints, its exit codes, triggers that are off."""

import json

import pytest
from sqlalchemy import text

from app.domain.errors import SchemaError
from app.service.checks import check_host
from app.service.core import Core
from app.service.health import HealthProbe
from app.service.recounts.reconcile import reconcile
from app.store import schema
from tests.support import planted
from tests.support.home import Home


def _fill(home: Home) -> None:
    with home.core.database.write() as conn:
        planted.put_text(conn)
        planted.some(conn)
        planted.asked(conn)
        planted.tried(conn)


def test_command_names_what_differs_and_mends_it(home: Home) -> None:
    """0 where all agrees; 1 with table, key, expected and got; 0 again after --rebuild."""
    _fill(home)
    done = home.run("reconcile")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith(
        "counted anew: 3 hours of 2 days, 17 ended tasks, 12 attempts, 9 requests, 1 text, in "
    )
    assert done.stdout.splitlines()[-1] == "rows and counters agree"
    with home.core.database.write() as conn:
        conn.execute(text("UPDATE stat_total SET n = n + 2 WHERE status = 'failed'"))
    done = home.run("reconcile", "--since", "2026-01-01T00:30:00+00:00")
    assert done.returncode == 1
    assert "  stat_total: all time failed n: expected 3, got 5\n" in done.stdout
    assert done.stdout.splitlines()[0].startswith("counted anew since ")
    assert "2 hours of 1 day, " in done.stdout
    assert "1 number not as the rows say: `voxtrace reconcile --rebuild` mends" in done.stdout
    done = home.run("reconcile", "--rebuild", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["is_equal"], told["mended"]) == (0, True, {"stat_total": 1})
    assert told["differences"] == [
        {
            "table": "stat_total",
            "start_us": None,
            "name": "all time failed n",
            "expected": 3,
            "got": 5,
        }
    ]


def test_start_without_a_trigger_is_refused_and_mended(any_home: Home) -> None:
    """Programs that would count wrong do not start, and name the command that helps."""
    _fill(any_home)
    with any_home.core.database.write() as conn:
        is_sqlite = conn.dialect.name == "sqlite"
        conn.execute(
            text(
                "DROP TRIGGER tr_task_end"
                if is_sqlite
                else "ALTER TABLE task DISABLE TRIGGER tr_task_end"
            )
        )
        conn.execute(
            text(
                "UPDATE task SET status = 'completed', finished_at = :at"
                " WHERE status = 'processing'"
            ),
            {"at": planted.TASK["finished"]},
        )
    with pytest.raises(SchemaError, match=r"tr_task_end.*`voxtrace reconcile --rebuild`"):
        schema.check(any_home.core.database)
    check = check_host.schema_of(any_home.core)
    assert (check.level, check.fix.en) == ("bad", "`voxtrace reconcile --rebuild`")
    recount = HealthProbe(any_home.core).read().checks["recount"]
    assert (recount.level, recount.said.en.split(":")[0]) == (
        "bad",
        "nobody knows whether counters and rows agree",
    )
    found = reconcile(any_home.core)
    assert "fires" in {one.name.split()[-1] for one in found.drifts}
    mended = any_home.run("reconcile", "--rebuild", "--json")
    assert mended.returncode == 0, mended.stdout
    assert json.loads(mended.stdout)["difference_count"] == found.drift_count
    assert json.loads(mended.stdout)["triggers_restored"] == ["tr_task_end"]
    schema.check(any_home.core.database)
    _drop(any_home.core, "tr_text_insert")
    mended = any_home.run("reconcile", "--rebuild")
    assert "  restored: trigger tr_text_insert\n" in mended.stdout
    assert mended.stdout.splitlines()[-1] == "rows and counters agree again"
    schema.check(any_home.core.database)
    assert reconcile(any_home.core).is_equal


def _drop(core: Core, name: str) -> None:
    with core.database.write() as conn:
        conn.execute(text(f"DROP TRIGGER {name}{'' if core.database.is_sqlite else ' ON text'}"))


def test_trigger_of_somebody_else_is_named_and_left(any_home: Home) -> None:
    """It may be what changes the counters: doctor warns, a recount names it, nothing is refused."""
    core = any_home.core
    _fill(any_home)
    with core.database.write() as conn:
        for statement in _EVIL[conn.dialect.name]:
            conn.execute(text(statement))
        planted.put(conn, {})
    schema.check(core.database)
    check = check_host.schema_of(core)
    assert (check.level, check.facts) == ("warn", {"strange": 1})
    assert check.said.en.endswith("may change counters: evil on task")
    found = reconcile(core, rebuild=True)
    assert (found.is_equal, found.strange) == (True, (("evil", "task"),))
    done = any_home.run("reconcile")
    assert "  note: trigger evil on task is of no release: it may change counters\n" in done.stdout
    assert check_host.schema_of(core).level == "warn"


_EVIL = {
    "sqlite": [
        "CREATE TRIGGER evil AFTER INSERT ON TASK BEGIN UPDATE stat_total SET n = n - 1; END"
    ],
    "postgresql": [
        (
            "CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS"
            " $f$ BEGIN UPDATE stat_total SET n = n - 1; RETURN NULL; END $f$"
        ),
        "CREATE TRIGGER evil AFTER INSERT ON task FOR EACH ROW EXECUTE FUNCTION evil()",
    ],
}


def test_moment_that_lies_ahead_is_refused(home: Home) -> None:
    """Nothing can be compared from a moment on that has not come: 2, and no verdict."""
    done = home.run("reconcile", "--since", "2099-01-01")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--since must be in the past, got 2099-01-01 00:00:00" in done.stderr
    done = home.run("reconcile", "--since", "1h")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("no hour has tasks or requests to be counted")


def test_command_says_where_it_cannot_tell(home: Home) -> None:
    """2 on a schema that is not this release's, with what to do."""
    with home.core.database.write() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    done = home.run("reconcile")
    assert done.returncode == 2
    assert "voxtrace migrate" in done.stderr

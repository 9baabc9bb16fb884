"""Counters mended while others write, are killed, and mend too: exact all the same."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from sqlalchemy import Connection, text

from app.service.core import Core
from app.service.recounts.mend import restore_triggers
from app.service.recounts.reconcile import reconcile
from app.store import recount_results, trigger_state
from migrations import today
from tests.support import planted, recount
from tests.support.home import CLEAN, Home
from tests.support.wait import wait_until


@contextmanager
def writing(core: Core, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Programs that write; all are killed in the end."""
    url = core.database.url.render_as_string(hide_password=False)
    programs = [_writer(url, seed) for seed in range(count)]
    try:
        yield programs
    finally:
        for program in programs:
            program.kill()
            program.wait(10)


def _writer(url: str, seed: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.recount_writer", url, str(seed)]
    return subprocess.Popen(command, env=CLEAN)


def _tasks(core: Core) -> int:
    with core.database.read() as conn:
        return int(conn.execute(text("SELECT coalesce(max(id), 0) FROM task")).scalar_one())


def _has(core: Core, wanted: int) -> bool:
    return _tasks(core) > wanted


def _has_mended(core: Core) -> bool:
    with core.database.read() as conn:
        return recount_results.mended_count(conn) > 0


def _plant(core: Core) -> None:
    """A row that no counter knows, one that counters know twice, and a number by hand."""
    with planted.without_triggers(core.database) as conn:
        planted.put(conn, {"voice": "unknown"}, {"status": "pending", "finished": None})
        conn.execute(text("DELETE FROM task WHERE status = 'timeout'"))
        conn.execute(text("UPDATE stat_total SET run_ms = run_ms - 3 WHERE archived = 0"))
        conn.execute(text("UPDATE stat_hist SET n = n + 1 WHERE archived = 0"))


def test_mending_is_exact_while_others_write(any_home: Home) -> None:
    """Programs write and are killed; a rebuild here and one beside it: every sum is right."""
    core = any_home.core
    with core.database.write() as conn:
        planted.put_text(conn)
        planted.some(conn)
    with writing(core, 2) as programs:
        wait_until(partial(_has, core, _tasks(core) + 60), 60, what="they write")
        _plant(core)
        beside = any_home.start("reconcile", "--rebuild")
        wait_until(partial(_has_mended, core), 60, what="it mends")
        programs[0].kill()
        rebuilt = reconcile(core, rebuild=True)
        assert rebuilt.is_equal
        assert beside.wait(60) == 0, beside.output()
    with core.database.read() as conn:
        assert recount.live(recount.kept(conn)) == recount.from_rows(conn)
    assert reconcile(core).drifts == ()


def _drop_triggers(conn: Connection) -> None:
    for name, trigger in today.made(conn.dialect.name).items():
        on = "" if conn.dialect.name == "sqlite" else f" ON {trigger.table}"
        conn.execute(text(f"DROP TRIGGER {name}{on}"))


def test_triggers_are_restored_once_by_two_at_a_time(any_home: Home) -> None:
    """While programs write: some are gone, some do nothing; whoever is second finds them right."""
    core = any_home.core
    with core.database.write() as conn:
        planted.put_text(conn)
        planted.some(conn)
    with writing(core, 1), ThreadPoolExecutor(2) as threads:
        wait_until(partial(_has, core, _tasks(core) + 5), 60, what="it writes")
        core.database.run(_drop_triggers)  # again where a writer's locks were in the way
        for _ in threads.map(lambda _: restore_triggers(core), range(2)):
            pass
        with core.database.read() as conn:
            assert trigger_state.faults(conn) == {}
        assert reconcile(core, rebuild=True).is_equal
    with core.database.read() as conn:
        assert recount.live(recount.kept(conn)) == recount.from_rows(conn)


def test_two_rebuilds_mend_once(any_home: Home) -> None:
    """What one has mended, another that saw it before does not mend again, nor one after a kill."""
    core = any_home.core
    with core.database.write() as conn:
        planted.put_text(conn)
        planted.some(conn)
    _plant(core)
    killed = any_home.start("reconcile", "--rebuild")
    wait_until(partial(_has_mended, core), 60, what="it mends")
    killed.kill()
    beside = any_home.start("reconcile", "--rebuild")
    assert reconcile(core, rebuild=True).is_equal
    assert beside.wait(60) == 0, beside.output()
    with core.database.read() as conn:
        assert recount.live(recount.kept(conn)) == recount.from_rows(conn)

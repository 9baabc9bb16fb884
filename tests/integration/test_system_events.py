"""System events: starts, releases, ends and limits stand in rows, written with the change."""

import os
from contextlib import closing
from dataclasses import replace

from alembic import command
from sqlalchemy import text

from app import bootstrap
from app.service import limits, presence, reap
from app.service.core import Core
from app.store import revisions, system_events, workers
from app.store.database import Database
from app.store.system_events import SystemEvent
from tests.support.home import Home
from tests.support.statements import plan, recorded


def _of_release(core: Core, release: str, worker: str = "w1") -> Core:
    settings = replace(core.settings, release=release, worker_name=worker)
    return replace(bootstrap.with_actor(core, f"worker {worker}"), settings=settings)


def _events(core: Core) -> list[SystemEvent]:
    with core.database.read() as conn:
        return system_events.between(conn, 0, 1 << 62)


def test_worker_start_says_whether_it_is_new_or_of_another_release(any_home: Home) -> None:
    """First start, restart, and a restart with another release are told apart, with the one before.

    A worker of another name says nothing of this one.
    """
    core = any_home.core
    for release in ("1.4.1", "1.4.1", "1.4.2", "1.4.2", "1.4.1"):
        presence.register(_of_release(core, release), pid=os.getpid())
    presence.register(_of_release(core, "1.4.2", "w2"), pid=os.getpid())
    told = [(one.worker, one.kind, one.before, one.release) for one in _events(core)]
    assert told == [
        ("w1", "start", None, "1.4.1"),
        ("w1", "restart", None, "1.4.1"),
        ("w1", "release", "1.4.1", "1.4.2"),
        ("w1", "restart", None, "1.4.2"),
        ("w1", "release", "1.4.2", "1.4.1"),
        ("w2", "start", None, "1.4.2"),
    ]
    assert {one.host for one in _events(core)} == {core.host}
    assert _events(core)[0].by == "worker w1"


def test_end_of_a_worker_is_told_once_however_it_ends(any_home: Home) -> None:
    """A worker that leaves is `stopped`, one without a heartbeat `dead`; neither is told twice."""
    core = any_home.core
    left = presence.register(_of_release(core, "1"), pid=os.getpid())
    lost = presence.register(_of_release(core, "1", "w2"), pid=os.getpid())
    presence.leave(_of_release(core, "1"), left, "drained")
    presence.leave(_of_release(core, "1"), left, "drained")
    with core.database.write() as conn:
        workers.beat(conn, lost, 1)
    reap.reap(core)
    reap.reap(core)
    presence.leave(_of_release(core, "1", "w2"), lost, "too late")
    stops = [one for one in _events(core) if one.kind == "stop"]
    assert [(one.worker, one.value) for one in stops] == [("w1", "stopped"), ("w2", "dead")]


def test_limits_are_told_with_their_value_before(any_home: Home) -> None:
    """Each limit that changes is an event; one that is set to what it is, is none."""
    core = any_home.core
    limits.set_max_concurrent(core, 4)
    limits.set_max_concurrent(core, 4)
    limits.change(core, 2, {"tone": 1})
    limits.set_engine_limit(core, "tone", None)
    limits.set_engine_limit(core, "tone", None)
    told = [(one.kind, one.name, one.before, one.value, one.by) for one in _events(core)]
    assert told == [
        ("limit", "max_concurrent", None, "4", "test"),
        ("limit", "max_concurrent", "4", "2", "test"),
        ("limit", "engine:tone", None, "1", "test"),
        ("limit", "engine:tone", "1", None, "test"),
    ]


def test_events_of_a_window_are_read_oldest_first(home: Home) -> None:
    """The window is from its start to before its end; kinds and workers narrow it; the last win."""
    with home.core.database.write() as conn:
        for at in range(10):
            values = {"at": at, "kind": "stop" if at % 2 else "start", "worker": f"w{at % 3}"}
            system_events.add(conn, values | {"by": "t"})
    with home.core.database.read() as conn:
        assert [one.at for one in system_events.between(conn, 2, 8)] == [2, 3, 4, 5, 6, 7]
        assert [one.at for one in system_events.between(conn, 0, 9, kinds=["stop"])] == [1, 3, 5, 7]
        assert [one.at for one in system_events.between(conn, 0, 9, workers=["w1"])] == [1, 4, 7]
        assert [one.at for one in system_events.between(conn, 0, 99, limit=3)] == [7, 8, 9]


def test_workers_of_before_are_told_when_the_table_is_made(
    any_url: str,
) -> None:
    """What rows of workers know becomes events, in the order of time.

    So the release that makes the table is told as one, with the release before it.
    """
    config = revisions.config()
    with (
        closing(Database(any_url, role="migrate", pool_size=1)) as database,
        database.write() as conn,
    ):
        config.attributes["connection"] = conn
        command.downgrade(config, "0010")
        for place, (name, release, ended) in enumerate(
            [("w1", "1", 5), ("w1", "1", 15), ("w2", "1", None), ("w1", "2", None)]
        ):
            workers.register(
                conn,
                {"id": f"i{place}", "name": name, "host": "h", "pid": 1, "release": release}
                | {"concurrency": 1, "started_at": place * 10, "heartbeat_at": 0}
                | {"state": "dead" if ended else "up", "ended_at": ended},
            )
        command.upgrade(config, "head")
        told = [
            (one.at, one.worker, one.kind, one.before, one.release, one.value)
            for one in system_events.between(conn, 0, 100)
        ]
    assert told == [
        (0, "w1", "start", None, "1", None),
        (5, "w1", "stop", None, "1", "dead"),
        (10, "w1", "restart", None, "1", None),
        (15, "w1", "stop", None, "1", "dead"),
        (20, "w2", "start", None, "1", None),
        (30, "w1", "release", "1", "2", None),
    ]


def test_events_are_read_by_indexes(any_home: Home) -> None:
    """Neither a window nor a worker's last start is looked for among all events."""
    core = any_home.core
    with core.database.read() as conn, recorded(conn.engine) as statements:
        system_events.between(conn, 1, 2, kinds=["limit"])
        system_events.last_start(conn, "w1")
    with core.database.read() as conn:
        if not core.database.is_sqlite:
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        told = ["\n".join(plan(conn, sql, values)) for sql, values in statements[-2:]]
    for lines, index in zip(told, ("ix_system_event_at", "ix_system_event_worker"), strict=True):
        assert index in lines, lines
        assert "TEMP B-TREE" not in lines, lines

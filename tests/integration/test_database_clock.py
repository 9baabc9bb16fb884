"""The database's time on a host whose own clock is wrong."""

from pathlib import Path

import pytest

from app import clock
from app.duties.forwarder import Forwarder
from app.service.database_clock import DatabaseClock
from app.store.tables import outbox_table
from telemetry import outbox
from telemetry.export import ExportSettings
from tests.conftest import database_url
from tests.support.home import Home
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.service import submitted
from tests.support.wait import wait_until

_HOUR_US = 3_600_000_000


@pytest.mark.postgres
@pytest.mark.parametrize("apart_us", [_HOUR_US, -_HOUR_US])
def test_spans_leave_at_the_databases_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apart_us: int
) -> None:
    """A forwarder on a host that is an hour off writes down when rows left by the database's clock.

    By its own, what has just left would be taken for long arrived, or looked for an hour too late.
    """
    home = Home.make(tmp_path / "home", database_url("postgres", tmp_path))
    core = home.core
    task_id = submitted(core, "Sent by a host with a wrong clock.").task.id
    right = clock.now_us
    monkeypatch.setattr(clock, "now_us", lambda: right() + apart_us)
    assert abs(DatabaseClock(core).now_us() - right()) < 5_000_000
    with OtlpReceiver() as receiver:
        settings = ExportSettings(endpoint=receiver.url)
        forwarder = Forwarder(core, settings)
        with core.database.write() as conn:
            outbox.add(
                conn, payload=b"", n_spans=1, rank=outbox.RANK_TASK, created_at_us=right(),
                task_id=task_id, trace_id="a" * 32,
            )  # fmt: skip

        def sent_at() -> int | None:
            forwarder.step()
            with core.database.read() as conn:
                found: int | None = conn.execute(outbox_table.select()).one().sent_at
            return found

        assert abs((wait_until(sent_at, 30, what="it has left") or 0) - right()) < 30_000_000
    home.stop_all()

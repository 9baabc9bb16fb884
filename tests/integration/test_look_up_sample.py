"""The look-up duty's sample: a Jaeger that lost what it had is found out, however busy it is."""

import json
from pathlib import Path

from sqlalchemy import select, update

from app.duties.look_up import LookUp
from app.store.tables import outbox_table, task_table
from tests.support.backends import Jaeger
from tests.support.home import Home
from tests.support.service import spoken


def test_lost_traces_are_found_out_while_others_are_always_due(
    tmp_path: Path, jaeger: Jaeger
) -> None:
    """The sample has its own clock: a trace that is due in every round does not put it off."""
    with Home.make(tmp_path / "home", VOXTRACE_JAEGER_URL=jaeger.url) as home:
        core = home.core
        gone, due = spoken(core, "Seen, then lost."), spoken(core, "Due in every round.")
        with core.database.write() as conn:
            now = core.database.now_us(conn)
            seen = update(task_table).where(task_table.c.id == gone.id).values(trace_seen_at=now)
            conn.execute(seen)
            conn.execute(update(outbox_table).values(state="sent", sent_at=1, look_at=None))
            of_due = outbox_table.c.task_id == due.id
            conn.execute(update(outbox_table).where(of_due).values(look_at=now - 1))
        duty = LookUp(core, jaeger.url)
        duty.step()
        assert json.loads(duty.state())["lost_at"] is not None
        with core.database.read() as conn:
            of_gone = outbox_table.c.task_id == gone.id
            sought = select(outbox_table.c.id).where(of_gone, outbox_table.c.look_at.is_not(None))
            assert conn.scalars(sought).all()

"""The look-up duty's rate: how many traces it asks Jaeger for, and how soon again."""

from sqlalchemy import update

from app.duties.look_up import LookUp
from app.service import cancel
from app.store.tables import outbox_table
from telemetry import outbox
from tests.support.home import Home
from tests.support.jaeger_site import JaegerSite
from tests.support.service import submitted

_O = outbox_table.c
#: Tasks whose traces are due: more than one round looks for.
_DUE = 60


def test_look_up_asks_for_fifty_traces_each_half_second(home: Home) -> None:
    """Of many that are due a round looks for fifty; the next one is due in half a second."""
    core = home.core
    tasks = [submitted(core, f"Text number {number}.").task for number in range(_DUE)]
    for task in tasks:
        cancel.cancel_task(core, task.id)
    with core.database.write() as conn:
        sent_at = core.database.now_us(conn) - 60_000_000
        conn.execute(update(outbox_table).values(state="sent", sent_at=sent_at, look_at=sent_at))
    with JaegerSite.running() as site:
        duty = LookUp(core, site.url)
        assert (duty.step(), _due(home)) == (0.5, _DUE - 50)
        of_tasks = {f"/api/v3/traces/{task.trace_id}" for task in tasks}
        assert len([path for path in site.asked if path in of_tasks]) == 50
        assert (duty.step(), _due(home)) == (2.0, 0)
        assert of_tasks <= set(site.asked)


def _due(home: Home) -> int:
    core = home.core
    with core.database.read() as conn:
        return len(
            {one.task_id for one in outbox.due(conn, core.database.now_us(conn), limit=1000)}
        )

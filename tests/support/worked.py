"""A database with real work in it: a task for each way to stand, and numbers of one that went."""

from sqlalchemy import delete, select

from app.service import cancel, library, limits, retry
from app.service.core import Core
from app.store.tables import audio_table, caption_table, metadata, task_table, text_table
from tests.support.service import claimed, run, spoken, start_worker, submitted

#: Texts that wait: they are the next to be claimed, in this order.
WAITING = ("One that waits.", "Another that waits: 等一下。")


def worked(core: Core) -> int:
    """Fills a database; returns the id of a task that was running when all stopped."""
    worker_id = start_worker(core)
    first = spoken(core, "Said and heard. 你好，世界。", title="First")
    spoken(core, "Said, then hidden.", idempotency_key="k1")
    submitted(core, "Said and heard. 你好，世界。", title="First again")
    library.hide(core, 2)
    submitted(core, "@fail permanent no such voice", engine="scripted")
    run(core, claimed(core, worker_id))
    submitted(core, "@fail retryable later", engine="scripted", max_attempts=1)
    failed = run(core, claimed(core, worker_id))
    again = retry.retry_task(core, failed.id, source="cli").task
    cancel.cancel_task(core, again.id)
    limits.set_engine_limit(core, "tone", 3)
    running = submitted(core, "This one runs.").task
    claimed(core, worker_id)
    submitted(core, "This one runs.", title="Follower")
    for content in WAITING:
        submitted(core, content)
    gone = spoken_last(core)
    erase(core, gone)
    assert first.status == "completed"
    return running.id


def spoken_last(core: Core) -> int:
    """A task that goes before those that wait; its id is the highest."""
    task = submitted(core, "Here today, gone tomorrow.").task
    with core.database.write() as conn:
        conn.execute(task_table.update().where(task_table.c.id == task.id).values(priority=-1))
    done = run(core, claimed(core, start_worker(core, name="w2")))
    assert (done.id, done.status) == (task.id, "completed")
    return task.id


def erase(core: Core, task_id: int) -> None:
    """Removes a task with all that refers to it, as retention does: its numbers stay."""
    audio_ids = select(audio_table.c.id).where(audio_table.c.task_id == task_id)
    with core.database.write() as conn:
        conn.execute(delete(caption_table).where(caption_table.c.audio_id.in_(audio_ids)))
        for table in reversed(metadata.sorted_tables):
            if table.name not in {"canary", "text", "task"} and "task_id" in table.c:
                conn.execute(delete(table).where(table.c.task_id == task_id))
        conn.execute(delete(task_table).where(task_table.c.id == task_id))
        conn.execute(delete(text_table).where(text_table.c.task_id == task_id))

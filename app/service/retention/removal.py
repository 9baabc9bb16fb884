"""Removal: tasks that have had their time go with all that belongs to them, in one transaction.

Their numbers move to the archive by triggers; the ledger says which they were. Files of audio go by
the sweeper, once no row refers to them. On PostgreSQL tasks, then texts are locked before anything
is decided, and what others have locked is left for another time: a request that is being answered
by a task at this moment holds it (`tasks.finished_of_key`), and two removals share no task.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app import clock
from app.service.core import Core
from app.service.retention.rules import Rule
from app.service.retention.sift import Batch, Sifted, sift
from app.store import archive, erase, retention
from app.store.database import Connection
from app.store.retention import AgedTask
from telemetry import outbox_tasks

#: Why a task stays for now: somebody else has locked it.
BUSY: Final = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What went: bytes of audio whose files no other row may need; `held` by why they stayed."""

    tasks: int = 0
    texts: int = 0
    audio_bytes: int = 0
    spans: int = 0
    held: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(
            tasks=self.tasks + other.tasks,
            texts=self.texts + other.texts,
            audio_bytes=self.audio_bytes + other.audio_bytes,
            spans=self.spans + other.spans,
            held=self.held + other.held,
        )


def remove(core: Core, rule: Rule, batch: Batch, *, keeps_unsent: bool) -> tuple[Removed, float]:
    """Removes what of a batch may go, in a transaction of its own.

    Returns:
        What went, and for how many seconds the transaction kept others from writing.
    """
    begun_s = 0.0

    def work(conn: Connection) -> Removed:
        nonlocal begun_s
        begun_s = clock.monotonic_s()
        return remove_within(core, conn, rule, batch, keeps_unsent=keeps_unsent)

    removed = core.database.run(work)
    return removed, clock.monotonic_s() - begun_s


def remove_within(
    core: Core, conn: Connection, rule: Rule, batch: Batch, *, keeps_unsent: bool
) -> Removed:
    """Removes what of a batch may go, decided anew under locks."""
    locked = _lock(conn, batch)
    sifted = sift(conn, rule, locked, keeps_unsent=keeps_unsent)
    sifted.held[BUSY] += len(batch.tasks) - len(locked.tasks)
    return _erase(core, conn, sifted)


def _lock(conn: Connection, batch: Batch) -> Batch:
    """The batch without what somebody else has locked, as its rows are now."""
    tasks = retention.hold_tasks(conn, batch.task_ids)
    answers = retention.answers(conn, [task.id for task in tasks])
    text_ids = {one.text_id for one in answers} | {one.id for one in batch.texts}
    busy = text_ids - retention.hold_texts(conn, text_ids)
    kept = {one.task_id for one in answers if one.text_id in busy}
    return Batch(
        tasks=[task for task in tasks if task.id not in kept],
        texts=[one for one in batch.texts if one.id not in busy],
    )


def _erase(core: Core, conn: Connection, sifted: Sifted) -> Removed:
    task_ids, text_ids = sorted(sifted.tasks), sorted(sifted.text_ids)
    if not task_ids and not text_ids:
        return Removed(held=sifted.held)
    erase.captions(conn, task_ids, text_ids)
    audio_bytes = erase.audios(conn, task_ids, text_ids)
    erase.segments(conn, task_ids)
    erase.attempts(conn, task_ids)
    erase.events(conn, task_ids)
    erase.log_lines(conn, task_ids)
    spans = outbox_tasks.remove_tasks(conn, task_ids)
    erase.submissions(conn, task_ids, text_ids)
    _write_down(core, conn, sifted.tasks)
    erase.tasks(conn, task_ids)
    return Removed(
        tasks=len(task_ids),
        texts=erase.texts(conn, text_ids),
        audio_bytes=audio_bytes,
        spans=spans,
        held=sifted.held,
    )


def _write_down(core: Core, conn: Connection, tasks: Mapping[int, AgedTask]) -> None:
    """The ledger gets a line for each status."""
    now = core.database.now_us(conn)
    for status, sums in sorted(archive.sums_of(conn, list(tasks)).items()):
        ids = sorted(task.id for task in tasks.values() if task.status == status)
        archive.note(conn, status, ids, sums, at=now, by=core.actor[:160])

"""The forecast of retention: what would go now, of each kind, and why the rest stays."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.service.core import Core
from app.service.retention.rules import Rule
from app.service.retention.sift import (
    Batch,
    Sifted,
    drop_held,
    left_alone,
    parts,
    settle_texts,
)
from app.service.retention.walk import START, batch_of, look
from app.store import retention
from app.store.database import Connection
from app.store.retention import DeletedText
from telemetry import outbox_tasks

#: Tasks of a kind that are counted; where there are more, the numbers are told as "and more".
CAP: Final = 10_000
#: Entries of an index that are read for a kind at most, whatever stays.
_LOOKED_AT: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What would go of one kind.

    Attributes:
        rule: Its kind, and the moment before which it ended or was deleted.
        audio_bytes: Of files that no other row may need.
        newest_at: When the youngest of the tasks ended; None where none goes.
        held: Tasks that have had their time and stay, by why.
        is_capped: There may be more than these numbers: counting stopped.
    """

    rule: Rule
    tasks: int
    texts: int
    audio_bytes: int
    spans: int
    newest_at: int | None
    held: Counter[str]
    is_capped: bool


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What was found of one kind."""

    rule: Rule
    task_ids: set[int] = field(default_factory=set)
    texts: list[DeletedText] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    is_capped: bool = False


def forecast(core: Core, rules: Sequence[Rule], *, keeps_unsent: bool) -> list[Kind]:
    """What a walk would remove now, in one snapshot; nothing is changed.

    Exact up to `CAP` tasks of a kind. Cost: a few statements for each 500 tasks.
    """
    with core.database.read() as conn:
        everything = Sifted(tasks={})
        seen = [_see(conn, rule, everything, keeps_unsent=keeps_unsent) for rule in rules]
        settle_texts(conn, everything)
        return [_kind(conn, one, everything) for one in seen]


def _see(conn: Connection, rule: Rule, everything: Sifted, *, keeps_unsent: bool) -> _Seen:
    """Adds what may go by a rule, each task looked at by itself."""
    seen, place, looked_at = _Seen(rule=rule), START, 0
    while len(seen.task_ids) < CAP and looked_at < _LOOKED_AT:
        page = look(conn, rule, place)
        looked_at += page.looked_at
        _add(conn, seen, everything, batch_of(page.units), keeps_unsent=keeps_unsent)
        if page.then is None:
            return seen
        place = page.then
    seen.is_capped = True
    return seen


def _add(
    conn: Connection, seen: _Seen, everything: Sifted, batch: Batch, *, keeps_unsent: bool
) -> None:
    fresh = {task.id: task for task in batch.tasks if task.id not in everything.tasks}
    sifted = Sifted(tasks=fresh)
    drop_held(conn, seen.rule, sifted, keeps_unsent=keeps_unsent)
    everything.tasks |= sifted.tasks
    seen.task_ids |= sifted.tasks.keys()
    seen.texts += batch.texts
    seen.held += sifted.held


def _kind(conn: Connection, seen: _Seen, everything: Sifted) -> Kind:
    going = sorted(seen.task_ids & everything.tasks.keys())
    texts = left_alone(conn, seen.texts, everything) - everything.text_ids
    sums = Counter({"texts": len(texts)})
    for ids in parts(going):
        sums["texts"] += len({answer.text_id for answer in retention.answers(conn, ids)})
        sums["audio_bytes"] += retention.audio_bytes(conn, ids)
        sums["spans"] += outbox_tasks.count_spans(conn, ids)
    held = seen.held + Counter(answers=len(seen.task_ids) - len(going))
    ends = [everything.tasks[one].finished_at or 0 for one in going]
    return Kind(
        rule=seen.rule,
        tasks=len(going),
        texts=sums["texts"],
        audio_bytes=sums["audio_bytes"],
        spans=sums["spans"],
        newest_at=max(ends, default=None),
        held=held,
        is_capped=seen.is_capped,
    )

"""What `voxtrace prune` says: what would go, what went, and why the rest stays."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.cli.when import shown
from app.service.retention.forecast import Kind
from app.service.retention.prune import Pruned
from app.service.retention.removal import BUSY, Removed
from app.service.retention.rules import DELETED
from app.service.retention.sift import ANSWERS, UNCHECKED, UNSENT, WANTED

NOTHING_SET: Final = (
    "nothing to remove: the settings keep everything for ever (VOXTRACE_KEEP_…_D); "
    "--older-than 90d would take what ended before"
)
#: Why tasks stay that have had their time.
_STAYS: Final = {
    WANTED: "a text that has not had its time needs them",
    ANSWERS: "they answer for a text of which another task stays",
    UNCHECKED: "the hour in which they ended is not recomputed yet, or does not agree",
    UNSENT: "spans of them wait for the collector",
    BUSY: "somebody uses them at this moment",
}


def table(kinds: Sequence[Kind]) -> str:
    """The forecast as a table; a `+` says that there may be more."""
    head = f"{'':<10} {'tasks':>9} {'texts':>9} {'audio':>9} {'spans':>9}"
    held = sum((one.held for one in kinds), Counter[str]())
    is_any = any(one.tasks or one.texts for one in kinds)
    nothing = () if is_any else ("nothing would go",)
    return "\n".join([head, *(_row(one) for one in kinds), *_stay(held), *nothing])


def _row(kind: Kind) -> str:
    more = "+" if kind.is_capped else " "
    numbers = (str(kind.tasks), str(kind.texts), size(kind.audio_bytes), str(kind.spans))
    cells = "".join(f"{number:>9}{more}" for number in numbers)
    verb = "deleted" if kind.rule.kind == DELETED else "ended"
    last = f", the last {shown(kind.newest_at)}" if kind.newest_at is not None else ""
    return f"{kind.rule.kind:<10} {cells}  {verb} before {shown(kind.rule.before)}{last}"


def summary(pruned: Pruned) -> str:
    """What went, by kind."""
    total = pruned.total
    what = f"{total.tasks} tasks, {total.texts} texts, {total.spans} spans"
    lines = [f"removed {what} in {pruned.took_s:.1f} s"]
    for kind, removed in pruned.by_kind.items():
        if removed.tasks or removed.texts:
            lines.append(f"  {kind:<10} {removed.tasks:>9} tasks {removed.texts:>9} texts")
    if total.audio_bytes:
        freed = size(total.audio_bytes)
        lines.append(f"{freed} of audio: the duties remove its files, once they are an hour old")
    if pruned.freed_bytes:
        lines.append(f"{size(pruned.freed_bytes)} of the database's file given back to the disk")
    return "\n".join([*lines, *_stay(pruned.last.held)])


def _stay(held: Mapping[str, int]) -> list[str]:
    return [f"{n} tasks stay: {_STAYS[why]}" for why, n in sorted(held.items()) if n]


def size(n_bytes: int) -> str:
    """Bytes in words: 0 B, 812 kB, 3.1 GB."""
    value, units = float(n_bytes), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    digits = 1 if value < 10 and units[0] != "B" else 0
    return f"{value:.{digits}f} {units[0]}"


def forecast_json(kinds: Sequence[Kind]) -> list[dict[str, Any]]:
    """The forecast for programs."""
    return [
        {
            "kind": one.rule.kind,
            "before_us": one.rule.before,
            "tasks": one.tasks,
            "texts": one.texts,
            "audio_bytes": one.audio_bytes,
            "spans": one.spans,
            "newest_us": one.newest_at,
            "is_capped": one.is_capped,
            "held": dict(one.held),
        }
        for one in kinds
    ]


def pruned_json(pruned: Pruned) -> dict[str, Any]:
    """What went, for programs."""
    return {
        **_removed_json(pruned.total),
        "by_kind": {kind: _removed_json(one) for kind, one in pruned.by_kind.items()},
        "held": dict(pruned.last.held),
        "freed_bytes": pruned.freed_bytes,
        "took_s": round(pruned.took_s, 3),
    }


def _removed_json(removed: Removed) -> dict[str, int]:
    return {
        "tasks": removed.tasks,
        "texts": removed.texts,
        "audio_bytes": removed.audio_bytes,
        "spans": removed.spans,
    }

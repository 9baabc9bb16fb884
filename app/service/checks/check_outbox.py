"""The check of the span outbox: how much waits, for how long, what was lost."""

from typing import Final

from app.service.checks.check import NOTHING, Check, Said, unknown
from app.service.checks.check_backends import Found, has_collector
from app.service.checks.facts import Facts
from app.service.figures import count, counted, duration

#: Age of the oldest unsent span, in microseconds, above which the collector is behind.
_BEHIND_US: Final = 60_000_000
#: Share of the outbox's bytes that unsent spans may take before it is said, and before they go.
_FILLING, _FULL = 0.5, 0.9
#: Microseconds for which dropped spans are told.
_LOST_US: Final = 86_400_000_000


def outbox_check(facts: Facts, found: Found) -> Check:
    """How much waits, for how long, and what had to be dropped."""
    state = facts.outbox
    if state is None:
        return unknown("outbox", "it was not measured", "还没有测量")
    sends = has_collector(facts, found)
    oldest = state.oldest_pending_us
    age_us = max(0, facts.now - oldest) if oldest is not None else 0
    used = state.pending_bytes / facts.outbox_max_bytes
    numbers = {
        "pending": state.pending,
        "pending_bytes": state.pending_bytes,
        "oldest_s": round(age_us / 1e6, 1),
        "lost_spans": state.lost_spans,
    }
    lost_at = state.last_lost_us
    fix, since = NOTHING, oldest
    if lost_at is not None and facts.now - lost_at < _LOST_US:
        level, said, since = "bad", _lost(state.lost_spans, facts.now - lost_at), lost_at
        fix = _ROOM
    elif sends and used >= _FILLING:
        level, said, fix = ("bad" if used >= _FULL else "warn"), _fills(state.pending, used), _ROOM
    elif sends and age_us > _BEHIND_US:
        level, said, fix = "warn", _behind(state.pending, age_us), _SEE_COLLECTOR
    elif not sends:
        level, since = "ok", None
        kept = state.pending + state.sent
        said = Said(
            en=f"{counted(kept, 'batch is', 'batches are')} kept here",
            zh=f"本地保留 {count(kept)} 批",
        )
    else:
        level, since = "ok", None
        waiting = count(state.pending)
        said = Said(
            en=f"nothing is behind, {waiting} on their way", zh=f"没有积压，{waiting} 批在途"
        )
    return Check(
        name="outbox",
        level=level,  # type: ignore[arg-type]
        said=said,
        fix=fix,
        since=since,
        seen_at=facts.now,
        facts=numbers,
    )


_ROOM: Final = Said(
    en="bring the collector back, or raise VOXTRACE_OUTBOX_MAX_BYTES",
    zh="请恢复收集器，或调高 VOXTRACE_OUTBOX_MAX_BYTES",
)
_SEE_COLLECTOR: Final = Said(en="nothing is lost; see the collector", zh="没有丢失；请看收集器")


def _lost(spans: int, ago_us: int) -> Said:
    return Said(
        en=f"{counted(spans, 'span was', 'spans were')} dropped for want of room, the last "
        f"{duration(ago_us, 'en')} ago",
        zh=f"因空间不足丢弃了 {count(spans)} 个跨度，最近一次在 {duration(ago_us, 'zh')}前",
    )


def _fills(pending: int, used: float) -> Said:
    return Said(
        en=f"{count(pending)} span batches wait and take {used:.0%} of the room",
        zh=f"{count(pending)} 批跨度在等待，占用空间的 {used:.0%}",
    )


def _behind(pending: int, age_us: int) -> Said:
    return Said(
        en=f"{count(pending)} span batches wait for the collector, the oldest for "
        f"{duration(age_us, 'en')}",
        zh=f"{count(pending)} 批跨度在等待收集器，最早的已等 {duration(age_us, 'zh')}",
    )

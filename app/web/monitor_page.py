"""What the monitor page shows beyond the service's view: the verdict, slots, tables in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from app.domain.records import DutyRecord, TaskRecord
from app.service.checks.check import Check
from app.service.duty_state import state_of
from app.service.leader import LEADER
from app.service.report import ActiveTask, MonitorView, Slots, Stats, WorkerView
from app.web import finding_lines, moments
from app.web.drawing import Block
from app.web.format import duration, number, size
from app.web.text_rows import progress_blocks, running_says
from app.web.visitor import Visitor
from app.web.words import Words, voice_name

#: Squares drawn at most; above it each stands for several slots.
MAX_SQUARES: Final = 40
#: Running tasks shown at most; the rest is behind the link.
MAX_ACTIVE: Final = 50
#: Where texts without audio that nobody works at are listed.
_FAILED: Final = "/?status=failed,timeout,cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A part of the verdict; `path` is where its proof is."""

    text: str
    level: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLine:
    """An alert and the part that it is of."""

    title: str
    level: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPicture:
    """The slots as squares, in numbers and in a sentence."""

    kinds: Sequence[str]
    counts: Mapping[str, int]
    says: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveRow:
    """A running task."""

    task: TaskRecord
    title: str
    voice: str
    blocks: Sequence[Block]
    count: str
    says: str
    ran_us: int
    is_worker_lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLine:
    """A worker, a duty, or a fact about the outbox: how it is, in a line.

    `beat` is what the age is of, as streams name it.
    """

    level: str
    name: str
    says: str
    age: Markup | str = ""
    beat: str = ""


def values(view: MonitorView, reader: Visitor) -> dict[str, Any]:
    """What the monitor page shows."""
    t = reader.t
    return {
        "stats": view.stats,
        "verdict": verdict(view, t),
        "alerts": alert_lines(view.alerts, t),
        "findings": finding_lines.lines(view.findings, reader),
        "slots": slot_picture(view.slots, t),
        "active": active_rows(view.active, reader),
        "workers": worker_lines(view.workers, reader),
        "duties": duty_lines(view, reader),
        "outbox": outbox_lines(view, reader),
        "waiting_says": waiting_says(view, t),
        "mean": mean_value(view.stats.mean_run_ms, t),
        "success_says": success_says(view.stats, t),
        "success_percent": f"{view.stats.success_ratio * 100:.1f}",
    }


def area_of(alert: Check) -> str:
    """The area that an alert belongs to."""
    if alert.name in {"deadlines", "findings"}:
        return "tasks"
    return "workers" if alert.name in {"workers", "slots"} else "monitoring"


def alert_lines(alerts: Sequence[Check], t: Words) -> list[AlertLine]:
    """The alerts in the page's language, the worst first; findings have a list of their own."""
    return [
        AlertLine(title=str(t(f"part.{one.name}")), level=one.level, text=one.sentence(t.lang))
        for one in alerts
        if one.name != "findings"
    ]


def verdict(view: MonitorView, t: Words) -> list[Clause]:
    """Is it well? One sentence about the tasks, and one for each area that needs a person."""
    stats = view.stats
    found = [one for one in view.findings if not one.is_muted]
    told = [alert for alert in view.alerts if alert.name != "findings"]
    bad = {area_of(alert): alert.level for alert in reversed(told)}
    is_stopped = any(alert.name == "workers" for alert in view.alerts)
    if is_stopped:
        first = Clause(text=str(t("verdict.stopped")), level="bad", path="#workers")
    elif stats.active:
        first = Clause(text=str(t("verdict.moving", n=stats.active)))
    elif stats.pending:
        what = str(t("comma")).join(str(t(f"waits.{one}")) for one in view.waits_for or ("turn",))
        first = Clause(text=str(t("verdict.waiting", n=stats.pending, what=what)))
    elif stats.total:
        first = Clause(text=str(t("verdict.idle")))
    else:
        first = Clause(text=str(t("verdict.empty")))
    others = [
        Clause(text=str(t(f"verdict.{area}_{level}")), level=level, path="#alerts")
        for area, level in bad.items()
        if not (area == "workers" and is_stopped)
    ]
    if found:
        says = str(t("verdict.findings", n=len(found)))
        others.insert(0, Clause(text=says, level="warn", path="#findings"))
    if others or "workers" in bad:
        return [first, *others]
    return [first, Clause(text=str(t("verdict.well")))]


def slot_picture(slots: Slots, t: Words) -> SlotPicture:
    """Slots as squares: busy, free, held by the dead, and configured ones nobody offers."""
    free = max(0, slots.usable - slots.busy)
    missing = max(0, slots.configured - slots.busy - slots.held_by_dead - free)
    parts = (
        ("f-processing", slots.busy),
        ("f-failed", slots.held_by_dead),
        ("f-track", free),
        ("slot-drain", missing),
    )
    counts = {
        "configured": slots.configured,
        "usable": slots.usable,
        "busy": slots.busy,
        "free": free,
        "held_by_dead": slots.held_by_dead,
    }
    return SlotPicture(
        kinds=_squares(parts),
        counts=counts,
        says=str(t("slots.says", n=slots.configured, usable=slots.usable)),
        label=str(t("comma")).join(f"{t(f'slots.{key}')} {n}" for key, n in counts.items()),
    )


def _squares(parts: Sequence[tuple[str, int]]) -> list[str]:
    whole = sum(count for _, count in parts)
    share = max(1, -(-whole // MAX_SQUARES))
    return [kind for kind, count in parts for _ in range(-(-count // share))]


def active_rows(active: Sequence[ActiveTask], visitor: Visitor) -> list[ActiveRow]:
    """Running tasks, oldest claim first."""
    return [_active_row(one, visitor) for one in active[:MAX_ACTIVE]]


def _active_row(one: ActiveTask, visitor: Visitor) -> ActiveRow:
    task, t = one.task, visitor.t
    count = f"{task.segments_done} / {task.segment_count}" if task.segment_count else "–"
    return ActiveRow(
        task=task,
        title=one.title,
        voice=voice_name(task.voice, t),
        blocks=progress_blocks(task),
        count=count,
        says=running_says(task, visitor),
        ran_us=one.ran_us,
        is_worker_lost=one.is_worker_lost,
    )


def worker_lines(views: Sequence[WorkerView], visitor: Visitor) -> list[StateLine]:
    """Worker processes: the living, and those that ended within a day."""
    return [_worker_line(view, visitor) for view in views]


def _worker_line(view: WorkerView, visitor: Visitor) -> StateLine:
    t, worker = visitor.t, view.worker
    seen = moments.tag(visitor.place, worker.heartbeat_at, "ago")
    where = str(t("worker.where", host=worker.host, pid=str(worker.pid)))
    if view.is_alive and worker.state == "draining":
        says, level = t("worker.draining", n=view.running), "warn"
    elif view.is_alive:
        says, level = t("worker.up", n=view.running, slots=worker.concurrency), "ok"
    elif worker.state == "stopped":
        says, level = t("worker.stopped"), "unknown"
    else:
        says, level = t("worker.dead"), "bad"
    return StateLine(
        level=level,
        name=worker.name,
        says=f"{says}{t('comma')}{where}",
        age=seen,
        beat=f"worker:{worker.id}",
    )


def duty_lines(view: MonitorView, visitor: Visitor) -> list[StateLine]:
    """Background duties: who does them; where one is not well, what its check says of it."""
    checks = {check.name: check for check in view.checks}
    checks[LEADER] = checks["duties"]
    return [_duty_line(duty, checks.get(duty.name), visitor) for duty in view.duties]


def _duty_line(duty: DutyRecord, check: Check | None, visitor: Visitor) -> StateLine:
    t = visitor.t
    key = f"duty.{duty.name}"
    name = str(t(key)) if t.has(key) else duty.name
    holder = duty.holder.partition("/")[0]
    level = "ok" if check is None else check.level
    if check is not None and level != "ok":
        says = check.said.of(t.lang).replace("`", "")
    else:
        says = str(t("duty.by", who=holder) if holder else t("duty.done"))
    age = moments.tag(visitor.place, duty.ticked_at, "ago") if duty.ticked_at else ""
    return StateLine(
        level="unknown" if level == "off" else level,
        name=name,
        says=says,
        age=age,
        beat=f"duty:{duty.name}",
    )


def outbox_lines(view: MonitorView, visitor: Visitor) -> list[StateLine]:
    """What lies in the span outbox; nothing where it was not measured."""
    t, outbox = visitor.t, view.outbox
    if outbox is None:
        return []
    if not view.is_traced:
        return [StateLine(level="unknown", name="outbox", says=str(t("outbox.turned_off")))]
    if not view.exports:
        kept = t(
            "outbox.kept",
            n=outbox.pending + outbox.sent,
            size=size(outbox.pending_bytes + outbox.sent_bytes),
        )
        return [StateLine(level="ok", name="outbox", says=str(kept))]
    lines = []
    if outbox.pending and outbox.oldest_pending_us is not None:
        age = duration(max(0, view.now - outbox.oldest_pending_us), t.lang)
        says = t("outbox.waiting", n=outbox.pending, age=age)
    else:
        says = t("outbox.empty")
    behind = any(alert.name == "outbox" for alert in view.alerts)
    lines.append(StateLine(level="warn" if behind else "ok", name="outbox", says=str(says)))
    if outbox.lost_spans:
        lost = t("outbox.lost", n=outbox.lost_spans)
        lines.append(StateLine(level="bad", name="lost", says=str(lost)))
    if outbox.poison:
        refused = t("outbox.refused", n=outbox.poison, answer=outbox.poison_error or "–")
        lines.append(StateLine(level="warn", name="refused", says=str(refused)))
    return [*lines, *_forwarder_lines(view, t)]


def _forwarder_lines(view: MonitorView, t: Words) -> list[StateLine]:
    """What the forwarder tells of spans that were left out, and of those that went again."""
    duty = next((duty for duty in view.duties if duty.name == "forwarder"), None)
    state, lines = state_of(duty), []
    if rejected := state.get("rejected_spans"):
        says = t("outbox.left_out", n=rejected, answer=state.get("partial_message") or "–")
        lines.append(StateLine(level="warn", name="left_out", says=str(says)))
    if (rows := state.get("resent_rows")) and (at := state.get("resent_at_us")):
        ago = duration(max(0, view.now - at), t.lang)
        says = t("outbox.again", n=rows, ago=ago, why=state.get("resent_why") or "–")
        lines.append(StateLine(level="ok", name="again", says=str(says)))
    return lines


def waiting_says(view: MonitorView, t: Words) -> str:
    """What is said under the number of waiting texts."""
    if view.oldest_waiting_at is None:
        return str(t("monitor.nothing_waits"))
    waited = duration(max(0, view.now - view.oldest_waiting_at), t.lang)
    return str(t("monitor.oldest", waited=waited))


def success_says(stats: Stats, t: Words) -> Markup:
    """What is said under the success rate; each number leads to its texts."""
    has_audio = t(
        "monitor.success_sub",
        n=stats.total,
        completed=_link("/?status=completed", number(stats.completed)),
        all=_link("/", number(stats.total)),
    )
    if not stats.failed:
        return has_audio
    failed = t("monitor.success_not", n=stats.failed)
    return Markup("{}{}{}").format(has_audio, t("comma"), _link(_FAILED, failed))


def _link(path: str, words: str) -> Markup:
    return Markup('<a class="link" href="{}">{}</a>').format(path, words)


def mean_value(mean_run_ms: float | None, t: Words) -> Markup:
    """The mean run time for a tile: numbers large, units small."""
    told = duration(None if mean_run_ms is None else mean_run_ms * 1000, t.lang)
    pieces = [
        piece
        if piece[:1].isdigit() or piece == "–"
        else Markup('<span class="unit">{}</span>').format(piece)
        for piece in told.split(" ")
    ]
    return Markup(" ").join(pieces)

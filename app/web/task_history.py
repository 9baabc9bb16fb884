"""The history of a task as its page tells it: events, attempts, and evidence for rebuilt spans."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from app.domain.records import AttemptRecord, EventRecord, TaskRecord
from app.service.reason import error_words
from app.service.task_view import AttemptView, TaskView
from app.web import moments
from app.web.failure_words import error_title, group_path
from app.web.format import duration
from app.web.task_page import actor
from app.web.visitor import Visitor
from app.web.words import Words

#: How an attempt's outcome is drawn: (attribute, value) of its badge.
SIGNS: Final = {
    "completed": ("status", "completed"),
    "failed": ("status", "failed"),
    "timeout": ("status", "timeout"),
    "cancelled": ("status", "cancelled"),
    "retry": ("level", "warn"),
    "capacity": ("level", "unknown"),
    "handed_back": ("level", "unknown"),
    "lost": ("level", "bad"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """Something that happened, when, and who did it."""

    time: Markup
    status: str | None
    says: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCard:
    """An attempt: how it ended, who ran it, what it said."""

    number: int
    name: str
    sign: str
    value: str
    outcome: str
    facts: Sequence[tuple[str, str | Markup]]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the rows know of a span that was rebuilt."""

    head: str
    says: str


def event_lines(view: TaskView, visitor: Visitor) -> list[EventLine]:
    """Every event, oldest first."""
    return [_event_line(event, visitor) for event in view.events]


def _event_line(event: EventRecord, visitor: Visitor) -> EventLine:
    t = visitor.t
    key = f"event.{event.kind}"
    says = str(t(key, n=event.attempt or 0)) if t.has(key) else event.kind
    if event.detail and t.lang == "en" and event.kind not in {"submitted", "claim"}:
        says = f"{says.removesuffix('.')}: {_without_type(event.detail)}"
    return EventLine(
        time=moments.tag(visitor.place, event.at, "clock"),
        status=event.to_status,
        says=says,
        who=actor(event.by, t),
    )


def _without_type(detail: str) -> str:
    """The detail of an event, each part once, without the `error_type` that they explain."""
    parts = list(dict.fromkeys(detail.split("; ")))
    told = [part for part in parts if " " in part]
    return "; ".join(told or parts)


def attempt_cards(view: TaskView, visitor: Visitor) -> list[AttemptCard]:
    """Every attempt, the last one first."""
    return [_card(attempt, visitor) for attempt in reversed(view.attempts)]


def _card(attempt: AttemptView, visitor: Visitor) -> AttemptCard:
    t, row = visitor.t, attempt.record
    sign, value = SIGNS.get(row.outcome or "", ("status", "processing"))
    outcome = t(f"outcome.{row.outcome}") if row.outcome else t("status.processing")
    return AttemptCard(
        number=row.attempt,
        name=str(t("attempt.card", n=row.attempt)),
        sign=sign,
        value=value,
        outcome=str(outcome),
        facts=_attempt_facts(attempt, visitor),
        message=row.error_message or row.rebuilt_reason or "",
    )


def _attempt_facts(attempt: AttemptView, visitor: Visitor) -> list[tuple[str, str | Markup]]:
    t, row = visitor.t, attempt.record
    pid = f", pid {row.pid}" if row.pid else ""
    known: list[tuple[str, str | Markup | None]] = [
        ("worker", f"{row.worker_name}{pid}"),
        ("began", moments.tag(visitor.place, row.claimed_at)),
        ("waited", duration(attempt.waited_us, t.lang)),
        ("ran", duration(attempt.ran_us, t.lang)),
        ("made", str(t("segments_n", n=attempt.segments_made))),
        ("error", error_words(row.error_type, t.lang) if row.error_type else None),
        ("code", row.error_code),
        ("group", _group(row.fingerprint, t)),
        ("exit", _exit(row, t)),
    ]
    return [(str(t(f"attempt.{name}")), value) for name, value in known if value is not None]


def _group(fingerprint: str | None, t: Words) -> Markup | None:
    """The group of failures that an attempt is in, as a link."""
    if fingerprint is None:
        return None
    link = Markup('<a class="link" href="{}">{}</a>')
    return link.format(group_path(fingerprint), t("attempt.group_link"))


def _exit(row: AttemptRecord, t: Words) -> str | None:
    if row.exit_signal:
        return str(t("attempt.by_signal", signal=signal_name(row.exit_signal)))
    return str(t("attempt.by_code", code=str(row.exit_code))) if row.exit_code else None


def error_label(task: TaskRecord, t: Words) -> str:
    """Why a task ended badly, in a few words; empty where it did not."""
    if task.status not in {"failed", "timeout"} or not task.error_type:
        return ""
    return error_title(task.error_type, t)


def signal_name(number: int) -> str:
    """SIGKILL for 9; the number where it has no name here."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def evidence(view: TaskView, visitor: Visitor) -> list[Evidence]:
    """Why spans had to be rebuilt, by whom, from what; one line for each such attempt."""
    return [
        _evidence(attempt.record, visitor)
        for attempt in view.attempts
        if attempt.record.rebuilt_by is not None
    ]


def _evidence(row: AttemptRecord, visitor: Visitor) -> Evidence:
    t = visitor.t
    parts = []
    if row.pid:
        parts.append(str(t("evidence.process", pid=str(row.pid), host=row.host)))
    if row.last_heartbeat_at:
        when = moments.clock_time(visitor.place, row.last_heartbeat_at)
        parts.append(str(t("evidence.heartbeat", when=when)))
    if row.exit_signal:
        parts.append(str(t("attempt.by_signal", signal=signal_name(row.exit_signal))))
    if row.finished_at:
        when = moments.clock_time(visitor.place, row.finished_at)
        who = actor(row.rebuilt_by or "", t)
        parts.append(str(t("evidence.rebuilt", when=when, who=who)))
    return Evidence(head=str(t("evidence.head", n=row.attempt)), says=str(t("comma")).join(parts))

"""Values of the pages: what templates show beside the views of the services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import request
from markupsafe import Markup

from app.domain.records import TaskRecord
from app.domain.task import Status
from app.service import public_settings, task_view
from app.service.core import Core
from app.service.report import Stats
from app.service.task_list import ListedTask
from app.service.task_view import TaskView
from app.web import filters, reading, span_rows, task_history, task_log_tab, task_page
from app.web.drawing import Block, progress
from app.web.visitor import Visitor
from app.web.words import Words

#: Encodings that the upload form offers, the common names of each once.
ENCODINGS: Final = ("utf-8", "gb18030", "big5", "utf-16")
#: Fill of a progress bar by status; what runs is blue, what ended is grey.
_FILLS: Final[Mapping[str, str]] = {"processing": "processing", "completed": "completed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A task as the list draws it."""

    task: TaskRecord
    title: str
    under: str
    blocks: Sequence[Block]
    waited_us: int | None
    ran_us: int | None
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksView:
    """A list of tasks by status; None is all of them."""

    status: str | None
    count: int
    path: str
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingRow:
    """A setting in the page's language."""

    name: str
    value: str
    default: str
    help: str
    is_given: bool


def link(path: str, words: str) -> Markup:
    """A link inside a sentence."""
    return Markup('<a class="link" href="{}">{}</a>').format(path, words)


def file_label(words: str) -> Markup:
    """The words that open the file chooser."""
    return Markup('<label class="link" for="file">{}</label>').format(words)


def library_lede(stats: Stats, t: Words) -> Markup:
    """How many texts there are, and how they are."""
    if stats.total == 0:
        return t("library.lede_none")
    parts = [t("library.lede", n=stats.total, with_audio=stats.completed)]
    if stats.active:
        parts.append(t("library.lede_active", n=stats.active))
    if stats.pending:
        parts.append(t("library.lede_pending", n=stats.pending))
    if stats.failed:
        parts.append(t("library.lede_failed", n=stats.failed))
    return t("sentence_joint").join(parts)


def task_values(
    core: Core, view: TaskView, reader: Visitor, args: Mapping[str, str]
) -> dict[str, Any]:
    """What the task page shows."""
    t = reader.t
    first = filters.id_of(args.get("from")) or 0
    asked = filters.id_of(args.get("segment"))
    if asked:
        first = (asked - 1) // reading.WINDOW * reading.WINDOW
    found, total = task_view.reading(core, view.task.id, first=first, limit=reading.WINDOW)
    read = reading.reading_of(found, total, first, t) if found else None
    starts = [row.offset_ms for row in found if row.offset_ms is not None]
    tab = args.get("tab", "events")
    return {
        "reason": view.reason.of(t.lang),
        "spent": task_page.spent_picture(view.spent, t),
        "rescue": view.task.rescued_at is not None and view.task.is_final,
        "actor": lambda name: task_page.actor(name or "", t),
        "path": task_page.path_steps(view, reader),
        "not_taken": task_page.not_taken(view),
        "progress": task_page.progress_of(view, reader),
        "listen": task_page.listening(view, starts, t),
        "reading": read,
        "facts": task_page.facts(view, reader),
        "checks": task_page.checks_of(view, t),
        "trace": span_rows.drawn(
            view.waterfall,
            t,
            shows_all=args.get("spans") == "all",
            is_running=not view.task.is_final,
        ),
        "evidence": task_history.evidence(view, reader),
        "tab": tab if tab in {"events", "attempts", "followers", "log"} else "events",
        "log": task_log_tab.log_tab(core, view, reader, args, is_open=tab == "log"),
        "events": task_history.event_lines(view, reader),
        "attempts": task_history.attempt_cards(view, reader),
        "page_url": request.base_url,
    }


def task_row(one: ListedTask, reader: Visitor) -> TaskRow:
    """A task of the list."""
    task, t = one.task, reader.t
    end_us = task.finished_at if task.finished_at is not None else reader.place.now_us
    is_running = task.status == "processing" and task.claimed_at is not None
    ran_us = task.run_us + (end_us - (task.claimed_at or end_us) if is_running else 0)
    total = task.segment_count or 0
    fill = _FILLS.get(task.status, "baseline")
    voice = t("voice.auto") if task.voice == "auto" else task.voice
    why = task_history.error_label(task, t)
    return TaskRow(
        task=task,
        title=one.title,
        under=why or f"{task.engine} · {voice}",
        blocks=progress(task.segments_done, total, fill) if total else (),
        waited_us=max(0, end_us - task.submitted_at - ran_us),
        ran_us=ran_us if task.attempt else None,
        at=task.finished_at or task.claimed_at or task.submitted_at,
    )


def task_views(here: str | None, by_status: Mapping[str, int]) -> list[TasksView]:
    """The lists by status, with their counts."""
    statuses: list[str | None] = [None, *Status]
    return [
        TasksView(
            status=status,
            count=by_status.get(status, 0) if status else sum(by_status.values()),
            path=tasks_path(status),
            is_here=status == here,
        )
        for status in statuses
    ]


def tasks_path(status: str | None, before: int | None = None) -> str:
    """The address of a list of tasks."""
    query = {"status": status, "before": before}
    given = {name: value for name, value in query.items() if value is not None}
    return f"/tasks?{urlencode(given)}" if given else "/tasks"


def setting_rows(core: Core, t: Words) -> list[SettingRow]:
    """The settings in the page's language; the table itself is English."""
    rows = []
    for setting in public_settings.of(core):
        value = (
            t(f"settings.{setting.value.replace(' ', '_')}")
            if setting.is_secret and (setting.value in {"set", "not set"})
            else setting.value
        )
        help_key, default_key = f"setting.{setting.name}", f"setting_default.{setting.name}"
        rows.append(
            SettingRow(
                name=setting.name,
                value=str(value),
                default=str(t(default_key)) if t.has(default_key) else setting.default,
                help=str(t(help_key)) if t.has(help_key) else setting.help,
                is_given=setting.is_given,
            )
        )
    return rows

"""Values of the pages: what templates show beside the views of the services."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import request
from markupsafe import Markup

from app.service import public_settings, task_view
from app.service.core import Core
from app.service.report import Stats
from app.service.task_view import TaskView
from app.web import filters, reading, span_rows, task_history, task_log_tab, task_page
from app.web.failure_words import group_path
from app.web.visitor import Visitor
from app.web.words import Words

#: Encodings that the upload form offers, the common names of each once.
ENCODINGS: Final = ("utf-8", "gb18030", "big5", "utf-16")


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
        "group_path": group_path(view.task.fingerprint) if view.task.fingerprint else None,
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

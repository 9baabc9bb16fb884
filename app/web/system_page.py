"""What the system page shows: the monitoring itself, watched."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from app.service.checks.check import Check
from app.service.checks.checks import AREAS
from app.service.health import Health
from app.service.report import MonitorView
from app.service.versions import Version
from app.web import moments
from app.web.canary_strip import strip
from app.web.format import duration
from app.web.monitor_page import StateLine, duty_lines, worker_lines
from app.web.visitor import Visitor
from app.web.words import Words

#: A command at the end of what to do: set on a line of its own, to be copied.
_COMMAND: Final = re.compile(r"(.+?)[:：\s]*`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """A check as a row.

    Attributes:
        level: As the signs know it; what is off looks like what is not known.
        word: The level in a word.
        age: When it was seen so, or for how long it is not well.
        fix: What to do; `command` is the one that does it, where it is one alone.
    """

    name: str
    level: str
    word: str
    title: str
    says: str
    age: Markup | str
    fix: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Checks that belong together, and how they are in a few words."""

    name: str
    note: str
    rows: Sequence[CheckRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebProcess:
    """The web process that draws the page."""

    pid: int
    held: int
    threads: int
    processes: int


def values(
    health: Health,
    view: MonitorView | None,
    found: Sequence[Version],
    web: WebProcess,
    reader: Visitor,
) -> dict[str, Any]:
    """What the system page shows; of a database that does not answer, there is no view."""
    t = reader.t
    return {
        "now": health.now,
        "needing": [_row(one, health.now, reader) for one in health.needing],
        "well": sum(one.level == "ok" for one in health.checks.values()),
        "off": sum(one.level == "off" for one in health.checks.values()),
        "areas": [_area(name, health, reader) for name in AREAS],
        "strip": strip(view.canaries if view is not None else (), reader),
        "ping": health.checks["ping"].said.sentence(t.lang),
        "processes": [
            _web_line(web, health, t),
            *(worker_lines(view.workers, reader) if view is not None else []),
        ],
        "duties": duty_lines(view, reader) if view is not None else [],
        "versions": found,
    }


def _area(name: str, health: Health, reader: Visitor) -> Area:
    checks = [health.checks[one] for one in AREAS[name] if one in health.checks]
    count = sum(one.needs_you for one in checks)
    t = reader.t
    note = t("system.needs_n", n=count, total=len(checks)) if count else t("system.area_well")
    rows = [_row(one, health.now, reader) for one in checks]
    return Area(name=name, note=str(note), rows=rows)


def _row(check: Check, now: int, reader: Visitor) -> CheckRow:
    t = reader.t
    fix, command = _split(check.fix.of(t.lang)) if check.needs_you else ("", "")
    return CheckRow(
        name=check.name,
        level="unknown" if check.level == "off" else check.level,
        word=str(t(f"level.{check.level}")),
        title=str(t(f"part.{check.name}")),
        says=check.said.of(t.lang),
        age=_age(check, now, reader),
        fix=fix,
        command=command,
    )


def _age(check: Check, now: int, reader: Visitor) -> Markup | str:
    t = reader.t
    if check.needs_you and check.since is not None:
        lasted = duration(max(0, now - check.since), t.lang)
        whole = moments.exact(reader.place, check.since)
        return Markup('<span title="{}">{}</span>').format(whole, t("system.for", lasted=lasted))
    if check.level == "ok" and check.seen_at is not None:
        return moments.tag(reader.place, check.seen_at, "ago")
    return ""


def _split(fix: str) -> tuple[str, str]:
    """What to do, and the one command that does it, where the words end with it."""
    found = _COMMAND.fullmatch(fix)
    if found is None or "`" in found[1]:
        return f"{fix[:1].upper()}{fix[1:]}", ""
    words = found[1].strip("，, ")
    return f"{words[:1].upper()}{words[1:]}", found[2]


def _web_line(web: WebProcess, health: Health, t: Words) -> StateLine:
    check = health.checks["web"]
    says = t(
        "system.web",
        n=web.processes,
        pid=str(web.pid),
        held=web.held,
        threads=web.threads,
    )
    level = check.level if check.needs_you else "ok"
    return StateLine(level=level, name=str(t("part.web")), says=str(says))

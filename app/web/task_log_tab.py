"""The log of a task as its page tells it: the last lines, by attempt and level, or why none."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from markupsafe import Markup

from app.domain.records import LogLineRecord
from app.logs.line import STACK, level_name
from app.service.core import Core
from app.service.task_logs import task_log
from app.service.task_view import TaskView
from app.web import filters, moments
from app.web.visitor import Visitor

#: Lines that the page shows at most, the newest.
MAX_SHOWN: Final = 200
#: Attempts that can be chosen at most, the newest.
MAX_ATTEMPTS: Final = 8
#: How a level is drawn; what is usual has no sign.
_SIGNS: Final[Mapping[str, str]] = {"warning": "warn", "error": "bad"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line: `sign` is warn, bad or empty."""

    time: Markup
    sign: str
    level: str
    attempt: int | None
    message: str
    fields: Sequence[tuple[str, str]]
    stack: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A filter that can be chosen."""

    name: str
    path: str
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTab:
    """The tab.

    Attributes:
        total: Lines that are kept, of every attempt and level.
        earlier: Whether there are more than are shown.
        attempts: What to choose from; empty where there is one attempt at most.
        empty: Title and text where no line is shown.
    """

    total: int
    lines: Sequence[LogLine] = ()
    earlier: bool = False
    attempts: Sequence[Choice] = ()
    levels: Sequence[Choice] = ()
    empty: tuple[str, str] | None = None


def log_tab(
    core: Core, view: TaskView, reader: Visitor, args: Mapping[str, str], *, is_open: bool
) -> LogTab:
    """What the tab shows; where it is not open, only how many lines there are."""
    task_id = view.task.id
    if not is_open:
        return LogTab(total=task_log.page(core, task_id, limit=0).total)
    attempt = filters.id_of(args.get("attempt"))
    level = "warning" if args.get("level") == "warning" else "info"
    page = task_log.page(
        core, task_id, after_id=None, level=level, attempt=attempt, limit=MAX_SHOWN + 1
    )
    shown = page.lines[-MAX_SHOWN:]
    return LogTab(
        total=page.total,
        lines=[_line(line, reader) for line in shown],
        earlier=len(page.lines) > len(shown),
        attempts=_attempts(view, reader, attempt, level),
        levels=_levels(reader, attempt, level) if page.total else (),
        empty=None if shown else _empty(core, view, page.total, reader),
    )


def _line(line: LogLineRecord, reader: Visitor) -> LogLine:
    fields = json.loads(line.fields)
    stack = str(fields.pop(STACK, ""))
    level = level_name(line.level)
    return LogLine(
        time=moments.tag(reader.place, line.at, "fine"),
        sign=_SIGNS.get(level, ""),
        level=str(reader.t(f"log.level_{level}")),
        attempt=line.attempt,
        message=line.message,
        fields=[(name, _value(value)) for name, value in fields.items()],
        stack=stack,
        source=f"{line.logger} · {line.program} {line.pid} · {line.host}",
    )


def _value(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _attempts(view: TaskView, reader: Visitor, chosen: int | None, level: str) -> Sequence[Choice]:
    numbers = [attempt.record.attempt for attempt in view.attempts][-MAX_ATTEMPTS:]
    if len(numbers) < 2:
        return ()
    every = Choice(
        name=str(reader.t("log.all_attempts")), path=_path(None, level), is_here=chosen is None
    )
    return [
        every,
        *(Choice(name=str(n), path=_path(n, level), is_here=chosen == n) for n in numbers),
    ]


def _levels(reader: Visitor, attempt: int | None, chosen: str) -> Sequence[Choice]:
    return [
        Choice(
            name=str(reader.t(f"log.from_{level}")),
            path=_path(attempt, level),
            is_here=chosen == level,
        )
        for level in ("info", "warning")
    ]


def _path(attempt: int | None, level: str) -> str:
    query: dict[str, str] = {"tab": "log"}
    query |= {"attempt": str(attempt)} if attempt is not None else {}
    query |= {"level": level} if level != "info" else {}
    return f"?{urlencode(query)}#history"


def _empty(core: Core, view: TaskView, total: int, reader: Visitor) -> tuple[str, str]:
    """Why no line is shown, and what to do."""
    if total:
        why = "filtered"
    elif core.settings.task_log_lines == 0:
        why = "off"
    else:
        why = "old" if view.task.is_final else "yet"
    return str(reader.t(f"log.none_{why}")), str(reader.t(f"log.none_{why}_text"))

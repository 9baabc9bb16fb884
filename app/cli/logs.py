"""`voxtrace logs ID`: the log lines of a task, and with --follow those that come until it ends."""

import json
import threading
from typing import Any

import click

from app.cli.when import shown_ms
from app.cli.work import make_core
from app.config.settings import Settings
from app.domain.records import LogLineRecord
from app.logs.line import STACK, level_name
from app.service.core import Core
from app.service.task_logs import task_log
from app.web import task_shapes

#: Seconds between looks at a task that is followed.
_LOOK_S = 0.3


def logs(settings: Settings, options: dict[str, Any]) -> int:
    """Prints the lines, oldest first; follows until the task is over."""
    core = make_core(settings)
    pause = threading.Event()
    after_id, is_over, count = 0, False, 0
    while not is_over:
        page = task_log.page(
            core,
            options["id"],
            after_id=after_id,
            level=options["level"],
            attempt=options["attempt"],
        )
        for line in page.lines:
            click.echo(_as_json(line) if options["json"] else _as_text(line))
        after_id, count = page.last_id, count + len(page.lines)
        is_more = len(page.lines) == task_log.MAX_LINES
        is_over = not is_more and (page.is_final or not options["follow"])
        if not is_more and not is_over:
            pause.wait(_LOOK_S)
    if not count and not options["json"]:
        click.echo(_why_none(core, options), err=True)
    return 0


def _why_none(core: Core, options: dict[str, Any]) -> str:
    if core.settings.task_log_lines == 0:
        return "no lines are kept: VOXTRACE_TASK_LOG_LINES is 0"
    if options["attempt"] is not None or options["level"] != "info":
        return f"task {options['id']} has no such line"
    return f"task {options['id']} has no line: it is older than its log, or nothing was kept then"


def _as_text(line: LogLineRecord) -> str:
    attempt = str(line.attempt) if line.attempt is not None else "-"
    fields = json.loads(line.fields)
    stack = str(fields.pop(STACK, ""))
    told = " ".join(f"{name}={_value(value)}" for name, value in fields.items())
    head = f"{shown_ms(line.at)}  {level_name(line.level):<7}  {attempt:>2}  {line.message}  {told}"
    return "\n".join([head.rstrip(), *(f"    {frame}" for frame in stack.splitlines())])


def _value(value: object) -> str:
    if isinstance(value, str) and (" " in value or not value):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _as_json(line: LogLineRecord) -> str:
    """One object on one line, as the API gives it."""
    return json.dumps(task_shapes.log_line(line), ensure_ascii=False)

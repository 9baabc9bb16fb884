"""`voxtrace resend`: spans that were sent, or refused, go once more."""

from typing import Any

import click

from app import clock
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.service import task_list
from app.service.core import Core
from app.service.traces import resend as service
from app.service.traces.resend import Resent


def resend(settings: Settings, options: dict[str, Any]) -> int:
    """Sends again what was asked for, and says how much that is."""
    _check(options)
    core = make_core(settings)
    resent = _resend(core, options)
    if options["json"]:
        print_json(
            {
                "rows": resent.rows,
                "spans": resent.spans,
                "tasks": len(resent.task_ids),
                "rebuilt_tasks": resent.rebuilt_tasks,
            }
        )
        return 0
    click.echo(_words(resent))
    return 0


def _check(options: dict[str, Any]) -> None:
    """Refuses what means nothing, with exit code 2."""
    since, until = options["since"], options["until"]
    if since is None and not options["task"] and not options["poison"]:
        message = "say what goes again: --since (so long ago, or a date), --task ID or --poison"
        raise click.UsageError(message)
    if since is not None and options["task"]:
        message = "--since and --task exclude each other: a time, or tasks"
        raise click.UsageError(message)
    if until is not None and since is None:
        message = "--until needs --since: the time from which on spans go again"
        raise click.UsageError(message)
    end = clock.now_us() if until is None else until
    if since is not None and since >= end:
        message = "--since must be before --until, and before now"
        raise click.UsageError(message)


def _resend(core: Core, options: dict[str, Any]) -> Resent:
    since, until, task_ids = options["since"], options["until"], options["task"]
    for task_id in task_ids:
        task_list.get(core, task_id)
    total = Resent()
    if task_ids:
        total += service.tasks(core, task_ids)
    if since is not None:
        total += service.window(core, since_us=since, until_us=until)
    if options["poison"]:
        total += service.poison(
            core, task_ids=task_ids or None, since_us=since or 0, until_us=until
        )
    return total


def _words(resent: Resent) -> str:
    if not resent.rows and not resent.rebuilt_tasks:
        return "nothing to send again: no span was sent there (what waits goes anyway)"
    lines = []
    if resent.rows:
        of = f" of {_count(len(resent.task_ids), 'task')}" if resent.task_ids else ""
        lines.append(
            f"{_count(resent.rows, 'row')} with {_count(resent.spans, 'span')}{of} go again"
        )
    if resent.rebuilt_tasks:
        lines.append(
            f"{_count(resent.rebuilt_tasks, 'task span')} made again from the table, since the "
            "outbox has them no longer; what belongs to their attempts is gone"
        )
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

"""Commands on texts and tasks: they work on the database of the home, without the web."""

import json
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app import bootstrap
from app.cli.when import shown
from app.config.settings import Settings
from app.domain.encoding import decode_text
from app.domain.errors import RequestError
from app.service import cancel as cancel_service
from app.service import command_span, limits, task_list
from app.service import retry as retry_service
from app.service.core import Core
from app.service.submit import SubmitRequest, Submitted
from app.service.submit import submit as submit_service

#: Seconds between looks at a task that is waited for.
_LOOK_S = 0.3


def make_core(settings: Settings) -> Core:
    """The Core of a command, on a schema that is this release's; makes nothing where none is."""
    bootstrap.check_database_is_there(settings)
    core = bootstrap.make_core(settings, role="cli", actor="cli", pool_size=1)
    bootstrap.check_schema(core)
    return core


def print_json(value: object) -> None:
    """Prints a value as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def read_file(name: str, encoding: str | None) -> tuple[str, str, str | None]:
    """(content, encoding, file name) of a file, or of standard input for `-`.

    Raises:
        RequestError: It cannot be read, or is no text.
    """
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        message = f"{name} cannot be read: {error.strerror}"
        raise RequestError(message) from error
    decoded = decode_text(data, encoding=encoding)
    return decoded.content, decoded.encoding, None if name == "-" else Path(name).name


def submit(settings: Settings, options: dict[str, Any]) -> int:
    """`voxtrace submit FILE`."""
    core = make_core(settings)
    content, encoding, filename = read_file(options["file"], options["encoding"])
    request = SubmitRequest(
        content=content,
        source="cli",
        title=options["title"],
        filename=filename,
        encoding=encoding,
        engine=options["engine"],
        voice=options["voice"],
        format=options["format"],
        timeout_s=options["timeout_s"],
        max_attempts=options["max_attempts"],
        idempotency_key=options["idempotency_key"],
    )
    result = command_span.traced(core, lambda context: submit_service(core, request, context))
    if options["json"] and not options["wait"]:
        print_json(_submitted(result, encoding))
        return 0
    if not options["json"]:
        words = {
            "new": "waits for a worker",
            "followed": "follows the same text, which is being made",
            "skipped": "is answered by audio that exists",
        }
        click.echo(
            f"text {result.text.id} ({encoding}), task {result.task.id}: "
            f"{words[result.disposition]}\ntrace {result.task.trace_id}"
        )
    return wait_for(core, result.task.id, as_json=options["json"]) if options["wait"] else 0


def _submitted(result: Submitted, encoding: str) -> dict[str, Any]:
    text = asdict(result.text)
    del text["content"]
    return {
        "text": text | {"encoding": encoding},
        "task": asdict(result.task),
        "disposition": result.disposition,
    }


def wait_for(core: Core, task_id: int, *, as_json: bool) -> int:
    """Waits until a task is over, showing its progress; 0 where it completed, else 1."""
    pause = threading.Event()
    shown = ""
    while True:
        task = task_list.get(core, task_id)
        line = f"  {task.status} {task.phase or ''} {task.phase_permille / 10:.0f} %"
        if not as_json and line != shown and sys.stderr.isatty():
            click.echo(f"\r{line:<50}", nl=False, err=True)
            shown = line
        if task.is_final:
            break
        pause.wait(_LOOK_S)
    if as_json:
        print_json(asdict(task))
    else:
        click.echo(
            f"task {task.id}: {task.status}"
            + (f" ({task.error_message})" if task.error_message else "")
        )
    return 0 if task.status == "completed" else 1


def list_tasks(settings: Settings, options: dict[str, Any]) -> int:
    """`voxtrace list`."""
    core = make_core(settings)
    query = f"status:{options['status']}" if options["status"] else ""
    rows = task_list.page(core, query, before_id=options["before"], limit=options["limit"]).tasks
    if options["json"]:
        print_json([asdict(row.task) | {"title": row.title} for row in rows])
        return 0
    if not rows:
        click.echo(
            "no task"
            + (f" is {options['status']}" if options["status"] else " yet: voxtrace submit FILE")
        )
    for row in rows:
        task = row.task
        at, size = shown(task.submitted_at), f"{task.char_count:>8} chars"
        click.echo(f"{task.id:>7}  {task.status:<10}  {at}  {size}  {row.title[:60]}")
    return 0


def cancel(settings: Settings, options: dict[str, Any]) -> int:
    """`voxtrace cancel ID`."""
    core = make_core(settings)
    result = cancel_service.cancel_task(core, options["id"], everyone=options["all"])
    if options["json"]:
        print_json(
            {
                "task": asdict(result.task),
                "is_task_cancelled": result.is_task_cancelled,
                "still_wanted_by": result.still_wanted_by,
            }
        )
    elif result.is_task_cancelled:
        click.echo(f"task {options['id']}: cancelled")
    else:
        click.echo(
            f"task {options['id']} goes on: {result.still_wanted_by} more requests want it "
            "(--all cancels them too)"
        )
    return 0


def retry(settings: Settings, options: dict[str, Any]) -> int:
    """`voxtrace retry ID`."""
    core = make_core(settings)
    result = command_span.traced(
        core,
        lambda context: retry_service.retry_task(
            core, options["id"], source="cli", context=context
        ),
    )
    if options["json"]:
        print_json({"task": asdict(result.task), "disposition": result.disposition})
    else:
        click.echo(f"task {result.task.id}: {result.task.status} ({result.disposition})")
    return 0


def limit(settings: Settings, options: dict[str, Any]) -> int:
    """`voxtrace limit [N]`."""
    core = make_core(settings)
    if options["n"] is None:
        now = limits.read(core)
    elif options["engine"]:
        now = limits.set_engine_limit(core, options["engine"], options["n"])
    else:
        now = limits.set_max_concurrent(core, options["n"])
    if options["json"]:
        print_json(asdict(now))
    else:
        click.echo(
            f"at most {now.max_concurrent} tasks run at once"
            + "".join(f"\n  {name}: at most {value}" for name, value in now.engines.items())
        )
    return 0

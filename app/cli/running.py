"""How a command runs: with the settings; its errors become words and exit codes."""

import gc
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import click

from app.cli import wrong_options
from app.config.settings import Settings, load, unknown
from app.domain.errors import AskedError, ConfigError, RequestError, VoxtraceError
from app.logs import setup

#: So that -worker:w1 is a filter, and -host:h1 asks for no help.
FILTERED: Final = {"ignore_unknown_options": True, "help_option_names": ["--help"]}


def settings_or_exit() -> Settings:
    """The settings of this process; wrong ones end it with exit code 2 and one line each."""
    from app import bootstrap

    try:
        settings = load()
        bootstrap.check_telemetry()
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"voxtrace: {problem}", err=True)
        sys.exit(2)
    for line in unknown(os.environ):
        click.echo(f"voxtrace: {line}", err=True)
    return settings


def run(action: Callable[[Settings], Any], program: str = "cli") -> None:
    """Runs a command's action with the settings, and turns errors into words and exit codes.

    Args:
        action: What the command does; returns its exit code.
        program: What this process is, as log lines name it. A command shows its lines only from
            warnings on, unless VOXTRACE_LOG_LEVEL is set.
    """
    settings = settings_or_exit()
    gc.freeze()
    gc.enable()
    is_quiet = program == "cli" and "VOXTRACE_LOG_LEVEL" not in settings.given
    setup.configure(
        settings.log_level,
        form=settings.log_format,
        program=program,
        keeps_lines=settings.task_log_lines > 0,
        console_level="warning" if is_quiet else "debug",
    )
    try:
        code = action(settings)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"voxtrace: {problem}", err=True)
        sys.exit(2)
    except AskedError as error:
        sys.exit(wrong_options.tell(error))
    except RequestError as error:
        click.echo(f"voxtrace: {error.message}", err=True)
        sys.exit(1)
    except VoxtraceError as error:
        click.echo(f"voxtrace: {error.message}", err=True)
        sys.exit(1)
    sys.exit(code or 0)

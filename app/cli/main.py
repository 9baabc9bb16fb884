"""The `voxtrace` command. Exit codes: 0 done, 1 the thing failed, 2 wrong usage or configuration."""

import sys
from collections.abc import Callable
from typing import Any

import click

from app.config.settings import Settings, load, unknown
from app.domain.errors import ConfigError, RequestError, VoxtraceError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="voxtrace")
def cli() -> None:
    """Text-to-speech tasks whose monitoring can be trusted."""


def settings_or_exit() -> Settings:
    """The settings of this process; wrong ones end it with exit code 2 and one line each."""
    try:
        settings = load()
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"voxtrace: {problem}", err=True)
        sys.exit(2)
    for line in unknown(dict(__import__("os").environ)):
        click.echo(f"voxtrace: {line}", err=True)
    return settings


def run(action: Callable[[Settings], Any]) -> None:
    """Runs a command's action with the settings, and turns errors into words and exit codes."""
    settings = settings_or_exit()
    try:
        code = action(settings)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"voxtrace: {problem}", err=True)
        sys.exit(2)
    except RequestError as error:
        click.echo(f"voxtrace: {error.message}", err=True)
        sys.exit(1)
    except VoxtraceError as error:
        click.echo(f"voxtrace: {error.message}", err=True)
        sys.exit(1)
    sys.exit(code or 0)


def main() -> None:
    """Entry point."""
    cli(prog_name="voxtrace")


@cli.command()
def up() -> None:
    """Migrate, start web, worker and duties here, print the address when all answer."""
    from app.cli.up import up as start

    run(start)


@cli.command()
def web() -> None:
    """Start the web (gunicorn)."""
    from app.web.serve import serve

    run(serve)


@cli.command()
@click.option("--without-duties", is_flag=True, help="Start no duties process beside the worker.")
def worker(*, without_duties: bool) -> None:
    """Start a worker, and this host's duties process beside it."""
    from app.worker.main import run_worker

    run(lambda settings: run_worker(settings, keeps_duties=not without_duties))


@cli.command()
def duties() -> None:
    """Start the background duties of this host."""
    from app.duties.main import run_duties

    run(run_duties)


@cli.command()
def migrate() -> None:
    """Bring the database schema up to this release."""
    from app import bootstrap

    def action(settings: Settings) -> None:
        before, after = bootstrap.migrate(settings)
        click.echo(f"database: {before or 'empty'} -> {after}")

    run(action)

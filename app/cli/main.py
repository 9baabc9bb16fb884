"""The `voxtrace` command.

Exit codes: 0 done, 1 the thing failed, 2 wrong usage or configuration.
"""

import gc
import os
import sys
from typing import Any

import click

from app.cli import failing
from app.cli.running import FILTERED, run
from app.cli.when import When
from app.config.settings import Settings
from app.domain.ids import MAX_KEY
from app.domain.task import Status
from telemetry.standard_settings import check_standard


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="voxtrace")
def cli() -> None:
    """Text-to-speech tasks whose monitoring can be trusted."""
    _check_standard()


for _command in failing.COMMANDS:
    cli.add_command(_command)


def _check_standard() -> None:
    """Before OpenTelemetry is imported, which reads some of its variables then."""
    try:
        check_standard(os.environ)
    except ValueError as error:
        click.echo(f"voxtrace: {error}", err=True)
        sys.exit(2)


def main() -> None:
    """Entry point.

    What is imported stays: looking through it for garbage took a third of a start's work.
    """
    gc.disable()
    cli(prog_name="voxtrace")


@cli.command()
def up() -> None:
    """Migrate, start web, worker and duties here, print the address when all answer."""
    from app.cli.up import up as start

    run(start, "up")


@cli.command()
def web() -> None:
    """Start the web (gunicorn)."""
    from app.web.serve import serve

    run(serve, "web")


@cli.command()
@click.option("--without-duties", is_flag=True, help="Start no duties process beside the worker.")
def worker(*, without_duties: bool) -> None:
    """Start a worker, and this host's duties process beside it."""
    from app.worker.main import run_worker

    run(lambda settings: run_worker(settings, keeps_duties=not without_duties), "worker")


@cli.command()
def duties() -> None:
    """Start the background duties of this host."""
    from app.duties.main import run_duties

    run(run_duties, "duties")


@cli.command()
def migrate() -> None:
    """Bring the database schema up to this release."""
    from app import bootstrap

    def action(settings: Settings) -> None:
        before, after = bootstrap.migrate(settings)
        click.echo(f"database: {before or 'empty'} -> {after}")

    run(action)


@cli.command()
@click.argument("file", metavar="FILE")
@click.option("--title", help="Title to show (default: the file's name).")
@click.option("--engine", help="Speech engine.")
@click.option("--voice", help="Voice (default: chosen by the language of each sentence).")
@click.option("--format", type=click.Choice(["mp3", "opus", "flac", "wav"]), help="Audio format.")
@click.option("--timeout-s", type=float, help="Limit of an attempt, in seconds.")
@click.option("--max-attempts", type=int, help="Tries in all.")
@click.option("--encoding", help="Encoding of the file, where the guess is wrong.")
@click.option("--idempotency-key", help="The same key submits once.")
@click.option("--wait", is_flag=True, help="Wait until the task is over; exit 1 if it fails.")
@click.option("--json", is_flag=True, help="Print JSON.")
def submit(**options: Any) -> None:
    """Submit a text file (`-`: standard input)."""
    from app.cli import work

    run(lambda settings: work.submit(settings, options))


@cli.command("list")
@click.option(
    "--status", type=click.Choice([str(one) for one in Status]), help="Only tasks of this status."
)
@click.option("--before", type=click.IntRange(1, MAX_KEY), help="Only tasks with a smaller id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", is_flag=True, help="Print JSON.")
def list_(**options: Any) -> None:
    """List tasks, newest first."""
    from app.cli import work

    run(lambda settings: work.list_tasks(settings, options))


@cli.command(context_settings=FILTERED)
@click.argument("query", nargs=-1, type=click.UNPROCESSED, metavar="[FILTER]...")
@click.option("--sort", help="submitted, ended, dur, wait or total; -asc after it turns it round.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--cursor", help="Go on from there: as the page before said.")
@click.option("--count", is_flag=True, help="Say how many there are in all.")
@click.option("--json", is_flag=True, help="Print JSON.")
def tasks(**options: Any) -> None:
    """List tasks by a filter: status:failed engine:espeak -voice:zh* since:2h dur:>60s 'a text'.

    docs/api.md has all filters.
    """
    from app.cli import tasks as command

    run(lambda settings: command.tasks(settings, options))


@cli.command()
@click.argument("id", type=click.IntRange(1, MAX_KEY), metavar="ID")
@click.option("--all", is_flag=True, help="Cancel the requests that follow it too.")
@click.option("--json", is_flag=True, help="Print JSON.")
def cancel(**options: Any) -> None:
    """Cancel task ID: take back the request that made it."""
    from app.cli import work

    run(lambda settings: work.cancel(settings, options))


@cli.command()
@click.argument("id", type=click.IntRange(1, MAX_KEY), metavar="ID")
@click.option("--json", is_flag=True, help="Print JSON.")
def retry(**options: Any) -> None:
    """Make a new task for the text of task ID."""
    from app.cli import work

    run(lambda settings: work.retry(settings, options))


@cli.command()
@click.argument("n", type=click.IntRange(0, 10_000), metavar="[N]", required=False)
@click.option("--engine", help="The limit of this engine only.")
@click.option("--json", is_flag=True, help="Print JSON.")
def limit(**options: Any) -> None:
    """Show, or set to N, how many tasks run at once."""
    from app.cli import work

    run(lambda settings: work.limit(settings, options))


@cli.command()
@click.argument("id", type=click.IntRange(1, MAX_KEY), metavar="ID")
@click.option("--json", is_flag=True, help="Print JSON.")
def show(**options: Any) -> None:
    """Show task ID: what happened, its attempts, its trace, its events."""
    from app.cli import show as command

    run(lambda settings: command.show(settings, options))


@cli.command(context_settings=FILTERED)
@click.argument("query", nargs=-1, type=click.UNPROCESSED, metavar="[FILTER]...")
@click.option(
    "--since",
    "--from",
    "since",
    help="Tasks that ended since: 24h, 7d, or a date; else of all time.",
)
@click.option(
    "--until", "--to", "until", help="And before then; else what lives now is counted, too."
)
@click.option(
    "--by",
    type=click.Choice(["engine", "voice", "language", "worker", "host", "release"]),
    help="Tell them apart by this.",
)
@click.option("--exact", is_flag=True, help="Percentiles of rows, not within 1 %.")
@click.option("--json", is_flag=True, help="Print JSON.")
def stats(**options: Any) -> None:
    """Count and time tasks, of all time or of a window, by a filter: engine:espeak -voice:zh*.

    FILTER as in `tasks`, of status, engine, voice, language, worker, host and release.
    """
    from app.cli import stats as command

    run(lambda settings: command.stats(settings, options))


@cli.command()
@click.option(
    *("--since", "--from", "since"),
    type=When(),
    help="Only tasks that ended since (default: all Jaeger keeps).",
)
@click.option("--repair", is_flag=True, help="Send again what Jaeger lacks or has otherwise.")
@click.option(
    "--wait",
    type=click.FloatRange(0, 3600),
    default=20,
    show_default=True,
    help="Seconds to wait for spans that are still on their way.",
)
@click.option("--json", is_flag=True, help="Print JSON.")
def verify(**options: Any) -> None:
    """Compare the table with Jaeger, task by task; exit 1 where they differ."""
    from app.cli import verify as command

    run(lambda settings: command.verify(settings, options))


@cli.command()
@click.option(
    *("--since", "--from", "since"),
    type=When(),
    help="Only hours since, and their days: 2h, 7d, or a date and a time.",
)
@click.option("--rebuild", is_flag=True, help="Mend what differs, while everything goes on.")
@click.option(
    "--accept", is_flag=True, help="With --rebuild: let be what nobody can mend, tell it no more."
)
@click.option("--json", is_flag=True, help="Print JSON.")
def reconcile(**options: Any) -> None:
    """Count everything anew and compare with the statistics; exit 1 where they differ."""
    from app.cli import reconcile as command

    run(lambda settings: command.reconcile(settings, options))


@cli.command()
@click.argument("id", type=click.IntRange(1, MAX_KEY), metavar="ID")
@click.option("--follow", "-f", is_flag=True, help="Wait for more until the task is over.")
@click.option(
    "--level",
    type=click.Choice(["info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Only lines at least so severe.",
)
@click.option("--attempt", type=click.IntRange(1, 10**9), help="Only lines of this attempt.")
@click.option("--json", is_flag=True, help="Print one JSON object a line.")
def logs(**options: Any) -> None:
    """Show the log lines of task ID."""
    from app.cli import logs as command

    run(lambda settings: command.logs(settings, options))


@cli.command()
@click.option(
    "--since",
    "--from",
    "since",
    type=When(),
    help="What was sent since: 2h, 7d, or a date and a time.",
)
@click.option("--until", "--to", "until", type=When(), help="And before then (default: now).")
@click.option(
    "--task",
    type=click.IntRange(1, MAX_KEY),
    multiple=True,
    metavar="ID",
    help="What tells of this task; may be repeated.",
)
@click.option("--poison", is_flag=True, help="What was refused, too; alone: only that.")
@click.option("--json", is_flag=True, help="Print JSON.")
def resend(**options: Any) -> None:
    """Send spans again that a collector or Jaeger has lost, or refused before it was mended."""
    from app.cli import resend as command

    run(lambda settings: command.resend(settings, options))


@cli.command()
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option(
    "--older-than",
    type=When(),
    help="What ended before: 90d, or a date; whatever VOXTRACE_KEEP_…_D say.",
)
@click.option(
    "--status",
    type=click.Choice([str(one) for one in Status if one.is_final]),
    multiple=True,
    help="Only tasks of this status; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", is_flag=True, help="Print JSON.")
def prune(**options: Any) -> None:
    """Remove tasks that had their time, with their texts and audio. Their numbers stay."""
    from app.cli import prune as command

    run(lambda settings: command.prune(settings, options))


@cli.command()
@click.option("--json", is_flag=True, help="Print JSON.")
def doctor(**options: Any) -> None:
    """Look at every part; say what is not well and what to do."""
    from app.cli import doctor as command

    run(lambda settings: command.doctor(settings, options))


@cli.command()
@click.argument("file", type=click.Path(dir_okay=False), metavar="FILE")
@click.option("--audio", is_flag=True, help="Put the audio files in as well.")
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@click.option("--json", is_flag=True, help="Print JSON.")
def export(**options: Any) -> None:
    """Write the whole state to FILE (a zip), of one moment, while everything runs."""
    from app.cli import backup

    run(lambda settings: backup.export(settings, options))


@cli.command("import")
@click.argument("file", type=click.Path(dir_okay=False), metavar="FILE")
@click.option("--check", is_flag=True, help="Only read FILE and say whether it is whole.")
@click.option("--replace", is_flag=True, help="Remove every row that is there; asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--while-running", is_flag=True, help="Even if workers or duties seem to run.")
@click.option("--json", is_flag=True, help="Print JSON.")
def import_(**options: Any) -> None:
    """Load the state of FILE into the database: all of it, or nothing changes."""
    from app.cli import backup

    run(lambda settings: backup.import_(settings, options))

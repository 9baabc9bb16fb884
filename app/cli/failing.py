"""The commands about what failed: attempts by a filter, failure groups, what they share."""

from typing import Any, Final

import click

from app.cli.correlate import correlate
from app.cli.failure_commands import failures
from app.cli.running import FILTERED, run


@click.command(context_settings=FILTERED)
@click.argument("query", nargs=-1, type=click.UNPROCESSED, metavar="[FILTER]...")
@click.option("--since", "--from", "since", help="Only such as ended since: 2h, 7d, or a date.")
@click.option("--until", "--to", "until", help="And before then.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--cursor", help="Go on from there: as the page before said.")
@click.option("--count", is_flag=True, help="Say how many there are in all.")
@click.option("--json", is_flag=True, help="Print JSON.")
def attempts(**options: Any) -> None:
    """List attempts by a filter: outcome:failure worker:w3 -is:repeat since:2h dur:>60s.

    Those that completed or failed, last ended first. docs/api.md has all filters.
    """
    from app.cli import attempts as command

    run(lambda settings: command.attempts(settings, options))


COMMANDS: Final = (attempts, failures, correlate)

"""`voxtrace correlate`: of this system's attempts, or of the rows of a file."""

import math
import sys
from typing import Any, Final, NoReturn

import click

from app.cli.running import run

_FILE: Final = click.Path(dir_okay=False)
#: Options that ask about this system's attempts.
_ASKING: Final = ("from", "to", "baseline", "query", "within", "outcome", "quantile")


@click.command()
@click.option(
    "--from",
    "--since",
    "from",
    default="",
    help="Attempts that ended since: 24h, or a moment (24h).",
)
@click.option("--to", "--until", "to", default="", help="And before then (now).")
@click.option("--baseline", default="", help="What they are compared with: 7d before, or since.")
@click.option("--query", default="", help="These against the others: a filter (all that failed).")
@click.option("--within", default="", help="Look at no other attempts than these.")
@click.option("--outcome", default="", help="slow: the slowest instead of those that failed.")
@click.option("--quantile", default="", help="With slow: from which on (0.95).")
@click.option("--rows", type=_FILE, metavar="FILE.csv", help="Scan these rows instead.")
@click.option(
    "--window-start", type=float, metavar="EPOCH_S", help="With --rows: where the window begins."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--json", is_flag=True, help="Print JSON.")
def correlate(**options: Any) -> None:
    """Say what failures have in common that successes do not, since when, and how sure it is.

    With --rows: of a CSV file with columns at (seconds since the epoch), failed (0 or 1),
    fingerprint (may be empty), and any others, by which rows are told apart. No database is needed.
    """
    if options["rows"] is not None:
        from app.cli.correlate_rows import correlate_rows

        _check(options)
        sys.exit(correlate_rows(options))
    if options["window_start"] is not None:
        _refuse("--window-start goes with --rows; without it, say --from")
    from app.cli import correlate_ask

    run(lambda settings: correlate_ask.ask(settings, options))


def _check(options: dict[str, Any]) -> None:
    """What goes with rows, and what does not."""
    wrong = [f"--{name}" for name in _ASKING if options[name]]
    if wrong:
        _refuse(f"{wrong[0]} asks about this system's attempts; it does not go with --rows")
    start = options["window_start"]
    if start is None:
        _refuse("--rows needs --window-start EPOCH_S")
    if not math.isfinite(start):
        _refuse(f"--window-start must be seconds since the epoch, got {start}")


def _refuse(words: str) -> NoReturn:
    raise click.UsageError(words)

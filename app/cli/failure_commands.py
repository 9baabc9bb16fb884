"""The commands about failure groups: `voxtrace failures` and what is under it."""

from typing import Any, Final

import click
from typing_extensions import override

from app.cli.running import run

_STATES: Final = "new, ongoing, regressed, resolved, muted"
_JSON: Final = click.option("--json", is_flag=True, help="Print JSON.")
_SINCE: Final = click.option(
    *("--since", "--from", "since"),
    default="",
    help="Count from then on: 24h, 7d, or a date (default: 24h).",
)
_UNTIL: Final = click.option("--until", "--to", "until", default="", help="And before then.")
_FINGERPRINT: Final = click.argument("fingerprint", metavar="FINGERPRINT")


class _ListedAlone(click.Group):
    """A group of commands that lists where no command is named."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_option = bool(args) and args[0].startswith("-") and args[0] not in ctx.help_option_names
        return super().parse_args(ctx, ["list", *args] if is_option or not args else args)


@click.group(cls=_ListedAlone)
def failures() -> None:
    """Failure groups: list, show, resolve, reopen, mute, unmute, assign, note.

    Alone it lists them.
    """


@failures.command("list")
@click.option("--state", default="", help=f"Only these, with commas between: {_STATES}.")
@click.option("--type", "error_type", default="", help="Only of this type of error.")
@click.option("--text", default="", help="Only with this in message, frames, note or assignee.")
@click.option("--worker", help="Only failures there count.")
@click.option("--engine", help="Only failures there count.")
@click.option("--voice", help="Only failures there count.")
@click.option("--release", help="Only failures there count.")
@_SINCE
@_UNTIL
@click.option("--seen", is_flag=True, help="Only what failed in that time.")
@click.option("--sort", default="last", help="last, first, count or trend.", show_default=True)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--cursor", default="", help="Go on from there: as the page before said.")
@_JSON
def list_(**options: Any) -> None:
    """List failure groups, and how often each failed."""
    from app.cli import failures as command

    run(lambda settings: command.list_(settings, options))


@failures.command()
@_FINGERPRINT
@_SINCE
@_UNTIL
@_JSON
def show(**options: Any) -> None:
    """Show a group: why it is one, where it failed, attempts to look at, what happened."""
    from app.cli import failures as command

    run(lambda settings: command.show(settings, options))


def _decide(name: str, words: str, *, needs: str | None = None) -> click.Command:
    """A command that decides about a group; `needs` names the field that it takes."""

    def decide(**options: Any) -> None:
        from app.cli import failures as command

        run(lambda settings: command.decide(settings, name, needs, options))

    params: list[click.Parameter] = [click.Argument(["fingerprint"])]
    if needs is not None:
        params.append(click.Argument(["value"], metavar=needs.upper()))
    params += [
        click.Option(["--by"], help="Who you are, for the event (default: your login)."),
        click.Option(["--json"], is_flag=True, help="Print JSON."),
    ]
    return click.Command(name, params=params, callback=decide, help=words)


for _command in (
    _decide("resolve", "Say that it is mended; a failure after that opens it again."),
    _decide("reopen", "Open it again."),
    _decide("mute", "Hide it: it is counted on, and opened by nothing."),
    _decide("unmute", "Show it again."),
    _decide("assign", "Assign it to somebody ('' to nobody).", needs="assignee"),
    _decide("note", "Write a note ('' takes it away).", needs="note"),
):
    failures.add_command(_command)

"""The window of a command: each end is given by either of two names."""

from collections.abc import Iterator

import click
import pytest

from app.cli import wrong_options
from app.cli.main import cli
from app.domain.errors import AskedError
from app.service.failures.asked import asked

_PAIRS = ({"--since", "--from"}, {"--until", "--to"})


def _commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def test_each_end_of_a_window_has_both_names() -> None:
    """`--since` and `--from`, `--until` and `--to`, wherever there is one of them."""
    seen = set()
    for path, command in _commands(cli):
        for parameter in command.params:
            for pair in _PAIRS:
                if pair & set(parameter.opts):
                    assert set(parameter.opts) == pair, path
                    seen.add(path)
    assert {"failures list", "failures show", "attempts", "stats", "correlate"} <= seen
    assert {"verify", "reconcile", "resend"} <= seen


@pytest.mark.parametrize(
    ("path", "since", "until"),
    [("attempts", "--since", "--until"), ("correlate", "--from", "--to")],
)
def test_help_and_faults_say_the_first_name(
    capsys: pytest.CaptureFixture[str], path: str, since: str, until: str
) -> None:
    """The one that the command had before; the other is beside it in its help."""
    command = dict(_commands(cli))[path]
    with click.Context(command) as context:
        told = command.get_help(context)
        other_since, other_until = (*(_PAIRS[0] - {since}), *(_PAIRS[1] - {until}))
        assert f"  {since}, {other_since} TEXT" in told
        assert f"  {until}, {other_until} TEXT" in told
        with pytest.raises(AskedError) as caught:
            asked({"from": "1h", "to": "2h"}).window(10**16)
        assert wrong_options.tell(caught.value) == 2
    assert f"voxtrace: {since} must be before {until}: " in capsys.readouterr().err

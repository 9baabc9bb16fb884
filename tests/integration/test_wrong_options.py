"""A wrong option is named as the command line has it, and ends the command with 2."""

from collections.abc import Iterator

import pytest

from tests.support.home import Home


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home in which nothing ever ran."""
    with Home.make(tmp_path_factory.mktemp("options") / "home") as home:
        yield home


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("failures list --state bogus", "--state must be one of new, ongoing, regressed"),
        ("failures list --since nonsense", "--since must be so long ago (24h, 7d)"),
        ("failures list --since 2026-02-02 --until 2026-02-01", "--since must be before --until:"),
        ("correlate --outcome slow --quantile 3", "--quantile must be a number from 0.5 to 0.999"),
        ("correlate --baseline nonsense", "--baseline must be so long ago"),
        ("stats --since nonsense", "--since must be so long ago"),
        ("tasks --sort bogus", "--sort must be one of submitted, ended"),
    ],
)
def test_wrong_option_is_named_and_ends_with_2(empty: Home, command: str, says: str) -> None:
    """What is wrong is said by the option's name, not by the parameter of the API."""
    done = empty.run(*command.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"voxtrace: {says}"), done.stderr

"""Commands where there is no database: they say what to do, and leave nothing behind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import attempts, correlate_ask, failures, reconcile, stats, tasks
from app.config.settings import Settings, load
from app.domain.errors import AskedError, SchemaError
from tests.support.home import CLEAN, Home

_LIST = {"query": (), "sort": None, "cursor": None, "limit": 5, "count": False, "json": False}
_WINDOW = {"since": "", "until": ""}
_GROUPS = {
    **dict.fromkeys(("state", "error_type", "text", "cursor"), ""),
    **dict.fromkeys(("worker", "engine", "voice", "release")),
    "sort": "last",
    "seen": False,
    "limit": 5,
    "json": False,
}
_ASKED = {"query": (), "by": None, "exact": False, "json": False} | _WINDOW
Command = Callable[[Settings, dict[str, Any]], int]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that nobody has made."""
    path = tmp_path / "nowhere"
    environ = CLEAN | {"VOXTRACE_HOME": str(path), "VOXTRACE_ENGINES": "tone"}
    return Home(path=path, environ=environ)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (tasks.tasks, _LIST),
        (attempts.attempts, _LIST | _WINDOW),
        (failures.list_, _GROUPS | _WINDOW),
        (failures.show, {"fingerprint": "v2:1", "json": False} | _WINDOW),
        (stats.stats, _ASKED),
        (correlate_ask.ask, {"lang": "en", "json": False}),
    ],
)
def test_what_only_reads_makes_nothing(
    home: Home, command: Command, options: dict[str, Any]
) -> None:
    """The place is named, and what makes a database there."""
    told = rf"there is no database at {home.path}/voxtrace\.db: run `voxtrace migrate`"
    with pytest.raises(SchemaError, match=told):
        command(load(home.environ), options)
    assert not home.path.exists()


def test_a_recount_of_nothing_ends_with_2(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can tell: that is another code than of numbers that differ."""
    options = {"since": None, "rebuild": False, "accept": False, "json": False}
    assert reconcile.reconcile(load(home.environ), options) == 2
    assert "there is no database at " in capsys.readouterr().err
    assert not home.path.exists()


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (attempts.attempts, _LIST | _WINDOW | {"since": "soon"}),
        (failures.list_, _GROUPS | _WINDOW | {"sort": "name"}),
        (failures.decide, {"fingerprint": "v2:1", "by": "x" * 99, "json": False}),
        (stats.stats, _ASKED | {"since": "soon"}),
        (correlate_ask.ask, {"lang": "en", "json": False, "outcome": "fast"}),
    ],
)
def test_a_wrong_option_is_told_first(home: Home, command: Any, options: dict[str, Any]) -> None:
    """What was asked is looked at before the database is."""
    more = ("mute", None) if command is failures.decide else ()
    with pytest.raises(AskedError):
        command(load(home.environ), *more, options)


def test_a_command_ends_with_words(home: Home) -> None:
    """A process of its own, with a wrong filter and with a right one."""
    wrong, right = home.run("tasks", "planet:mars"), home.run("tasks")
    assert (wrong.returncode, "  planet:mars\n  ^^^^^^" in wrong.stderr) == (2, True)
    assert (right.returncode, right.stdout) == (1, "")
    assert right.stderr.startswith(f"voxtrace: there is no database at {home.path}")
    assert not home.path.exists()

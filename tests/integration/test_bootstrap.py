"""The start of programs on one home."""

import threading
from pathlib import Path

import pytest

from app import bootstrap
from app.domain.errors import ConfigError
from tests.support.home import Home


def test_programs_that_start_at_once_do_not_meet(home: Home) -> None:
    """Any number of programs may look at the same home at the same moment."""
    settings, errors = home.settings, list[BaseException]()

    def look() -> None:
        try:
            for _ in range(200):
                bootstrap.make_home(settings)
        except ConfigError as error:
            errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_home_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    """A home below a file is refused, and the setting and the path are named."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"VOXTRACE_HOME must be .*file/home"):
        Home.make(tmp_path / "file" / "home")


def test_home_is_for_its_owner_only(home: Home) -> None:
    """A new home can be read by nobody else: texts and audio are in it."""
    assert home.path.stat().st_mode & 0o077 == 0

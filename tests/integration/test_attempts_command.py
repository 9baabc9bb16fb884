"""`voxtrace attempts`: the same lists on the command line."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.cli import attempts
from app.domain.errors import AskedError
from app.service import attempt_list
from tests.support.attempt_rows import populate
from tests.support.home import Home

#: What the command line gives where nothing is said.
_NOTHING: dict[str, Any] = {
    "query": (), "since": None, "until": None, "cursor": None, "limit": 20, "count": False,
    "json": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home full of attempts, on which nothing runs."""
    with Home.make(tmp_path_factory.mktemp("attempts") / "home") as home:
        with home.core.database.write() as conn:
            populate(conn, count=60, seed=4)
        yield home


def test_filter_is_given_as_words(full: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Terms with a minus are terms; each attempt is a line, and the way on leads on."""
    words = ("attempts", "-worker:w1", "outcome:failure", "--until", "2026-02-28T12:00Z")
    done = full.run(*words, "--limit", "3", "--count")
    assert done.returncode == 0, done.stderr
    query = "-worker:w1 outcome:failure until:2026-02-28T12:00Z"
    page = attempt_list.page(full.core, query, limit=1000)
    expected = [f"{one.row.attempt.task_id}.{one.row.attempt.attempt}" for one in page.attempts]
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == expected[:3]
    assert str(page.attempts[0].row.attempt.fingerprint) in lines[0]
    assert f"{len(expected)} in all" in lines
    cursor = re.search(r"^go on: --cursor (\S+)$", done.stdout, re.MULTILINE)
    assert cursor is not None
    given = {**_NOTHING, "query": words[1:3], "until": words[4], "cursor": cursor[1], "json": True}
    assert attempts.attempts(full.settings, given) == 0
    following = json.loads(capsys.readouterr().out)
    assert [f"{one['task_id']}.{one['attempt']}" for one in following["attempts"]] == expected[3:23]
    assert following["query"] == "-worker:w1 outcome:failure until:2026-02-28T12:00:00Z"


def test_wrong_or_empty_filter_is_told(full: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong filter ends with 2, its place underlined; an empty list says what counts."""
    wrong = {**_NOTHING, "query": ("第一回", "outcome:faild")}
    assert attempts.attempts(full.settings, wrong) == 2
    message, _, marks = capsys.readouterr().err.splitlines()[-3:]
    assert "did you mean failed?" in message
    assert marks == " " * (2 + 6 + 1 + 8) + "^^^^^"
    none = {**_NOTHING, "query": ("voice:nobody",), "count": True}
    assert attempts.attempts(full.settings, none) == 0
    told = capsys.readouterr().out
    assert told == "0 in all\nno attempt that completed or failed fits\n"
    with pytest.raises(AskedError, match="the window is empty"):
        attempts.attempts(full.settings, {**_NOTHING, "since": "1h", "until": "2h"})

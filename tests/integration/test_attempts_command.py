"""`voxtrace attempts`: the same lists on the command line."""

import json
import re
from collections.abc import Iterator

import pytest

from app.service import attempt_list
from tests.support.attempt_rows import populate
from tests.support.home import Home


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home full of attempts, on which nothing runs."""
    with Home.make(tmp_path_factory.mktemp("attempts") / "home") as home:
        with home.core.database.write() as conn:
            populate(conn, count=60, seed=4)
        yield home


def test_filter_is_given_as_words(full: Home) -> None:
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
    following = json.loads(full.run(*words, "--cursor", cursor[1], "--json").stdout)
    assert [f"{one['task_id']}.{one['attempt']}" for one in following["attempts"]] == expected[3:23]
    assert following["query"] == "-worker:w1 outcome:failure until:2026-02-28T12:00:00Z"


def test_wrong_or_empty_filter_is_told(full: Home) -> None:
    """A wrong filter ends with 2, its place underlined; an empty list says what counts."""
    done = full.run("attempts", "第一回", "outcome:faild")
    assert done.returncode == 2
    message, _, marks = done.stderr.splitlines()[-3:]
    assert "did you mean failed?" in message
    assert marks == " " * (2 + 6 + 1 + 8) + "^^^^^"
    none = full.run("attempts", "voice:nobody", "--count")
    assert none.stdout == "0 in all\nno attempt that completed or failed fits\n"
    backwards = full.run("attempts", "--since", "1h", "--until", "2h")
    assert (backwards.returncode, "the window is empty" in backwards.stderr) == (1, True)

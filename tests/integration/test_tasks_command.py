"""`voxtrace tasks`: the same lists on the command line."""

import json
import re
from collections.abc import Iterator

import pytest

from app.service import task_list
from tests.support.home import Home
from tests.support.listed_rows import populate


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home full of tasks, on which nothing runs."""
    with Home.make(tmp_path_factory.mktemp("tasks") / "home") as home:
        with home.core.database.write() as conn:
            populate(conn, count=60, seed=4)
        yield home


def _ids(home: Home, query: str, sort: str | None = None) -> list[int]:
    page = task_list.page(home.core, query, sort=sort, limit=1000)
    return [one.task.id for one in page.tasks]


def test_filter_is_given_as_words(full: Home) -> None:
    """Terms with a minus are terms, not options; each task is a line, and the way on is said."""
    done = full.run("tasks", "-worker:w1", "-host:h1", "status:failed,timeout", "--limit", "3")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    expected = _ids(full, "-worker:w1 -host:h1 status:failed,timeout")
    assert [int(line.split()[0]) for line in lines[:3]] == expected[:3]
    cursor = re.search(r"^go on: --cursor (\S+)$", done.stdout, re.MULTILINE)
    assert cursor is not None
    words = ("tasks", "-worker:w1", "-host:h1", "status:failed,timeout", "--cursor", cursor[1])
    following = json.loads(full.run(*words, "--json").stdout)
    assert [one["id"] for one in following["tasks"]] == expected[3:23]


def test_json_says_what_was_asked(full: Home) -> None:
    """--json gives the tasks, the filter in one form, the order and the count."""
    done = full.run("tasks", "lang:zh", "--sort", "dur", "--limit", "1000", "--count", "--json")
    found = json.loads(done.stdout)
    expected = _ids(full, "language:zh", "dur")
    assert [one["id"] for one in found["tasks"]] == expected
    assert (found["query"], found["sort"]) == ("language:zh", "dur")
    assert found["count"] == {"n": len(expected), "is_exact": True, "removed": None}
    assert "content" not in found["tasks"][0]


def test_wrong_filter_is_underlined(full: Home) -> None:
    """A wrong filter ends with 2; the place is marked below it, under wide letters too."""
    done = full.run("tasks", "第一回", "status:faild")
    assert done.returncode == 2
    message, query, marks = done.stderr.splitlines()[-3:]
    assert "did you mean failed?" in message
    assert query == "  第一回 status:faild"
    assert marks == " " * (2 + 6 + 1 + 7) + "^^^^^"


def test_slip_in_an_option_is_no_filter(full: Home) -> None:
    """What begins with two dashes and is no option ends with 2, and the option that is near."""
    done = full.run("tasks", "status:failed", "--limt", "5")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-3:] == [
        "  status:failed --limt 5",
        "                ^^^^^^",
        "did you mean --limit?",
    ]
    assert full.run("stats", "--exakt").stderr.endswith("did you mean --exact?\n")
    assert "did you mean" not in full.run("tasks", "--status:failed").stderr
    assert full.run("tasks", '"--limt"').stdout == "no task\n"


def test_nothing_found_is_said(full: Home) -> None:
    """A list without tasks says so."""
    assert full.run("tasks", "voice:nobody", "--count").stdout == "0 in all\nno task\n"

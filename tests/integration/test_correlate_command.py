"""`voxtrace correlate`: an answer in sentences, with where to look."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app import clock
from app.cli import correlate_ask
from app.domain.errors import AskedError
from app.service.correlate.subjects import NAMES_ZH
from tests.support import caused_failures
from tests.support.caused_failures import DAY_US, NOW_US, Numbers
from tests.support.home import Home

_WINDOW = {"from": clock.iso(NOW_US - DAY_US), "to": clock.iso(NOW_US)}
#: Runs the command in this process: what it prints.
Ask = Callable[..., str]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a cause among its attempts, on which nothing runs."""
    with Home.make(tmp_path_factory.mktemp("command") / "home") as made:
        with made.core.database.write() as conn:
            caused_failures.fill(conn, Numbers(before=500, day=800, last=150))
        yield made


@pytest.fixture
def ask(home: Home, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Asks, and gives what was printed."""

    def run(**options: Any) -> str:
        given = {"lang": "en", "json": False} | _WINDOW | options
        assert correlate_ask.ask(home.settings, given) == 0
        return capsys.readouterr().out

    return run


def test_finding_is_a_sentence_with_addresses(home: Home, ask: Ask) -> None:
    """The whole, each finding, its lists, its examples with their traces, in either language."""
    told = json.loads(ask(json=True))
    finding = told["findings"][0]
    lines = ask().splitlines()
    assert lines[0] == told["overall"]["words"]
    assert f"1. {finding['words']}" in lines
    assert f"   these ({finding['observed']}): {home.url}{finding['attempts_url']}" in lines
    example = finding["exemplars"][0]
    name = f"{example['task_id']}.{example['attempt']}"
    assert any(f"such as {name}  trace {example['trace_id']}" in line for line in lines)
    assert f"      side by side: {home.url}{example['compare_url']}" in lines
    assert f"1. {finding['words_zh']}" in ask(lang="zh").splitlines()


def test_chinese_calls_dimensions_as_its_sentences_do(ask: Ask) -> None:
    """No English name is left, in what examples differ in and beside the bars."""
    told = ask(lang="zh")
    names = re.findall("按 (.+?)[:：]", told)
    assert "引擎" in names
    assert set(names) <= set(NAMES_ZH.values())
    differing = {name for line in re.findall("不同之处: (.*)", told) for name in line.split("、")}
    assert differing
    assert differing <= {*NAMES_ZH.values(), "无"}


def test_numbers_are_written_in_one_form(ask: Ask) -> None:
    """Thousands apart, and a thin space before the sign of percent, everywhere in the answer."""
    start = clock.iso(NOW_US - 8 * DAY_US)
    names = r"`.*?`|http\S+|trace \S+|\d{4}-\S+|\d+\.\d+  "
    told = re.sub(names, "", ask(**{"from": start}))
    assert "of 1\u202f4" in told
    assert not re.search(r"(?<![.\d])\d{4}|\d%|\d %", told)


def test_long_window_is_waited_for(ask: Ask) -> None:
    """On the command line a window of days is answered at once, with hours of the day."""
    start = clock.iso(NOW_US - 4 * DAY_US)
    told = json.loads(ask(**{"from": start, "baseline": "3d", "json": True}))
    assert "hour" in {one["name"] for one in told["dimensions"]}
    assert told["findings"]


def test_wrong_question_says_what_is_allowed(home: Home, ask: Ask) -> None:
    """A wrong filter ends with 2, and is underlined; another wrong option raises its error."""
    done = home.run("correlate", "--query", "worker:w1", "--within", "planet:mars")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == ["  planet:mars", "  ^^^^^^"]
    with pytest.raises(AskedError, match="outcome must be failure or slow, got 'fast'"):
        ask(outcome="fast")


def test_filter_without_room_for_a_window_is_shown(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list would take it, a question does not: it is what is underlined, not the other one."""
    query = f"voice:{'声' * 700}"
    asked = {"lang": "en", "json": False, "query": query, "within": "worker:w1"} | _WINDOW
    assert correlate_ask.ask(home.settings, asked) == 2
    assert f"  {query}" in capsys.readouterr().err.splitlines()

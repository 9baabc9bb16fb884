"""Two attempts side by side: real ones, aligned span by span, and where they part."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.domain.errors import AskedError, NotFoundError
from app.service import verdict
from app.service.correlate import compare_words
from app.service.correlate.compare import Comparison, compare, parting
from app.service.correlate.spans_aligned import Line
from telemetry import outbox_table
from tests.support.documented import web_client
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker, submitted
from tests.support.spans import spans_of

_WORDS = "The quick brown fox jumps over the lazy dog."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ran:
    """Attempts that were run: `failed` at its third segment; `lost` before it did anything."""

    home: Home
    failed: int
    done: int
    lost: int


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Ran]:
    """Four attempts of three tasks."""
    with Home.make(tmp_path_factory.mktemp("compare") / "home") as home:
        core = home.core
        failing = _text("one", "two", "@fail permanent no such voice\nthree", "four")
        failed = spoken(core, failing, engine="scripted")
        done = spoken(core, _text("1", "2", "3", "4"), engine="scripted")
        lost = submitted(core, _text("a", "b")).task
        first = claimed(core, start_worker(core, name="w9"))
        assert verdict.lose(core, lost.id, first.attempt, reason="signal 9", exit_signal=9)
        run(core, claimed(core, start_worker(core, name="w2")))
        yield _Ran(home=home, failed=failed.id, done=done.id, lost=lost.id)


def _text(*lines: str) -> str:
    return "\n\n".join(f"{line} {_WORDS}" for line in lines)


def _of(ran: _Ran, left: str, right: str) -> Comparison:
    return compare(ran.home.core, left, right)


def _json(answer: TestResponse) -> dict[str, Any]:
    told = answer.json
    assert isinstance(told, dict)
    return told


def _name(line: Line) -> str:
    return line.name if line.segment is None else f"{line.name} {line.segment}"


def test_spans_of_the_same_name_and_place_stand_side_by_side(ran: _Ran) -> None:
    """Every span of either attempt is on one line, with its times.

    What only one of them has stands where it came.
    """
    found = _of(ran, f"{ran.failed}.1", f"{ran.done}.1")
    assert found.source == "outbox"
    told = [(line.level, _name(line), bool(line.left), bool(line.right)) for line in found.lines]
    assert [one for one in told if one[1] != "text_to_speech" and one[0] < 2] == [
        (0, "queue wait", True, True),
        (0, "process tts", True, True),
        (1, "split text", True, True),
        (1, "segment 0", True, True),
        (1, "segment 1", True, True),
        (1, "segment 2", True, True),
        (1, "segment 3", False, True),
        (1, "encode", False, True),
        (1, "store audio", False, True),
    ]
    for task_id, side in ((ran.failed, "left"), (ran.done, "right")):
        spans = {
            span.span_id: span.end_us - span.start_us
            for span in spans_of(ran.home.core, task_id)
            if span.name not in {"attempt started", "tts task"}
        }
        sides = [getattr(line, side) for line in found.lines if getattr(line, side)]
        assert {one.span_id: one.took_us for one in sides} == spans


def test_comparison_says_where_they_part(ran: _Ran) -> None:
    """The span that failed is named, whichever side it is on, with the error, in both languages."""
    for sides in ((ran.failed, ran.done), (ran.done, ran.failed)):
        found = _of(ran, *(f"{task_id}.1" for task_id in sides))
        assert found.parting is not None
        assert found.parting.reason == "failed"
        assert (found.parting.side == "left") == (sides[0] == ran.failed)
        assert _name(found.lines[found.parting.place]) == "segment 2"
        assert compare_words.says(found, "en") == (
            f"the same until segment 3, which failed in attempt 1 of task {ran.failed}"
            " (engine_rejected)"
        )
        assert compare_words.says(found, "zh") == (
            f"第 3 段之前两者相同；任务 {ran.failed} 的第 1 次运行在此失败（engine_rejected）"
        )


def test_attempt_that_failed_by_itself_is_not_told_to_be_the_same(ran: _Ran) -> None:
    """Where no span below tells it, that one failed and the other did not is told all the same."""
    whole = _of(ran, f"{ran.done}.1", f"{ran.failed}.1")
    lines = whole.lines[:2]
    found = replace(whole, lines=lines, parting=parting(lines, whole.left, whole.right))
    assert found.parting is not None
    assert (found.parting.reason, found.parting.side) == ("failed", "right")
    assert compare_words.says(found, "en") == (
        f"the same spans, but attempt 1 of task {ran.failed} failed (engine_rejected)"
    )
    assert compare_words.says(found, "zh") == (
        f"步骤相同，但任务 {ran.failed} 的第 1 次运行失败（engine_rejected）"
    )


def test_attempt_that_was_lost_is_compared_with_the_one_after_it(ran: _Ran) -> None:
    """What a killed attempt did not reach is told as that, and in what the two differ."""
    found = _of(ran, f"{ran.lost}.1", f"{ran.lost}.2")
    assert found.parting is not None
    assert (found.parting.reason, found.parting.side) == ("not_reached", "left")
    assert compare_words.says(found, "en").startswith("the same until splitting the text, which")
    differs = {one.name: (one.left, one.right) for one in found.attributes}
    assert differs["outcome"] == ("lost", "completed")
    assert differs["exit_signal"] == ("9", None)
    assert differs["wait_reason"] == ("queued", "rescued")
    assert differs["attempt"] == ("1", "2")
    assert "voice" not in differs


def test_both_are_compared_by_rows_where_spans_of_one_are_gone(ran: _Ran) -> None:
    """A side whose spans are not kept any more does not look as if it had done less."""
    with ran.home.core.database.write() as conn:
        task_id = outbox_table.OUTBOX.c.task_id
        kept = conn.execute(outbox_table.OUTBOX.select().where(task_id == ran.done)).all()
        conn.execute(outbox_table.OUTBOX.delete().where(task_id == ran.done))
    try:
        found = _of(ran, f"{ran.failed}.1", f"{ran.done}.1")
    finally:
        with ran.home.core.database.write() as conn:
            conn.execute(outbox_table.OUTBOX.insert(), [dict(row._mapping) for row in kept])
    assert found.source == "rows"
    names = [_name(line) for line in found.lines if line.left and line.right]
    assert names == ["queue wait", "process tts", "segment 0", "segment 1"]
    assert found.parting is not None
    assert found.parting.reason == "not_reached"
    assert _name(found.lines[found.parting.place]) == "segment 2"


def test_wrong_names_of_attempts_are_told_with_what_is_allowed(ran: _Ran) -> None:
    """Each wrong name gets the parameter, what was got and what is allowed."""
    for left, right, reason in (
        ("", "1.1", "left must be the number of a task, a dot and"),
        ("1.1", "1", "right must be .*got '1'"),
        ("1.1", "1.1.1", "right must be"),
        ("1.-1", "1.1", "left must be"),
        ("\u0661.1", "1.1", "left must be"),
        ("1.1", "01.1", "are the same attempt"),
    ):
        with pytest.raises(AskedError, match=reason):
            _of(ran, left, right)
    with pytest.raises(NotFoundError, match=f"task {ran.done} has no attempt 2"):
        _of(ran, f"{ran.done}.2", f"{ran.done}.1")
    with pytest.raises(NotFoundError, match="task 999999 does not exist"):
        _of(ran, f"{ran.done}.1", "999999.1")


def test_api_gives_the_comparison_as_documented(ran: _Ran) -> None:
    """The route answers in its documented shape, in the language asked for; errors are exact."""
    path = f"/api/v1/correlate/compare?left={ran.failed}.1&right={ran.done}.1"
    with web_client(ran.home.settings) as client:
        told = _json(client.get(path))
        assert told["words"].startswith("the same until segment 3")
        assert told["left"]["url"] == f"/tasks/{ran.failed}?tab=attempts#attempt-1"
        assert told["spans"][told["parting"]["place"]]["left"]["status"] == "error"
        took = told["spans"][1]
        expected = took["right"]["took_ms"] - took["left"]["took_ms"]
        assert took["difference_ms"] == pytest.approx(expected)
        accepts = {"Accept-Language": "zh-CN,zh;q=0.9"}
        assert _json(client.get(path, headers=accepts))["words"].startswith("第 3 段")
        assert _json(client.get(f"{path}&lang=zh"))["words"].startswith("第 3 段")
        assert client.get(f"{path}&lang=xx").status_code == 400
        assert client.get(f"{path}&more=1").status_code == 400
        assert client.get("/api/v1/correlate/compare?left=1.1").status_code == 400
        missing = client.get("/api/v1/correlate/compare?left=1.1&right=99.1")
        assert missing.status_code == 404
        assert "task 99 does not exist" in _json(missing)["detail"]


def test_page_leads_to_either_attempt(ran: _Ran) -> None:
    """Each half's heading opens the history of its task, at the attempt."""
    path = f"/correlate/compare?left={ran.failed}.1&right={ran.done}.1"
    with web_client(ran.home.settings) as client:
        page = client.get(path, headers={"Accept": "text/html"}).text
    for task_id in (ran.failed, ran.done):
        assert f'href="/tasks/{task_id}?tab=attempts#attempt-1"' in page

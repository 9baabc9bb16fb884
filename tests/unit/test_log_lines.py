"""Lines: ids of the task and the innermost span, no text of anybody, bounds, text and JSON."""

import json
import logging
import os
from typing import Any

import pytest
import structlog

from app.domain.errors import EngineError
from app.logs.about import about, bind_task, forget
from app.logs.kept import KEPT, MAX_WAITING
from app.logs.line import FIELD_CHARS, MAX_FIELDS, MESSAGE_CHARS, STACK_CHARS, Line, level_name
from app.logs.logger import logger_of
from telemetry import provider
from telemetry.attempt import AttemptTracing
from telemetry.recovery import AttemptIdentity
from telemetry.tracing import SpanContext
from tests.support.log_lines import logging_as

_QUOTE = "words of somebody's text"
_IDS: dict[str, Any] = {
    "task_id": 7,
    "attempt": 2,
    "trace_id": "a" * 32,
    "span_id": "b" * 16,
}
log = logger_of("app.test")


def _ids(line: Line) -> dict[str, Any]:
    return {name: getattr(line, name) for name in _IDS}


def test_lines_of_a_block_carry_what_it_is_about() -> None:
    """Ours, a library's and a plug-in's over structlog: each has task, attempt, trace and span."""
    with logging_as() as lines:
        with about(**_IDS):
            log.info("ours", count=1)
            logging.getLogger("urllib3.x").warning("theirs")
            structlog.get_logger("plugin").warning("plugged in", pages=3)
        log.info("after")
    assert [line.message for line in lines] == ["ours", "theirs", "plugged in", "after"]
    assert [_ids(line) for line in lines[:3]] == [_IDS] * 3
    assert _ids(lines[3]) == dict.fromkeys(_IDS)
    assert [dict(line.fields) for line in lines] == [{"count": 1}, {}, {"pages": 3}, {}]


def test_innermost_live_span_goes_before_the_one_of_the_block() -> None:
    """Inside a span the line has its id; what the line itself says goes before both."""
    pipeline = provider.worker_pipeline(release="1")
    task = SpanContext.new()
    identity = AttemptIdentity(
        task=task, span_id=0xB, task_id="7", attempt=1, worker_name="w1", claimed_at_us=1
    )
    tracing = AttemptTracing(pipeline, identity)
    with logging_as() as lines, about(task_id=7, trace_id=task.trace_id_hex, span_id="b" * 16):
        log.info("outside")
        with tracing.span("segment") as span:
            log.info("inside")
            log.info("told", trace_id="c" * 32, span_id="d" * 16)
    context = span.context
    assert context is not None
    assert [line.span_id for line in lines] == ["b" * 16, context.span_id_hex, "d" * 16]
    assert [line.trace_id for line in lines] == [task.trace_id_hex] * 2 + ["c" * 32]


def test_thread_of_requests_forgets_the_task_of_the_last_one() -> None:
    """Threads serve many requests: what one was about is not told of the next."""
    with logging_as() as lines:
        bind_task(3)
        log.info("in the request")
        forget()
        log.info("in the next")
    assert [line.task_id for line in lines] == [3, None]


def test_no_string_of_a_library_comes_into_a_line_about_a_task() -> None:
    """Arguments of a library's line may quote the text: its words and numbers are told, no more."""
    library = logging.getLogger("engine.sdk")
    with logging_as() as lines, about(**_IDS):
        library.warning("cannot say %r in %d s", _QUOTE, 3)
        library.warning("%(text)s failed", {"text": _QUOTE})
        library.warning("failed: %s", ValueError(_QUOTE))
        library.warning("broken %d %s", _QUOTE)
        structlog.get_logger("plugin").warning("sent", body=_QUOTE, bytes=5)
        structlog.get_logger("plugin").warning("sent %s", _QUOTE)
    assert not [line for line in lines if _QUOTE in f"{line.message} {line.fields}"]
    assert lines[0].message == "cannot say '…' in 3 s"
    assert lines[2].message == "failed: ValueError"
    assert lines[4].fields == {"body": "…", "bytes": 5}
    assert {line.task_id for line in lines} == {7}


@pytest.mark.parametrize("is_ours", [True, False])
def test_exception_is_told_by_class_and_frames(*, is_ours: bool) -> None:
    """A foreign message may quote the text and is left out, its causes' too; ours is told."""

    def fail() -> None:
        try:
            dict[str, int]()[_QUOTE]
        except KeyError as error:
            message = "no answer" if is_ours else _QUOTE
            raise (EngineError if is_ours else ValueError)(message) from error

    with logging_as(form="json") as lines:
        try:
            fail()
        except (EngineError, ValueError):
            log.exception("it failed")
    [line] = lines
    assert line.fields["exception"] == (
        "app.domain.errors.EngineError" if is_ours else "ValueError"
    )
    assert line.fields.get("error") == ("no answer" if is_ours else None)
    stack = str(line.fields["stack"])
    assert "test_log_lines.py" in stack
    assert "KeyError" in stack
    assert _QUOTE not in stack


def test_line_is_clean_and_bounded() -> None:
    """No control character and no lone surrogate; message, fields and stack are cut."""
    deep = "x" * 5000
    with logging_as() as lines:
        message = f"a\x00b\nc\ud800{deep}"
        log.info(message, **{f"f{n}": f"\x1b[31m{deep}" for n in range(40)})
        log.info("stack", stack="frame\n" * 5000)
    first, second = lines
    assert first.message.startswith("a\ufffdb c\ufffdxxx")
    assert len(first.message) == MESSAGE_CHARS
    assert len(first.fields) == MAX_FIELDS
    assert {len(str(value)) for value in first.fields.values()} == {FIELD_CHARS}
    assert "\x1b" not in str(first.fields)
    assert str(second.fields["stack"]).endswith("frame\n")
    assert len(str(second.fields["stack"])) <= STACK_CHARS


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is in a line, it is one line of valid JSON, with the ids as members."""
    with logging_as(form="json"), about(**_IDS):
        log.warning("a\nb", level="taken", waited_s=1.5, is_late=True, stack="one\ntwo")
    [told] = capsys.readouterr().err.splitlines()
    members = json.loads(told)
    assert members.pop("timestamp").endswith("Z")
    assert members == {
        "level": "warning",
        "logger": "app.test",
        "event": "a b",
        **_IDS,
        "level_": "taken",
        "waited_s": 1.5,
        "is_late": True,
        "stack": "one\ntwo",
        "program": "child",
        "pid": os.getpid(),
    }


def test_text_is_key_value(capsys: pytest.CaptureFixture[str]) -> None:
    """`key=value` on one line, in a fixed order; frames below it."""
    with logging_as():
        log.info("two words", task_id=7, engine="tone", is_late=False, stack="one\ntwo")
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith("timestamp=")
    assert told[0].endswith(
        ' level=info logger=app.test event="two words" task_id=7 engine=tone is_late=false'
    )
    assert told[1:] == ["  one", "  two"]


def test_only_lines_about_tasks_from_info_on_are_kept() -> None:
    """What is about no task, below info, or written already by its transaction, is not kept."""
    with logging_as():
        log.info("about nothing")
        with about(task_id=1):
            log.debug("too fine")
            log.info("told", is_told=True)
            log.info("kept")
        log.warning("of another", task_id=2)
        assert KEPT.task_ids() == [1, 2]
        [line] = KEPT.of_task(1)
        assert line.message == "kept"
        assert KEPT.of_task(1) == []
        KEPT.give_back([line])
        assert KEPT.of_task(1) == [line]


def test_kept_lines_are_bounded_and_forgotten_by_a_child() -> None:
    """The newest stay; a forked child begins with none, whatever held the lock."""
    with logging_as(), about(task_id=1):
        for number in range(MAX_WAITING + 5):
            log.info("n", number=number)
        numbers = [line.fields["number"] for line in KEPT.of_task(1)]
        assert numbers == list(range(5, MAX_WAITING + 5))
        log.info("of the parent")
        pid = os.fork()
        if pid == 0:
            os._exit(0 if KEPT.task_ids() == [] else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert KEPT.task_ids() == [1]


@pytest.mark.parametrize(
    ("level", "name"), [(5, "debug"), (20, "info"), (35, "warning"), (40, "error"), (50, "error")]
)
def test_level_has_the_name_below_it(level: int, name: str) -> None:
    """Every number has one of the four names."""
    assert level_name(level) == name

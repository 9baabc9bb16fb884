"""What is told of long things: progress by tenths, trouble once and again each minute."""

import logging
from typing import Any

from app import clock
from app.domain.errors import DatabaseBusyError
from app.logs.logger import logger_of
from app.service.task_logs import attempt_log
from app.service.task_logs.attempt_log import PROGRESS_S, Milestones
from app.service.trouble import AGAIN_S, Trouble
from telemetry import names
from tests.support.log_lines import logging_as

log = logger_of("app.test")


def _long_ago(milestones: Milestones) -> Milestones:
    milestones.told_at_s = clock.monotonic_s() - PROGRESS_S - 1
    return milestones


def test_progress_is_told_by_tenths_and_never_twice() -> None:
    """At most nine lines, whatever the steps; the end of a phase is told by another line."""
    milestones = Milestones.begin()
    told = [
        percent
        for step in range(1001)
        if (percent := _long_ago(milestones).passed(step / 1000)) is not None
    ]
    assert told == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_short_attempt_tells_no_progress() -> None:
    """Within five seconds there is nothing to tell, however far it goes."""
    milestones = Milestones.begin()
    assert [milestones.passed(step / 10) for step in range(11)] == [None] * 11


def test_progress_begins_where_an_earlier_attempt_ended() -> None:
    """What was there before is no progress of this attempt."""
    milestones = Milestones.begin(0.5)
    assert _long_ago(milestones).passed(0.55) is None
    assert _long_ago(milestones).passed(0.61) == 61


def test_engine_host_is_told_by_why_it_began() -> None:
    """A first start is usual; one after a death, and the death, are warnings."""
    with logging_as() as lines:
        attempt_log.event(names.EVENT_HOST_STARTED, {"reason": "first", "pid": 1})
        attempt_log.event(names.EVENT_HOST_ENDED, {"error_type": "engine_crashed"})
        attempt_log.event(names.EVENT_HOST_STARTED, {"reason": "dead", "pid": 2})
        attempt_log.event(names.EVENT_SEGMENT_REFUSED, {"reason": "audio_silent", "segment": 3})
    levels = [line.level for line in lines]
    assert levels == [logging.INFO, logging.WARNING, logging.WARNING, logging.WARNING]
    assert lines[3].message == "segment refused"
    assert dict(lines[3].fields) == {"reason": "audio_silent", "segment": 3}


def test_trouble_is_told_once_then_each_minute_then_its_end() -> None:
    """A thing that fails four times a second makes a line a minute; what works makes none."""
    trouble = Trouble(log, "claims")
    busy = DatabaseBusyError("database is locked")
    with logging_as() as lines:
        trouble.over()
        for _ in range(5):
            trouble.failed(busy)
        trouble.told_at_s -= AGAIN_S + 1
        trouble.failed(busy)
        trouble.over()
        trouble.over()
    assert [line.message for line in lines] == [
        "claims: failed, it is tried again",
        "claims: failed, it is tried again",
        "claims: works again",
    ]
    assert [line.fields["failures"] for line in lines] == [1, 6, 6]
    assert lines[0].fields["error"] == "database is locked"
    assert "stack" not in lines[0].fields


def test_trouble_that_nobody_foresaw_has_its_frames() -> None:
    """A foreign exception is told by class and frames."""
    kept: list[Any] = []
    with logging_as() as lines:
        try:
            kept[0]
        except IndexError as error:
            Trouble(log, "duty x").failed(error)
    assert lines[0].fields["exception"] == "IndexError"
    assert "test_attempt_log.py" in str(lines[0].fields["stack"])

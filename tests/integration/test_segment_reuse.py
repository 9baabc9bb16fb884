"""Segments whose sound was made for another task."""

import pytest

from app.domain.records import SegmentRecord, TaskRecord
from app.domain.task import FINAL
from app.service import task_list
from app.service.core import Core
from app.service.submit import SubmitRequest, submit
from app.store import segments
from telemetry import names
from tests.support.home import Home
from tests.support.spans import spans_of
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow

_TEXT = "The first paragraph.\n\nThe second paragraph.\n\nThe third one."


def _made(core: Core, content: str, fmt: str) -> tuple[TaskRecord, list[SegmentRecord]]:
    """The finished task of a text and its spoken segments."""
    request = SubmitRequest(content=content, source="api", engine="tone", format=fmt)
    task_id = submit(core, request).task.id
    wait_until(lambda: task_list.get(core, task_id).status in FINAL, 20)
    with core.database.read() as conn:
        rows = segments.of_task(conn, task_id)
    return task_list.get(core, task_id), [row for row in rows if row.status == "done"]


def test_same_sentence_is_spoken_once(home: Home) -> None:
    """Another format, and a corrected text: only what is new is spoken, the rest is taken over.

    Marks and length come with it. A file that is gone is no reason to fail: it is made again.
    """
    core = home.core
    home.start_worker()
    task, first = _made(core, _TEXT, "wav")
    assert task.status == "completed"
    assert [row.reused for row in first] == [False, False, False]
    task, again = _made(core, _TEXT, "flac")
    assert task.status == "completed"
    assert [row.reused for row in again] == [True, True, True]
    assert [row.storage_key for row in again] == [row.storage_key for row in first]
    assert [(row.marks, row.duration_ms) for row in again] == [
        (row.marks, row.duration_ms) for row in first
    ]
    calls = [s for s in spans_of(core, task.id) if s.name.startswith(names.ENGINE_OPERATION)]
    assert calls == []
    corrected = _TEXT.replace("second", "corrected")
    core.storage.delete(first[0].storage_key or "")
    task, mixed = _made(core, corrected, "wav")
    assert task.status == "completed"
    assert [row.reused for row in mixed] == [False, False, True]

"""The waits of a task as spans: one for each attempt, and no gap beside the attempts."""

from itertools import pairwise

from app.service import cancel, claim, presence, task_list, verdict
from app.service.core import Core
from app.service.submit import SubmitRequest, submit
from telemetry import names
from tests.support.home import Home
from tests.support.spans import spans_of


def _claimed(core: Core, worker: str, task_id: int) -> int:
    made = claim.claim_next(core, worker_id=worker, task_id=task_id)
    assert made is not None
    return made.attempt


def test_waits_and_attempts_cover_the_task_span(any_home: Home) -> None:
    """Handed back, lost, then cancelled while it waits: three waits, each with its reason.

    Together with the attempts they cover the task span without a gap.
    """
    core = any_home.core
    worker = presence.register(core, pid=1)
    request = SubmitRequest(content="Waits.", source="api", engine="tone")
    task_id = submit(core, request).task.id
    assert verdict.hand_back(core, task_id, _claimed(core, worker, task_id), reason="drain")
    assert verdict.lose(core, task_id, _claimed(core, worker, task_id), reason="killed")
    cancel.cancel_task(core, task_id)
    found = spans_of(core, task_id)
    waits = [span for span in found if span.name == names.SPAN_QUEUE_WAIT]
    assert [span.attributes[names.WAIT_REASON] for span in waits] == [
        "queued",
        "handed_back",
        "rescued",
    ]
    assert len({span.span_id for span in waits}) == 3
    pieces = sorted(
        (span.start_us, span.end_us)
        for span in found
        if span.name in {names.SPAN_QUEUE_WAIT, names.SPAN_ATTEMPT}
    )
    task = task_list.get(core, task_id)
    assert pieces[0][0] == task.submitted_at
    assert pieces[-1][1] == task.finished_at
    assert all(before[1] == after[0] for before, after in pairwise(pieces))

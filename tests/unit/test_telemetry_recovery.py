"""Spans made from rows: rebuilt attempts and markers, the same whoever writes them."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.codec import decode, encode
from telemetry.names import SPANS, SpanKind
from telemetry.provider import row_resource
from telemetry.recovery import (
    AttemptIdentity,
    Death,
    attempt_attributes,
    deadline_marker,
    rebuilt_attempt,
    start_marker,
)
from telemetry.spans import SpanLink
from telemetry.tracing import SpanContext, derived_span_id
from tests.support.span_strategies import span_ids, trace_ids

_CLAIMED_US = 1_700_000_000_000_000
_IDENTITY = AttemptIdentity(
    task=SpanContext(trace_id=0xABC, span_id=0xDEF, flags=0, trace_state="a=1"),
    span_id=0x123,
    task_id="17",
    attempt=2,
    worker_name="host-1",
    claimed_at_us=_CLAIMED_US,
    deadline_us=_CLAIMED_US + 60_000_000,
)
_DEATH = Death(
    ended_at_us=_CLAIMED_US + 5_000_000,
    outcome="lost",
    error_type="worker_lost",
    description="the worker was killed",
    recovered_by="reaper",
    recovered_reason="lease expired",
    last_heartbeat_us=_CLAIMED_US + 4_000_000,
    exit_signal=9,
)


def test_rebuilt_attempt_says_what_the_row_knows() -> None:
    """It has the attempt's ids and times, what ended it, and who rebuilt it and why."""
    record = rebuilt_attempt(_IDENTITY, _DEATH, links=(SpanLink(trace_id=1, span_id=2),))
    (span,) = decode(encode([record], row_resource("1.0"), "1.0"))
    assert (span.trace_id, span.span_id, span.parent_span_id) == (
        f"{0xABC:032x}", f"{0x123:016x}", f"{0xDEF:016x}",
    )  # fmt: skip
    assert (span.name, span.kind) == ("process tts", SpanKind.CONSUMER)
    assert (span.start_us, span.end_us) == (_CLAIMED_US, _CLAIMED_US + 5_000_000)
    assert (span.status, span.status_message) == ("error", "the worker was killed")
    assert span.trace_state == "a=1"
    assert len(span.links) == 1
    assert span.attributes == {
        **attempt_attributes(_IDENTITY),
        "voxtrace.attempt.outcome": "lost",
        "error.type": "worker_lost",
        "voxtrace.span.recovered": True,
        "voxtrace.recovered.by": "reaper",
        "voxtrace.recovered.reason": "lease expired",
        "voxtrace.last_heartbeat_us": _CLAIMED_US + 4_000_000,
        "voxtrace.exit.signal": 9,
    }
    assert span.events == ()


def test_rebuilt_attempt_that_did_not_fail_has_no_error() -> None:
    """A cancelled or handed back attempt is rebuilt with its status unset."""
    death = dataclasses.replace(_DEATH, error_type=None, outcome="cancelled", exit_signal=None)
    record = rebuilt_attempt(_IDENTITY, death)
    assert record.error is None
    assert "error.type" not in record.attributes
    assert "voxtrace.exit.signal" not in record.attributes


def test_rebuilt_attempt_past_its_deadline_is_flagged_as_a_live_one_is() -> None:
    """The attribute and the event at the deadline are there too."""
    record = rebuilt_attempt(_IDENTITY, dataclasses.replace(_DEATH, exceeded_deadline=True))
    assert record.attributes["voxtrace.deadline.exceeded"] is True
    assert [(event.name, event.at_us) for event in record.events] == [
        ("deadline exceeded", _IDENTITY.deadline_us)
    ]


def test_row_s_own_attributes_cannot_overrule_the_identity() -> None:
    """What else the row tells is there, but the attempt's ids are the identity's."""
    death = dataclasses.replace(
        _DEATH, attributes={"voxtrace.engine": "tone", "voxtrace.attempt": 99}
    )
    attributes = rebuilt_attempt(_IDENTITY, death).attributes
    assert (attributes["voxtrace.engine"], attributes["voxtrace.attempt"]) == ("tone", 2)


@given(trace_ids, span_ids, span_ids, st.integers(0, 2**50))
def test_markers_are_the_same_bytes_whoever_writes_them(
    trace_id: int, task_span_id: int, span_id: int, claimed_at_us: int
) -> None:
    """Two writers that know only the row write one span, of no length, under the attempt."""

    def identity() -> AttemptIdentity:
        return dataclasses.replace(
            _IDENTITY,
            task=SpanContext(trace_id=trace_id, span_id=task_span_id),
            span_id=span_id,
            claimed_at_us=claimed_at_us,
            deadline_us=claimed_at_us + 1,
        )

    def write() -> bytes:
        records = [start_marker(identity()), deadline_marker(identity())]
        return encode(records, row_resource("1.0"), "1.0")

    assert write() == write()
    started, passed = decode(write())
    for span in (started, passed):
        assert span.parent_span_id == f"{span_id:016x}"
        assert span.start_us == span.end_us
    assert (started.start_us, passed.start_us) == (claimed_at_us, claimed_at_us + 1)
    assert started.span_id == f"{derived_span_id(span_id, 'attempt started'):016x}"
    assert len({started.span_id, passed.span_id, f"{span_id:016x}"}) == 3


def test_markers_carry_what_finds_them() -> None:
    """Task, attempt and worker; the deadline's marker its error as well."""
    shared = {"voxtrace.task.id": "17", "voxtrace.attempt": 2, "voxtrace.worker.name": "host-1"}
    assert start_marker(_IDENTITY).attributes == shared
    assert start_marker(_IDENTITY).error is None
    marker = deadline_marker(_IDENTITY)
    assert marker.error == "deadline exceeded"
    assert marker.attributes == {
        **shared,
        "voxtrace.deadline_us": _IDENTITY.deadline_us,
        "voxtrace.deadline.exceeded": True,
        "error.type": "deadline_exceeded",
    }
    assert {marker.name, start_marker(_IDENTITY).name} <= {span.name for span in SPANS}


def test_attempt_without_a_deadline_has_no_marker_of_one() -> None:
    """Asking for it is a mistake that is named."""
    identity = dataclasses.replace(_IDENTITY, deadline_us=None)
    with pytest.raises(ValueError, match="attempt 2 of task 17 has no deadline"):
        deadline_marker(identity)
    assert "voxtrace.deadline_us" not in attempt_attributes(identity)

"""AttemptTracing: the spans of one attempt, in the database's time, whatever goes wrong."""

import dataclasses
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from telemetry import health
from telemetry.attempt import AttemptTracing
from telemetry.codec import DecodedSpan, decode
from telemetry.deadline import DeadlinePassed
from telemetry.names import SpanKind, engine_call_attributes, engine_span
from telemetry.pipeline import AttemptPipeline
from telemetry.provider import worker_pipeline
from telemetry.recovery import AttemptIdentity, attempt_attributes
from telemetry.spans import SpanLink
from telemetry.tracing import SpanContext

_CLAIMED_US = 1_700_000_000_000_000


class _Clock:
    """This host's clock: an hour behind the database, moved by hand."""

    def __init__(self) -> None:
        self.now_us = _CLAIMED_US - 3_600_000_000

    def __call__(self) -> int:
        return self.now_us * 1000

    def advance_ms(self, ms: int) -> None:
        self.now_us += ms * 1000


class _OwnError(Exception):
    """An exception whose messages are known to hold no text."""

    error_type = "engine_crashed"


@dataclasses.dataclass
class _Run:
    """An attempt on a clock that stands still unless moved."""

    flags: int = 3
    deadline_us: int | None = None
    links: tuple[SpanLink, ...] = ()
    environ: dict[str, str] = dataclasses.field(default_factory=dict)
    on_timeout: Callable[[DeadlinePassed], int | None] | None = None
    pipeline: AttemptPipeline | None = None

    def __post_init__(self) -> None:
        self.clock = _Clock()
        self.pipeline = self.pipeline or worker_pipeline(
            release="1.0",
            environ=self.environ,
            instance_id="worker-7",
            own_errors=(_OwnError,),
            clock_ns=self.clock,
        )
        self.identity = AttemptIdentity(
            task=SpanContext(trace_id=0xAAA, span_id=0xBBB, flags=self.flags, trace_state="a=1"),
            span_id=0xCCC,
            task_id="17",
            attempt=1,
            worker_name="host-1",
            claimed_at_us=_CLAIMED_US,
            deadline_us=self.deadline_us,
        )
        self.tracing = AttemptTracing(
            self.pipeline,
            self.identity,
            offset_us=3_600_000_000,
            attributes={"voxtrace.engine": "tone"},
            links=self.links,
            on_timeout=self.on_timeout,
        )

    def drained(self) -> dict[str, DecodedSpan]:
        drained = self.tracing.drain()
        return {} if drained is None else {span.name: span for span in decode(drained.payload)}


def _hex(span_id: int) -> str:
    return f"{span_id:016x}"


@pytest.mark.parametrize("flags", [0, 1, 2, 3])
def test_attempt_span_is_the_row_s_whatever_the_caller_sampled(flags: int) -> None:
    """Ids, parent, times and attributes are those of the row; no sampling decision hides it."""
    run = _Run(flags=flags, links=(SpanLink(trace_id=1, span_id=2),))
    run.tracing.end(_CLAIMED_US + 5_000_123, attributes={"voxtrace.attempt.outcome": "completed"})
    span = run.drained()["process tts"]
    assert (span.trace_id, span.span_id, span.parent_span_id) == (
        f"{0xAAA:032x}", _hex(0xCCC), _hex(0xBBB),
    )  # fmt: skip
    assert (span.start_us, span.end_us) == (_CLAIMED_US, _CLAIMED_US + 5_000_123)
    assert (span.kind, span.status, span.trace_state) == (SpanKind.CONSUMER, "unset", "a=1")
    assert [(link.trace_id, link.span_id) for link in span.links] == [(f"{1:032x}", _hex(2))]
    assert span.attributes == {
        **attempt_attributes(run.identity),
        "voxtrace.engine": "tone",
        "voxtrace.attempt.outcome": "completed",
    }
    assert (span.service, span.resource["service.instance.id"]) == ("voxtrace-worker", "worker-7")
    assert run.tracing.context.span_id == 0xCCC


def test_children_are_in_the_database_s_time_and_under_the_innermost() -> None:
    """Spans nest as their blocks do; their times are shifted by the offset of the claim."""
    run = _Run()
    run.clock.advance_ms(10)
    with run.tracing.span("segment", attributes={"voxtrace.segment.index": 0}) as segment:
        assert segment.context is not None
        run.clock.advance_ms(1)
        call = engine_call_attributes(provider="espeak", model="espeak", voice="en")
        with run.tracing.span(engine_span("espeak"), kind=SpanKind.CLIENT, attributes=call):
            run.clock.advance_ms(100)
        segment.event("checkpoint", {"n": 1})
        segment.set({"voxtrace.segment.reused": False})
        run.clock.advance_ms(2)
    run.tracing.end(_CLAIMED_US + 200_000)
    spans = run.drained()
    inner, outer = spans["text_to_speech espeak"], spans["segment"]
    assert outer.parent_span_id == _hex(0xCCC)
    assert inner.parent_span_id == outer.span_id == segment.context.span_id_hex
    assert (outer.start_us, outer.end_us) == (_CLAIMED_US + 10_000, _CLAIMED_US + 113_000)
    assert (inner.start_us, inner.end_us) == (_CLAIMED_US + 11_000, _CLAIMED_US + 111_000)
    assert [event.at_us for event in outer.events] == [_CLAIMED_US + 111_000]
    assert outer.attributes == {"voxtrace.segment.index": 0, "voxtrace.segment.reused": False}
    assert inner.kind is SpanKind.CLIENT
    assert inner.attributes["gen_ai.operation.name"] == "text_to_speech"


def test_span_of_another_thread_is_under_the_attempt() -> None:
    """A thread without a span of its own falls back to the attempt, not to a trace of its own."""
    run = _Run()

    def work() -> None:
        with run.tracing.span("encode"):
            pass

    with run.tracing.span("segment"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    span = run.drained()["encode"]
    assert (span.trace_id, span.parent_span_id) == (f"{0xAAA:032x}", _hex(0xCCC))


def test_no_span_ends_before_it_began_nor_begins_before_the_claim() -> None:
    """A clock that steps back makes spans short, not impossible."""
    run = _Run()
    run.clock.advance_ms(-500)
    with run.tracing.span("segment"):
        run.clock.advance_ms(-500)
    span = run.drained()["segment"]
    assert span.start_us == span.end_us == _CLAIMED_US


def test_exception_is_noted_without_its_text_and_goes_on() -> None:
    """A foreign exception shows class and frames, never a message, which may quote a text."""
    run = _Run()

    def speak() -> None:
        text = "the secret text"
        with run.tracing.span("segment"):
            try:
                int(text)
            except ValueError as error:
                raise KeyError(text) from error

    with pytest.raises(KeyError):
        speak()
    drained = run.tracing.drain()
    assert drained is not None
    assert b"secret" not in drained.payload.replace(b'text = "the secret text"', b"")
    (span,) = decode(drained.payload)
    assert (span.status, span.status_message) == ("error", "KeyError")
    assert span.attributes["error.type"] == "KeyError"
    (event,) = span.events
    assert event.attributes["exception.type"] == "KeyError"
    assert "exception.message" not in event.attributes
    stack = event.attributes["exception.stacktrace"]
    assert stack.index("int(text)") < stack.index("ValueError") < stack.index("raise KeyError")
    assert "\n" in stack


def test_exception_of_our_own_is_told_with_its_message() -> None:
    """Classes whose messages are known to hold no text explain themselves."""
    run = _Run()
    error = _OwnError("espeak ended with signal 11")
    run.tracing.record_exception(error)
    run.tracing.end(_CLAIMED_US + 1, error_type="engine_crashed", error="engine crashed")
    span = run.drained()["process tts"]
    assert (span.status, span.status_message) == ("error", "engine crashed")
    assert span.attributes["error.type"] == "engine_crashed"
    assert span.events[0].attributes["exception.message"] == "espeak ended with signal 11"
    assert span.events[0].attributes["exception.type"].endswith("_OwnError")


def test_no_span_tells_of_a_moment_after_the_one_in_which_it_is_stored() -> None:
    """The offset measured at a claim may be too large: what has ended lies within the attempt."""
    run = _Run()
    run.clock.advance_ms(10)
    with run.tracing.span("encode"):
        run.clock.advance_ms(5)
    with run.tracing.span("store audio") as store:
        run.clock.advance_ms(10)
        store.event("stored")
    with run.tracing.span("late"):
        run.clock.advance_ms(1)
    end_us = _CLAIMED_US + 20_000
    run.tracing.end(end_us)
    drained = run.tracing.drain(now_us=end_us)
    assert drained is not None
    spans = {span.name: span for span in decode(drained.payload)}
    times = {name: (span.start_us - end_us, span.end_us - end_us) for name, span in spans.items()}
    assert times == {
        "encode": (-10_000, -5000),
        "store audio": (-5000, 0),
        "late": (0, 0),
        "process tts": (-20_000, 0),
    }
    (event,) = spans["store audio"].events
    assert event.at_us == end_us


def test_ending_again_replaces_the_verdict_that_was_not_stored() -> None:
    """A finishing transaction that failed is tried again with another end: one span, the last."""
    run = _Run()
    run.tracing.end(_CLAIMED_US + 10, error_type="storage_error", error="disk full")
    run.tracing.take_back(run.tracing.drain())
    run.tracing.end(_CLAIMED_US + 20, attributes={"voxtrace.attempt.outcome": "completed"})
    drained = run.tracing.drain()
    assert drained is not None
    (span,) = decode(drained.payload)
    assert (span.end_us, span.status) == (_CLAIMED_US + 20, "unset")
    assert "error.type" not in span.attributes
    assert span.attributes["voxtrace.attempt.outcome"] == "completed"


def test_ending_again_after_it_was_stored_changes_nothing() -> None:
    """What has left cannot be changed: the mistake is counted and nothing is sent twice."""
    run = _Run()
    run.tracing.end(_CLAIMED_US + 10)
    assert run.drained()
    before = health.failure_count()
    run.tracing.end(_CLAIMED_US + 20)
    assert health.failure_count() == before + 1
    assert run.tracing.drain() is None


def test_ending_again_past_the_deadline_is_flagged() -> None:
    """The end that is stored decides, not the first one that was tried."""
    deadline_us = _CLAIMED_US + 15
    run = _Run(deadline_us=deadline_us)
    run.tracing.end(_CLAIMED_US + 10)
    run.tracing.end(_CLAIMED_US + 20)
    span = run.drained()["process tts"]
    assert span.attributes["voxtrace.deadline.exceeded"] is True
    assert [(event.name, event.at_us) for event in span.events] == [
        ("deadline exceeded", deadline_us)
    ]
    assert span.status == "error"


def test_deadline_is_the_database_s_and_asks_the_attempt() -> None:
    """The timer works in the database's time, and tells the callback of this attempt."""
    told = threading.Event()
    passed: list[DeadlinePassed] = []

    def on_timeout(deadline: DeadlinePassed) -> None:
        passed.append(deadline)
        told.set()

    run = _Run(deadline_us=_CLAIMED_US + 1000, on_timeout=on_timeout)
    run.clock.advance_ms(2)
    assert told.wait(10)
    assert (passed[0].span_id, passed[0].deadline_us) == (0xCCC, _CLAIMED_US + 1000)
    run.tracing.end(_CLAIMED_US + 5000)
    assert run.drained()["process tts"].attributes["voxtrace.deadline.exceeded"] is True


def test_moved_deadline_is_on_the_span() -> None:
    """The row's deadline was moved: the span says the new one, and ends in time by it."""
    run = _Run(deadline_us=_CLAIMED_US + 3_000_000)
    run.tracing.move_deadline(_CLAIMED_US + 9_000_000)
    run.tracing.end(_CLAIMED_US + 5_000_000)
    span = run.drained()["process tts"]
    assert span.attributes["voxtrace.deadline_us"] == _CLAIMED_US + 9_000_000
    assert "voxtrace.deadline.exceeded" not in span.attributes


def test_next_attempt_of_the_process_starts_clean() -> None:
    """What an attempt left behind is not stored under the next one's task."""
    first = _Run()
    with first.tracing.span("left behind"):
        pass
    second = _Run(pipeline=first.pipeline)
    second.tracing.end(_CLAIMED_US + 1)
    assert list(second.drained()) == ["process tts"]


def test_attempt_that_was_taken_away_tells_nothing() -> None:
    """Whoever lost the fence discards: the rebuilt span is the only one."""
    run = _Run()
    with run.tracing.span("segment"):
        pass
    run.tracing.end(_CLAIMED_US + 1)
    assert run.tracing.discard() == 2
    assert run.tracing.drain() is None


def test_disabled_tracing_takes_every_call_and_keeps_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """OTEL_SDK_DISABLED=true: nothing leaves, nothing fails, contexts are still the row's."""
    run = _Run(environ={"OTEL_SDK_DISABLED": "TRUE"}, deadline_us=_CLAIMED_US + 1)
    before = health.failure_count()
    with run.tracing.span("segment") as span:
        span.event("x")
        span.set({"a": 1})
        span.fail(_OwnError("x"))
    run.tracing.event("x")
    run.tracing.record_exception(_OwnError("x"))
    run.tracing.move_deadline(_CLAIMED_US + 2)
    run.tracing.end(_CLAIMED_US + 3)
    run.tracing.end(_CLAIMED_US + 4)
    assert run.tracing.drain() is None
    assert run.tracing.context.trace_id == 0xAAA
    assert health.failure_count() == before
    assert len([line for line in caplog.records if "OTEL_SDK_DISABLED" in line.message]) <= 1


def test_nothing_that_is_said_wrongly_reaches_the_application() -> None:
    """Values that no attribute can have are swallowed or cleaned, never raised."""
    run = _Run()
    odd: Any = {"a": object(), "b": {"deep": [1, None]}, "": 1, "c": "\ud800\0"}
    run.tracing.set(odd)
    run.tracing.event("odd", odd)
    with run.tracing.span("segment", attributes=odd) as span:
        span.set(odd)
        span.event("odd\0", odd)
    run.tracing.end(_CLAIMED_US + 1, attributes=odd)
    span_attributes = run.drained()["segment"].attributes
    assert json.loads(str(span_attributes["b"])) == {"deep": [1, None]}
    assert span_attributes["c"] == "\ufffd\ufffd"

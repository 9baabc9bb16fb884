"""The recorder: spans leave it once stored, come back where storing failed, and are bounded."""

import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import TracerProvider

from telemetry import health
from telemetry.codec import decode
from telemetry.live_span import copy_of
from telemetry.recorder import Drained, Recorder


def _recorder(**arguments: int) -> tuple[Recorder, TracerProvider]:
    recorder = Recorder(**arguments)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(recorder)
    return recorder, provider


def _end(provider: TracerProvider, *names: str) -> None:
    for name in names:
        provider.get_tracer("voxtrace").start_span(name).end()


def _names(drained: Drained | None) -> Sequence[str]:
    return [] if drained is None else [span.name for span in decode(drained.payload)]


def test_drain_takes_every_span_once() -> None:
    """What has ended leaves in order; the next drain has only what ended since."""
    recorder, provider = _recorder()
    _end(provider, "a", "b")
    drained = recorder.drain()
    assert drained is not None
    assert (drained.n_spans, _names(drained)) == (2, ["a", "b"])
    assert recorder.drain() is None
    _end(provider, "c")
    assert _names(recorder.drain()) == ["c"]


def test_spans_of_a_failed_transaction_leave_with_the_next() -> None:
    """An exception in the block takes the spans back, before those that ended since."""
    recorder, provider = _recorder()
    _end(provider, "a", "b")

    def store() -> None:
        with recorder.draining() as drained:
            assert _names(drained) == ["a", "b"]
            _end(provider, "c")
            message = "database is locked"
            raise OSError(message)

    with pytest.raises(OSError, match="locked"):
        store()
    with recorder.draining() as drained:
        assert _names(drained) == ["a", "b", "c"]
    assert recorder.drain() is None


def test_drained_twice_is_the_same_bytes() -> None:
    """Where a commit's outcome is unknown the second copy is equal to the first."""
    recorder, provider = _recorder()
    _end(provider, "a")
    first = recorder.drain()
    recorder.take_back(first)
    second = recorder.drain()
    assert first is not None
    assert second is not None
    assert first.payload == second.payload


def test_full_recorder_drops_the_oldest_and_counts_them() -> None:
    """The attempt span ends last, so it always has room."""
    recorder, provider = _recorder(max_spans=3)
    _end(provider, "a", "b", "c", "d", "process tts")
    assert recorder.dropped_count == 2
    drained = recorder.drain()
    assert _names(drained) == ["c", "d", "process tts"]
    _end(provider, "e", "f")
    recorder.take_back(drained)
    assert recorder.dropped_count == 4
    assert _names(recorder.drain()) == ["process tts", "e", "f"]


def test_span_that_cannot_be_encoded_costs_only_itself() -> None:
    """The others of its drain still leave; the loss is counted, nothing is raised."""
    recorder, provider = _recorder()
    _end(provider, "a")
    span = provider.get_tracer("voxtrace").start_span("broken")
    span.end()
    broken = recorder.remove(span.get_span_context().span_id)
    assert broken is not None
    recorder.on_end(copy_of(broken, end_time=None))
    _end(provider, "b")
    before = health.failure_count()
    assert _names(recorder.drain()) == ["a", "b"]
    assert recorder.dropped_count == 1
    assert health.failure_count() > before
    assert recorder.drain() is None


def test_removed_and_discarded_spans_do_not_leave() -> None:
    """One span can be taken out to be replaced, or all of them to be forgotten."""
    recorder, provider = _recorder()
    span = provider.get_tracer("voxtrace").start_span("a")
    span.end()
    _end(provider, "b", "c")
    removed = recorder.remove(span.get_span_context().span_id)
    assert removed is not None
    assert removed.name == "a"
    assert recorder.remove(span.get_span_context().span_id) is None
    assert recorder.discard() == 2
    assert recorder.drain() is None


def test_no_span_is_lost_between_threads_that_end_and_drain() -> None:
    """Four threads end spans while a fifth drains: each span leaves exactly once."""
    recorder, provider = _recorder()
    threads = [
        threading.Thread(target=lambda n=n: _end(provider, *(f"{n}.{i}" for i in range(300))))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    names: list[str] = []
    while any(thread.is_alive() for thread in threads):
        names += _names(recorder.drain())
    names += _names(recorder.drain())
    assert sorted(names) == sorted(f"{n}.{i}" for n in range(4) for i in range(300))

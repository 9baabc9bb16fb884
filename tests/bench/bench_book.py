"""Whole books through the whole pipeline, beside the bare engine in a loop over the same pieces.

    python -m tests.bench.bench_book

The bare loop is what cannot be avoided: the same engine host, raw PCM, no rows, no checks, no
files. The pipeline also checks, commits and flushes each segment, joins, measures, encodes to mp3,
decodes the file to check it, and tells it all in spans. Books are the *.en.txt and *.zh.txt in
VOXTRACE_BENCH_TEXTS (tests/data/texts).
"""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.records import TaskRecord
from app.domain.task import FINAL
from app.service import task_list
from app.service.submit import SubmitRequest, submit
from app.speech import splitter
from app.speech.engine import Attribute, Engine, SegmentRequest
from telemetry import names
from telemetry.spans import DecodedSpan
from tests.bench import report
from tests.support.home import Home
from tests.support.spans import spans_of
from tests.support.wait import wait_until

_TEXTS = Path(os.environ.get("VOXTRACE_BENCH_TEXTS", "tests/data/texts"))
#: Seconds that a book may take.
_LIMIT_S = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """A scope of no attempt: nothing ends it, nothing is noted."""

    deadline_s: float = float("inf")
    attempt: int = 1

    def check(self) -> None:
        """Nothing ends it."""

    def event(self, name: str, **attributes: Attribute) -> None:
        """Nobody listens."""

    def checkpoint(self, token: str | None) -> str | None:
        """Nothing is kept."""
        return token


def _bare(engine: Engine, pieces: Sequence[str]) -> tuple[float, float]:
    """Seconds to speak every piece, and seconds of audio."""
    rate = engine.capabilities().sample_rates[0]
    byte_count = 0
    start_s = time.perf_counter()
    for piece in pieces:
        request = SegmentRequest(text=piece, sample_rate=rate)
        with engine.open(request, _Scope()) as chunks:
            byte_count += sum(len(chunk.pcm) for chunk in chunks)
    return time.perf_counter() - start_s, byte_count / 2 / rate


def _piped(home: Home, content: str) -> TaskRecord:
    """The task of a text, once it has ended."""
    task_id = submit(home.core, SubmitRequest(content=content, source="api")).task.id

    def ended() -> TaskRecord | None:
        task = task_list.get(home.core, task_id)
        return task if task.status in FINAL else None

    task = wait_until(ended, _LIMIT_S, every_s=0.5)
    assert task is not None
    assert task.status == "completed", task.error_message
    return task


def _seconds(spans: Sequence[DecodedSpan], name: str) -> float:
    return sum(span.end_us - span.start_us for span in spans if span.name == name) / 1e6


def _book(home: Home, content: str) -> report.Row:
    """One book: bare, pipeline, and bare again, so that a machine that drifts shows."""
    engine = home.core.engines["espeak"]
    pieces = [content[p.start : p.end] for p in splitter.split(content) if p.is_speakable]
    before_s, audio_s = _bare(engine, pieces)
    task = _piped(home, content)
    after_s, _ = _bare(engine, pieces)
    engine.close()
    spans = spans_of(home.core, task.id)
    bare_s, whole_s = (before_s + after_s) / 2, task.run_us / 1e6
    speak_s, encode_s = _seconds(spans, names.SPAN_SEGMENT), _seconds(spans, names.SPAN_ENCODE)
    return {
        "whole/bare": round(whole_s / bare_s, 2),
        "speak/bare": round(speak_s / bare_s, 2),
        "encode/whole": round(encode_s / whole_s, 2),
        "bare_s": round(bare_s, 1),
        "bare_drift": round(max(before_s, after_s) / min(before_s, after_s), 2),
        "whole_s": round(whole_s, 1),
        "speak_s": round(speak_s, 1),
        "encode_s": round(encode_s, 1),
        "other_s": round(whole_s - speak_s - encode_s, 1),
        "segments": len(pieces),
        "audio_min": round((task.audio_duration_ms or 0) / 60_000, 1),
        "times_real_time": round(audio_s / whole_s, 0),
    }


def measure() -> report.Result:
    """Ratios first: the whole pipeline over the bare engine, its speaking over it, the encoder."""
    books = sorted([*_TEXTS.glob("*.en.txt"), *_TEXTS.glob("*.zh.txt")])
    with (
        tempfile.TemporaryDirectory() as folder,
        Home.make(
            Path(folder) / "home", VOXTRACE_ENGINES="espeak", VOXTRACE_WORKER_CONCURRENCY="1"
        ) as home,
    ):
        home.start_worker()
        return {path.name.partition(".")[0]: _book(home, path.read_text()) for path in books}


if __name__ == "__main__":
    report.main(measure)

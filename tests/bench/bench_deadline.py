"""Cost of TimeoutSpanProcessor for each span: with a deadline, without, and with many open ones.

    python -m tests.bench.bench_deadline

Each case is the same loop of starting and ending spans, in one run, rounds of all cases in turn;
the least of the rounds counts. The claim: below 4 µs a span beside the same pipeline without it.
"""

import json
import logging
import sys
import time
from collections.abc import Callable

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from typing_extensions import override

from telemetry.deadline import TimeoutSpanProcessor
from telemetry.names import DEADLINE_US

#: Short rounds and many: one of them fits between two turns of whatever else the machine does.
_SPANS = 400
_ROUNDS = 100
_OPEN = 20_000


class _Sink(SpanProcessor):
    """Takes spans as a recorder does, and keeps none, so that no garbage is measured."""

    @override
    def on_end(self, span: ReadableSpan) -> None:
        self.last = span


def _cost(
    processor: SpanProcessor | None, deadline_us: int | None, open_count: int
) -> Callable[[], float]:
    """A round: microseconds for each span."""
    provider = TracerProvider(sampler=ALWAYS_ON, shutdown_on_exit=False)
    if processor is not None:
        provider.add_span_processor(processor)
    tracer = provider.get_tracer("bench")
    attributes = {"voxtrace.attempt": 1}
    if deadline_us is not None:
        attributes[DEADLINE_US] = deadline_us
    held = [tracer.start_span("open", attributes=attributes) for _ in range(open_count)]

    def measure() -> float:
        start_ns = time.perf_counter_ns()
        for _ in range(_SPANS):
            tracer.start_span("process tts", attributes=attributes).end()
        assert len(held) == open_count
        return (time.perf_counter_ns() - start_ns) / _SPANS / 1000

    return measure


def _timeout() -> TimeoutSpanProcessor:
    return TimeoutSpanProcessor(_Sink(), None, clock_ns=time.time_ns, max_tracked=_OPEN + 10)


def measure() -> dict[str, dict[str, float]]:
    """For each case: µs for a span, the difference to the base, and their ratio."""
    far_us = time.time_ns() // 1000 + 3_600_000_000
    past_us = 1_000_000
    logging.getLogger("opentelemetry.sdk.trace").disabled = True  # the timer meets ended spans
    cases = {
        "next processor alone": _cost(_Sink(), far_us, 0),
        "span without deadline": _cost(_timeout(), None, 0),
        "span with deadline": _cost(_timeout(), far_us, 0),
        f"with deadline, {_OPEN} open": _cost(_timeout(), far_us, _OPEN),
        "span that ends late": _cost(_timeout(), past_us, 0),
    }
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(_ROUNDS):
        for name, run in cases.items():
            best[name] = min(best[name], run())
    base = best["next processor alone"]
    return {
        name: {
            "us": round(cost, 2),
            "added_us": round(cost - base, 2),
            "ratio": round(cost / base, 3),
        }
        for name, cost in best.items()
    }


def main() -> None:
    """Prints the table, and the same as JSON with `--json`."""
    result = measure()
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    print(f"{'case':32} {'µs/span':>9} {'added µs':>9} {'ratio':>7}")
    for name, row in result.items():
        print(f"{name:32} {row['us']:9.2f} {row['added_us']:9.2f} {row['ratio']:7.2f}")


if __name__ == "__main__":
    main()

"""Compares what the rows of a task say with the trace that Jaeger has. No I/O.

A trace has one verdict, the worst that is found: `missing` (no task span), `doubled` (more than one
span where there must be one), `different` (a span says something else than the rows), `incomplete`
(a span that the rows speak of is not there, or one hangs on a parent that is not there), `equal`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.service.traces.trace_rows import Expected, TraceRows, expected
from telemetry import names
from telemetry.jaeger import JaegerTrace
from telemetry.spans import DecodedSpan


class Match(StrEnum):
    """What a trace is, compared with the rows; from the worst to the best."""

    MISSING = "missing"
    DOUBLED = "doubled"
    DIFFERENT = "different"
    INCOMPLETE = "incomplete"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as the rows say.

    Attributes:
        span: Name of the span.
        what: Field that differs; "" where it is the whole span.
        expected: As the rows say.
        got: As Jaeger says; None for nothing.
    """

    task_id: int
    trace_id: str
    kind: Match
    span: str
    span_id: str
    what: str = ""
    expected: str | int | float | bool | None = None
    got: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A task's verdict.

    Attributes:
        is_parent_lost: The request that made the task has no span: its process died before it could
            write one, after the task was committed. That is told apart, and is no difference.
    """

    task_id: int
    trace_id: str
    match: Match
    differences: Sequence[Difference] = ()
    is_parent_lost: bool = False


#: Spans of which a task has as many as its rows say, and no other.
_COUNTED = frozenset(
    {
        names.SPAN_TASK,
        names.SPAN_ATTEMPT,
        names.SPAN_QUEUE_WAIT,
        names.SPAN_ATTEMPT_STARTED,
        names.SPAN_DEADLINE_EXCEEDED,
    }
)
_OURS = frozenset({names.SERVICE_ROWS, names.SERVICE_WORKER})


def compare(
    rows: TraceRows, trace: JaegerTrace | None, *, parent_is_kept: bool = False
) -> Compared:
    """A task's rows against its trace.

    Args:
        rows: The rows of a task that is over.
        trace: As Jaeger has it; None where it has none.
        parent_is_kept: Whether the outbox has the span of the request that made the task: where
            Jaeger lacks it, it is then `incomplete` and can be sent again.
    """
    if trace is None:
        return _missing(rows)
    spans = trace.spans
    by_id: dict[str, list[DecodedSpan]] = {}
    for span in spans:
        by_id.setdefault(span.span_id, []).append(span)
    wanted = expected(rows)
    found = [difference for one in wanted for difference in _check(rows, one, by_id)]
    if rows.task.span_id in by_id:
        found += _extra(rows, wanted, spans)
        found += _orphans(rows, spans, by_id)
    parent = rows.task.parent_span_id
    lacks_parent = parent is not None and parent not in by_id
    if lacks_parent and parent_is_kept:
        found.append(_difference(rows, Match.INCOMPLETE, "request", parent or ""))
    kinds = [difference.kind for difference in found]
    return Compared(
        task_id=rows.task.id,
        trace_id=rows.task.trace_id,
        match=next((match for match in Match if match in kinds), Match.EQUAL),
        differences=tuple(found),
        is_parent_lost=lacks_parent and not parent_is_kept,
    )


def _missing(rows: TraceRows) -> Compared:
    """Nothing of the trace is there."""
    task = rows.task
    return Compared(
        task_id=task.id,
        trace_id=task.trace_id,
        match=Match.MISSING,
        differences=(_difference(rows, Match.MISSING, names.SPAN_TASK, task.span_id),),
    )


def lacks_parent(rows: TraceRows, trace: JaegerTrace | None) -> bool:
    """Whether the trace is there, but not the span of the request that made the task."""
    parent = rows.task.parent_span_id
    if trace is None or parent is None:
        return False
    return all(span.span_id != parent for span in trace.spans)


def _check(
    rows: TraceRows, one: Expected, by_id: Mapping[str, Sequence[DecodedSpan]]
) -> Iterator[Difference]:
    found = by_id.get(one.span_id, ())
    if not found:
        is_task = one.span_id == rows.task.span_id
        kind = Match.MISSING if is_task else Match.INCOMPLETE
        yield _difference(rows, kind, one.name, one.span_id)
        return
    if len(found) > 1:
        yield _difference(
            rows, Match.DOUBLED, one.name, one.span_id, "count", expected=1, got=len(found)
        )
    for what, wanted, got in _facts(one, found[0]):
        if wanted != got:
            yield _difference(
                rows, Match.DIFFERENT, one.name, one.span_id, what, expected=wanted, got=got
            )


def _facts(one: Expected, span: DecodedSpan) -> Iterator[tuple[str, Any, Any]]:
    """(field, as the rows say, as Jaeger says) of everything that is known of a span."""
    yield "name", one.name, span.name
    yield "parent", one.parent_id, span.parent_span_id or ""
    attributes = one.attributes
    if one.whole is not None:
        attributes = one.whole.attributes
        yield "kind", one.whole.kind.name, span.kind.name
        yield "start", one.whole.start_ns, span.start_ns
        yield "end", one.whole.end_ns, span.end_ns
        yield "status", one.whole.status, span.status
        yield "status.message", one.whole.status_message, span.status_message
        yield "links", _links(one.whole), _links(span)
        for key in sorted(span.attributes.keys() - attributes.keys()):
            yield key, None, _shown(span.attributes[key])
    elif one.times is not None:
        yield "start", one.times[0] * 1000, span.start_ns
        yield "end", one.times[1] * 1000, span.end_ns
    if one.status is not None:
        yield "status", one.status, span.status
    for key, value in attributes.items():
        yield key, value, _shown(span.attributes.get(key))


def _links(span: DecodedSpan) -> str:
    return " ".join(sorted(f"{link.trace_id}/{link.span_id}" for link in span.links))


def _shown(value: object) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _extra(
    rows: TraceRows, wanted: Sequence[Expected], spans: Sequence[DecodedSpan]
) -> Iterator[Difference]:
    """Spans of the task that no row speaks of."""
    known = {one.span_id for one in wanted}
    for span in spans:
        is_own = span.attributes.get(names.TASK_ID) == str(rows.task.id)
        if span.name in _COUNTED and is_own and span.span_id not in known:
            kind = Match.DOUBLED if span.name == names.SPAN_TASK else Match.DIFFERENT
            yield _difference(rows, kind, span.name, span.span_id, "count", expected=0, got=1)


def _orphans(
    rows: TraceRows, spans: Sequence[DecodedSpan], by_id: Mapping[str, object]
) -> Iterator[Difference]:
    """Spans of ours whose parent is not there (a task's parent is looked at apart)."""
    for span in spans:
        parent = span.parent_span_id
        hangs = parent is not None and parent not in by_id
        if hangs and span.service in _OURS and span.name != names.SPAN_TASK:
            yield _difference(
                rows,
                Match.INCOMPLETE,
                span.name,
                span.span_id,
                "parent",
                expected=parent,
                got=None,
            )


def _difference(
    rows: TraceRows,
    kind: Match,
    span: str,
    span_id: str,
    what: str = "",
    *,
    expected: Any = None,
    got: Any = None,
) -> Difference:
    return Difference(
        task_id=rows.task.id,
        trace_id=rows.task.trace_id,
        kind=kind,
        span=span,
        span_id=span_id,
        what=what,
        expected=expected,
        got=got,
    )

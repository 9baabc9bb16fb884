"""The span of an answer: its numbers, linked to the attempts that it shows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from app.service.core import Core
from app.service.correlate.answer import Answer
from app.store.database import Connection
from telemetry import codec, names, outbox, provider
from telemetry.names import SERVICE_WEB
from telemetry.spans import SpanLink, SpanRecord
from telemetry.tracing import SpanContext, new_span_id

#: Attempts that a span is linked to at most.
_MAX_LINKS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSpan:
    """A question that is being answered.

    Attributes:
        started_us: When it began.
        parent: What it is a part of; None: of nothing.
        service: Whose span it is.
    """

    started_us: int
    parent: SpanContext | None = None
    service: str = SERVICE_WEB
    context: SpanContext = field(default_factory=SpanContext.new)

    def encoded(self, core: Core, found: Answer) -> bytes | None:
        """The span, for the outbox; None where tracing is off."""
        if not provider.is_enabled():
            return None
        release = core.settings.release
        record = SpanRecord(
            trace_id=self.context.trace_id,
            span_id=self.context.span_id,
            parent_span_id=self.parent.span_id if self.parent is not None else None,
            name=names.SPAN_CORRELATE,
            start_us=self.started_us,
            end_us=self.started_us + found.took_us,
            attributes={
                **numbers(found),
                names.CORRELATE_FINDINGS: len(found.findings),
                names.CORRELATE_CELLS: found.cells,
                names.CORRELATE_GRAIN: found.grain,
            },
            links=tuple(links(found))[:_MAX_LINKS],
            trace_state=self.context.trace_state,
        )
        return codec.encode(
            [record], provider.process_resource(self.service, release=release), release
        )

    def store(self, core: Core, conn: Connection, found: Answer) -> None:
        """Puts the span into the outbox."""
        payload = self.encoded(core, found)
        if payload is None:
            return
        outbox.add(
            conn,
            payload=payload,
            n_spans=1,
            rank=outbox.RANK_REQUEST,
            created_at_us=core.database.now_us(conn),
            trace_id=self.context.trace_id_hex,
        )


def begun(started_us: int, parent: SpanContext | None, service: str) -> AnswerSpan:
    """The span of a question that is asked now, in the trace of who asks."""
    context = parent.child(new_span_id()) if parent is not None else SpanContext.new()
    return AnswerSpan(started_us=started_us, parent=parent, service=service, context=context)


def numbers(found: Answer) -> dict[str, int]:
    """What an answer and a scan say of how much they looked at."""
    return {
        names.CORRELATE_ATTEMPTS: found.n,
        names.CORRELATE_SELECTED: found.selected,
        names.CORRELATE_BASELINE: found.baseline_n,
        names.CORRELATE_TESTS: found.tests,
    }


def links(found: Answer) -> Iterable[SpanLink]:
    """Failed attempts that are shown, each once."""
    shown = [one.failure for finding in found.told for one in finding.exemplars]
    for trace_id, span_id in dict.fromkeys((one.trace_id, one.span_id) for one in shown):
        yield SpanLink(trace_id=int(trace_id, 16), span_id=int(span_id, 16))

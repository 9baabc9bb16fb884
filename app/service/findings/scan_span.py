"""The span of a scan: its numbers, linked to the attempts that it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.service.core import Core
from app.service.correlate import answer_span
from app.service.correlate.answer import Answer
from app.store.database import Connection
from telemetry import codec, names, outbox, provider
from telemetry.spans import SpanRecord
from telemetry.tracing import SpanContext


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSpan:
    """A scan that began; its ids are on the findings that it opens, its span is stored with them.

    Attributes:
        started_us: The database's time.
        context: The first span of a trace of its own.
    """

    started_us: int
    context: SpanContext = field(default_factory=SpanContext.new)

    @property
    def ids(self) -> Mapping[str, str | None]:
        """Trace and span as columns have them; None where tracing is turned off."""
        if not provider.is_enabled():
            return {"trace_id": None, "span_id": None}
        return {"trace_id": self.context.trace_id_hex, "span_id": self.context.span_id_hex}

    def store(
        self,
        core: Core,
        conn: Connection,
        *,
        now: int,
        found: Answer,
        changed: Mapping[str, int],
    ) -> None:
        """Puts the span into the outbox.

        Args:
            core: Whose scan it was.
            conn: The transaction of what it changed.
            now: When it ended.
            found: What it saw.
            changed: How many findings it opened and closed, by names of `telemetry.names`.
        """
        if not provider.is_enabled():
            return
        release = core.settings.release
        record = SpanRecord(
            trace_id=self.context.trace_id,
            span_id=self.context.span_id,
            name=names.SPAN_WATCH,
            start_us=self.started_us,
            end_us=now,
            attributes={
                **answer_span.numbers(found),
                names.CORRELATE_FINDINGS: len(found.told),
                **changed,
            },
            links=tuple(answer_span.links(found)),
        )
        resource = provider.process_resource(names.SERVICE_DUTIES, release=release)
        outbox.add(
            conn,
            payload=codec.encode([record], resource, release),
            n_spans=1,
            rank=outbox.RANK_REQUEST,
            created_at_us=now,
            trace_id=self.context.trace_id_hex,
        )

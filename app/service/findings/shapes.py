"""A finding as everyone is given it: the API, the pages, the webhook."""

import json
from typing import Any, Final

from app import clock
from app.domain.finding import FindingRecord
from app.service.correlate.links import correlate_url

Json = dict[str, Any]

#: Members of an answer that say when and how it was seen, not what was found.
_OF_THE_SCAN: Final = ("window",)


def shape(row: FindingRecord) -> Json:
    """A finding: how it stands, the scan that opened it, and all that the last scan said of it."""
    answer: Json = json.loads(row.answer)
    return {
        "id": row.id,
        "state": row.state,
        "opened_at": clock.iso(row.opened_at),
        "updated_at": clock.iso(row.updated_at),
        "seen_at": clock.iso(row.seen_at),
        "closed_at": clock.iso(row.closed_at) if row.closed_at is not None else None,
        "closed_why": row.closed_why,
        "trace_id": row.trace_id,
        "span_id": row.span_id,
        "url": f"/api/v1/findings/{row.id}",
        "correlate_url": correlate_url(answer["window"]),
        **answer,
    }

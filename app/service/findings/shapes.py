"""A finding as everyone is given it: the API, the pages, the webhook."""

import json
from typing import Any

from app import clock
from app.domain.finding import FindingRecord
from app.service.correlate.links import correlate_url
from app.service.correlate.since import Reader
from app.service.figures import LANGUAGES, Language
from app.service.findings import telling

Json = dict[str, Any]


def shape(row: FindingRecord, now: int, language: Language = "en") -> Json:
    """A finding: how it stands, the scan that opened it, and all that the last scan said of it.

    Args:
        row: The finding.
        now: The moment at which it is read: words leave out today's date.
        language: Of `words`.
    """
    answer: Json = json.loads(row.answer)
    told = {one: telling.sentence(answer, Reader(lang=one, now_us=now)) for one in LANGUAGES}
    return {
        "id": row.id,
        "state": row.state,
        "opened_at": clock.iso(row.opened_at),
        "updated_at": clock.iso(row.updated_at),
        "seen_at": clock.iso(row.seen_at),
        "closed_at": clock.iso(row.closed_at) if row.closed_at is not None else None,
        "closed_why": row.closed_why,
        "is_muted": row.is_muted,
        "trace_id": row.trace_id,
        "span_id": row.span_id,
        "url": f"/api/v1/findings/{row.id}",
        "correlate_url": correlate_url(answer["window"]),
        **answer,
        "words": told[language],
        "words_en": told["en"],
        "words_zh": told["zh"],
    }

"""Findings that are open as lines: what it is, since when it is open, where to look closer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.domain.finding import FindingRecord
from app.service.correlate.links import correlate_url
from app.service.correlate.since import Reader
from app.service.findings import telling
from app.web import moments
from app.web.finding_cards import sentence
from app.web.visitor import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """A finding.

    Attributes:
        says: What failures have in common, in a sentence.
        since: When it was opened.
        path: What the last scan saw, at its very window.
        is_muted: Nobody is told of it.
    """

    id: int
    says: str
    since: Markup
    path: str
    is_muted: bool


def lines(rows: Sequence[FindingRecord], reader: Visitor) -> list[FindingLine]:
    """The findings, the newest first, those of muted groups last."""
    found = [_line(row, reader) for row in reversed(rows)]
    return sorted(found, key=lambda one: one.is_muted)


def _line(row: FindingRecord, reader: Visitor) -> FindingLine:
    t, answer = reader.t, json.loads(row.answer)
    place = reader.place
    says = telling.sentence(answer, Reader(lang=t.lang, now_us=place.now_us, zone=place.zone))
    return FindingLine(
        id=row.id,
        says=sentence(says, t),
        since=t("monitor.finding_since", when=moments.tag(place, row.opened_at)),
        path=correlate_url(answer["window"]),
        is_muted=row.is_muted,
    )

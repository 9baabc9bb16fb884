"""Findings of an answer as sightings, and sightings as what stands in a row."""

import json
from typing import Any

from app import clock
from app.domain.finding import FindingRecord, Sighting
from app.service.correlate import shape
from app.service.correlate.answer import Answer, Finding
from app.service.correlate.since import Reader

Json = dict[str, Any]


def of_answer(answer: Answer) -> list[Sighting]:
    """What a scan saw, the strongest first; a rise of everything is a finding, too."""
    return [_sighting(answer, one) for one in answer.told]


def of_row(row: FindingRecord) -> Sighting:
    """What a scan saw last of a finding."""
    return Sighting(
        where=row.where,
        fingerprint=row.fingerprint,
        n=row.n,
        observed=row.observed,
        expected=row.expected,
        lift=row.lift,
        q=row.q,
        onset_at=row.onset_at,
        answer=json.loads(row.answer),
    )


def first(one: Sighting, now: int) -> Json:
    """The columns of a finding that is new."""
    opened = {"state": "open", "opened_at": now, "misses": 0}
    return opened | _columns(one, one.answer, one.onset_at, now)


def again(row: FindingRecord, one: Sighting, now: int) -> Json:
    """The columns of a finding that was seen again.

    Since when it is so is not forgotten when that leaves the window; how many attempts of an
    earlier window ended since is.
    """
    answer, onset_at = dict(one.answer), one.onset_at
    if onset_at is None and (row.onset_at is not None or answer["first_at"] is None):
        before = json.loads(row.answer)
        onset_at = row.onset_at
        answer |= {name: before[name] for name in ("onset", "first_at", "boundary")}
        if answer["onset"] is not None:
            answer["onset"] |= {"n": None, "observed": None}
    return {"misses": 0} | _columns(one, answer, onset_at, now)


def _columns(one: Sighting, answer: Any, onset_at: int | None, now: int) -> Json:
    return {
        "key": one.key,
        "updated_at": now,
        "seen_at": now,
        "predicate": json.dumps(dict(one.where), ensure_ascii=False),
        "fingerprint": one.fingerprint,
        "observed": one.observed,
        "expected": one.expected,
        "n": one.n,
        "lift": one.lift,
        "q": one.q,
        "onset_at": onset_at,
        "answer": json.dumps(answer, ensure_ascii=False),
    }


def _sighting(answer: Answer, one: Finding) -> Sighting:
    found = one.found
    window = {"from": clock.iso(answer.question.start), "to": clock.iso(answer.question.end)}
    told = shape.finding(answer, one, Reader(lang="en", now_us=answer.now))
    return Sighting(
        where=found.where,
        fingerprint=found.fingerprint,
        indistinguishable=found.indistinguishable,
        n=found.n,
        observed=found.observed,
        expected=found.expected,
        lift=found.lift,
        q=found.q,
        onset_at=round(one.onset.at) if one.onset is not None else None,
        answer=told | {"window": window},
    )

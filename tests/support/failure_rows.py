"""Failure groups of planted attempts, and what is naively counted of them."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, insert

from app.domain.records import FailureGroupRecord
from app.service.failures.views import Counts
from app.store.tables import failure_group_table
from tests.support.attempt_rows import Listed, value_of

#: States of the planted groups, in the order of their fingerprints.
STATES = ("open", "resolved", "muted", "open")


def plant(conn: Connection, rows: Sequence[Listed]) -> list[FailureGroupRecord]:
    """Makes the group of each fingerprint that attempts have; the fourth is seen again."""
    groups = []
    for number, key in enumerate(sorted({one.row.fingerprint or "" for one in rows} - {""})):
        own = [one for one in rows if one.row.fingerprint == key]
        state = STATES[number % len(STATES)]
        values = {
            "fingerprint": key,
            "error_type": own[0].row.error_type,
            "error_kind": "retryable",
            "error_code": None,
            "template": f"template <n> of 第{number}",
            "frames": "app.a:f, app.b:g",
            "first_at": min(one.ended_at for one in own),
            "state": state,
            "state_at": None if state == "open" else 5,
            "state_by": None if state == "open" else "ann (web)",
            "resolved_release": "1.0" if state == "resolved" else None,
            "regressed_at": 7 if number == 3 else None,
            "regressed_release": "1.1" if number == 3 else None,
            "assignee": None,
            "note": None,
        }
        groups.append(FailureGroupRecord(**values))  # type: ignore[arg-type]
        conn.execute(insert(failure_group_table).values(values))
    return groups


def failed(
    rows: Sequence[Listed], key: str, start: int, end: int, where: Mapping[str, str]
) -> list[Listed]:
    """The failures of a group that ended in a window, with these values."""
    return [
        one
        for one in rows
        if one.row.fingerprint == key
        and start <= one.ended_at < end
        and all(value_of(name, one) == value for name, value in where.items())
    ]


def check(counts: Counts, own: Sequence[Listed]) -> None:
    """The counts are those of these attempts."""
    assert counts.count == len(own)
    assert counts.repeats == sum(one.row.is_repeat for one in own)
    assert sum(counts.bins) == len(own)
    for name, parts in counts.parts.items():
        expected = Counter(value_of(name, one) for one in own)
        assert {part.value: part.count for part in parts} == expected
        assert [part.count for part in parts] == sorted(expected.values(), reverse=True)

"""Searches of a list: rows that a text or an error names by an index, if they can be had in time.

What has no index here (patterns that are too short, negated terms), what matches too many rows, and
what takes too long, the list looks for in the rows themselves, so many at a time.
"""

import re
from collections.abc import Sequence
from typing import Final

from app import clock
from app.domain.query.query import Query, Term
from app.domain.query.value import Word
from app.store import search_index
from app.store.database import Connection
from app.store.lists import folding, search
from app.store.lists.paths import Found
from app.store.search_index import SearchIndex

#: Rows that a search may name; of more the newest are found sooner by looking at tasks in order.
MAX_ROWS: Final = 10_000
#: Seconds that a search may take.
MAX_S: Final = 0.25
#: Letters that a pattern must have in a row.
MIN_CHARS: Final = 3
#: Keys that are searched at first; a fast search takes four times as many next.
_STEP: Final = 50_000

_PLAIN: Final = re.compile(r"[a-zA-Z0-9]{3}")
_LETTERS: Final = re.compile(r"[^\W_]{3}")


def find(conn: Connection, query: Query) -> Found | None:
    """What the searches of a filter find; None where none of them can be answered so."""
    where, answered = [], []
    for name in ("text", "error"):
        terms = [term for term in query.terms if term.name == name and not term.is_negated]
        if not terms:
            continue
        index = search_index.state(conn)
        sought = [term for term in terms if _is_indexed(term, index, conn.dialect.name)]
        keys = _keys(conn, name, [_patterns(term) for term in sought]) if sought else None
        if keys is not None:
            where.append(search.named(name, keys, conn.dialect.name))
            answered += [term for term in sought if not _needs_a_look(term, conn.dialect.name)]
    return Found(where=tuple(where), terms=tuple(answered)) if where else None


def _patterns(term: Term) -> list[str]:
    return [value.text for value in term.values if isinstance(value, Word)]


def _is_indexed(term: Term, index: SearchIndex, dialect: str) -> bool:
    """Whether every alternative of a term is long enough for the index that is there."""
    if not index.is_there or len(_patterns(term)) < len(term.values):
        return False
    if dialect == "sqlite":
        patterns = _patterns(term)
        return all(len(one) >= MIN_CHARS and folding.finds_all(one) for one in patterns)
    letters = _LETTERS if index.knows_all_letters else _PLAIN
    return all(letters.search(pattern) for pattern in _patterns(term))


def _needs_a_look(term: Term, dialect: str) -> bool:
    """Whether rows that the index finds must be looked at, too: PostgreSQL has done so."""
    return dialect == "sqlite" and any(folding.finds_more(one) for one in _patterns(term))


def _keys(conn: Connection, name: str, patterns: Sequence[Sequence[str]]) -> list[int] | None:
    """All keys that match; None: too many, or not in time."""
    limit = MAX_ROWS + 1
    if conn.dialect.name == "sqlite":
        found = _in_steps(conn, name, patterns, limit)
    else:
        time_ms = max(1, round(MAX_S * 1000))
        found = search.in_time(conn, name, patterns, limit=limit, time_ms=time_ms)
    return None if found is None or len(found) > MAX_ROWS else found


def _in_steps(
    conn: Connection, name: str, patterns: Sequence[Sequence[str]], limit: int
) -> list[int] | None:
    """From the newest keys down, in steps: nothing ends a step of FTS5 before it has ended."""
    started_s = clock.monotonic_s()
    high, step = search.highest(conn, name), _STEP
    found: list[int] = []
    while high > 0 and len(found) < limit:
        if clock.monotonic_s() - started_s > MAX_S:
            return None
        before_s = clock.monotonic_s()
        low = max(0, high - step)
        found += search.within(conn, name, patterns, low=low, high=high, limit=limit - len(found))
        high = low
        if clock.monotonic_s() - before_s < MAX_S / 8:
            step *= 4
    return found

"""Idempotency keys: for a while, the same key with the same request answers as the first time.

A key counts for VOXTRACE_IDEMPOTENCY_H after its first use, by the database's clock. From then on
it is as if it had never been used, whether or not the sweep has come by.
"""

from typing import TYPE_CHECKING

from app.domain import text as text_rules
from app.domain.errors import RequestError
from app.store import submissions

if TYPE_CHECKING:
    from app.domain.records import SubmissionRecord
    from app.service.core import Core
    from app.store.database import Connection

#: Characters of a key at most.
MAX_KEY_CHARS = 255
#: Keys that one transaction frees at most.
BATCH = 500


def check_key(key: str | None) -> None:
    """Raises RequestError where a key is empty, too long, or no text."""
    if key is None:
        return
    text_rules.check_text(key, field="Idempotency-Key")
    if not 1 <= len(key) <= MAX_KEY_CHARS:
        message = f"Idempotency-Key must have 1 to {MAX_KEY_CHARS} characters, got {len(key)}"
        raise RequestError(message)


def first_use(core: "Core", conn: "Connection", key: str, now: int) -> "SubmissionRecord | None":
    """The submission that a key still answers with; None where the key is free.

    A key that has expired is freed here, so that the caller may use it in this transaction. Of two
    that find it expired at once, one frees it; the other learns at its insert that it is taken.
    """
    expired_at = _expired_at(core, now)
    found = submissions.of_key(conn, key, after=expired_at)
    if found is None and expired_at:
        submissions.free_key(conn, key, until=expired_at)
    return found


def sweep(core: "Core", *, limit: int = BATCH) -> int:
    """Frees a batch of expired keys, the oldest first; returns how many. Takes no lock for none."""
    with core.database.read() as conn:
        expired_at = _expired_at(core, core.database.now_us(conn))
        found = submissions.old_keys(conn, until=expired_at, limit=limit) if expired_at else []
    if not found:
        return 0
    return core.database.run(lambda conn: submissions.free_keys(conn, found))


def _expired_at(core: "Core", now: int) -> int:
    """The moment up to which a first use has expired; 0: none has."""
    kept_us = round(core.settings.idempotency_h * 3_600_000_000)
    return now - kept_us if kept_us else 0

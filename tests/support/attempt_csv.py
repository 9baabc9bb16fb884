"""Attempts of a database as the rows of a file, as `voxtrace correlate --rows` takes them."""

import csv
import io
from typing import Final

from sqlalchemy import Connection, select

from app.domain import lengths
from app.domain.correlation.dimensions import DIMENSIONS
from app.store.tables import attempt_table

_A: Final = attempt_table.c
_FAILED: Final = ("failed", "timeout", "retry", "lost")


def written(conn: Connection, start: int, end: int) -> str:
    """Those that ended from the one moment on and before the other, repeats and canaries aside."""
    statement = (
        select(attempt_table)
        .where(_A.finished_at >= start, _A.finished_at < end, _A.source != "canary")
        .where(_A.outcome.in_(("completed", *_FAILED)), _A.is_repeat.is_(False))
    )
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("at", "failed", "fingerprint", *DIMENSIONS))
    for row in conn.execute(statement):
        failed = row.outcome in _FAILED
        values = (row.worker_name, row.host, row.engine, row.voice, row.language, row.release)
        at = f"{row.finished_at // 1_000_000}.{row.finished_at % 1_000_000:06d}"
        told = lengths.label(row.char_count)
        group = row.fingerprint or f"v0:{row.error_type or 'unknown'}"[:40]
        writer.writerow((at, int(failed), group if failed else "", *values, told, row.source))
    return file.getvalue()

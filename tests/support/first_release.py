"""A database as the first release left it: its schema, and tasks in every state, with their spans.

tests/data/first-release.json holds the rows that release 0.1.0 at revision 0001 wrote, without an
endpoint, killed in the middle of its work: a task for each way to end, one that waits for its
second try, one that runs, one that waits. They are written with their moments moved, so that the
second try is due now; spans in the outbox are moved with them.
"""

import base64
import json
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import Connection, MetaData, text

import migrations
from app.store.database import Database

_DATA = Path(__file__).parents[1] / "data" / "first-release.json"
#: Integers between these are moments, in microseconds.
_MOMENTS_US = range(1_700_000_000_000_000, 1_900_000_000_000_000)

Row = dict[str, Any]


def write(url: str) -> int:
    """Makes the schema of the first release in an empty database, with its rows.

    Returns:
        How many tasks there are.
    """
    tables: dict[str, list[Row]] = json.loads(_DATA.read_text(encoding="utf-8"))
    database = Database(url, role="migrate", pool_size=1)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    try:
        with database.write() as conn:
            config.attributes["connection"] = conn
            command.upgrade(config, "0001")
            due_us = max(task["not_before"] for task in tables["task"])
            _insert(conn, tables, database.now_us(conn) - due_us)
            if not database.is_sqlite:
                _go_on_counting(conn, tables)
    finally:
        database.close()
    return len(tables["task"])


def _insert(conn: Connection, tables: dict[str, list[Row]], later_us: int) -> None:
    metadata = MetaData()
    metadata.reflect(conn, only=list(tables))
    for name, rows in tables.items():
        for row in rows:
            values = {key: _moved(value, later_us) for key, value in row.items()}
            conn.execute(metadata.tables[name].insert().values(_typed(metadata, name, values)))


def _typed(metadata: MetaData, name: str, values: Row) -> Row:
    """SQLite's 0 and 1 as the truth values that PostgreSQL wants."""
    columns = metadata.tables[name].c
    booleans = {column.name for column in columns if column.type.python_type is bool}
    return {key: bool(value) if key in booleans else value for key, value in values.items()}


def _moved(value: Any, later_us: int) -> Any:
    if isinstance(value, dict):
        return _moved_payload(base64.b64decode(value["base64"]), later_us)
    return value + later_us if isinstance(value, int) and value in _MOMENTS_US else value


def _moved_payload(payload: bytes, later_us: int) -> bytes:
    request = ExportTraceServiceRequest.FromString(payload)
    for part in request.resource_spans:
        for span in (span for group in part.scope_spans for span in group.spans):
            span.start_time_unix_nano += later_us * 1000
            span.end_time_unix_nano += later_us * 1000
            for event in span.events:
                event.time_unix_nano += later_us * 1000
            for holder in (span, *span.events):
                for attribute in holder.attributes:
                    if attribute.value.int_value in _MOMENTS_US:
                        attribute.value.int_value += later_us
    moved: bytes = request.SerializeToString()
    return moved


def _go_on_counting(conn: Connection, tables: dict[str, list[Row]]) -> None:
    """PostgreSQL's sequences know nothing of ids that were given."""
    for name, rows in tables.items():
        if isinstance(rows[0].get("id"), int):
            top = max(row["id"] for row in rows)
            conn.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {top})"))

"""Counters mended: what is missing is added, as triggers add it, and cells of zeros go."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, true, update
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.drift import Difference
from app.store.recount_counters import SUMS, TABLES
from app.store.tables import text_table

#: The order in which triggers take the tables, so that two writers never wait for each other.
ORDER: Final = (
    "stat_attempt",
    "stat_text",
    "stat_total",
    "stat_hist",
    "stat_period",
    "stat_cube",
    "stat_submission",
)


def add(conn: Connection, place: str, differences: Sequence[Difference]) -> None:
    """Adds what is missing to cells of one table, in the order of their keys (shard 0)."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    table = TABLES[place]
    keys = [column.name for column in table.primary_key.columns]
    rows = [_row(keys, one) for one in differences]
    statement = dialect.insert(table)
    added = {name: table.c[name] + statement.excluded[name] for name in SUMS[place]}
    conn.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=added),
        sorted(rows, key=lambda row: [row[name] for name in keys]),
    )


def drop_empty(conn: Connection, place: str, fixed: Mapping[str, Any]) -> None:
    """Removes rows that say nothing any more, of these columns (a start of the primary key)."""
    table = TABLES[place]
    mine = and_(true(), *(table.c[name] == value for name, value in fixed.items()))
    conn.execute(delete(table).where(mine, *(table.c[name] == 0 for name in SUMS[place])))


def set_state(conn: Connection, text_id: int, *, was: str, state: str) -> bool:
    """Sets a text's state, where it still is what it was (primary key)."""
    statement = (
        update(text_table)
        .where(text_table.c.id == text_id, text_table.c.state == was)
        .values(state=state)
    )
    return conn.execute(statement).rowcount == 1


def _row(keys: Sequence[str], one: Difference) -> dict[str, Any]:
    shard = {"shard": 0} if "shard" in keys else {}
    return {**(one.cell or {}), **shard, **one.delta}

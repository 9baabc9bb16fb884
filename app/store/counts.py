"""Counts that never fall: what happened, engine calls, what processes count of themselves.

On PostgreSQL they are spread over 64 shards, as triggers spread theirs; every statement names its
rows in the order of their keys. Reads sum over the shards: a cost that does not grow with tasks.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnClause,
    Connection,
    Executable,
    Table,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from app.domain.engine_calls import Bucket
from app.store.tables import process_count_table, stat_count_table, stat_engine_table

_SHARDS: Final[Mapping[str, ColumnClause[int]]] = {
    "sqlite": literal_column("0"),
    "postgresql": literal_column("(hashint4(pg_backend_pid()) & 63)::smallint"),
}


class ProcessCount(NamedTuple):
    """What a count of processes is of; `labels` is a JSON object with sorted keys."""

    program: str
    name: str
    labels: str


def add(conn: Connection, name: str, n: int = 1) -> None:
    """Counts something that happened."""
    _add(conn, stat_count_table, [{"name": name, "n": n}], ("n",))


def every(conn: Connection) -> dict[str, int]:
    """Every count by name: `deadline_flags`, `duty_failures.<duty>`."""
    t = stat_count_table.c
    statement = select(t.name, func.sum(t.n)).group_by(t.name)
    return {name: int(n) for name, n in conn.execute(statement)}


def add_engine_calls(conn: Connection, buckets: Sequence[Bucket]) -> None:
    """Adds calls of engines, each engine, outcome and bucket once."""
    rows = [
        {
            "engine": one.engine,
            "outcome": one.outcome,
            "bucket": one.bucket,
            "n": one.n,
            "sum_us": one.sum_us,
        }
        for one in sorted(buckets)
    ]
    _add(conn, stat_engine_table, rows, ("n", "sum_us"))


def engine_calls(conn: Connection) -> list[Bucket]:
    """Calls of every engine so far, by engine, outcome and bucket; empty buckets are left out."""
    t = stat_engine_table.c
    keys = (t.engine, t.outcome, t.bucket)
    statement = select(*keys, func.sum(t.n), func.sum(t.sum_us)).group_by(*keys).order_by(*keys)
    return [
        Bucket(engine=engine, outcome=outcome, bucket=bucket, n=int(n), sum_us=int(sum_us))
        for engine, outcome, bucket, n, sum_us in conn.execute(statement)
    ]


def add_of_process(conn: Connection, growth: Mapping[ProcessCount, int]) -> None:
    """Adds what grew in a process since it told so last."""
    rows = [{**key._asdict(), "n": n} for key, n in sorted(growth.items())]
    _add(conn, process_count_table, rows, ("n",))


def of_processes(conn: Connection) -> dict[ProcessCount, int]:
    """What all processes ever counted of themselves."""
    t = process_count_table.c
    keys = (t.program, t.name, t.labels)
    statement = select(*keys, func.sum(t.n)).group_by(*keys)
    return {ProcessCount(*key): int(n) for *key, n in conn.execute(statement)}


def _add(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], sums: tuple[str, ...]
) -> None:
    """Adds to the rows that are there, or inserts them; nothing where there are none."""
    if rows:
        conn.execute(_adding(conn.dialect.name, table, sums), rows)


@cache
def _adding(name: str, table: Table, sums: tuple[str, ...]) -> Executable:
    """The statement for one row; built once, since building costs more than running it."""
    dialect = postgresql if name == "postgresql" else sqlite
    columns: dict[str, Any] = {column.name: bindparam(column.name) for column in table.c}
    statement = dialect.insert(table).values({**columns, "shard": _SHARDS[name]})
    adding: Executable = statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={column: table.c[column] + statement.excluded[column] for column in sums},
    )
    return adding

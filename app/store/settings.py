"""Settings that live in the database, because they change while the service runs."""

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app.store.tables import setting_table

_K = setting_table.c
MAX_CONCURRENT = "max_concurrent"
#: Prefix of the limits of single engines: `limit.engine.<name>`.
ENGINE_LIMIT = "limit.engine."


def get(conn: Connection, key: str) -> int | None:
    """A setting's value; None where it is not set."""
    return conn.execute(select(_K.value).where(_K.key == key)).scalar_one_or_none()


def put(conn: Connection, key: str, value: int, *, now: int, by: str) -> None:
    """Sets a value."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(setting_table).values(
        key=key, value=value, updated_at=now, updated_by=by
    )
    changed = {"value": value, "updated_at": now, "updated_by": by}
    conn.execute(statement.on_conflict_do_update(index_elements=["key"], set_=changed))


def put_first(conn: Connection, key: str, value: int, *, now: int, by: str) -> None:
    """Sets a value where there is none yet."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(setting_table).values(
        key=key, value=value, updated_at=now, updated_by=by
    )
    conn.execute(statement.on_conflict_do_nothing())


def remove(conn: Connection, key: str) -> None:
    """Unsets a value."""
    conn.execute(delete(setting_table).where(_K.key == key))


def engine_limits(conn: Connection) -> dict[str, int]:
    """The limits of single engines, by engine."""
    statement = select(_K.key, _K.value).where(_K.key.startswith(ENGINE_LIMIT))
    return {key.removeprefix(ENGINE_LIMIT): value for key, value in conn.execute(statement)}

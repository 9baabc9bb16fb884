"""Whether somebody waits for a lock of the database."""

from sqlalchemy import text

from app.store.database import Database
from tests.support.wait import wait_until


def until_waiting(database: Database) -> None:
    """Until a statement of another connection waits for a lock (seen on PostgreSQL only)."""
    if database.is_sqlite:
        return

    def look() -> bool:
        statement = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with database.read() as conn:
            return bool(conn.execute(text(statement)).scalar_one())

    wait_until(look, 10, what="somebody waits for a lock")

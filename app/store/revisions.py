"""Revisions of the schema: which there are, and how a database gets from one to another."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import migrations


def config() -> Config:
    """Alembic's configuration, without a file of its own."""
    made = Config()
    made.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return made


@cache
def known() -> tuple[str, ...]:
    """Every revision, the oldest first; the last one is this release's (reads every file once)."""
    walked = ScriptDirectory.from_config(config()).walk_revisions()
    return tuple(script.revision for script in walked)[::-1]


def move(conn: Connection, *, before: str | None, to: str) -> None:
    """Brings the schema up or down to a revision, in the transaction of the caller.

    Args:
        conn: Of a transaction that may write.
        before: The revision that it has; None: it is empty.
        to: One of `known()`.
    """
    order = known()
    made = config()
    made.attributes["connection"] = conn
    if before is None or order.index(before) < order.index(to):
        command.upgrade(made, to)
    elif before != to:
        command.downgrade(made, to)

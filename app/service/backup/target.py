"""The database that a backup is to go into: what is in it, and who lives on it."""

from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import ConflictError
from app.domain.task import LEASE_US
from app.service.core import Core
from app.service.leader import LEADER
from app.store import bulk, bulk_load, duties, layout, revisions, schema, workers
from app.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the caller allows: rows to be removed, others to work on the database."""

    replace: bool = False
    while_running: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The state of a database before an import.

    Attributes:
        revision: Of its schema; None: it has none.
        filled: Tables that have rows.
        living: Who proved lately to work on it, in words.
    """

    revision: str | None
    filled: tuple[str, ...]
    living: tuple[str, ...]


def see(core: Core, conn: Connection) -> Target:
    """What is there, in the snapshot of the caller.

    Raises:
        SchemaError: Its schema is neither this release's nor none.
    """
    revision = schema.revision(conn)
    if revision is None:
        return Target(revision=None, filled=(), living=())
    if revision != revisions.known()[-1]:
        raise schema.other(revision)
    names = (shape.name for shape in layout.today())
    return Target(
        revision=revision,
        filled=tuple(name for name in names if bulk.has_rows(conn, name)),
        living=_living(core, conn),
    )


def counted(core: Core) -> tuple[Target, dict[str, int]]:
    """What is there, and how many rows each table has (a scan of each); makes no SQLite file.

    Raises:
        SchemaError: As `see`, or a trigger is missing.
    """
    path = core.database.raw_path()
    if path is not None and not Path(path).exists():
        return Target(revision=None, filled=(), living=()), {}
    with core.database.read() as conn:
        bulk_load.without_limits(conn)
        found = see(core, conn)
        counts = {name: bulk.count(conn, name) for name in found.filled}
    if found.revision is not None:
        schema.check(core.database)
    return found, counts


def _living(core: Core, conn: Connection) -> tuple[str, ...]:
    now = core.database.now_us(conn)
    alive = [one for one in workers.live(conn) if one.heartbeat_at >= now - LEASE_US]
    leader = duties.get(conn, LEADER)
    words = [f"worker {one.name} on {one.host} (pid {one.pid})" for one in alive]
    if leader is not None and leader.lease_until > now:
        words.append(f"the duties of {leader.holder}")
    return tuple(words)


def refuse(found: Target, wanted: Wanted) -> None:
    """Raises ConflictError where rows or programs are in the way, and says what to do."""
    if found.living and not wanted.while_running:
        message = (
            f"{' and '.join(found.living)} worked on this database in the last seconds: stop what "
            "runs and try again in 10 s, or say --while-running"
        )
        raise ConflictError(message)
    if found.filled and not wanted.replace:
        message = (
            f"this database is not empty: it has rows in {', '.join(found.filled)}; "
            "--replace removes them all, or choose another (VOXTRACE_DATABASE_URL)"
        )
        raise ConflictError(message)

"""The database: connections, transactions, its clock, and how its errors are told.

SQLite: writers BEGIN IMMEDIATE, readers BEGIN (both one snapshot), WAL, synchronous=FULL,
foreign keys on. PostgreSQL: writers READ COMMITTED, readers REPEATABLE READ READ ONLY. Measured
traps behind each choice: a deferred BEGIN cannot be upgraded while another writes ("database is
locked" at once); a SQLite connection that crosses a fork leaves the child with foreign locks.
"""

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, create_engine, event, literal_column, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app import clock
from app.domain.errors import ConfigError, DatabaseBusyError, StoreError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["WAIT_S", "Connection", "Database"]

T = TypeVar("T")

#: Seconds to wait for a lock, by who waits: the hub must never stand still, a web request may.
WAIT_S: Final = {
    "hub": 0.25,
    "attempt": 5.0,
    "web": 5.0,
    "duties": 2.0,
    "cli": 5.0,
    "migrate": 30.0,
}
#: Of a SQLite file, what a connection keeps of it for itself, where that is not the 2 MB that are
#: usual: a web process has a connection for each request at once, and the system keeps it for all.
#: The duties read through all rows, and need none of them twice.
_CACHE_KIB: Final = {"web": 250, "duties": 1000}
_NO_DRIVER: Final = (
    "VOXTRACE_DATABASE_URL names PostgreSQL, and its driver is not installed: "
    "`.venv/bin/pip install 'psycopg[binary]>=3.2,<4'`"
)
#: Tries of a transaction that PostgreSQL ended with a deadlock or a serialisation failure.
_RETRIES = 8
_RETRY_CODES = frozenset({"40P01", "40001"})
_READ_OPTION = "voxtrace_read"
_SQLITE_BUSY = 5


class Database:
    """A database and its connections. Make it after a fork; before one it closes what it holds.

    Args:
        url: SQLAlchemy URL; `sqlite:///path` or `postgresql+psycopg://…`.
        role: Key of `WAIT_S`: how long a statement may wait for a lock.
        pool_size: Connections kept open (threads above it open more, and close them after use).
    """

    def __init__(self, url: str, *, role: str, pool_size: int = 4) -> None:
        self._after: weakref.WeakKeyDictionary[Connection, list[Callable[[], None]]] = (
            weakref.WeakKeyDictionary()
        )
        self.url: Final[URL] = make_url(url)
        self.wait_s: Final = WAIT_S[role]
        self.is_sqlite: Final = self.url.get_backend_name() == "sqlite"
        try:
            self._engine = create_engine(
                self.url,
                connect_args=self._connect_args(),
                pool_size=pool_size,
                max_overflow=128,
                pool_use_lifo=True,  # few are used much: each keeps pages and statements
                pool_timeout=self.wait_s,
                **({} if self.is_sqlite else {"pool_pre_ping": role != "hub"}),
            )
        except ModuleNotFoundError as error:
            raise ConfigError([_NO_DRIVER]) from error
        if self.is_sqlite:
            event.listen(self._engine, "connect", partial(_prepare_sqlite, _CACHE_KIB.get(role)))
            event.listen(self._engine, "begin", _begin_sqlite)
        _OPEN.add(self)

    def _connect_args(self) -> dict[str, Any]:
        if self.is_sqlite:
            return {"timeout": self.wait_s, "check_same_thread": False}
        wait_ms = round(self.wait_s * 1000)
        return {
            "connect_timeout": max(2, round(self.wait_s)),
            "options": (
                f"-c lock_timeout={wait_ms} -c statement_timeout={wait_ms * 6}"
                " -c idle_in_transaction_session_timeout=60000"
            ),
        }

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; commits at the end, rolls back on an exception.

        Raises:
            DatabaseBusyError: The lock or the server could not be had in `wait_s`.
            StoreError: Any other fault of the database.
        """
        with _translated(), self._engine.begin() as conn:
            yield conn
        for step in self._after.pop(conn, ()):
            step()

    def after_commit(self, conn: Connection, step: Callable[[], None]) -> None:
        """Runs `step` once a `write` has committed; never where it was rolled back."""
        self._after.setdefault(conn, []).append(step)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot for reading; every statement in it sees the same state."""
        with _translated(), self._engine.connect() as conn:
            options: dict[str, Any] = (
                {_READ_OPTION: True}
                if self.is_sqlite
                else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )
            reader = conn.execution_options(**options)
            with reader.begin():
                yield reader

    def run(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in one writing transaction and returns its result.

        `work` is run again where PostgreSQL ended it by a deadlock (40P01) or a serialisation
        failure (40001), so it must change nothing but the database.
        """
        for _ in range(_RETRIES - 1):
            try:
                with self.write() as conn:
                    return work(conn)
            except DatabaseBusyError as error:
                if _code(error.__cause__) not in _RETRY_CODES:
                    raise
        with self.write() as conn:
            return work(conn)

    def now_us(self, conn: Connection) -> int:
        """The database's clock in microseconds: on SQLite it is this host's."""
        if self.is_sqlite:
            return clock.now_us()
        return conn.execute(_SELECT_PG_NOW).scalar_one()

    def raw_path(self) -> str | None:
        """The SQLite file; None on PostgreSQL."""
        return self.url.database if self.is_sqlite else None

    def pragma(self, statement: str) -> None:
        """Runs a SQLite PRAGMA outside any transaction (WAL and vacuum modes need that).

        Raises:
            DatabaseBusyError: The lock could not be had in `wait_s`.
            StoreError: The database is damaged, the disk full.
        """
        with _translated():
            try:
                with closing(self._engine.raw_connection()) as raw:
                    # as a script: `execute` takes one step only of what tells no rows
                    raw.cursor().executescript(f"PRAGMA {statement}")
            except self._engine.dialect.loaded_dbapi.Error as error:
                is_busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == _SQLITE_BUSY
                message = f"database: {type(error).__name__}: {error}"
                raise (DatabaseBusyError if is_busy else StoreError)(message) from error

    def close(self) -> None:
        """Closes the connections that nobody uses now; the next statement opens anew."""
        self._engine.dispose()


#: The server's clock, in microseconds.
PG_NOW: Final[ColumnElement[int]] = literal_column(
    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
)
_SELECT_PG_NOW: Final = select(PG_NOW)
_OPEN: "weakref.WeakSet[Database]" = weakref.WeakSet()


def _close_all_before_fork() -> None:
    """No connection crosses a fork: SQLite keeps its locks per process, psycopg shares a socket."""
    for database in list(_OPEN):
        database.close()


os.register_at_fork(before=_close_all_before_fork)


def _prepare_sqlite(cache_kib: int | None, dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # we say BEGIN ourselves
    cursor = dbapi_connection.cursor()
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "journal_size_limit=67108864"):
        cursor.execute(f"PRAGMA {pragma}")
    if cache_kib is not None:
        cursor.execute(f"PRAGMA cache_size=-{cache_kib}")
    cursor.close()


def _begin_sqlite(conn: Connection) -> None:
    is_read = conn.get_execution_options().get(_READ_OPTION, False)
    conn.exec_driver_sql("BEGIN" if is_read else "BEGIN IMMEDIATE")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseBusyError(_words(error)) from error
    except OperationalError as error:
        kind = StoreError if _is_wrong_statement(error) else DatabaseBusyError
        raise kind(_words(error)) from error
    except DBAPIError as error:
        if _code(error) in _RETRY_CODES:
            raise DatabaseBusyError(_words(error)) from error
        raise StoreError(_words(error)) from error
    except SQLAlchemyError as error:
        raise StoreError(_words(error)) from error


def _is_wrong_statement(error: OperationalError) -> bool:
    """Whether SQLite refuses the statement itself (SQLITE_ERROR): no wait can help."""
    return getattr(error.orig, "sqlite_errorcode", None) == 1


def _words(error: SQLAlchemyError) -> str:
    origin = getattr(error, "orig", None) or error
    return f"database: {type(origin).__name__}: {str(origin).splitlines()[0][:200]}"


def _code(error: BaseException | None) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)

"""A fill of a PostgreSQL database: COPY in short transactions, by two processes in turn.

A transaction must be short: the row triggers of `text` change the same counters again and again,
and PostgreSQL keeps every version of a row until the transaction has ended.
"""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import Empty
from typing import TYPE_CHECKING, Any, Final

import psycopg

from tests.bench.stats import draw, load
from tests.bench.stats.draw import Tasks
from tests.bench.stats.place import plain_url
from tests.bench.stats.rows import Rows

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

#: Processes that load, and threads that make indexes. Each process takes every second batch, so
#: that rows lie in the order of their ids.
_WRITERS: Final = 2
#: Texts of one transaction.
_TEXTS: Final = 1000
_INDEXES: Final = """SELECT indexname, indexdef FROM pg_indexes i WHERE schemaname = 'public'
AND tablename = ANY(%s)
AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conname = indexname)"""
_LAST_ID: Final = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), (SELECT max(id) FROM {0}))"


class PostgresLoader:
    """Fills a database that has the schema."""

    def __init__(self, url: str) -> None:
        self._url = plain_url(url)
        self._conn = psycopg.connect(self._url, autocommit=True)
        self._indexes: list[tuple[str, str]] = []

    def begin(self) -> None:
        """Drops the indexes."""
        self._indexes = self._conn.execute(_INDEXES, (list(load.TABLES),)).fetchall()
        for name, _ in self._indexes:
            self._conn.execute(f"DROP INDEX {name}".encode())

    def load(self, count: int, end: int, told: load.Told) -> None:
        """Copies the rows in, and plans anew whenever there are twice as many."""
        context = multiprocessing.get_context("spawn")
        sizes: Queue[int] = context.Queue()
        writers = [
            context.Process(target=_write, args=(self._url, count, end, turn, sizes), daemon=True)
            for turn in range(_WRITERS)
        ]
        for writer in writers:
            writer.start()
        done = planned = 0
        while done < count:
            done += _next(sizes, writers)
            told(done)
            if done >= 2 * planned:
                # triggers look into these tables: planned while they are few, they would read all
                self._conn.execute("ANALYZE text, task")
                planned = done
        for writer in writers:
            writer.join()

    def index(self, told: Callable[[str], None]) -> None:
        """Makes the indexes, two at once; then what autovacuum does in time."""

        def make(index: tuple[str, str]) -> None:
            name, sql = index
            told(name)
            with psycopg.connect(self._url, autocommit=True) as conn:
                conn.execute(sql.encode())

        # trigrams take the longest: they come first, and the others beside them
        ordered = sorted(self._indexes, key=lambda index: "USING gin" not in index[1])
        with ThreadPoolExecutor(_WRITERS) as makers:
            for _ in makers.map(make, ordered):
                """What failed is raised here."""
        for table in load.NUMBERED:
            self._conn.execute(_LAST_ID.format(table).encode())
        told("VACUUM ANALYZE")
        # a thousand changes of a row in one transaction leave versions that single ones do not
        self._conn.execute("VACUUM (FULL) stat_text, stat_hist")
        self._conn.execute("VACUUM ANALYZE")
        self._conn.execute("CHECKPOINT")

    def close(self) -> None:
        """Closes the connection."""
        self._conn.close()


def _next(sizes: "Queue[int]", writers: list[Any]) -> int:
    """Tasks of the next batch that is in; fails where a writer has ended before its time."""
    while True:
        try:
            return sizes.get(timeout=5)
        except Empty:
            if any(writer.exitcode for writer in writers):
                message = "a process that loads has failed; its words stand above"
                raise RuntimeError(message) from None


def _write(url: str, count: int, end: int, turn: int, sizes: "Queue[int]") -> None:
    with psycopg.connect(url) as conn:
        for number, tasks in enumerate(draw.batches(count, end)):
            if number % _WRITERS == turn:
                _write_batch(conn, tasks, end)
                sizes.put(len(tasks.status))


def _write_batch(conn: psycopg.Connection, tasks: Tasks, end: int) -> None:
    texts, rows, attempts, submissions = load.of_batch(tasks, end)
    for some in _parts(texts.tuples(), _TEXTS):
        _copy(conn, texts, some)
    _copy(conn, rows, rows.tuples())
    _copy(conn, attempts, attempts.tuples())
    last = tasks.first + len(tasks.status) - 1
    conn.execute(load.ANSWER.format(tasks.first, last).encode())
    _copy(conn, submissions, submissions.tuples())


def _parts(rows: Iterable[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    left = iter(rows)
    while some := list(islice(left, size)):
        yield some


def _copy(conn: psycopg.Connection, rows: Rows, some: Iterable[tuple[Any, ...]]) -> None:
    statement = f"COPY {rows.table} ({', '.join(rows.columns)}) FROM STDIN"
    with conn.cursor().copy(statement.encode()) as copy:
        for row in some:
            copy.write_row(row)
    conn.commit()

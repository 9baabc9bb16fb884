"""A fill of a SQLite file: big transactions without a journal, by one writer."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench.stats import draw, load
from tests.bench.stats.rows import Rows

#: Tasks of one transaction.
_COMMIT: Final = 50_000
#: A fill that is broken off is made anew, so nothing need survive.
_PRAGMAS: Final = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000",
                   "locking_mode=EXCLUSIVE", "threads=2")  # fmt: skip
_TABLES: Final = ", ".join(f"'{name}'" for name in load.TABLES)
#: Indexes; triggers that keep the trigrams of FTS5, which are an index too.
_RESTING: Final = f"""SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL
AND (type = 'index' AND tbl_name IN ({_TABLES})
OR type = 'trigger' AND tbl_name IN ('text_search', 'error_search'))"""  # noqa: S608 - names of ours
_TRIGRAMS: Final = (
    "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE % USING fts5%'"
)


class SqliteLoader:
    """Fills a file that has the schema."""

    def __init__(self, path: Path) -> None:
        self._conn = sqlite3.connect(path, isolation_level=None)
        self._resting: list[tuple[str, str]] = []

    def begin(self) -> None:
        """Drops the indexes."""
        for pragma in _PRAGMAS:
            self._conn.execute(f"PRAGMA {pragma}")
        found = self._conn.execute(_RESTING).fetchall()
        self._resting = [(name, sql) for _, name, sql in found]
        for kind, name, _ in found:
            self._conn.execute(f"DROP {kind} {name}")

    def load(self, count: int, end: int, told: load.Told) -> None:
        """Inserts the rows."""
        done = committed = 0
        self._conn.execute("BEGIN")
        for tasks in draw.batches(count, end):
            texts, rows, attempts, submissions = load.of_batch(tasks, end)
            for some in (texts, rows, attempts):
                self._insert(some)
            last = tasks.first + len(tasks.status) - 1
            self._conn.execute(load.ANSWER.format("?", "?"), (tasks.first, last))
            self._insert(submissions)
            done += len(tasks.status)
            if done - committed >= _COMMIT:
                self._conn.execute("COMMIT")
                self._conn.execute("BEGIN")
                committed = done
            told(done)
        self._conn.execute("COMMIT")

    def _insert(self, rows: Rows) -> None:
        names, marks = ", ".join(rows.columns), ", ".join("?" * len(rows.columns))
        statement = f"INSERT INTO {rows.table} ({names}) VALUES ({marks})"  # noqa: S608 - names of ours
        self._conn.executemany(statement, rows.tuples())

    def index(self, told: Callable[[str], None]) -> None:
        """Makes the indexes; no ANALYZE, since the product runs none on SQLite."""
        for (name,) in self._conn.execute(_TRIGRAMS).fetchall():
            told(name)
            self._conn.execute(f"INSERT INTO {name} ({name}) VALUES ('rebuild')")  # noqa: S608 - a name of ours
        for name, sql in self._resting:
            told(name)
            self._conn.execute(sql)
        self._conn.execute("PRAGMA journal_mode=WAL")

    def close(self) -> None:
        """Closes the file."""
        self._conn.close()

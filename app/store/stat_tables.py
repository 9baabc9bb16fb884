"""Tables of the statistics: counters, histogram, rollups, their checks, the ledger of retention.

`start` is the moment at which an hour or a day (UTC) begins. `archived` is 1 for tasks and requests
that were removed: their numbers stay. What archived 0 says, a recount of the rows says.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from app.domain.sums import NAMES
from app.store.metadata import id_column, metadata


def _sums(names: tuple[str, ...] = NAMES) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _small_key(name: str) -> Column[int]:
    return Column(name, SmallInteger, primary_key=True, autoincrement=False)


def _moment_key(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _period() -> tuple[Column[str], Column[int]]:
    return Column("grain", String(4), primary_key=True), _moment_key("start")


# the lowest value of each bucket of the histogram
stat_bound_table = Table("stat_bound", metadata, _moment_key("low_ms"), sqlite_with_rowid=False)

stat_total_table = Table(
    "stat_total",
    metadata,
    _small_key("archived"),
    Column("status", String(10), primary_key=True),
    _small_key("shard"),
    *_sums(),
    sqlite_with_rowid=False,
)

# completed tasks by what they took: run, wait or total
stat_hist_table = Table(
    "stat_hist",
    metadata,
    _small_key("archived"),
    Column("measure", String(5), primary_key=True),
    _moment_key("low_ms"),
    _small_key("shard"),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# accepted requests by the hour and the day in which they came, and of all time (grain `all`)
stat_submission_table = Table(
    "stat_submission",
    metadata,
    *_period(),
    _small_key("archived"),
    Column("disposition", String(10), primary_key=True),
    Column("engine", String(40), primary_key=True),
    _small_key("shard"),
    *_sums(("n", "char_count", "audio_ms")),
    sqlite_with_rowid=False,
)

# ended tasks by the hour and the day in which they ended
stat_period_table = Table(
    "stat_period",
    metadata,
    *_period(),
    _small_key("archived"),
    Column("status", String(10), primary_key=True),
    _small_key("shard"),
    *_sums(),
    sqlite_with_rowid=False,
)

# the same, and of all time (grain `all`, start 0), told apart by what a report may ask for
stat_cube_table = Table(
    "stat_cube",
    metadata,
    *_period(),
    _small_key("archived"),
    Column("status", String(10), primary_key=True),
    Column("engine", String(40), primary_key=True),
    Column("voice", String(80), primary_key=True),
    Column("language", String(20), primary_key=True),
    Column("worker", String(120), primary_key=True),
    Column("host", String(255), primary_key=True),
    Column("release", String(80), primary_key=True),
    *_sums(),
    sqlite_with_rowid=False,
)

# what attempts are told apart by in the search for causes: one row for each combination seen
stat_profile_table = Table(
    "stat_profile",
    metadata,
    id_column(),
    Column("worker", String(120), nullable=False),
    Column("host", String(255), nullable=False),
    Column("engine", String(40), nullable=False),
    Column("voice", String(80), nullable=False),
    Column("language", String(20), nullable=False),
    Column("release", String(80), nullable=False),
    # number of the bucket of its text's length (`app/domain/lengths.py`)
    Column("length", SmallInteger, nullable=False),
    Column("source", String(10), nullable=False),
    # its fingerprint; '' for an attempt that completed
    Column("failure", String(40), nullable=False),
    # 1: the same text failed so before, which is no evidence of its own
    Column("is_repeat", SmallInteger, nullable=False),
    UniqueConstraint(
        "worker",
        "voice",
        "release",
        "length",
        "failure",
        "language",
        "engine",
        "source",
        "host",
        "is_repeat",
        name="uq_stat_profile_values",
    ),
    Index(
        "ix_stat_profile_failure",
        "failure",
        sqlite_where=text("failure <> ''"),
        postgresql_where=text("failure <> ''"),
    ),
    sqlite_autoincrement=True,
)

# attempts that completed or failed, by the hour and the day in which they ended, and their profile
stat_attempt_table = Table(
    "stat_attempt",
    metadata,
    *_period(),
    _moment_key("profile_id"),
    _small_key("archived"),
    Column("n", BigInteger, nullable=False),
    Index("ix_stat_attempt_profile", "profile_id", "grain", "start"),
    sqlite_with_rowid=False,
)

# histograms of a closed hour or day, of all tasks and by each dimension; made from rows by a duty
stat_latency_table = Table(
    "stat_latency",
    metadata,
    *_period(),
    Column("dimension", String(10), primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("buckets", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# hours that were recomputed from rows: when, how many tasks ended in them, what differed
stat_check_table = Table(
    "stat_check",
    metadata,
    _moment_key("start"),
    Column("checked_at", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("drift_count", Integer, nullable=False),
)

# where counters and rows differ now; `start` NULL: not of one hour
stat_drift_table = Table(
    "stat_drift",
    metadata,
    id_column(),
    Column("found_at", BigInteger, nullable=False),
    Column("start", BigInteger),
    Column("place", String(40), nullable=False),
    Column("name", String(600), nullable=False),
    Column("expected", BigInteger, nullable=False),
    Column("got", BigInteger, nullable=False),
    Index("ix_stat_drift_start", "start"),
    sqlite_autoincrement=True,
)

# the ledger of retention: each batch of removed tasks of one status, and the hash of their ids
archive_table = Table(
    "archive",
    metadata,
    id_column(),
    Column("at", BigInteger, nullable=False),
    Column("by", String(160), nullable=False),
    Column("status", String(10), nullable=False),
    Column("from_id", BigInteger, nullable=False),
    Column("to_id", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    *_sums(),
    sqlite_autoincrement=True,
)

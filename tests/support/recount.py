"""What the statistics must say, counted anew from the rows in plain Python, and what they say."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from app.domain.sums import NAMES, Sums

#: Microseconds of a grain.
GRAINS = {"hour": 3_600_000_000, "day": 86_400_000_000}
DIMENSIONS = ("engine", "voice", "language", "worker_name", "host", "release")

_CUBE_DIMENSIONS = ("engine", "voice", "language", "worker", "host", "release")

#: Table -> key without the shard -> sums.
Counted = dict[str, dict[tuple[Any, ...], Sums]]

#: Tables of counters: their keys without the shard, and the sums that they have.
_PERIOD = ("grain", "start", "archived")
_TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "stat_total": (("archived", "status"), NAMES),
    "stat_period": ((*_PERIOD, "status"), NAMES),
    "stat_cube": ((*_PERIOD, "status", *_CUBE_DIMENSIONS), NAMES),
    "stat_hist": (("archived", "measure", "low_ms"), ("n",)),
    "stat_submission": ((*_PERIOD, "disposition", "engine"), ("n", "char_count", "audio_ms")),
}


def sums(row: Mapping[str, Any]) -> Sums:
    """What one task adds."""
    if row["finished_at"] is None:
        return Sums(n=1, char_count=row["char_count"])
    run_ms = row["run_us"] // 1000
    total_ms = max(run_ms, (row["finished_at"] - row["submitted_at"]) // 1000)
    return Sums(
        n=1,
        run_ms=run_ms,
        wait_ms=total_ms - run_ms,
        total_ms=total_ms,
        char_count=row["char_count"],
        audio_ms=row["audio_duration_ms"] or 0,
        retry_count=max(0, row["attempt"] - 1 - row["capacity_count"]),
        lost_count=row["lost_count"],
        capacity_count=row["capacity_count"],
        capacity_ms=row["capacity_us"] // 1000,
        late_count=int(row["timed_out_at"] is not None),
    )


def from_rows(conn: Connection) -> Counted:
    """The statistics of the rows that are there."""
    counted: Counted = {name: {} for name in _TABLES}
    for row in conn.execute(text("SELECT * FROM task WHERE source <> 'canary'")).mappings():
        one = sums(dict(row))
        _add(counted["stat_total"], (0, row["status"]), one)
        if row["finished_at"] is None:
            continue
        dimensions = tuple(row[name] or "" for name in DIMENSIONS)
        for grain, us in GRAINS.items():
            key = (grain, row["finished_at"] // us * us, 0, row["status"])
            _add(counted["stat_period"], key, one)
            _add(counted["stat_cube"], (*key, *dimensions), one)
        _add(counted["stat_cube"], ("all", 0, 0, row["status"], *dimensions), one)
        if row["status"] == "completed":
            for measure in ("run", "wait", "total"):
                low_ms = bucket(conn, getattr(one, f"{measure}_ms"))
                _add(counted["stat_hist"], (0, measure, low_ms), Sums(n=1))
    for row in conn.execute(text("SELECT * FROM submission WHERE source <> 'canary'")).mappings():
        one = Sums(n=1, char_count=row["char_count"], audio_ms=row["audio_ms"])
        kind = (0, row["disposition"], row["engine"])
        for grain, us in GRAINS.items():
            _add(counted["stat_submission"], (grain, row["created_at"] // us * us, *kind), one)
        _add(counted["stat_submission"], ("all", 0, *kind), one)
    return counted


def bucket(conn: Connection, ms: int) -> int:
    """The lowest value of the bucket of a duration."""
    bounds = _BOUNDS or conn.execute(text("SELECT low_ms FROM stat_bound")).scalars().all()
    _BOUNDS[:] = bounds
    return max(low for low in _BOUNDS if low <= ms)


_BOUNDS: list[int] = []


def kept(conn: Connection) -> Counted:
    """What the counters say, shards added up; what is zero throughout is left out."""
    counted: Counted = {}
    for table, (keys, names) in _TABLES.items():
        counted[table] = {}
        for row in conn.execute(text(f"SELECT * FROM {table}")).mappings():  # noqa: S608
            one = Sums(**{name: row[name] for name in names})
            _add(counted[table], tuple(row[name] for name in keys), one)
        counted[table] = {key: one for key, one in counted[table].items() if one != Sums()}
    return counted


def all_time(counted: Counted) -> Counted:
    """The same with the archive added to what is kept."""
    added: Counted = {}
    for table, found in counted.items():
        added[table] = {}
        at = _TABLES[table][0].index("archived")
        for key, one in found.items():
            _add(added[table], (*key[:at], *key[at + 1 :]), one)
    return added


def live(counted: Counted) -> Counted:
    """Only what is not archived."""
    place = {table: keys.index("archived") for table, (keys, _) in _TABLES.items()}
    return {
        table: {key: one for key, one in found.items() if key[place[table]] == 0}
        for table, found in counted.items()
    }


def archived(counted: Counted) -> dict[str, dict[str, Sums]]:
    """Archived tasks by status, in each way in which they are kept: table, grain, measure."""
    found: dict[str, dict[str, Sums]] = {}
    for table, told in _ARCHIVED.items():
        for key, one in counted[table].items():
            name, is_archived, status = told(key)
            if is_archived:
                by = found.setdefault(f"{table} {name}".strip(), {})
                by[status] = by.get(status, Sums()) + one
    return found


#: Table -> (name of the way in which it is kept, archived, status) of a key.
_ARCHIVED: dict[str, Callable[[tuple[Any, ...]], tuple[str, int, str]]] = {
    "stat_total": lambda key: ("", key[0], key[1]),
    "stat_period": lambda key: (key[0], key[2], key[3]),
    "stat_cube": lambda key: (key[0], key[2], key[3]),
    "stat_hist": lambda key: (key[1], key[0], "completed"),
}


def ledger(conn: Connection) -> dict[str, Sums]:
    """What the ledger says was removed, by status."""
    found: dict[str, Sums] = {}
    for row in conn.execute(text("SELECT * FROM archive")).mappings():
        one = Sums(**{name: row[name] for name in NAMES})
        found[row["status"]] = found.get(row["status"], Sums()) + one
    return found


def by_status(conn: Connection) -> Counter[str]:
    """Tasks that are there by status."""
    rows = conn.execute(
        text("SELECT status, count(*) FROM task WHERE source <> 'canary' GROUP BY status")
    )
    return Counter({status: int(n) for status, n in rows})


def _add(found: dict[tuple[Any, ...], Sums], key: tuple[Any, ...], one: Sums) -> None:
    found[key] = found.get(key, Sums()) + one

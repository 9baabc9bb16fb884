"""Statistics and lists at full size: fills a database for each kind, measures, keeps it.

    make bench-stats N=10000000                       # and: DATABASES="sqlite postgres"
    python -m tests.bench.stats --count 10000 [--database sqlite]… [--only reads]…

Prints tables and writes `var/bench/stats-<kind>-<count>.json`. Times are those of a machine that
does other things too: read them beside what the same run took from rows, and the ratios. Ends with
1 where an answer is not what the rows say.
"""

import argparse
import contextlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.service.recounts import reconcile
from tests.bench import report
from tests.bench.report import Result
from tests.bench.stats import cluster, correlating, fill, measure, over_http, place, tend, writes
from tests.bench.stats.measure import WrongError
from tests.bench.stats.place import KINDS, Filled, Kind, Place, say
from tests.bench.stats.timing import Effort
from tests.bench.stats.write_ratios import CUBE

if TYPE_CHECKING:
    from tests.bench.stats.writer import Way

_OUT: Final = Path("var/bench")
_PARTS: Final = ("hours", "reads", "plans", "http", "correlate", "writes", "attempt-writes",
                 "reconcile")  # fmt: skip
#: Those that only read, as long as they are told to.
_MEASURES: Final[dict[str, Callable[[Place, Filled, Effort], Result]]] = {
    "reads": measure.measure,
    "http": over_http.measure,
    "correlate": correlating.measure,
}
#: A quick look counts not every hour anew a second time.
_QUICK_PARTS: Final = ("hours", "reads", "http", "correlate", "writes")
#: Tasks from which numbers are made to be kept, unless something else is asked for.
_KEPT: Final = 100_000


def main() -> int:
    """Measures each kind of database that is there."""
    options = _options()
    failed = False
    for kind in options.database or KINDS:
        missing = cluster.missing() if kind == "postgres" else None
        if missing:
            print(f"\nSKIPPED: {missing}", flush=True)
            continue
        try:
            _run(kind, options)
        except (WrongError, fill.DiskFullError) as error:
            failed = True
            print(f"\nFAILED on {kind}:\n{error}", file=sys.stderr)
    return int(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stats", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="tasks (10000)")
    parser.add_argument("--database", action="append", choices=KINDS)
    parser.add_argument("--only", action="append", choices=_PARTS, help="part; may be repeated")
    parser.add_argument("--full", action="store_true", help="as long as for 100000 tasks or more")
    options = parser.parse_args()
    if options.count < 1000:
        parser.error(f"--count must be at least 1000, got {options.count}")
    return options


def _run(kind: Kind, options: argparse.Namespace) -> None:
    count, begun_s = options.count, time.monotonic()
    is_quick = count < _KEPT and not options.full
    parts = options.only or (_QUICK_PARTS if is_quick else _PARTS)
    _fill(kind, count)
    with _place(kind, count) as where:
        filled = place.known(where)
        assert filled is not None
        print(f"\n== {kind}, {count} tasks, {filled.size_bytes / 1e9:.2f} GB", flush=True)
        results: dict[str, Result] = {"fill": {"fill": _told(filled)}}
        _show(results["fill"])
        for part in _PARTS:
            if part in parts:
                results[part] = _part(part, where, filled, is_quick=is_quick)
                _show(results[part])
        _write(kind, count, results)
    print(f"({time.monotonic() - begun_s:.0f} s)", flush=True)


def _fill(kind: Kind, count: int) -> None:
    """What is kept needs no server that forgets at a power cut."""
    if kind == "sqlite":
        fill.ensure(place.on_sqlite(count))
        return
    with cluster.running(is_safe=False) as server:
        fill.ensure(place.on_postgres(server, count), server.execute)


@contextlib.contextmanager
def _place(kind: Kind, count: int) -> Iterator[Place]:
    if kind == "sqlite":
        yield place.on_sqlite(count)
        return
    with cluster.running(is_safe=True) as server:
        yield place.on_postgres(server, count)


def _told(filled: Filled) -> report.Row:
    return {
        "tasks": filled.count,
        "rows s": filled.rows_s,
        "indexes s": filled.indexes_s,
        "cpu s": filled.cpu_s,
        "GB": round(filled.size_bytes / 1e9, 2),
    }


def _part(part: str, where: Place, filled: Filled, *, is_quick: bool) -> Result:
    pids = cluster.server_pids(where)
    effort = Effort(calls=60 if is_quick else 500, seconds=0.25 if is_quick else 5, pids=pids)
    if part in _MEASURES:
        return _MEASURES[part](where, filled, effort)
    match part:
        case "hours":
            return tend.tend(where)
        case "plans":
            return measure.planned(where, filled)
        case "writes":
            return writes.measure(where, is_quick=is_quick, server=pids)
        case "attempt-writes":
            ways: tuple[Way, ...] = ("attempts", "services")
            return writes.measure(where, CUBE, ways, is_quick=is_quick, server=pids)
        case _:
            return _reconciled(where)


def _reconciled(where: Place) -> Result:
    """Everything counted anew, after all the others have read and written."""
    core = where.core("cli")
    try:
        found = reconcile.reconcile(core)
    finally:
        core.database.close()
    if not found.is_equal:
        words = [f"{one.place}: {one.name}" for one in found.left[:5]]
        message = f"reconcile: {found.drift_count} numbers differ, such as {words}"
        raise WrongError(message)
    row: dict[str, float | str] = {
        "tasks": found.tasks, "attempts": found.attempts, "hours": found.hours,
        "s": round(found.took_s, 1), "equal": "yes",
    }  # fmt: skip
    return {"reconcile, everything": row}


def _show(result: Result) -> None:
    print(f"\n{report.table(result)}", flush=True)


def _write(kind: Kind, count: int, results: dict[str, Any]) -> None:
    _OUT.mkdir(parents=True, exist_ok=True)
    path = _OUT / f"stats-{kind}-{count}.json"
    with contextlib.suppress(OSError, ValueError, KeyError):
        earlier = json.loads(path.read_text())["result"]
        # parts of the same database that were not measured now
        results = earlier | results if earlier["fill"] == results["fill"] else results
    about = {
        "benchmark": "stats",
        "database": kind,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
    path.write_text(json.dumps({**about, "result": results}, indent=2) + "\n")
    say(f"written: {path}")


if __name__ == "__main__":
    sys.exit(main())

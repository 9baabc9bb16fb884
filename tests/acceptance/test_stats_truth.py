"""Every statistic is true at every moment, while all is killed and retention removes tasks.

`make chaos-stats` runs it at full size (10 000 answers on each database); here it is a small one.
"""

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection, insert, text

from app.domain.sums import Sums
from app.domain.task import FINAL
from app.service import limits
from app.store.tables import stat_check_table
from tests.conftest import KINDS, database_url
from tests.support import cube_rows, recount, stats_told
from tests.support.chaos import Chaos, Part, worker_part
from tests.support.home import Home, children_of
from tests.support.monotone import contradictions
from tests.support.stats_askers import Askers, LostError
from tests.support.stats_listener import Listener
from tests.support.stats_load import Load
from tests.support.system import only
from tests.support.wait import wait_until

ANSWERS: Final = int(os.environ.get("VOXTRACE_TEST_CHAOS_STATS", "120"))
SEED: Final = int(os.environ.get("VOXTRACE_TEST_CHAOS_SEED", "1"))
IS_FULL: Final = ANSWERS >= 5000
#: Seconds and answers between two kills, and seconds for anything to come about.
EVERY_S: Final = 0.3
ANSWERS_PER_KILL: Final = 20 if IS_FULL else 5
#: Kills at least: a fast machine answers sooner than it is hurt.
KILLS: Final = ANSWERS // (2 * ANSWERS_PER_KILL)
PATIENCE_S: Final = 7200 if IS_FULL else 120
_CLIENTS: Final = 3
_WEB_PROCESSES: Final = 4
_HOUR_US: Final = 3_600_000_000
_SECOND_D: Final = 1 / 86_400
_SETTINGS: Final = {
    "VOXTRACE_WEB_PROCESSES": str(_WEB_PROCESSES),
    "VOXTRACE_WORKER_CONCURRENCY": "2",
    "VOXTRACE_MAX_CONCURRENT": "8",
    "VOXTRACE_BACKOFF_S": "0.05",
    "VOXTRACE_KEEP_COMPLETED_D": f"{4 * _SECOND_D:.9f}",
    "VOXTRACE_KEEP_CANCELLED_D": f"{2 * _SECOND_D:.9f}",
    "VOXTRACE_KEEP_TIMEOUT_D": f"{2 * _SECOND_D:.9f}",
    "VOXTRACE_KEEP_DELETED_D": f"{2 * _SECOND_D:.9f}",
}
_PARTS: Final = {
    # its end leaves nobody to ask for seconds: mostly one of its processes is killed
    "web": Part(words="web", lives_s=15.0),
    **{f"worker {n}": worker_part(f"w{n}") for n in range(1, 5)},
    "duties": Part(words="duties", module="tests.support.hasty_retention", has_children=False),
    "prune": Part(words="prune --yes", has_children=False, lives_s=0.2, rests_s=1.5),
}
#: What is told at rest by every web process: all time, in each way in which it is kept.
_AT_REST: Final = (
    "/api/v1/stats",
    "/api/v1/stats?by=worker",
    "/api/v1/stats?from=48h",
    "/api/v1/stats/series?step=hour",
    "/api/v1/stats/series?step=day&by=engine",
    "/api/v1/monitor",
    "/api/monitor/stats",
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4 * 3600 if IS_FULL else 300)]


@pytest.mark.parametrize("kind", KINDS)
def test_statistics_are_true_while_everything_is_killed(tmp_path: Path, kind: str) -> None:
    """No answer contradicts itself, or one before it from any web process; in the end all agree.

    4 web processes and 4 workers with requests of all kinds; web, workers, their children, duties
    and `voxtrace prune` are SIGKILLed at random, and tasks are removed seconds after their end.
    """
    home = Home.make(tmp_path / "home", database_url(kind, tmp_path), **_SETTINGS)
    askers = Askers(home, lambda: chaos.pid_of("web"), clients=_CLIENTS)
    load = Load(home, seed=SEED, clients=_CLIENTS)
    listener = Listener(home)
    chaos = Chaos(
        home,
        seed=SEED,
        every_s=EVERY_S,
        parts=_PARTS,
        when=lambda: askers.count >= ANSWERS_PER_KILL * chaos.kills.total(),
    )
    with home, chaos:
        _let_the_hours_go(home)
        limits.set_max_concurrent(home.core, 8)
        _until(lambda: _is_up(askers), "the web answers")
        begun_s = time.monotonic()
        with askers, listener:
            with load:
                chaos.begin()
                _until(
                    lambda: askers.count >= ANSWERS and chaos.kills.total() >= KILLS,
                    f"{ANSWERS} answers among {KILLS} kills",
                )
            chaos.calm()
            _until(lambda: _living(home) == 0, "all tasks are over")
        took_s = time.monotonic() - begun_s
        chaos.retire("duties", "prune")
        for number in range(8):
            load.submit({"content": f"It stays, {number}.", "engine": "tone"})
        _until(lambda: _living(home) == 0, "the last tasks are over")
        _print(f"{ANSWERS} answers on {kind}, {took_s:.0f} s", home, chaos, askers, load)
        assert askers.faults + listener.faults == []
        assert contradictions(askers.answers + listener.answers) == []
        _check_counters(home)
        _check_what_is_told(home, chaos, askers, load)
        _check_reconcile(home)
        _check_ends(home)


def _until(predicate: Any, what: str) -> None:
    wait_until(predicate, PATIENCE_S, what=what, every_s=0.2)


def _let_the_hours_go(home: Home) -> None:
    """Retention takes tasks of hours that were counted anew: here, of those that go on."""
    with home.core.database.write() as conn:
        now = home.core.database.now_us(conn)
        first = now - now % _HOUR_US
        values = [
            {"start": first + n * _HOUR_US, "checked_at": now, "n": 0, "drift_count": 0}
            for n in range(6)
        ]
        conn.execute(insert(stat_check_table), values)


def _is_up(askers: Askers) -> bool:
    try:
        return askers.ask("/healthz").status == 200
    except LostError:
        return False


def _living(home: Home) -> int:
    with home.core.database.read() as conn:
        found = conn.execute(text("SELECT count(*) FROM task WHERE finished_at IS NULL"))
        return int(found.scalar_one())


def _all_time(home: Home) -> dict[str, Sums]:
    """Every task that ever was, by status: the rows that are there, and the ledger."""
    with home.core.database.read() as conn:
        rows = {key[1]: one for key, one in recount.from_rows(conn)["stat_total"].items()}
        removed = recount.ledger(conn)
    return {
        status: rows.get(status, Sums()) + removed.get(status, Sums())
        for status in {*rows, *removed}
    }


def _check_counters(home: Home) -> None:
    """Each cell is what the rows say; what is archived is what was written down, wherever."""
    with home.core.database.read() as conn:
        kept, removed = recount.kept(conn), recount.ledger(conn)
        assert recount.live(kept) == recount.from_rows(conn)
        _check_attempts(conn)
    archived = recount.archived(kept)
    for name in ("stat_total", "stat_period hour", "stat_period day", "stat_cube all"):
        assert archived.pop(name) == removed
    for name in ("stat_cube hour", "stat_cube day"):
        assert archived.pop(name) == removed
    completed = {"completed": Sums(n=removed["completed"].n)}
    assert archived == {f"stat_hist {name}": completed for name in ("run", "wait", "total")}


def _check_attempts(conn: Connection) -> None:
    """Each cell of attempts is what the rows group to; what went counts by hour as by day."""
    kept = cube_rows.kept(conn)
    assert {key: n for key, n in kept.items() if not key[2]} == cube_rows.from_rows(conn)
    removed: dict[str, Counter[tuple[Any, ...]]] = {"hour": Counter(), "day": Counter()}
    for (grain, _, is_archived, *profile), n in kept.items():
        assert n > 0
        if is_archived:
            removed[grain][tuple(profile)] += n
    assert removed["hour"] == removed["day"] != {}


def _check_what_is_told(home: Home, chaos: Chaos, askers: Askers, load: Load) -> None:
    """All web processes tell the same, and what the rows and the ledger say."""
    told = _of_every_process(chaos, askers)
    expected = _all_time(home)
    stats = told["/api/v1/stats"]
    for status in FINAL:
        sums = expected.get(status, Sums())
        words = ("n", "run_ms", "wait_ms", "total_ms", "char_count")
        got = tuple(stats[name][status] for name in stats_told.SUMS)
        assert got == tuple(getattr(sums, word) for word in words), status
    total = sum(expected.values(), Sums())
    assert stats["total"] == total.n
    assert (stats["retries"], stats["lost_attempts"]) == (total.retry_count, total.lost_count)
    assert stats["capacity_waits"] == {"count": total.capacity_count, "ms": total.capacity_ms}
    assert stats["audio_ms"] == expected["completed"].audio_ms
    whole = stats_told.ended(stats)
    for address in _AT_REST[1:-2]:
        same = stats_told.READERS[address.partition("?")[0]][0](told[address])
        assert {name: same[name] for name in whole} == whole, address
    monitor = told["/api/v1/monitor"]["stats"]
    assert sum(monitor["tasks_by_status"].values()) == total.n
    texts = Counter(told["/api/monitor/stats"]["by_state"])
    assert Counter(monitor["texts_by_state"]) == texts == _texts(home)
    made = len(load.made)
    assert made <= total.n <= made + load.lost, "a task that no request made, or one that is gone"


def _of_every_process(chaos: Chaos, askers: Askers) -> dict[str, dict[str, Any]]:
    """What all web processes answer alike, by address."""
    master = chaos.pid_of("web")
    wait_until(lambda: len(children_of(master)) == _WEB_PROCESSES, 60, what="all web processes")
    pids = children_of(master)
    told: dict[str, list[dict[str, Any]]] = {address: [] for address in _AT_REST}
    for pid in pids:
        with only(pid, pids):
            for address in _AT_REST:
                reply = askers.ask(address)
                assert (reply.status, reply.pid) == (200, pid)
                told[address].append(dict(reply.body))
    for address, answers in told.items():
        read, faults = stats_told.READERS[address.partition("?")[0]]
        assert [fault for answer in answers for fault in faults(answer)] == []
        assert all(read(answer) == read(answers[0]) for answer in answers)
    return {address: answers[0] for address, answers in told.items()}


def _texts(home: Home) -> Counter[str]:
    """Texts that are live by what they show."""
    live = text(
        "SELECT state, count(*) FROM text"
        " WHERE deleted_at IS NULL AND cancelled_at IS NULL AND source <> 'canary' GROUP BY state"
    )
    with home.core.database.read() as conn:
        return Counter({state: int(n) for state, n in conn.execute(live)})


def _check_reconcile(home: Home) -> None:
    done = home.run("reconcile", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["differences"], told["notes"]) == (0, [], [])


def _check_ends(home: Home) -> None:
    """Duties and prunes ended because they were killed, or had nothing more to do."""
    ended = [one for one in home.programs if one.name in {"duties", "prune --yes"}]
    assert {one.popen.poll() for one in ended} <= {0, -9}, [one.output()[-500:] for one in ended]


def _print(title: str, home: Home, chaos: Chaos, askers: Askers, load: Load) -> None:
    """A table for people."""
    ends = {status: sums.n for status, sums in sorted(_all_time(home).items())}
    with home.core.database.read() as conn:
        removed = {status: sums.n for status, sums in sorted(recount.ledger(conn).items())}
    pids = askers.by_pid
    rows = {
        "answers": dict(askers.by_path),
        "by web processes": f"{len(pids)} (at most {max(pids.values())} by one)",
        "lost with theirs": askers.lost,
        "wrong in themselves": len(askers.faults),
        "contradictions": len(contradictions(askers.answers)),
        "kills": dict(chaos.kills),
        "requests": dict(load.done),
        "requests lost": load.lost,
        "tasks": ends,
        "of them removed": removed,
    }
    print("\n".join(["", title, *(f"  {name:20} {value}" for name, value in rows.items())]))

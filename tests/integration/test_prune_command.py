"""`voxtrace prune`: it counts, it asks, it removes, and one that is killed is simply run again."""

import json
import signal
from typing import Any

import pytest
from sqlalchemy import func, select

from app.cli.prune_words import size
from app.store import archive
from app.store.tables import task_table
from tests.support import recount
from tests.support.aged_rows import AgedRows, ledger_rows, orphans
from tests.support.home import Home
from tests.support.wait import wait_until

FINAL = ("completed", "failed", "timeout", "cancelled")


def _made(home: Home, *ages_d: int, statuses: tuple[str, ...] = FINAL) -> int:
    """Makes a task of each status for each age in days; returns how many."""
    core = home.core
    with core.database.write() as conn:
        rows = AgedRows(core, conn, core.database.now_us(conn))
        for days in ages_d:
            for status in statuses:
                rows.spoken(rows.text(days * 24 + 1), days * 24, status)
        rows.check_hours()
    return len(ages_d) * len(statuses)


def _left(home: Home) -> int:
    with home.core.database.read() as conn:
        return conn.execute(select(func.count()).select_from(task_table)).scalar_one()


def test_prune_counts_and_removes_what_is_older(home: Home) -> None:
    """--dry-run tells by status what --yes then removes, and changes nothing; so does --json."""
    _made(home, 10, 100, 200)
    told = home.run("prune", "--older-than", "90d", "--dry-run")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0].split() == ["tasks", "texts", "audio", "spans"]
    by_kind = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert set(by_kind) == {*FINAL, "deleted"}
    assert by_kind["failed"][:6] == ["2", "2", "0", "B", "6", "ended"]
    assert by_kind["deleted"][:2] == ["0", "0"]
    found = json.loads(home.run("prune", "--older-than", "90d", "--dry-run", "--json").stdout)
    assert {one["kind"]: one["tasks"] for one in found} == dict.fromkeys(FINAL, 2) | {"deleted": 0}
    assert _left(home) == 12
    done = home.run("prune", "--older-than", "90d", "--yes")
    assert done.stdout.startswith("removed 8 tasks, 8 texts, 24 spans in "), done.stderr
    assert "of audio: the duties remove its files" in done.stdout
    assert _left(home) == 4


def test_prune_obeys_settings_and_status(home: Home) -> None:
    """Without --older-than the settings say what goes; --status takes only those."""
    _made(home, 100)
    nothing = home.run("prune", "--yes", VOXTRACE_KEEP_DELETED_D="0")
    assert "the settings keep everything for ever" in nothing.stdout
    only = ("prune", "--yes", "--status", "failed", "--status", "timeout", "--json")
    kept = {"VOXTRACE_KEEP_FAILED_D": "90", "VOXTRACE_KEEP_COMPLETED_D": "90"}
    removed: dict[str, Any] = json.loads(home.run(*only, **kept).stdout)
    assert removed["by_kind"] == {"failed": {"tasks": 1, "texts": 1, "audio_bytes": 0, "spans": 3}}
    assert _left(home) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say --yes to remove, or --dry-run to count"),
        (("--yes", "--dry-run"), "exclude each other"),
        (("--yes", "--older-than", "2999-01-01"), "must be in the past"),
    ],
)
def test_prune_refuses_what_means_nothing(
    home: Home, arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2 and words; nothing is removed where nobody could be asked."""
    _made(home, 100, statuses=("completed",))
    done = home.run("prune", *arguments, VOXTRACE_KEEP_COMPLETED_D="90")
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert _left(home) == 1


@pytest.mark.timeout(180)
def test_killed_prune_is_run_again(any_home: Home) -> None:
    """SIGKILL amid the removal, twice: every moment agrees, and the last run does the rest.

    All-time numbers are those of before, in every look; what is not archived equals a recount; the
    ledger adds up to the archive and names each task once; no row points to what is gone.
    """
    home, kills = any_home, 2
    count = _made(home, *range(100, 220))
    with home.core.database.read() as conn:
        all_time = recount.all_time(recount.kept(conn))
    for _ in range(kills):
        program = home.start("prune", "--older-than", "90d", "--yes")
        _until_fewer(home, _left(home))
        program.signal(signal.SIGKILL)
        program.wait(10)
        _agrees(home, all_time, count)
    assert 0 < _left(home) < count
    assert home.run("prune", "--older-than", "90d", "--yes").returncode == 0
    assert _left(home) == 0
    _agrees(home, all_time, count)


def _until_fewer(home: Home, before: int) -> None:
    wait_until(lambda: _left(home) < before, 60, what="tasks are removed", every_s=0.01)


def _agrees(home: Home, all_time: recount.Counted, count: int) -> None:
    with home.core.database.read() as conn:
        kept = recount.kept(conn)
        assert recount.all_time(kept) == all_time
        assert recount.live(kept) == recount.from_rows(conn)
        archived = {key[1]: one for key, one in kept["stat_total"].items() if key[0] == 1}
        assert archive.by_status(conn) == archived
        assert orphans(conn) == []
        removed = sum(row.n for row in ledger_rows(conn))
        assert removed + sum(recount.by_status(conn).values()) == count


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (812_000, "812 kB"), (999_600, "1.0 MB"),
     (3_140_000_000, "3.1 GB"), (10**16, "10000 TB")],
)  # fmt: skip
def test_sizes_are_told_in_three_digits(n_bytes: int, words: str) -> None:
    """Bytes in the largest unit below them."""
    assert size(n_bytes) == words

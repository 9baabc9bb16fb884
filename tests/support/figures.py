"""Figures as the service tells them, and as its rows and processes have them."""

import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tests.support.home import Home, Program
from tests.support.running import Json, family, stats, task


def told_figures(home: Home) -> Json:
    """What /api/monitor/stats tells, without what moves with the clock."""
    told = stats(home)
    names = ("total_tasks", "tasks_pending", "active_tasks", "tasks_completed", "tasks_failed")
    return {name: told[name] for name in (*names, "success_rate", "avg_duration")}


def recounted_figures(home: Home) -> Json:
    """The same figures from the rows, one by one, by the report's definitions."""
    path = home.path / "voxtrace.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT coalesce(audio.is_valid, 0), text.cancelled_at, task.status FROM text"
            " LEFT JOIN task ON task.id = text.task_id"
            " LEFT JOIN audio ON audio.id = text.audio_id AND audio.deleted_at IS NULL"
            " WHERE text.deleted_at IS NULL"
        ).fetchall()
        runs = database.execute("SELECT run_us / 1000 FROM task WHERE status = 'completed'")
        runs_ms = [run_ms for (run_ms,) in runs]
    states = Counter(
        "completed" if is_valid else "cancelled" if cancelled_at else status
        for is_valid, cancelled_at, status in rows
    )
    return {
        "total_tasks": len(rows),
        "tasks_pending": states["pending"],
        "active_tasks": states["processing"],
        "tasks_completed": states["completed"],
        "tasks_failed": states["failed"] + states["timeout"] + states["cancelled"],
        "success_rate": round(states["completed"] * 100 / len(rows), 1),
        "avg_duration": round(sum(runs_ms) / len(runs_ms) / 1000, 3),
    }


def most_at_once(home: Home, task_ids: Sequence[int]) -> int:
    """How many of the tasks ran at one moment, at most, by their rows."""
    moments = []
    for task_id in task_ids:
        for attempt in task(home, task_id)["attempts"]:
            moments += [(attempt["claimed_at"], 1), (attempt["finished_at"], -1)]
    running = most = 0
    for _, step in sorted(moments):
        running += step
        most = max(most, running)
    return most


def resident_kib(up: Program) -> dict[int, int]:
    """Resident memory of each process of the service, in KiB."""
    found = {}
    for one in family(up):
        match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{one.pid}/status").read_text())
        if match:
            found[one.pid] = int(match[1])
    return found

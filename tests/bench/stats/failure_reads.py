"""Failure groups that are read: the list in windows up to ninety days, a group, as the rows say."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from sqlalchemy import text

from app.service.core import Core
from app.service.failures import group, listing
from app.service.failures.asked import Asked, asked
from app.service.failures.views import GroupPage, GroupView
from app.store.database import Database
from tests.bench.stats import shape
from tests.bench.stats.reads import Read, Rows, Scene

_GROUPED: Final = "fingerprint IS NOT NULL AND source <> 'canary'"
#: The groups of what failed, as the first failure of each made them.
_MAKE: Final = text(
    "INSERT INTO failure_group (fingerprint, error_type, template, first_at)"  # noqa: S608 - ours
    " SELECT fingerprint, coalesce(min(error_type), 'unknown'), coalesce(min(template), ''),"
    f" min(finished_at) FROM task_attempt WHERE {_GROUPED}"
    " AND NOT EXISTS (SELECT 1 FROM failure_group) GROUP BY fingerprint"
)
_WINDOWS: Final = {"24 h": 24, "7 d": 168, "30 d": 720, "90 d": 2160}
#: The windows do not end with the hour.
_RAGGED_US: Final = 1_234_567_890


def make_groups(database: Database) -> None:
    """Makes the groups of a database that has none."""
    with database.write() as conn:
        conn.execute(_MAKE)


def every(scene: Scene) -> Iterable[Read]:
    """The list in each window, and the group that is largest."""
    largest = shape.CAUSES[0].fingerprint
    for name, hours in _WINDOWS.items():
        start, end = scene.since(hours) - _RAGGED_US, scene.end - _RAGGED_US
        wanted = asked({"from": f"{start / 1e6:.6f}", "to": f"{end / 1e6:.6f}"}, limit=1000)
        ended = f"{_GROUPED} AND finished_at >= {start} AND finished_at < {end}"
        yield Read(
            name=f"failure groups, {name}",
            call=partial(listing.groups, asked=wanted),
            told=_groups,
            truth=_counts(ended),
            goal_ms=100,
        )
        yield Read(
            name=f"failure group, {name}",
            call=partial(_group, fingerprint=largest, wanted=wanted),
            told=_one,
            truth=_counts(f"{ended} AND fingerprint = '{largest}'"),
            goal_ms=60,
        )


def _group(core: Core, fingerprint: str, wanted: Asked) -> GroupView:
    return group.group(core, fingerprint, wanted)


def _groups(found: GroupPage) -> Rows:
    return sorted(
        (one.group.fingerprint, one.counts.count, one.counts.repeats)
        for one in found.groups
        if one.counts.count
    )


def _one(found: GroupView) -> Rows:
    counts = found.in_window
    return [(found.group.fingerprint, counts.count, counts.repeats)] if counts.count else []


def _counts(condition: str) -> str:
    return (
        "SELECT fingerprint, count(*), sum(CASE WHEN is_repeat THEN 1 ELSE 0 END)"  # noqa: S608 - ours
        f" FROM task_attempt WHERE {condition} GROUP BY fingerprint ORDER BY fingerprint"
    )

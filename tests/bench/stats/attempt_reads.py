"""Lists of attempts that are read: the product's pages, each with what the rows say."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from app.service import attempt_list
from app.service.attempt_list import AttemptPage
from app.service.core import Core
from tests.bench.stats import shape
from tests.bench.stats.reads import Read, Rows, Scene

_COUNTED: Final = (
    "outcome IN ('completed', 'failed', 'timeout', 'retry', 'lost') AND source <> 'canary'"
)
_FAILED: Final = "outcome <> 'completed'"


def every(scene: Scene) -> Iterable[Read]:
    """Pages without a filter, by dimensions, of failures, of a group of them."""
    fingerprint = shape.CAUSES[0].fingerprint
    since = scene.since(24)
    filters = {
        "attempts": ("", "true"),
        "attempts by worker": ("worker:w3", "worker_name = 'w3'"),
        "attempts by worker and engine": (
            "worker:w3 engine:piper",
            "worker_name = 'w3' AND engine = 'piper'",
        ),
        "failed attempts": ("outcome:failure", _FAILED),
        "failed attempts by worker, 24 h": (
            f"outcome:failure worker:w3 -is:repeat since:{since / 1e6:.6f}",
            f"{_FAILED} AND worker_name = 'w3' AND NOT is_repeat AND finished_at >= {since}",
        ),
        "attempts by fingerprint": (
            f"fingerprint:{fingerprint}",
            f"fingerprint = '{fingerprint}'",
        ),
    }
    for name, (query, condition) in filters.items():
        yield Read(
            name=name,
            call=partial(_listed, query=query),
            told=_keys,
            truth=_truth(condition),
            goal_ms=10,
        )


def _listed(core: Core, query: str) -> AttemptPage:
    return attempt_list.page(core, query)


def _keys(found: AttemptPage) -> Rows:
    return [(one.row.attempt.task_id, one.row.attempt.attempt) for one in found.attempts]


def _truth(condition: str) -> str:
    """The order is of no index, so that all rows are looked at."""
    return (
        f"SELECT task_id, attempt FROM task_attempt WHERE {_COUNTED} AND {condition}"  # noqa: S608 - ours
        " ORDER BY finished_at + 0 DESC, task_id + 0 DESC, attempt + 0 DESC LIMIT 50"
    )

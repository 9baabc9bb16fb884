"""What an answer with statistics says: the numbers that never fall, and what is wrong in itself."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from app.domain.task import FINAL
from tests.support.monotone import Told

Json = Mapping[str, Any]

#: Sums that are told for each status.
SUMS: Final = ("by_status", "run_ms", "wait_ms", "total_ms", "characters")
#: Sums of all tasks that have ended, or completed.
_PLAIN: Final = ("retries", "lost_attempts", "late", "audio_ms")


def ended(figures: Json) -> Told:
    """Sums of the tasks that have ended, by a name: none of them ever falls."""
    return {
        **{f"{name} {status}": figures[name][status] for name in SUMS for status in FINAL},
        **{name: figures[name] for name in _PLAIN},
        **{f"capacity_waits {name}": n for name, n in figures["capacity_waits"].items()},
    }


def of_stats(answer: Json) -> Told:
    """What `/api/v1/stats` of all time tells, the same by whatever dimension it is told apart."""
    archived = {} if answer["by"] or answer["query"] else {"archived": answer["archived"]}
    return {**ended(answer), **_saved(answer), **archived, "total": answer["total"]}


def of_series(answer: Json) -> Told:
    """All hours or days of `/api/v1/stats/series` added up."""
    points = [{**ended(point), **_saved(point)} for point in answer["points"]]
    names = {name for point in points for name in point}
    return {name: sum(point[name] for point in points) for name in names}


def _saved(answer: Json) -> Told:
    return {f"savings {name}": one["count"] for name, one in answer["savings"].items()}


def of_monitor(answer: Json) -> Told:
    """What the monitor says of all tasks, also as an event of its stream."""
    by_status = answer["stats"]["tasks_by_status"]
    found = {f"by_status {status}": by_status.get(status, 0) for status in FINAL}
    return {**found, "total": sum(by_status.values())}


def of_legacy(_answer: Json) -> Told:
    """Nothing: `/api/monitor/stats` counts texts, and those can be deleted."""
    return {}


def faults_of_stats(answer: Json) -> Iterator[str]:
    """What contradicts itself in an answer of `/api/v1/stats`."""
    yield from _faults_of_figures(answer, "all")
    if answer["by"] is not None:
        yield from _faults_of_groups(answer)
    if answer["check"]["drift_count"]:
        yield f"drift: {answer['check']['drifts']}"


def _faults_of_figures(figures: Json, what: str) -> Iterator[str]:
    if sum(figures["by_status"].values()) != figures["total"]:
        yield f"{what}: total {figures['total']} is not the sum of {figures['by_status']}"
    for status in FINAL:
        run_ms, wait_ms = figures["run_ms"][status], figures["wait_ms"][status]
        if run_ms + wait_ms != figures["total_ms"][status]:
            yield f"{what}: {status} ran {run_ms} and waited {wait_ms} ms of {figures['total_ms']}"


def _faults_of_groups(answer: Json) -> Iterator[str]:
    for group in answer["groups"]:
        yield from _faults_of_figures(group, group["value"])
    for name in SUMS:
        for status, value in answer[name].items():
            parts = [group[name][status] for group in answer["groups"]]
            if sum(parts) != value:
                yield f"{name} {status}: {value} is not the sum of {parts} by {answer['by']}"


def faults_of_series(answer: Json) -> Iterator[str]:
    """What contradicts itself in a series."""
    for point in answer["points"]:
        yield from _faults_of_figures(point, point["start"])


def faults_of_legacy(answer: Json) -> Iterator[str]:
    """What contradicts itself in an answer of `/api/monitor/stats`."""
    names = ("tasks_pending", "active_tasks", "tasks_completed", "tasks_failed")
    parts = [answer[name] for name in names]
    if sum(parts) != answer["total_tasks"]:
        yield f"{parts} are not {answer['total_tasks']} texts"
    if sum(answer["by_state"].values()) != answer["total_tasks"]:
        yield f"{answer['by_state']} are not {answer['total_tasks']} texts"
    if len(answer["active_list"]) != answer["active_tasks"]:
        yield f"{answer['active_tasks']} are active, {len(answer['active_list'])} are listed"


def faults_of_monitor(answer: Json) -> Iterator[str]:
    """What contradicts itself in what the monitor says."""
    stats = answer["stats"]
    if sum(stats["texts_by_state"].values()) != stats["total"]:
        yield f"{stats['texts_by_state']} are not {stats['total']} texts"


#: Path of an address → how its answers are read, and what may be wrong in them.
READERS: Final[Mapping[str, tuple[Callable[[Json], Told], Callable[[Json], Iterator[str]]]]] = {
    "/api/v1/stats": (of_stats, faults_of_stats),
    "/api/v1/stats/series": (of_series, faults_of_series),
    "/api/monitor/stats": (of_legacy, faults_of_legacy),
    "/api/v1/monitor": (of_monitor, faults_of_monitor),
}

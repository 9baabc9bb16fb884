"""What is read: the product's own functions, each with what the rows say to the same question.

One line is one measured call. `truth` is SQL over the rows; `told` brings the product's answer into
the shape of that SQL's rows, so that both can be compared.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from app.domain.query.order import Cursor, Order
from app.domain.query.value import At
from app.domain.window import DAY_US, GRAIN_US, HOUR_US, floor_to
from app.service import report as monitor_report
from app.service import task_list
from app.service.core import Core
from app.service.recounts import day, hour
from app.service.stats import overview, series, stats_report
from app.service.stats.request import Asked, asked
from tests.bench.stats import shape, truths

if TYPE_CHECKING:
    from app.domain.window import Grain

#: What a truth and an answer are brought to.
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One measured call.

    Attributes:
        goal_ms: What its median may be; None: nothing is promised.
        truth: SQL over the rows; None where the answer says itself whether it is right.
        told: What the answer says.
    """

    name: str
    call: Callable[[Core], Any]
    told: Callable[[Any], Rows]
    truth: str | None = None
    goal_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a database holds: so many tasks, up to a moment."""

    count: int
    end: int
    dialect: str
    #: submitted_at and id of the task in the middle.
    middle: tuple[int, int]

    def since(self, hours: int) -> int:
        """The moment so many hours before the end."""
        return self.end - hours * HOUR_US


def every(scene: Scene) -> list[Read]:
    """All that is measured."""
    return [*_reports(scene), *_lists(scene), *_recounts(scene)]


def _reports(scene: Scene) -> Iterable[Read]:
    def window(name: str, hours: int, *, by: str | None = None) -> Read:
        start = scene.since(hours)
        return Read(
            name=f"report, {name}",
            call=partial(_stats, asked=Asked(start=At(us=start), by=by)),
            told=_by_group if by else _by_status,
            truth=truths.counts(since=start, by=by),
        )

    yield Read(
        name="report, all time", call=partial(_stats, asked=asked()), told=_sums,
        truth=truths.SUMS, goal_ms=2,
    )  # fmt: skip
    yield window("24 h", 24)
    yield window("7 d", 7 * 24)
    yield window("90 d", 90 * 24)
    yield Read(
        name="report, all time, by engine", call=partial(_stats, asked=asked(by="engine")),
        told=_by_group, truth=truths.counts(by="engine"),
    )  # fmt: skip
    yield window("24 h, by engine", 24, by="engine")
    yield window("24 h, by worker", 24, by="worker")
    yield Read(
        name="exact p50 p95 p99, all time", call=partial(_stats, asked=asked(is_exact=True)),
        told=_quantiles, truth=truths.quantiles(scene.dialect),
    )  # fmt: skip
    grains: tuple[tuple[str, int, Grain], ...] = (
        ("24 h by hour", 24, "hour"), ("90 d by day", 90 * 24, "day"),
    )  # fmt: skip
    for name, hours, grain in grains:
        step = GRAIN_US[grain]
        start = floor_to(scene.since(hours), step)
        request = Asked(start=At(us=start))
        yield Read(
            name=f"series, {name}",
            call=partial(series.series, asked=request, grain=grain),
            told=_points,
            truth=truths.by_start(step, since=start),
        )
    yield Read(
        name="statistics page, 24 h",
        call=partial(overview.overview, asked=Asked(start=At(us=scene.since(24)))),
        told=lambda found: _by_status(found.report),
        truth=truths.counts(since=scene.since(24)),
    )
    yield Read(
        name="monitor's numbers", call=monitor_report.stats, told=_states, truth=truths.STATES,
        goal_ms=2,
    )  # fmt: skip


def _stats(core: Core, asked: Asked) -> stats_report.StatsReport:
    return stats_report.stats(core, asked)


def _lists(scene: Scene) -> Iterable[Read]:
    fingerprint = shape.CAUSES[0].fingerprint
    since = scene.since(2)
    filters = {
        "status": ("status:failed", "status = 'failed'"),
        "engine": ("engine:piper", "engine = 'piper'"),
        "worker": ("worker:w3", "worker_name = 'w3'"),
        "since": (f"since:{since / 1e6:.6f}", f"submitted_at >= {since}"),
        "fingerprint": (f"fingerprint:{fingerprint}", f"fingerprint = '{fingerprint}'"),
        "age": ("", "true"),
    }
    deep = str(Cursor(order=Order(), key=scene.middle))
    for name, (query, condition) in filters.items():
        yield Read(
            name=f"list by {name}", call=partial(_listed, query=query), told=_ids,
            truth=truths.listed(condition), goal_ms=20,
        )  # fmt: skip
        if name != "since":
            yield Read(
                name=f"list by {name}, deep", call=partial(_listed, query=query, cursor=deep),
                told=_ids, truth=truths.listed(condition, after=scene.middle), goal_ms=20,
            )  # fmt: skip
    yield Read(
        name="list by age, oldest first", call=partial(_listed, query="", sort="age-asc"),
        told=_ids, truth=truths.listed("true", is_ascending=True), goal_ms=20,
    )  # fmt: skip


def _listed(
    core: Core, query: str, cursor: str | None = None, sort: str | None = None
) -> task_list.TaskPage:
    return task_list.page(core, query, cursor=cursor, sort=sort)


def _ids(found: task_list.TaskPage) -> Rows:
    return [(one.task.id,) for one in found.tasks]


def _recounts(scene: Scene) -> Iterable[Read]:
    start = floor_to(scene.since(48), DAY_US) + 14 * HOUR_US
    yield Read(
        name="recount of an hour", call=partial(hour.look, start=start), told=_drift,
        truth=truths.ended_in(start, HOUR_US),
    )  # fmt: skip
    yield Read(
        name="recount of a day", call=partial(_day, start=floor_to(start, DAY_US)), told=_drifts,
        truth=truths.ended_in(floor_to(start, DAY_US), DAY_US),
    )  # fmt: skip


def _day(core: Core, start: int) -> list[Any]:
    """All hours of a day, and the day."""
    hours = [hour.look(core, start + n * HOUR_US) for n in range(24)]
    return [*hours, day.look(core, start)]


def _drift(found: Any) -> Rows:
    return [(found.n, found.drift_count)]


def _drifts(found: list[Any]) -> Rows:
    return [(sum(one.n for one in found), sum(one.drift_count for one in found))]


def _by_status(found: stats_report.StatsReport) -> Rows:
    return sorted((name, sums.n) for name, sums in found.figures.by_status.items() if sums.n)


def _by_group(found: stats_report.StatsReport) -> Rows:
    return sorted(
        (group.value, name, sums.n)
        for group in found.groups
        for name, sums in group.figures.by_status.items()
        if sums.n
    )


def _sums(found: stats_report.StatsReport) -> Rows:
    return sorted(
        (name, sums.n, sums.run_ms, sums.wait_ms, sums.total_ms, sums.char_count, sums.audio_ms,
         sums.late_count)
        for name, sums in found.figures.by_status.items() if sums.n
    )  # fmt: skip


def _quantiles(found: stats_report.StatsReport) -> Rows:
    return [
        tuple(int(of.quantiles[name]) for name in ("p50", "p95", "p99"))
        for of in (found.figures.durations[one] for one in truths.MEASURES)
    ]


def _points(found: series.Series) -> Rows:
    return sorted(
        (point.start, sums.n) for point in found.points if (sums := point.figures.ended).n
    )


def _states(found: monitor_report.StatsWithActive) -> Rows:
    return sorted((state, n) for state, n in found.stats.by_state.items() if n)

"""Statistics as the v1 API shows them."""

from collections.abc import Iterable, Mapping

from app.domain.sums import Sums
from app.domain.task import Status
from app.domain.window import Window
from app.service.recounts.verdict import Verdict
from app.service.stats.figures import QUANTILES, Durations, Figures
from app.service.stats.series import Point, Series
from app.service.stats.shapes import MAX_ROWS, Missing
from app.service.stats.stats_report import Requests, Savings, StatsReport
from app.web.shapes import Json, moment, seconds


def report(found: StatsReport) -> Json:
    """GET /api/v1/stats."""
    return {
        "as_of": moment(found.now),
        "window": _window(found.window) | {"is_whole_hours": found.is_whole_hours},
        "query": str(found.query),
        **figures(found.figures),
        "archived": found.archived,
        "savings": _savings(found.savings),
        "by": found.request.by,
        "groups": [
            {"value": group.value, "query": str(group.query), **figures(group.figures)}
            for group in found.groups
        ],
        "notes": _notes(found),
        "check": check(found.check),
    }


def check(found: Verdict) -> Json:
    """Whether counters and rows agree, and how old that is."""
    return {
        "state": found.state,
        "checked_at": moment(found.last_checked_at),
        "age_s": seconds(found.age_us),
        "checked_hours": found.checked_count,
        "waiting_hours": found.waiting_count,
        "drift_count": found.drift_count,
        "drifts": [
            {
                "hour": moment(one.start),
                "table": one.place,
                "name": one.name,
                "expected": one.expected,
                "got": one.got,
            }
            for one in found.drifts
        ],
    }


def series(found: Series) -> Json:
    """GET /api/v1/stats/series."""
    return {
        "as_of": moment(found.now),
        "window": _window(found.window),
        "step": found.grain,
        "step_s": seconds(found.step_us),
        "by": found.request.by,
        "points": [_point(point) for point in found.points],
        "notes": _percentiles(found.missing, found.missing_in_groups),
    }


def _point(point: Point) -> Json:
    return {
        "start": moment(point.start),
        "query": str(point.query),
        **figures(point.figures),
        "savings": _savings(point.requests),
        "groups": [{"value": value, **figures(of)} for value, of in sorted(point.groups.items())],
    }


def _window(window: Window) -> Json:
    return {"from": moment(window.start), "to": moment(window.end)}


def figures(found: Figures) -> Json:
    """Figures of some tasks."""
    ended = found.ended
    return {
        "total": found.total,
        "by_status": {status: found.n(status) for status in Status},
        "finished_ratio": found.finished_ratio,
        "per_hour": found.per_hour(ended.n),
        "characters_per_hour": found.per_hour(found.completed.char_count),
        "real_time_factor": found.real_time_factor,
        "audio_ms": found.completed.audio_ms,
        "characters": _by_status(found.by_status, "char_count"),
        "run_ms": _by_status(found.by_status, "run_ms"),
        "wait_ms": _by_status(found.by_status, "wait_ms"),
        "total_ms": _by_status(found.by_status, "total_ms"),
        "retries": ended.retry_count,
        "lost_attempts": ended.lost_count,
        "late": ended.late_count,
        "capacity_waits": {"count": ended.capacity_count, "ms": ended.capacity_ms},
        "latency": {
            measure: _durations(found.durations.get(measure))
            for measure in ("wait", "run", "total")
        },
    }


def _by_status(sums: Mapping[str, Sums], name: str) -> dict[str, int]:
    return {status: getattr(sums.get(status, Sums()), name) for status in Status}


def _durations(found: Durations | None) -> Json | None:
    if found is None:
        return None
    return {
        "count": found.n,
        "mean_ms": found.mean_ms,
        **{f"{name}_ms": found.quantiles.get(name) for name in QUANTILES},
        "is_exact": found.is_exact,
    }


def _savings(found: Savings | None) -> Json | None:
    if found is None:
        return None
    return {
        "new": _requests(found.new),
        "followed": _requests(found.followed),
        "skipped": _requests(found.skipped),
    }


def _requests(found: Requests) -> Json:
    return {"count": found.n, "characters": found.char_count, "audio_ms": found.audio_ms}


def _notes(found: StatsReport) -> list[str]:
    return [
        *_whole_hours(found),
        *_removed(found),
        *_percentiles(found.missing, found.missing_in_groups),
    ]


def _whole_hours(found: StatsReport) -> Iterable[str]:
    if found.is_whole_hours:
        yield (
            "retention removed tasks of an hour at an end of the window: the answer is of whole"
            " hours"
        )


def _removed(found: StatsReport) -> Iterable[str]:
    if found.archived:
        yield f"{found.archived} of these tasks were removed by retention: no list has them"
        if found.request.is_exact:
            yield "exact percentiles need every row: these are within 1 %"


def _percentiles(missing: Missing, in_groups: Missing) -> list[str]:
    """Why percentiles are left out: all of them, or, where those are there, groups'."""
    if missing:
        return [*_missing(missing, "percentiles")]
    return [*_missing(in_groups, "percentiles of some groups")]


def _missing(found: Missing, what: str) -> Iterable[str]:
    if found.rows:
        yield (
            f"{what} are left out: no histogram is kept of {found.rows} of the tasks, and at most"
            f" {MAX_ROWS} rows are read; take a shorter window, or fewer filters"
        )
    if found.removed:
        yield (
            f"{what} are left out: {found.removed} of the tasks were removed by retention, and the"
            " histograms that are kept do not tell them apart in this way; leave out a filter, or"
            " `by`"
        )

"""What the statistics page shows: figures, their parts, charts and the check, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from markupsafe import Markup

from app.domain.errors import AskedError
from app.domain.query.parse import parse
from app.domain.query.query import Query, both, named
from app.domain.sums import DIMENSIONS
from app.domain.task import Status
from app.domain.window import Window
from app.service.core import Core
from app.service.correlate import links
from app.service.recounts.verdict import Verdict
from app.service.stats import overview as service
from app.service.stats.figures import QUANTILES, Durations, Figures
from app.service.stats.request import Asked, asked
from app.service.stats.stats_report import Requests, Savings, StatsReport
from app.web import moments, stats_chart
from app.web.correlate_form import written_span
from app.web.drawing import Block, shares
from app.web.format import NONE, duration, number, percent, single
from app.web.query_words import fault_of
from app.web.visitor import Visitor

#: What `from` is where the window has no start, and what the page offers for it.
ALL_TIME: Final = "all"
WINDOWS: Final = ("1h", "24h", "7d", "30d", "90d", ALL_TIME)
_DEFAULT: Final = "24h"
#: Values of a dimension that are shown at most.
MAX_GROUPS: Final = 50
_FAILURES: Final = Query(terms=(named("status", "failed", "timeout"),))
#: The tasks from which a sum is: those of the others are zero.
_PARTS: Final[Mapping[str, Query]] = {
    "failed": _FAILURES,
    "ended": parse("is:ended"),
    "completed": parse("status:completed"),
    "retried": parse("is:ended retries:>0"),
    "lost": parse("is:ended lost:>0"),
    "late": parse("is:ended is:late"),
    "capacity": parse("is:ended capacity:>0"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRow:
    """Tasks of a status, and where they are listed."""

    status: str
    n: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRow:
    """What completed tasks took of one kind, in words."""

    name: str
    says: str
    mean: str
    quantiles: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """The figures of a value of the dimension."""

    name: str
    path: str
    blocks: Sequence[Block]
    total: int
    failed: int
    failed_path: str
    ok: str
    p50: str
    p95: str
    factor: str


def values(core: Core, args: Mapping[str, str], reader: Visitor) -> dict[str, Any]:
    """What the page shows; where something wrong is asked for, what is wrong, and no numbers."""
    asked_for = _kept(args)
    form = {
        "asked": asked_for,
        "windows": WINDOWS,
        "dimensions": DIMENSIONS,
        "fault": None,
        "report": None,
    }
    try:
        found = service.overview(core, _asked(asked_for))
    except AskedError as error:
        return form | {"fault": fault_of(error, asked_for["query"], reader.t, "stats")}
    return form | _numbers(found, reader)


def _kept(args: Mapping[str, str]) -> dict[str, str]:
    """What is asked for, as the address has it."""
    return {
        "from": args.get("from", "").strip() or _DEFAULT,
        "to": args.get("to", "").strip(),
        "by": args.get("by", "").strip() or "engine",
        "query": args.get("query", ""),
        "exact": "1" if args.get("exact") == "1" else "0",
    }


def _asked(kept: Mapping[str, str]) -> Asked:
    start = "" if kept["from"] == ALL_TIME else kept["from"]
    return asked(start, kept["to"], kept["query"], kept["by"], is_exact=kept["exact"] == "1")


def _numbers(found: service.Overview, reader: Visitor) -> dict[str, Any]:
    report = found.report
    return {
        "report": report,
        "lede": _lede(report, reader),
        "check_says": check_says(report.check, reader),
        "check_level": check_level(report.check),
        "paths": {
            "all": tasks_path(report.query),
            **{name: tasks_path(both(query, report.query)) for name, query in _PARTS.items()},
        },
        "slow_path": f"{tasks_path(both(_PARTS['completed'], report.query))}&sort=total",
        "failures_path": failures_path(report.window),
        "correlate_path": links.correlate_url(written_span(report.window.start, report.window.end)),
        "rate": per_hour(report.figures.per_hour(report.figures.ended.n)),
        "factor": factor,
        "figures": report.figures,
        "statuses": status_rows(report),
        "blocks": _blocks(report.figures),
        "latency": latency_rows(report.figures, reader),
        "groups": group_rows(report, reader)[:MAX_GROUPS],
        "more_groups": max(0, len(report.groups) - MAX_GROUPS),
        "savings": _savings(report.savings),
        "series": found.series,
        "outcomes": stats_chart.outcomes(found.series, reader),
        "slow": stats_chart.latency(found.series, reader, "total", "p95"),
    }


def tasks_path(query: Query) -> str:
    """Where the tasks of a filter are listed."""
    return f"/tasks?query={quote(str(query))}" if query else "/tasks"


def failures_path(window: Window) -> str:
    """Where the groups of what failed in a window are listed."""
    given = written_span(window.start, window.end)
    return f"/failures?{urlencode(given)}" if given else "/failures?from=90d"


def status_rows(report: StatsReport) -> list[StatusRow]:
    """Each status with its number, and the filter that opens its tasks."""
    return [
        StatusRow(
            status=status,
            n=report.figures.n(status),
            path=tasks_path(both(Query(terms=(named("status", status),)), report.query)),
        )
        for status in Status
    ]


def _blocks(figures: Figures) -> list[Block]:
    return shares([(f"f-{status}", figures.n(status)) for status in Status])


def latency_rows(figures: Figures, reader: Visitor) -> list[LatencyRow]:
    """Wait, run and both; without completed tasks, dashes."""
    t = reader.t
    return [
        LatencyRow(
            name=str(t(f"stats.{measure}")),
            says=str(t(f"stats.{measure}_says")),
            mean=_told(None if found is None else found.mean_ms, reader),
            quantiles=[_quantile(found, name, reader) for name in QUANTILES],
        )
        for measure in ("total", "wait", "run")
        for found in (figures.durations.get(measure),)
    ]


def _quantile(found: Durations | None, name: str, reader: Visitor) -> str:
    return _told(found.quantiles.get(name) if found else None, reader)


def _told(ms: float | None, reader: Visitor) -> str:
    return NONE if ms is None else duration(round(ms * 1000), reader.t.lang)


def group_rows(report: StatsReport, reader: Visitor) -> list[GroupRow]:
    """The values of the dimension, most tasks first."""
    return [
        GroupRow(
            name=group.value or str(reader.t("stats.no_value")),
            path=tasks_path(group.query),
            blocks=_blocks(group.figures),
            total=group.figures.total,
            failed=group.figures.n("failed") + group.figures.n("timeout"),
            failed_path=tasks_path(both(_FAILURES, group.query)),
            ok=percent(group.figures.finished_ratio, 1),
            p50=_quantile(group.figures.durations.get("run"), "p50", reader),
            p95=_quantile(group.figures.durations.get("run"), "p95", reader),
            factor=factor(group.figures.real_time_factor),
        )
        for group in report.groups
    ]


def factor(value: float | None) -> str:
    """A real-time factor in three digits."""
    return NONE if value is None else f"{value:.3g}"


def _savings(found: Savings | None) -> Requests | None:
    return None if found is None else found.followed + found.skipped


def _lede(report: StatsReport, reader: Visitor) -> Markup:
    t = reader.t
    if report.window.is_all:
        return t("stats.lede_all")
    start, end = report.window.start or 0, report.window.end
    since = moments.tag(reader.place, start)
    if end is None:
        return t("stats.lede", since=since)
    return t("stats.lede_until", since=since, until=moments.tag(reader.place, end))


def check_says(check: Verdict, reader: Visitor) -> Markup:
    """What the check of the numbers found, and how long ago."""
    t = reader.t
    if check.age_us is None:
        return t("stats.check_none")
    age = single(check.age_us, t.lang)
    if check.state == "drift":
        return t("stats.check_drift", n=check.drift_count, age=age)
    return t(f"stats.check_{check.state}", n=check.checked_count, age=age)


def check_level(check: Verdict) -> str:
    """How the check of the numbers stands: ok, warn or bad."""
    return {"ok": "ok", "pending": "ok", "stale": "warn", "drift": "bad"}[check.state]


def per_hour(value: float | None) -> str:
    """What happens in an hour, in as many digits as tell something."""
    if value is None:
        return NONE
    return number(round(value)) if value >= 10 else f"{value:.2g}"

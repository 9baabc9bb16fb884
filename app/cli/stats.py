"""`voxtrace stats`: tasks of a window counted and timed, as a table."""

from typing import Any, Final

import click

from app.cli import wrong_filter
from app.cli.when import shown
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.domain.errors import QueryError
from app.domain.task import Status
from app.service.figures import duration
from app.service.recounts.verdict import Verdict
from app.service.stats import stats_report
from app.service.stats.figures import Durations, Figures
from app.service.stats.request import Asked, asked, moment_of
from app.service.stats.stats_report import StatsReport
from app.web.stats_shapes import report as as_json

_HEAD: Final = ("", "total", *(str(one) for one in Status), "ok", "p50", "p95", "p95 all", "rtf")


def stats(settings: Settings, options: dict[str, Any]) -> int:
    """Reads, prints; 2 where the filter is wrong."""
    query = " ".join(options["query"])
    try:
        wanted = _asked(query, options)
        found = stats_report.stats(make_core(settings), wanted)
    except QueryError as error:
        return wrong_filter.tell(query, error)
    if options["json"]:
        print_json(as_json(found))
    else:
        _print(found)
    return 0


def _asked(query: str, options: dict[str, Any]) -> Asked:
    since, until = options["since"] or "", options["until"] or ""
    for name, text in (("--since", since), ("--until", until)):
        moment_of(name, text)  # a wrong one is called what it is called here
    return asked(since, until, query, options["by"] or "", is_exact=options["exact"])


def _print(found: StatsReport) -> None:
    rows = [_HEAD, *((group.value or '""', *_row(group.figures)) for group in found.groups)]
    rows.append(("all", *_row(found.figures)))
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        click.echo("  ".join(cells).rstrip())
    click.echo(f"{_window(found)}; p50 and p95: what completed tasks ran, p95 all: with waiting")
    for note in as_json(found)["notes"]:
        click.echo(f"note: {note}")
    click.echo(_check(found.check))
    if found.figures.total > found.archived:
        click.echo(f"the tasks: voxtrace tasks '{found.query}'")


def _check(check: Verdict) -> str:
    """Whether the numbers are those of the rows, and how old that is."""
    age = "" if check.age_us is None else f", {duration(check.age_us, 'en')} ago"
    match check.state:
        case "drift":
            n = check.drift_count
            numbers = "1 number is" if n == 1 else f"{n} numbers are"
            return f"WRONG: {numbers} not as the rows say{age}: voxtrace reconcile"
        case "stale":
            return f"not checked of late: the last recount was{age.removeprefix(',')}"
        case "pending" if not age:
            return "not checked yet: voxtrace reconcile"
        case "pending":
            return f"as the rows say{age}; {check.waiting_count} hours wait to be checked"
        case _:
            return f"as the rows say: recounted{age.removeprefix(',')}"


def _row(figures: Figures) -> tuple[str, ...]:
    run = figures.durations.get("run")
    factor, ratio = figures.real_time_factor, figures.finished_ratio
    return (
        str(figures.total),
        *(str(figures.n(status)) for status in Status),
        "-" if ratio is None else f"{ratio:.1%}",
        _seconds(run, "p50"),
        _seconds(run, "p95"),
        _seconds(figures.durations.get("total"), "p95"),
        "-" if factor is None else f"{factor:.3f}",
    )


def _seconds(found: Durations | None, name: str) -> str:
    value = found.quantiles.get(name) if found is not None else None
    return "-" if value is None else f"{value / 1000:.3g} s"


def _window(found: StatsReport) -> str:
    if found.window.is_all:
        return f"all time, as of {shown(found.now)}"
    start, end = found.window.start, found.window.end
    since = f"ended since {shown(start)}" if start is not None else "ended"
    return f"{since}, before {shown(end)}" if end is not None else f"{since}, and what lives now"

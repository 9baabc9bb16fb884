"""`voxtrace verify`: whether Jaeger has every task, as the table says."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import click

from app.cli.when import shown
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.domain.errors import VoxtraceError
from app.service.traces import verify as service
from app.service.traces.trace_compare import Difference, Match
from app.service.traces.verify import Verified

#: Differences that are printed; `--json` has them all.
_SHOWN: Final = 20
_MEANING: Final = {
    Match.EQUAL: "every span there, with the row's times, status and attributes",
    Match.MISSING: "no task span in Jaeger",
    Match.DOUBLED: "a span more than once",
    Match.DIFFERENT: "a span that says something else than the row",
    Match.INCOMPLETE: "a span of the trace is not there",
}


def verify(settings: Settings, options: dict[str, Any]) -> int:
    """Compares, prints; exit code 1 where table and Jaeger differ, 2 where nobody can tell."""
    core = make_core(settings)
    is_json = options["json"]
    on_progress: Callable[[int], None] = _quiet if is_json else _progress()
    try:
        found = service.verify(
            core,
            since=options["since"] or 0,
            wait_s=options["wait"],
            repair=options["repair"],
            on_progress=on_progress,
        )
    except VoxtraceError as error:
        click.echo(f"voxtrace: {error.message}", err=True)
        return 2
    if is_json:
        print_json(as_json(found))
    else:
        _print(found)
    return 0 if found.is_equal else 1


def as_json(found: Verified) -> dict[str, Any]:
    """The answer for programs."""
    return {
        "tasks": found.tasks,
        **{str(match): found.counts[match] for match in Match},
        "parent_lost": found.parent_lost,
        "on_its_way": found.on_its_way,
        "since": found.since,
        "until": found.until,
        "spans": found.spans,
        "took_s": round(found.took_s, 3),
        "resent": None
        if found.resent is None
        else {"rows": found.resent.rows, "tasks": len(found.resent.task_ids)},
        "differences": [asdict(difference) for difference in found.differences],
        "more_differences": found.more_differences,
    }


def _progress() -> Callable[[int], None]:
    """Tells how many are done, where a person looks on."""
    return _tell if sys.stderr.isatty() else _quiet


def _tell(done: int) -> None:
    click.echo(f"\r{done} tasks looked at ", err=True, nl=False)


def _quiet(_done: int) -> None:
    """Says nothing."""


def _print(found: Verified) -> None:
    click.echo(f"tasks that ended from {shown(found.since)} to {shown(found.until)}: {found.tasks}")
    for match in (Match.EQUAL, *(match for match in Match if match is not Match.EQUAL)):
        click.echo(f"  {match:<11} {found.counts[match]:>8}   {_MEANING[match]}")
    if found.parent_lost:
        click.echo(
            f"  {'parent_lost':<11} {found.parent_lost:>8}   "
            "the web process died before it wrote the request's span (counted above too)"
        )
    if found.on_its_way:
        click.echo(
            f"  {'on_its_way':<11} {found.on_its_way:>8}   "
            "their spans have only just left, or wait (counted above too); verify again later"
        )
    for difference in found.differences[:_SHOWN]:
        click.echo(_line(difference))
    rest = len(found.differences) + found.more_differences - _SHOWN
    if rest > 0:
        click.echo(f"  and {rest} more differences (--json)")
    rate = found.tasks / found.took_s if found.took_s else 0
    click.echo(f"{found.spans} spans read in {found.took_s:.1f} s, {rate:.0f} tasks a second")
    click.echo(_verdict(found))


def _verdict(found: Verified) -> str:
    if not found.tasks:
        return "no task ended in that time: nothing to compare"
    if found.is_equal:
        return "table and Jaeger agree"
    wrong = found.tasks - found.counts[Match.EQUAL]
    if wrong == found.on_its_way:
        return f"{wrong} tasks are still on their way: verify again in half a minute"
    if found.resent is not None:
        return (
            f"{wrong} tasks differ; sent again: {found.resent.rows} rows of "
            f"{len(found.resent.task_ids)} tasks. Verify again in half a minute"
        )
    return f"{wrong} tasks differ: `voxtrace verify --repair` sends them again"


def _line(difference: Difference) -> str:
    where = f"task {difference.task_id}, {difference.span} {difference.span_id}"
    if not difference.what:
        return f"    {difference.kind}: {where}"
    said = f"{difference.expected!r} in the table, {difference.got!r} in Jaeger"
    return f"    {difference.kind}: {where}: {difference.what} is {said}"

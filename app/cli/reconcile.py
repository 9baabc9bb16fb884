"""`voxtrace reconcile`: whether the statistics say what the rows say, everything counted anew."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import click

from app import bootstrap, clock
from app.cli.when import shown
from app.cli.work import print_json
from app.config.settings import Settings
from app.domain.drift import Drift
from app.domain.errors import VoxtraceError
from app.service.figures import count, duration
from app.service.recounts import reconcile as service
from app.service.recounts.reconcile import Reconciled
from app.service.recounts.survey import LAST_STEP, Progress
from app.service.recounts.words import is_of_removed

#: Differences that are printed; `--json` has more.
_SHOWN: Final = 20


def reconcile(settings: Settings, options: dict[str, Any]) -> int:
    """Counts anew and prints; exit code 1 where something differs, 2 where nobody can tell."""
    _check(options)
    is_json = options["json"]
    try:
        bootstrap.check_database_is_there(settings)
        found = service.reconcile(
            bootstrap.make_core(settings, role="cli", actor="cli", pool_size=1),
            since=options["since"] or 0,
            rebuild=options["rebuild"],
            accept=options["accept"],
            on_progress=_quiet if is_json else _progress(),
        )
    except VoxtraceError as error:
        click.echo(f"voxtrace: {error.message}", err=True)
        return 2
    if is_json:
        print_json(as_json(found))
    else:
        _print(found, rebuilt=options["rebuild"])
    return 0 if found.is_equal else 1


def _check(options: dict[str, Any]) -> None:
    """Refuses what makes no sense, with exit code 2."""
    if options["accept"] and (options["since"] or not options["rebuild"]):
        message = "--accept is of what --rebuild leaves of everything: not without it, nor --since"
        raise click.UsageError(message)
    if (options["since"] or 0) > clock.now_us():
        message = f"--since must be in the past, got {shown(options['since'])}"
        raise click.UsageError(message)


def as_json(found: Reconciled) -> dict[str, Any]:
    """The answer for programs."""
    return {
        "is_equal": found.is_equal,
        "since": found.since or None,
        "hours": found.hours,
        "days": found.days,
        "tasks": found.tasks,
        "requests": found.requests,
        "attempts": found.attempts,
        "texts": found.texts,
        "took_s": round(found.took_s, 3),
        "difference_count": found.drift_count,
        "differences": [_shape(one) for one in found.drifts],
        "notes": [_shape(one) for one in found.notes],
        "triggers_restored": list(found.triggers),
        "triggers_strange": [{"name": name, "table": table} for name, table in found.strange],
        "mended": dict(sorted(found.mended.items())),
        "left": [_shape(one) for one in found.left],
        "lost": found.lost,
        "accepted": [_shape(one) for one in found.accepted],
    }


def _shape(one: Drift) -> dict[str, Any]:
    shape = asdict(one)
    return {"table": shape.pop("place"), "start_us": shape.pop("start"), **shape}


def _progress() -> Callable[[Progress], None]:
    """Tells how far it is, where a person looks on."""
    return _tell if sys.stderr.isatty() else _quiet


def _tell(at: Progress) -> None:
    words = at.step or f"{at.hours} of {at.of_hours} hours counted"
    click.echo(f"\r{words:<40}", err=True, nl=False)
    if at.step == LAST_STEP:
        click.echo("\r", err=True, nl=False)


def _quiet(_at: Progress) -> None:
    """Says nothing."""


def _print(found: Reconciled, *, rebuilt: bool) -> None:
    since = f" since {shown(found.since)}" if found.since else ""
    numbers = {"ended task": found.tasks, "attempt": found.attempts, "request": found.requests}
    parts = [_some(n, word) for word, n in numbers.items()]
    parts += [] if found.texts is None else [_some(found.texts, "text")]
    click.echo(
        f"counted anew{since}: {_some(found.hours, 'hour')} of {_some(found.days, 'day')}, "
        f"{', '.join(parts)}, in {duration(found.took_s * 1e6)}"
    )
    for name in found.triggers:
        click.echo(f"  restored: trigger {name}")
    for one in found.drifts[:_SHOWN]:
        click.echo(f"  {one.place}: {one.name}: expected {one.expected}, got {one.got}")
    if found.drift_count > _SHOWN:
        click.echo(f"  and {count(found.drift_count - _SHOWN)} more (--json)")
    for place, cells in sorted(found.mended.items()):
        click.echo(f"  mended: {_some(cells, 'cell')} of {place}")
    for note in found.notes:
        click.echo(f"  note: {note.name}: {note.got - note.expected} more, all numbers are right")
    for one in found.accepted[:_SHOWN]:
        click.echo(f"  accepted: {one.name}: expected {one.expected}, got {one.got}")
    for name, table in found.strange:
        click.echo(f"  note: trigger {name} on {table} is of no release: it may change counters")
    click.echo(_verdict(found, rebuilt=rebuilt))


def _some(n: int, word: str) -> str:
    """How many, with the word for one or many."""
    return f"{count(n)} {word}" if n == 1 else f"{count(n)} {word}s"


def _verdict(found: Reconciled, *, rebuilt: bool) -> str:
    if not found.is_equal:
        return _left(found) if rebuilt else _advice(found)
    if found.drift_count:
        return "rows and counters agree again"
    if not found.hours:
        return "no hour has tasks or requests to be counted; the totals agree"
    return "rows and counters agree"


def _left(found: Reconciled) -> str:
    """What a rebuild could not mend."""
    numbers = _some(len(found.left), "number")
    first = next((one for one in found.left if not is_of_removed(one.name)), None)
    if first is None:
        return f"{numbers} {_LOST}"
    return (
        f"{numbers} still not right: "
        f"{first.place}: {first.name}: expected {first.expected}, got {first.got}"
    )


def _advice(found: Reconciled) -> str:
    """What is to be done; no command is named that does not help."""
    numbers = _some(found.drift_count, "number")
    if found.lost == found.drift_count:
        return f"{numbers} {_LOST}"
    if found.lost:
        mends = f"`voxtrace reconcile --rebuild` mends all but {_some(found.lost, 'number')}"
        return f"{numbers} not right: {mends} {_LOST}"
    if any(is_of_removed(one.name) for one in found.left):
        mends = "`voxtrace reconcile --rebuild` mends what rows say, or two counters agree on"
        return f"{numbers} not right: {mends}"
    return f"{numbers} not as the rows say: `voxtrace reconcile --rebuild` mends that"


#: What is said of numbers of which nothing is left.
_LOST: Final = (
    "of what was removed, which nothing else tells: no command mends that. Restore a backup"
    " (`voxtrace import`), or let it be: `voxtrace reconcile --rebuild --accept`"
)

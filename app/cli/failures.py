"""`voxtrace failures`: failure groups listed, shown, and decided about."""

import getpass
from collections.abc import Iterable
from typing import Any, Final

import click

from app.cli.when import shown
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.service.failures import actions, group, listing
from app.service.failures.asked import asked
from app.service.failures.views import Exemplar, Group, GroupPage, GroupView, ListedGroup, Shown
from app.web import failure_shapes

_FILTERS: Final = ("state", "error_type", "text", "sort", "cursor")
_WHERE: Final = ("worker", "engine", "voice", "release")
#: Values of a dimension that are shown.
_VALUES: Final = 8
_BARS: Final = " ▁▂▃▄▅▆▇█"


def list_(settings: Settings, options: dict[str, Any]) -> int:
    """Prints a page of groups."""
    given = {name: options[name] for name in _FILTERS}
    given |= {name: options[name] for name in _WHERE if options[name] is not None}
    given |= {"from": options["since"], "to": options["until"]}
    given |= {"seen": "window" if options["seen"] else "any"}
    wanted = asked(given, limit=options["limit"])
    page = listing.groups(make_core(settings), wanted)
    if options["json"]:
        print_json(failure_shapes.page(page))
        return 0
    for line in (*map(_line, page.groups), *_foot(page)):
        click.echo(line)
    return 0


def _line(one: ListedGroup) -> str:
    found, counts = one.group, one.counts
    seen = "-" if found.last_at is None else shown(found.last_at)
    spread = " ".join(
        f"{part.value or '(none)'}:{part.count}" for part in counts.parts["worker"][:3]
    )
    return (
        f"{found.fingerprint:<19}  {found.shown:<9}  {counts.count:>7}  {_spark(counts.bins)}  "
        f"{seen}  {found.error_type}: {found.template[:70] or '-'}  {spread}"
    ).rstrip()


def _spark(bins: Iterable[int]) -> str:
    told = list(bins)
    most = max(told, default=0)
    return "".join(_BARS[-(-n * 8 // most) if most else 0] for n in told)


def _foot(page: GroupPage) -> list[str]:
    since = f"since {shown(page.window.start)}"
    if page.total == 0:
        return [f"no failure group fits; {since}"]
    noun = "group" if page.total == 1 else "groups"
    states = ", ".join(f"{n} {state}" for state, n in page.states.items() if n)
    lines = [f"{page.total} {noun}, {page.failed} failures {since}, repeats included ({states})"]
    if page.is_capped:
        lines.append(f"only the {listing.MOST} that were first seen last were looked at")
    if page.next is not None:
        lines.append(f"go on: --cursor {page.next}")
    return lines


def show(settings: Settings, options: dict[str, Any]) -> int:
    """Prints everything about a group."""
    wanted = asked({"from": options["since"], "to": options["until"]})
    found = group.group(make_core(settings), options["fingerprint"], wanted)
    if options["json"]:
        print_json(failure_shapes.view(found))
        return 0
    for line in (*_about(found.group), *_numbers(found), *_looks(found)):
        click.echo(line)
    return 0


def _about(found: Group) -> Iterable[str]:
    yield f"{found.fingerprint}  {found.shown}"
    yield f"  {found.error_type}: {found.template or '-'}"
    if found.error_code:
        yield f"  code {found.error_code}"
    for frame in found.frames:
        yield f"  at {frame}"
    if found.state_at is not None:
        is_muted = found.shown is Shown.MUTED
        release = f" in {found.resolved_release}" if found.resolved_release and not is_muted else ""
        verb = "muted" if is_muted else "resolved"
        yield f"  {verb} {shown(found.state_at)} by {found.state_by}{release}"
    if found.regressed_at is not None:
        release = f" in {found.regressed_release}" if found.regressed_release else ""
        yield f"  seen again {shown(found.regressed_at)}{release}"
    if found.assignee:
        yield f"  assigned to {found.assignee}"
    if found.note:
        yield f"  note: {found.note}"


def _numbers(found: GroupView) -> Iterable[str]:
    last_at = found.group.last_at
    seen = "" if last_at is None else f", last {shown(last_at)}"
    yield f"first seen {shown(found.group.first_at)}{seen}"
    ever, now = found.all_time, found.in_window
    more = "at least " if found.is_kept_count_capped else ""
    yield (
        f"failed {ever.count} times, {ever.repeats} of them again of the same text; "
        f"{found.text_count} texts"
    )
    yield (
        f"kept are {more}{found.kept_count} attempts of {found.task_count} tasks; "
        f"{more}{found.ended_count} tasks failed for good"
    )
    yield f"since {shown(found.window.start)}: {now.count}  {_spark(now.bins)}"
    for name, parts in now.parts.items():
        told = ", ".join(f"{part.value or '(none)'} {part.count}" for part in parts[:_VALUES])
        more = f", {len(parts) - _VALUES} more" if len(parts) > _VALUES else ""
        if told:
            yield f"  {name:<9} {told}{more}"


def _looks(found: GroupView) -> Iterable[str]:
    yield from map(_exemplar, found.exemplars)
    for event in found.events:
        detail = f": {event.detail}" if event.detail else ""
        yield f"{shown(event.at)}  {event.kind} by {event.by}{detail}"


def _exemplar(one: Exemplar) -> str:
    return (
        f"{one.which:<8} task {one.task_id}, attempt {one.attempt}, {shown(one.at)}, "
        f"{one.dur_us / 1e6:.3g} s on {one.worker}, trace {one.trace_id}"
    )


def decide(settings: Settings, action: str, needs: str | None, options: dict[str, Any]) -> int:
    """Decides about a group; prints its state."""
    fields = {} if needs is None else {needs: options["value"]}
    what = actions.done(action, fields, by=options["by"] or _login())
    found = actions.act(make_core(settings), options["fingerprint"], what)
    if options["json"]:
        print_json(failure_shapes.group(found))
    else:
        for line in _about(found):
            click.echo(line)
    return 0


def _login() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return None

"""`voxtrace prune`: what has had its time is removed now, or (`--dry-run`) only counted."""

import sys
from typing import Any

import click

from app import clock
from app.cli import prune_words as words
from app.cli.work import make_core, print_json
from app.config.settings import Settings
from app.duties.forwarder import export_settings
from app.service.core import Core
from app.service.retention.forecast import forecast
from app.service.retention.prune import prune as prune_service
from app.service.retention.rules import DELETED, STATUSES, Rule, rules_before, rules_now
from app.service.retention.walk import Step


def prune(settings: Settings, options: dict[str, Any]) -> int:
    """Counts, asks, removes; exit code 1 where a person said no, or stopped it."""
    _check(options)
    core = make_core(settings)
    rules = _rules(core, options)
    if not rules and not options["json"]:
        click.echo(words.NOTHING_SET)
        return 0
    keeps_unsent = export_settings() is not None
    if options["yes"]:
        return _remove(core, rules, keeps_unsent=keeps_unsent, as_json=options["json"])
    kinds = forecast(core, rules, keeps_unsent=keeps_unsent)
    if options["json"]:
        print_json(words.forecast_json(kinds))
    else:
        click.echo(words.table(kinds))
    if options["dry_run"] or not any(one.tasks or one.texts for one in kinds):
        return 0
    if not click.confirm("remove them? Their numbers stay, nothing else does"):
        return 1
    return _remove(core, rules, keeps_unsent=keeps_unsent, as_json=False)


def _check(options: dict[str, Any]) -> None:
    """Refuses what means nothing, with exit code 2."""
    if options["dry_run"] and options["yes"]:
        message = "--dry-run and --yes exclude each other: count, or remove"
        raise click.UsageError(message)
    if options["older_than"] is not None and options["older_than"] > clock.now_us():
        message = "--older-than must be in the past"
        raise click.UsageError(message)
    can_ask = sys.stdin.isatty() and not options["json"]
    if not (options["dry_run"] or options["yes"] or can_ask):
        message = "nobody can be asked here: say --yes to remove, or --dry-run to count"
        raise click.UsageError(message)


def _rules(core: Core, options: dict[str, Any]) -> tuple[Rule, ...]:
    """The rules of the settings, or `--older-than` for all statuses; of `--status` only those."""
    rules = rules_now(core)
    if options["older_than"] is not None:
        set_before = {rule.kind: rule.before for rule in rules if rule.kind == DELETED}
        asked_before = dict.fromkeys((status.value for status in STATUSES), options["older_than"])
        rules = rules_before(asked_before | set_before)
    if not options["status"]:
        return rules
    return tuple(rule for rule in rules if rule.kind in options["status"])


def _remove(core: Core, rules: tuple[Rule, ...], *, keeps_unsent: bool, as_json: bool) -> int:
    progress = _Progress(is_shown=sys.stderr.isatty() and not as_json)
    try:
        pruned = prune_service(core, rules, keeps_unsent=keeps_unsent, on_step=progress.add)
    except KeyboardInterrupt:
        click.echo(f"\nstopped: {progress.tasks} tasks removed; run it again to go on", err=True)
        return 1
    progress.end()
    if as_json:
        print_json(words.pruned_json(pruned))
    else:
        click.echo(words.summary(pruned))
    return 0


class _Progress:
    """Tells how many are removed, where a person looks on."""

    def __init__(self, *, is_shown: bool) -> None:
        self._is_shown = is_shown
        self.tasks = 0

    def add(self, step: Step) -> None:
        """One step more."""
        self.tasks += step.removed.tasks
        if self._is_shown:
            click.echo(f"\r{self.tasks} tasks removed ", err=True, nl=False)

    def end(self) -> None:
        """Leaves the line."""
        if self._is_shown:
            click.echo("\r" + " " * 40 + "\r", err=True, nl=False)

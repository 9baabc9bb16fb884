"""`voxtrace doctor`: is everything well here? Each red line says what it is and what to do."""

import json
from dataclasses import dataclass
from typing import Any

import click

from app import bootstrap, process
from app.cli.work import print_json
from app.config.settings import Settings
from app.domain.errors import ConfigError, VoxtraceError
from app.duties.forwarder import export_settings
from app.service import diagnose, leader
from app.service.core import Core
from app.service.health import HealthProbe
from app.service.window import measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One finding."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def doctor(settings: Settings, options: dict[str, Any]) -> int:
    """Looks at every part; exit code 1 where one is not well."""
    core = bootstrap.make_core(settings, role="cli", actor="doctor", pool_size=1)
    lines = [
        *(
            Line(name=name, ok=check.ok, detail=check.detail, fix=check.fix)
            for name, check in HealthProbe(core).read().checks.items()
        ),
        *_engines(core),
        *_spans(core),
        _leftovers(settings),
    ]
    if options["json"]:
        print_json(
            {line.name: {"ok": line.ok, "detail": line.detail, "fix": line.fix} for line in lines}
        )
    else:
        for line in lines:
            click.echo(
                f"{'ok ' if line.ok else 'BAD'}  {line.name:<16} {line.detail}"
                + (f"\n     -> {line.fix}" if line.fix and not line.ok else "")
            )
    return 0 if all(line.ok for line in lines) else 1


def _engines(core: Core) -> list[Line]:
    return [
        Line(
            name=f"engine {found.name}",
            ok=found.ok,
            detail=", ".join(f"{key} {value}" for key, value in found.facts.items()) or "it speaks",
            fix="see VOXTRACE_ENGINES in docs/settings.md",
        )
        for found in diagnose.engines(core)
    ]


def _spans(core: Core) -> list[Line]:
    """Where spans go, what waits, and what stands in the way."""
    try:
        export = export_settings()
    except ConfigError as error:
        return [Line(name="export", ok=False, detail=error.problems[0], fix="see docs/settings.md")]
    where = (
        export.shown_endpoint if export else "no collector is set; spans are kept for the window"
    )
    lines = [Line(name="export", ok=True, detail=where)]
    try:
        state = measure(core)
        duties = {duty.name: duty for duty in leader.every(core)}
    except VoxtraceError as error:
        return [*lines, Line(name="outbox", ok=False, detail=error.message)]
    waits = f"{state.pending} rows wait, {state.sent} are kept, {state.poison} were refused"
    lines.append(
        Line(
            name="outbox",
            ok=not state.poison and not state.lost_rows,
            detail=f"{waits}, {state.lost_rows} were dropped above the bound",
            fix="see docs/operate.md, refused spans",
        )
    )
    if export and "forwarder" in duties:
        status = json.loads(duties["forwarder"].state)
        trouble = status.get("configuration_trouble") or status.get("last_error")
        is_well = not status.get("failures") and not status.get("configuration_trouble")
        detail = f"{status.get('sent_spans', 0)} spans sent" if is_well else str(trouble)
        fix = "see OTEL_EXPORTER_OTLP_ENDPOINT and the collector"
        lines.append(Line(name="forwarder", ok=is_well, detail=detail, fix=fix))
    return lines


def _leftovers(settings: Settings) -> Line:
    found = process.leftovers(settings.home)
    return Line(
        name="leftovers",
        ok=not found,
        detail=f"processes of an earlier start still run: {found}" if found else "none",
        fix="the next `voxtrace up` kills them",
    )

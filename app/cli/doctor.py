"""`voxtrace doctor`: every part of the service, and what only this machine can be asked."""

from typing import Any, Final

import click

from app import bootstrap, process
from app.cli.work import print_json
from app.config.settings import Settings
from app.domain.errors import ConfigError
from app.duties.forwarder import export_settings
from app.service import diagnose
from app.service.checks.check import Check, Level, Said, off
from app.service.checks.check_backends import turned_off
from app.service.core import Core
from app.service.figures import duration
from app.service.health import HealthProbe
from telemetry import provider

#: How a level begins its line.
_SIGNS: Final[dict[Level, str]] = {
    "ok": "ok  ",
    "warn": "warn",
    "bad": "BAD ",
    "off": "off ",
    "unknown": "?   ",
}


def doctor(settings: Settings, options: dict[str, Any]) -> int:
    """Looks at every part; exit code 1 where one is bad."""
    core = bootstrap.make_core(settings, role="cli", actor="doctor", pool_size=1)
    checks = [
        *HealthProbe(core).read().checks.values(),
        *_engines(core),
        _export(),
        _leftovers(settings),
    ]
    if options["json"]:
        print_json({check.name: _shape(check) for check in checks})
    else:
        for check in checks:
            click.echo(f"{_SIGNS[check.level]} {check.name:<14} {check.said.en}{_age(check)}")
            if check.needs_you and check.fix.en:
                click.echo(f"     -> {check.fix.en}")
    return 1 if any(check.level == "bad" for check in checks) else 0


def _age(check: Check) -> str:
    """How old what was found is, where that is longer than a look takes."""
    age_s = check.facts.get("age_s")
    return f" ({duration(round(age_s * 1e6), 'en')} ago)" if isinstance(age_s, float) else ""


def _shape(check: Check) -> dict[str, Any]:
    return {
        "ok": check.level != "bad",
        "level": check.level,
        "required": check.is_required,
        "detail": check.said.en,
        "fix": check.fix.en,
        "since_us": check.since,
        **check.facts,
    }


def _engines(core: Core) -> list[Check]:
    """The engines are asked for here only: a paid one would be asked each second elsewhere."""
    return [_engine(found) for found in diagnose.engines(core)]


def _engine(found: diagnose.Finding) -> Check:
    words = ", ".join(f"{key} {value}" for key, value in found.facts.items()) or "it speaks"
    return Check(
        name=f"engine {found.name}",
        level="ok" if found.ok else "bad",
        said=Said(en=words, zh=words),
        fix=Said(
            en="see VOXTRACE_ENGINES in docs/settings.md",
            zh="见 docs/settings.md 中的 VOXTRACE_ENGINES",
        ),
    )


def _export() -> Check:
    """Where spans would go with the environment of this very command."""
    try:
        export = export_settings()
    except ConfigError as error:
        words = error.problems[0]
        fix = Said(en="see docs/telemetry.md", zh="见 docs/telemetry.md")
        return Check(name="export", level="bad", said=Said(en=words, zh=words), fix=fix)
    if export is None:
        return _no_export()
    words = f"{export.shown_endpoint} ({export.protocol})"
    return Check(name="export", level="ok", said=Said(en=words, zh=words))


def _no_export() -> Check:
    if not provider.is_enabled():
        return turned_off("export")
    en = "nowhere from here: see OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_TRACES_EXPORTER"
    zh = "此处未设置：见 OTEL_EXPORTER_OTLP_ENDPOINT 与 OTEL_TRACES_EXPORTER"
    return off("export", en, zh)


def _leftovers(settings: Settings) -> Check:
    found = process.leftovers(settings.home)
    return Check(
        name="leftovers",
        level="bad" if found else "ok",
        said=Said(
            en=f"processes of an earlier start still run: {found}" if found else "none",
            zh=f"仍有之前启动的进程：{found}" if found else "没有",
        ),
        fix=Said(en="the next `voxtrace up` kills them", zh="下一次 `voxtrace up` 会结束它们"),
    )

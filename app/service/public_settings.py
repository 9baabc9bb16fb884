"""The public part of the configuration: never a header, a password, a token or a credential."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from app.config.parsers import without_user
from app.config.spec import Spec
from app.config.specs import SPECS
from app.service.core import Core
from telemetry.export import (
    ExportSettings,
    best_effort_settings_from,
    export_settings_from,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSetting:
    """A setting as people may see it; a secret one only says whether it is set."""

    name: str
    value: str
    unit: str
    default: str
    allowed: str
    help: str
    is_given: bool
    is_secret: bool


def of(core: Core) -> list[PublicSetting]:
    """Every setting, in the order of docs/settings.md."""
    return [_public(core, spec) for spec in SPECS]


def _public(core: Core, spec: Spec) -> PublicSetting:
    return PublicSetting(
        name=spec.name,
        value=_value(core, spec),
        unit=spec.unit,
        default=spec.default_words or spec.default or "–",
        allowed=spec.allowed,
        help=spec.help,
        is_given=spec.name in core.settings.given,
        is_secret=spec.is_secret,
    )


def _value(core: Core, spec: Spec) -> str:
    value = getattr(core.settings, spec.field)
    if spec.field == "database_url":
        return database_words(core)
    if spec.is_secret:
        return "set" if value else "not set"
    if value is None or value == ():
        return "–"
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:g}" if isinstance(value, float) else without_user(str(value))


def database_words(core: Core) -> str:
    """The database without user, password and options."""
    url = core.database.url
    name = str(url.database or "")
    if core.database.is_sqlite:
        return f"sqlite: {name}"
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}: {url.host or 'local socket'}{port}/{name}"


def export_of(environ: Mapping[str, str] = os.environ) -> ExportSettings | None:
    """Where spans go, from the standard OTEL_* variables; None for nowhere, or a wrong value.

    A wrong value ends the duties at their start; the web goes on without sending.
    """
    try:
        return export_settings_from(environ)
    except ValueError:
        return None


def best_effort_export_of(environ: Mapping[str, str] = os.environ) -> ExportSettings | None:
    """Where spans go that no task hangs on, over HTTP; None for nowhere, or a wrong value."""
    try:
        return best_effort_settings_from(environ)
    except ValueError:
        return None

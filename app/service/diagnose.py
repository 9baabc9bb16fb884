"""Diagnose: are the engines and the storage reachable and authorised? Read-only, asked by hand."""

from dataclasses import dataclass

from app.service.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a probe found: `ok`, and what else it tells (`error`, `error_type`, versions, …)."""

    name: str
    ok: bool
    facts: dict[str, str | int | float | bool]


def engines(core: Core) -> list[Finding]:
    """Every engine that is offered, the default one first."""
    default = core.settings.default_engine
    ordered = sorted(core.engines.items(), key=lambda item: item[0] != default)
    return [_finding(name, engine.probe()) for name, engine in ordered]


def storage(core: Core) -> Finding:
    """The storage of audio."""
    found = core.storage.probe()
    return _finding(str(found.get("kind", "storage")), dict(found))


def _finding(name: str, found: dict[str, str | int | float | bool]) -> Finding:
    facts = {key: value for key, value in found.items() if key != "ok"}
    return Finding(name=name, ok=bool(found.get("ok")), facts=facts)

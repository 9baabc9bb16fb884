"""Engines as people choose among them: voices, parameters, limits."""

from dataclasses import asdict
from typing import Any

from app.service import limits
from app.service.choice import AUTO_VOICE
from app.service.core import Core
from app.speech.engine import Engine


def engines(core: Core) -> list[dict[str, Any]]:
    """Every engine that is offered, the default one first, as plain values."""
    default = core.settings.default_engine
    bounds = limits.read(core).engines
    ordered = sorted(core.engines.values(), key=lambda engine: engine.name != default)
    return [
        _engine(engine, is_default=engine.name == default, limit=bounds.get(engine.name))
        for engine in ordered
    ]


def _engine(engine: Engine, *, is_default: bool, limit: int | None) -> dict[str, Any]:
    able = engine.capabilities()
    return {
        "name": engine.name,
        "version": engine.version,
        "is_default": is_default,
        "limit": limit,
        "default_voice": AUTO_VOICE,
        "voices": [asdict(voice) for voice in engine.voices()],
        "params": {name: asdict(param) for name, param in able.params.items()},
        "languages": list(able.languages) if able.languages is not None else None,
        "sample_rates": list(able.sample_rates),
        "marks": sorted(able.marks),
        "is_deterministic": able.is_deterministic,
        "is_offline": able.is_offline,
    }

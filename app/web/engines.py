"""Engines as the upload and settings pages offer them."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.service.core import Core
from app.web.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedVoice:
    """A voice to choose."""

    id: str
    name: str
    languages: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedEngine:
    """An engine to choose."""

    name: str
    version: str
    is_default: bool
    is_offline: bool
    voices: Sequence[OfferedVoice]


def offered(core: Core) -> list[OfferedEngine]:
    """Every engine, in the order of the settings; the voice "auto" is offered apart."""
    return [
        OfferedEngine(
            name=name,
            version=engine.version,
            is_default=name == core.settings.default_engine,
            is_offline=engine.capabilities().is_offline,
            voices=[
                OfferedVoice(id=voice.id, name=voice.name, languages=voice.languages)
                for voice in engine.voices()
                if voice.id != "auto"
            ],
        )
        for name, engine in core.engines.items()
    ]


def says(engine: OfferedEngine, t: Words) -> str:
    """What an engine is, in a line."""
    key = f"engine.{engine.name}"
    if t.has(key):
        return str(t(key))
    place = t("engine.offline" if engine.is_offline else "engine.online")
    return f"{place}{t('comma')}{t('settings.voices', n=len(engine.voices))}"

"""Choices of a request: engine, voice, format and limits, checked against what is offered."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.domain.audio import DEFAULT_FORMAT, FORMATS
from app.domain.errors import RequestError
from app.domain.numbers import is_number, is_whole
from app.domain.text import Recipe

if TYPE_CHECKING:
    from app.service.core import Core
    from app.speech.engine import Engine

#: The voice that each segment's language chooses.
AUTO_VOICE = "auto"
#: Longest limit that a request may ask for: a week.
MAX_TIMEOUT_S = 604_800.0
MAX_ATTEMPTS = 100


def recipe_of(
    core: "Core",
    *,
    engine: str | None,
    voice: str | None,
    fmt: str | None,
    params: Mapping[str, float],
) -> tuple[Recipe, str | None]:
    """The recipe of a request, and the language that its voice fixes (None: told by the text)."""
    name = engine or core.settings.default_engine
    chosen = core.engines.get(name)
    if chosen is None:
        message = f"engine {name[:40]!r} is not offered; allowed: {', '.join(core.engines)}"
        raise RequestError(message)
    chosen_format = fmt or DEFAULT_FORMAT
    if chosen_format not in FORMATS:
        message = f"format {chosen_format[:20]!r} is not made; allowed: {', '.join(FORMATS)}"
        raise RequestError(message)
    chosen_voice, language = _voice_of(chosen, voice)
    recipe = Recipe(
        engine=name,
        engine_version=chosen.version,
        voice=chosen_voice,
        format=chosen_format,
        params=_params_of(chosen, params),
    )
    return recipe, language


def _voice_of(engine: "Engine", voice: str | None) -> tuple[str, str | None]:
    if voice is None or voice == AUTO_VOICE:
        return AUTO_VOICE, None
    voices = engine.voices()
    for known in voices:
        if known.id == voice:
            return voice, known.languages[0] if known.languages else None
    names = list(dict.fromkeys([AUTO_VOICE, *(known.id for known in voices)]))
    more = f" and {len(names) - 12} more (GET /api/v1/engines)" if len(names) > 12 else ""
    some = f"{', '.join(names[:12])}{more}"
    message = f"voice {voice[:80]!r} is not one of {engine.name}'s; allowed: {some}"
    raise RequestError(message)


def _params_of(engine: "Engine", params: Mapping[str, float]) -> dict[str, float]:
    ranges = engine.capabilities().params
    checked = {}
    for name, value in params.items():
        if name not in ranges:
            allowed = ", ".join(ranges) or "none"
            message = f"parameter {name[:40]!r} is not one of {engine.name}'s; allowed: {allowed}"
            raise RequestError(message)
        low, high = ranges[name].minimum, ranges[name].maximum
        if not is_number(value) or not low <= value <= high:
            message = f"parameter {name} must be a number from {low:g} to {high:g}, got {value!r}"
            raise RequestError(message)
        checked[name] = float(value)
    return checked


def timeout_of(value: float | None, default: float) -> float:
    """The limit of an attempt in seconds, checked."""
    if value is None:
        return default
    if not is_number(value) or not 1 <= value <= MAX_TIMEOUT_S:
        message = f"timeout_s must be a number from 1 to {MAX_TIMEOUT_S:g} (seconds), got {value!r}"
        raise RequestError(message)
    return float(value)


def attempts_of(value: int | None, default: int) -> int:
    """The tries of a task, checked."""
    if value is None:
        return default
    if not is_whole(value) or not 1 <= value <= MAX_ATTEMPTS:
        message = f"max_attempts must be a whole number from 1 to {MAX_ATTEMPTS}, got {value!r}"
        raise RequestError(message)
    return value

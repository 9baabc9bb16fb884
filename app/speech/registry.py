"""Which engines there are: entry points of the group `voxtrace.engines`, made by their factories.

A factory is called `create(options)`. Options of an engine are written `<engine>.<option>` in the
settings and arrive without the prefix.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from app.domain.errors import ConfigError
from app.speech.engine import Engine

#: Entry-point group in which packages declare their engine factories.
GROUP = "voxtrace.engines"


def installed_engines() -> list[str]:
    """Names that `load_engines` knows here, sorted."""
    return sorted(_found())


def load_engines(
    names: Sequence[str], options: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Engine]:
    """The engines called `names`, in that order; none of them has started anything yet.

    Raises:
        ConfigError: A name that is not installed, a factory that cannot be imported, an option
            that its engine refuses, or one for an engine that is not in `names`; all at once.
    """
    found = _found()
    problems = [_unknown(name, found) for name in names if name not in found]
    problems += [
        f"engine option {key!r} must start with one of: {', '.join(f'{n}.' for n in names)}"
        for key in options
        if key.partition(".")[0] not in names
    ]
    engines: dict[str, Engine] = {}
    for name in names:
        if name in found and name not in engines:
            try:
                engines[name] = _create(found[name], _own_options(name, options))
            except ConfigError as error:
                problems += error.problems
    if problems:
        raise ConfigError(problems)
    return engines


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _unknown(name: str, found: Mapping[str, EntryPoint]) -> str:
    installed = ", ".join(sorted(found)) or f"none (no package declares {GROUP})"
    return f"VOXTRACE_ENGINES must name installed engines ({installed}), got {name!r}"


def _own_options(name: str, options: Mapping[str, str]) -> dict[str, str]:
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): text for key, text in options.items() if key.startswith(prefix)
    }


def _create(point: EntryPoint, options: Mapping[str, str]) -> Engine:
    try:
        factory = point.load()
    except (ImportError, AttributeError) as error:
        message = f"engine {point.name!r} cannot be loaded from {point.value}: {error}"
        raise ConfigError([message]) from error
    engine = factory(options)
    if not isinstance(engine, Engine):
        message = f"engine {point.name!r}: {point.value} made a {type(engine).__name__}"
        raise ConfigError([f"{message}, which is not an engine"])
    return engine

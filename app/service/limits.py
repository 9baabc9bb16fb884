"""Limits of how many tasks run at once: settings in the database, in effect at the next claim."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.errors import RequestError
from app.domain.numbers import is_whole
from app.service import system_events
from app.service.core import Core
from app.store import settings
from app.store.database import Connection

#: Highest limit that can be set.
MAX_LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limit of the whole system, and of single engines (an engine without one has none)."""

    max_concurrent: int
    engines: dict[str, int]


def read(core: Core) -> Limits:
    """The limits in force; before the first worker start, the configured start value."""
    with core.database.read() as conn:
        return in_snapshot(core, conn)


def in_snapshot(core: Core, conn: Connection) -> Limits:
    """As `read`, in a snapshot of the caller."""
    value = settings.get(conn, settings.MAX_CONCURRENT)
    return Limits(
        max_concurrent=core.settings.max_concurrent if value is None else value,
        engines=settings.engine_limits(conn),
    )


def start_value_note(core: Core) -> str | None:
    """A line where VOXTRACE_MAX_CONCURRENT was given and the database has another value."""
    now = read(core).max_concurrent
    if "VOXTRACE_MAX_CONCURRENT" not in core.settings.given or now == core.settings.max_concurrent:
        return None
    return (
        f"VOXTRACE_MAX_CONCURRENT is {core.settings.max_concurrent}, but the limit in the database "
        f"is {now} and holds; change it with `voxtrace limit {core.settings.max_concurrent}`"
    )


def set_max_concurrent(core: Core, value: int) -> Limits:
    """Changes the limit of the whole system; what runs goes on, the next claim obeys.

    Raises:
        RequestError: Not a whole number from 0 (nothing is claimed any more) to `MAX_LIMIT`.
    """
    _check(value, "max_concurrent")
    core.database.run(lambda conn: _set(core, conn, settings.MAX_CONCURRENT, value))
    core.ring()
    return read(core)


def set_engine_limit(core: Core, engine: str, value: int | None) -> Limits:
    """Changes an engine's limit; None removes it.

    Raises:
        RequestError: Unknown engine, or a value out of range.
    """
    _check_engine(core, engine)
    key = f"{settings.ENGINE_LIMIT}{engine}"
    if value is not None:
        _check(value, f"the limit of {engine}")
    core.database.run(lambda conn: _set(core, conn, key, value))
    core.ring()
    return read(core)


def change(core: Core, max_concurrent: int | None, engines: Mapping[str, int | None]) -> Limits:
    """Changes several limits at once, all or none.

    Args:
        core: Where.
        max_concurrent: The limit of the whole system; None leaves it.
        engines: Limits of engines; None removes one.

    Raises:
        RequestError: Unknown engine, or a value out of range.
    """
    values: dict[str, int | None] = {}
    if max_concurrent is not None:
        _check(max_concurrent, "max_concurrent")
        values[settings.MAX_CONCURRENT] = max_concurrent
    for engine, value in engines.items():
        _check_engine(core, engine)
        if value is not None:
            _check(value, f"the limit of {engine}")
        values[f"{settings.ENGINE_LIMIT}{engine}"] = value

    def work(conn: Connection) -> Limits:
        for key, value in values.items():
            _set(core, conn, key, value)
        return in_snapshot(core, conn)

    changed = core.database.run(work)
    core.ring()
    return changed


def _check_engine(core: Core, engine: str) -> None:
    if engine not in core.engines:
        message = f"engine {engine[:40]!r} is not offered; allowed: {', '.join(core.engines)}"
        raise RequestError(message)


def _set(core: Core, conn: Connection, key: str, value: int | None) -> None:
    now, before = core.database.now_us(conn), settings.get(conn, key)
    if value is None:
        settings.remove(conn, key)
    else:
        settings.put(conn, key, value, now=now, by=core.actor)
    system_events.limit_changed(conn, core, now, key=key, before=before, value=value)


def _check(value: int, name: str) -> None:
    if not is_whole(value) or not 0 <= value <= MAX_LIMIT:
        message = f"{name} must be a whole number from 0 to {MAX_LIMIT}, got {value!r}"
        raise RequestError(message)

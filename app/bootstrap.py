"""Bootstrap: the only place that picks implementations; entry points get a Core from here."""

import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from app.broker import bell, celery_app, relay, transport
from app.config.settings import Settings
from app.domain.errors import ConfigError
from app.service.core import Core
from app.service.task_logs.process_log import ProcessLog
from app.speech.registry import load_engines
from app.storage.local import LocalStorage
from app.store import schema
from app.store.database import Database
from telemetry.export import check_library, export_settings_from
from telemetry.log_export import log_settings_from
from telemetry.metric_export import export_interval_s
from telemetry.provider import resource_attributes


def make_core(settings: Settings, *, role: str, actor: str, pool_size: int = 4) -> Core:
    """The Core of one process; make it after a fork.

    Args:
        settings: Checked settings.
        role: Key of `database.WAIT_S`: how long this process may wait for a lock.
        actor: Who acts, as events name it.
        pool_size: Database connections kept open.
    """
    make_home(settings)
    return Core(
        settings=settings,
        database=Database(settings.database_url, role=role, pool_size=pool_size),
        storage=LocalStorage(settings.home / "audio"),
        engines=load_engines(settings.engines),
        host=socket.gethostname(),
        actor=actor,
        ring=partial(bell.ring, run_dir(settings)),
    )


def with_actor(core: Core, actor: str) -> Core:
    """The same implementations, used by someone else."""
    return replace(core, actor=actor)


def make_home(settings: Settings) -> None:
    """Makes the home, readable by its owner only.

    Raises:
        ConfigError: It cannot be made or written.
    """
    try:
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        problem = (
            "VOXTRACE_HOME must be a directory that can be made and written, "
            f"got '{settings.home}': {error.strerror}"
        )
        raise ConfigError([problem]) from error


def check_telemetry() -> None:
    """Raises ConfigError where one of the standard OTEL_* variables is wrong, or asks in vain."""
    try:
        check_library(export_settings_from(os.environ))
        export_settings_from(os.environ, "metrics")
        export_interval_s(os.environ)
        log_settings_from(os.environ)
        resource_attributes(os.environ)
    except ValueError as error:
        raise ConfigError([str(error)]) from error


def run_dir(settings: Settings) -> Path:
    """Where the sockets of this home are."""
    return settings.home / "run"


def migrate(settings: Settings) -> tuple[str | None, str]:
    """Brings the schema up to this release; (revision before, revision after)."""
    make_home(settings)
    database = Database(settings.database_url, role="migrate", pool_size=1)
    try:
        return schema.migrate(database)
    finally:
        database.close()


def check_database_is_there(settings: Settings) -> None:
    """Raises SchemaError, with what to do, where there is no database; makes nothing."""
    schema.check_is_there(settings.database_url)


def check_schema(core: Core) -> None:
    """Raises SchemaError, with what to do, where the schema is not this release's."""
    schema.check(core.database)


def tend_pool(worker: Any) -> None:
    """Looks for dead children of a worker and forks new ones in their place."""
    celery_app.tend_pool(worker)


def start_log(core: Core, *, program: str, service: str, has_threads: bool = True) -> ProcessLog:
    """Logging of this process, begun; call it after the fork.

    Args:
        core: Where lines about tasks are written.
        program: What this process is, as rows name it.
        service: Its `service.name`.
        has_threads: False for a process that forks: its lines are exported by the duties process.
    """
    hand_over = None if has_threads else partial(relay.hand_over, run_dir(core.settings))
    log = ProcessLog(core, program=program, service=service, hand_over=hand_over)
    log.start()
    return log


def relay_socket(settings: Settings) -> relay.RelaySocket:
    """Where this host's processes without threads hand over their lines."""
    return relay.RelaySocket(run_dir(settings))


def bell_socket(settings: Settings) -> bell.BellSocket:
    """A listener's end of the bell of this home."""
    return bell.BellSocket(run_dir(settings))


def make_worker(settings: Settings, desk: transport.Desk, run: Callable[[str], None]) -> Any:
    """A Celery worker over the task table, not yet started.

    Args:
        settings: Checked settings.
        desk: The parent process's half: it claims, and keeps the timers.
        run: The children's half: runs one claim (JSON).
    """
    transport.open_desk(desk)
    return celery_app.worker_of(
        celery_app.make_celery(run),
        name=f"{settings.worker_name}@{socket.gethostname()}",
        concurrency=settings.worker_concurrency,
        log_level=settings.log_level,
    )

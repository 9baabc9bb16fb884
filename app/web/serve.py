"""The web program: gunicorn with threads; each process makes its own Core after the fork."""

import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from typing_extensions import override

from app import bootstrap, process
from app.config.settings import Settings
from app.logs.logger import logger_of
from app.web import state
from app.web.factory import create_app
from app.web.threads import MAX_LINE_BYTES, Threads
from telemetry.log_export import not_sent
from telemetry.names import SERVICE_WEB

log = logger_of(__name__)

#: Seconds that a stopping process waits for requests in hand; streams end at once.
GRACE_S: Final = 3
#: Seconds without a sign of life of its main thread after which a web process is replaced.
SILENCE_S: Final = 60
#: Seconds that a connection stays open for its next request.
KEEP_ALIVE_S: Final = 5

#: Where an application keeps the log of its process.
_LOG: Final = "voxtrace_log"

_Handler = Callable[[int, FrameType | None], Any] | int | None


def serve(settings: Settings) -> int:
    """Runs the web until it is stopped; returns the exit code.

    Raises:
        SchemaError: The database has not the schema of this release.
    """
    process.die_with_parent()
    process.bound_heaps()
    os.environ.setdefault(process.RUN_MARK, process.new_run_mark(settings.home))
    _check(settings)
    process.settle()
    try:
        WebProgram(settings).run()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _check(settings: Settings) -> None:
    """What must be right before anything is forked; no connection is kept."""
    core = bootstrap.make_core(settings, role="web", actor="web", pool_size=1)
    bootstrap.check_schema(core)
    core.database.close()
    if (why := not_sent()) is not None:
        log.warning(why)
    if settings.api_token is not None and settings.legacy_open:
        log.warning(
            "VOXTRACE_LEGACY_OPEN=1: the legacy routes and the audio files that they name need no "
            "token; who reaches this address can submit and hear texts",
            address=settings.bind,
        )


class LogLines(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's own lines, in the format of all others."""

    @override
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class WebProgram(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, configured by our settings alone.

    Args:
        settings: Checked settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    @override
    def load_config(self) -> None:
        settings = self._settings
        values = {
            "bind": settings.bind,
            "workers": settings.web_processes,
            "threads": settings.web_threads,
            "worker_class": Threads,
            "limit_request_line": MAX_LINE_BYTES,
            "preload_app": False,
            "graceful_timeout": GRACE_S,
            "timeout": SILENCE_S,
            "keepalive": KEEP_ALIVE_S,
            "loglevel": "debug" if settings.log_level == "debug" else "warning",
            "accesslog": None,
            "logger_class": LogLines,
            "proc_name": "voxtrace web",
            "control_socket_disable": True,
            "post_fork": _after_fork,
            "post_worker_init": _ready,
            "worker_exit": _end,
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    @override
    def load(self) -> Flask:
        """The application of one web process; gunicorn calls this after the fork."""
        made = create_app(self._settings)
        core = state.of(made).core
        made.extensions[_LOG] = bootstrap.start_log(core, program="web", service=SERVICE_WEB)
        return made


def _after_fork(server: Any, _worker: Any) -> None:
    """The new process ends with gunicorn's master, however that ends."""
    process.set_parent_death_signal()
    if os.getppid() != server.pid:
        os._exit(1)


def _ready(worker: Any) -> None:
    """Its counts are told now; its streams end with a stop, before gunicorn waits for them."""
    process.settle()
    state.of(worker.wsgi).counts.start()
    watcher = state.of(worker.wsgi).watcher
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, _ending(watcher.stop, signal.getsignal(signum)))


def _end(_server: Any, worker: Any) -> None:
    """What waits is written before the process ends."""
    if getattr(worker, "wsgi", None) is not None:
        worker.wsgi.extensions[_LOG].stop()
        state.end(state.of(worker.wsgi))


def _ending(stop: Callable[[], None], then: _Handler) -> Callable[[int, FrameType | None], None]:
    def handle(signum: int, frame: FrameType | None) -> None:
        stop()
        if callable(then):
            then(signum, frame)

    return handle

"""The worker program: a Celery prefork worker whose queue is the task table."""

import os
import warnings
from typing import Any

from celery import signals
from celery.platforms import SecurityWarning

from app import bootstrap, process
from app.config.settings import Settings
from app.worker.child import Child
from app.worker.keeper import DutiesKeeper
from app.worker.parent import Parent
from telemetry.names import SERVICE_WORKER


def run_worker(settings: Settings, *, keeps_duties: bool) -> int:
    """Runs a worker until it is stopped; returns the exit code.

    Args:
        settings: Checked settings.
        keeps_duties: Whether it also keeps this host's duties process running (`up` does itself).
    """
    process.die_with_parent()
    process.bound_heaps()
    os.environ.setdefault(process.RUN_MARK, process.new_run_mark(settings.home))
    actor = f"worker {settings.worker_name}"
    warnings.filterwarnings("ignore", category=SecurityWarning)  # as root; messages are JSON only
    core = bootstrap.make_core(settings, role="hub", actor=actor, pool_size=1)
    bootstrap.check_schema(core)
    keeper = DutiesKeeper() if keeps_duties else None
    bell = bootstrap.bell_socket(settings)
    log = bootstrap.start_log(core, program="worker", service=SERVICE_WORKER, has_threads=False)
    parent = Parent(core, bell, keeper)
    runner = _Runner(settings)
    receivers = _connect(parent, runner)
    worker = bootstrap.make_worker(settings, parent, runner.run)
    parent.tend_pool = lambda: bootstrap.tend_pool(worker)
    try:
        worker.start()
    finally:
        if keeper is not None:
            keeper.stop()
        bell.close()
        log.stop()
    del receivers
    return int(worker.exitcode or 0)


class _Runner:
    """Makes the child's half after the fork and hands it every message."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child: Child | None = None

    def after_fork(self, **_kwargs: Any) -> None:
        """Celery's signal in a new pool child."""
        self._child = Child(self._settings)

    def run(self, message: str) -> None:
        """Runs one claim."""
        if self._child is None:
            self.after_fork()
        if self._child is not None:
            self._child.run(message)

    def end(self, **_kwargs: Any) -> None:
        """Celery's signal in a pool child that ends in an orderly way."""
        if self._child is not None:
            self._child.end()


def _connect(parent: Parent, runner: _Runner) -> list[Any]:
    """Connects Celery's signals; the receivers must be kept (they are referred to weakly)."""

    def failed(task_id: str, exception: BaseException, **_kwargs: Any) -> None:
        parent.child_failed(task_id, exception)

    def keep_ours(**_kwargs: Any) -> None:
        """Connected to `setup_logging`: Celery then leaves logging as it is."""

    signals.worker_process_init.connect(runner.after_fork)
    signals.worker_process_shutdown.connect(runner.end)
    signals.task_failure.connect(failed)
    signals.setup_logging.connect(keep_ours)
    return [failed, keep_ours, runner]

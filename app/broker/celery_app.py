"""The Celery app: its one task, and the settings that were measured to be safe."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from app.broker import transport

#: KiB of memory above which a child is replaced after its task (a backstop against leaks).
MAX_CHILD_KIB = 1_500_000


def make_celery(run: Callable[[str], None]) -> Celery:
    """A Celery app whose task `tts` hands its message (a claim as JSON) to `run`.

    `run` must let nothing out but SystemExit: a MemoryError that leaves it ends the whole worker.
    """
    app = Celery("voxtrace", broker=f"{transport.SCHEME}://", set_as_current=False)
    app.conf.update(
        task_default_queue=transport.QUEUE,
        task_ignore_result=True,
        result_backend=None,
        task_acks_late=True,
        task_acks_on_failure_or_timeout=True,
        task_reject_on_worker_lost=False,  # the parent settles a lost child by the failure signal
        worker_prefetch_multiplier=1,  # claims at most as many rows as there are children
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_max_memory_per_child=MAX_CHILD_KIB,
        worker_proc_alive_timeout=60,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        enable_utc=True,
    )

    @app.task(name=transport.TASK, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
    def tts(message: str) -> None:
        run(message)

    del tts
    return app


def worker_of(app: Celery, *, name: str, concurrency: int, log_level: str) -> Any:
    """A prefork worker, not yet started."""
    return app.Worker(
        hostname=name,
        concurrency=concurrency,
        pool="prefork",
        optimization="fair",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        loglevel=log_level.upper(),
        quiet=True,
    )


def tend_pool(worker: Any) -> None:
    """Joins dead children and forks their successors, as Celery does every five seconds."""
    pool = getattr(worker.pool, "_pool", None)
    if pool is not None:
        pool.maintain_pool()

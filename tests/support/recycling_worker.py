"""`voxtrace worker` whose pool children end after one task each (Celery's max_tasks_per_child).

python -m tests.support.recycling_worker worker --without-duties
"""

from collections.abc import Callable

from celery import Celery

from app.broker import celery_app
from app.cli.main import main


def _recycle() -> None:
    make = celery_app.make_celery

    def make_recycling(run: Callable[[str], None]) -> Celery:
        app = make(run)
        app.conf.worker_max_tasks_per_child = 1
        return app

    celery_app.make_celery = make_recycling


if __name__ == "__main__":
    _recycle()
    main()

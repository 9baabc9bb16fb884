"""The other side of the latency benchmark: Celery as it comes, on Redis, with a task that is empty.

    BENCH_BROKER=redis://… BENCH_STARTS=FILE celery -A tests.bench.stock_celery worker -c 2

The task's first act is to note when it was sent and when it began, in nanoseconds, as one line.
"""

import os
import time
from pathlib import Path

from celery import Celery

app = Celery("stock", broker=os.environ.get("BENCH_BROKER", "redis://127.0.0.1:6379/0"))
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task(name="noop")  # type: ignore[untyped-decorator]
def noop(sent_ns: int) -> None:
    """Begins, and ends."""
    began_ns = time.time_ns()
    with Path(os.environ["BENCH_STARTS"]).open("a") as starts:
        starts.write(f"{sent_ns} {began_ns}\n")

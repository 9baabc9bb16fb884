"""A voxtrace worker that really speaks one task of twenty, and completes the others at once.

All around the work is real for each of them: claim, begin, spans, verdict, heartbeats.
"""

import sys
from typing import Final

from app.config.settings import load
from app.service.attempt import Attempt
from app.service.execute import execute
from app.worker.main import run_worker
from tests.bench.noop_worker import finish, replace_work

#: Of so many tasks one is spoken.
EVERY: Final = 20


def work(attempt: Attempt) -> str:
    """Speaks, or completes at once."""
    return execute(attempt) if attempt.claim.task_id % EVERY == 0 else finish(attempt)


def main() -> int:
    """Runs the worker until it is stopped."""
    replace_work(work)
    return run_worker(load(), keeps_duties=False)


if __name__ == "__main__":
    sys.exit(main())

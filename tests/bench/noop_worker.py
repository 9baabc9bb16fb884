"""A voxtrace worker whose attempts have nothing to do: all around the work is real.

Claim, begin, spans, verdict, heartbeats and the bell are those of `voxtrace worker`; only the
speaking is left out, so that what is measured is the queue.
"""

import sys
from collections.abc import Callable

from app.config.settings import load
from app.domain.task import Decision, Move
from app.service import execute
from app.service.attempt import Attempt
from app.service.finish import Verdict
from app.worker import child
from app.worker.main import run_worker


def finish(attempt: Attempt) -> str:
    """Completes an attempt at once, in the transaction that ends every one."""
    verdict = Verdict(decision=Decision(move=Move.COMPLETE))
    task = attempt.write(
        lambda conn, now: execute._settle(attempt, conn, verdict, now),  # noqa: SLF001 - the very step
        is_last=True,
    )
    return task.status


def replace_work(work: Callable[[Attempt], str]) -> None:
    """Makes pool children that are forked after this do `work` instead of speaking."""
    vars(child)["execute"] = work


def main() -> int:
    """Runs the worker until it is stopped."""
    replace_work(finish)
    return run_worker(load(), keeps_duties=False)


if __name__ == "__main__":
    sys.exit(main())

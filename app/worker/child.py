"""A pool child: its own process group, its own database connections, one attempt at a time."""

import os
from typing import TYPE_CHECKING

from app import bootstrap, clock, process
from app.config.settings import Settings
from app.domain.claim import Claim
from app.domain.errors import StoreError, VoxtraceError
from app.logs.about import about_claim
from app.logs.logger import logger_of
from app.service import claim as claim_service
from app.service import spans, verdict
from app.service.attempt import Attempt
from app.service.execute import execute
from app.service.process_counts import ProcessCounts
from app.service.tally import Tally
from telemetry import provider
from telemetry.attempt import AttemptTracing
from telemetry.deadline import DeadlinePassed
from telemetry.names import SERVICE_WORKER

if TYPE_CHECKING:
    from app.service.core import Core
    from telemetry.pipeline import AttemptPipeline


log = logger_of(__name__)


class Child:
    """What lives as long as a pool child. Made after the fork.

    Args:
        settings: The worker's settings.
    """

    def __init__(self, settings: Settings) -> None:
        os.setpgid(0, 0)  # so that a kill of the group takes what an engine started with it
        process.set_parent_death_signal()
        self._core: Core = bootstrap.make_core(
            settings, role="attempt", actor=f"worker {settings.worker_name}", pool_size=2
        )
        self._pipeline: AttemptPipeline = provider.worker_pipeline(
            release=settings.release, own_errors=(VoxtraceError,)
        )
        self._counts = ProcessCounts("child")
        self._log = bootstrap.start_log(self._core, program="child", service=SERVICE_WORKER)

    def run(self, message: str) -> None:
        """Runs the attempt of a claim; lets nothing out but SystemExit."""
        claim = Claim.from_json(message)
        with about_claim(claim):
            attempt = self._attempt(claim)
            if self._begin(claim):
                execute(attempt)
            else:
                attempt.tracing.discard()

    def end(self) -> None:
        """Writes and sends the lines that wait."""
        self._log.stop()

    def _begin(self, claim: Claim) -> bool:
        """Notes this process on the attempt's row; while the database is busy it tries again."""
        pid, failure = os.getpid(), ""
        for _ in range(3):
            try:
                return claim_service.begin(
                    self._core, claim, pid=pid, ticks=process.start_ticks(pid)
                )
            except StoreError as error:
                failure = error.message
        log.warning("cannot begin: the worker gives the task back in 3 s", error=failure)
        return False

    def _attempt(self, claim: Claim) -> Attempt:
        left_us = claim.deadline_at - (clock.now_us() + claim.offset_us)
        tracing = AttemptTracing(
            self._pipeline,
            spans.identity_of_claim(claim),
            offset_us=claim.offset_us,
            attributes=spans.attempt_attributes(claim, claim.release),
            on_timeout=lambda passed: self._flag(claim, passed),
        )
        return Attempt(
            core=self._core,
            claim=claim,
            tracing=tracing,
            deadline_s=clock.monotonic_s() + left_us / 1_000_000,
            tally=Tally(counts_calls=claim.source != "canary", process=self._counts),
        )

    def _flag(self, claim: Claim, passed: DeadlinePassed) -> int | None:
        """Flags the row at the deadline, from the timer's thread; a later deadline if it moved."""
        with about_claim(claim):
            return verdict.flag_at_deadline(
                self._core, claim.task_id, claim.attempt, deadline_us=passed.deadline_us
            )

"""Tasks run to their end in the test's own process, with the very services that workers use."""

import os
import secrets
from typing import Any

from app import bootstrap, clock, process
from app.domain.claim import Claim
from app.domain.records import TaskRecord
from app.service import claim as claim_service
from app.service import spans, task_list
from app.service.attempt import Attempt
from app.service.core import Core
from app.service.execute import execute
from app.service.submit import SubmitRequest, Submitted, submit
from app.service.tally import Tally
from app.store import settings as setting_store
from app.store import workers
from telemetry import provider
from telemetry.attempt import AttemptTracing


def start_worker(core: Core, *, name: str = "w1", concurrency: int = 4) -> str:
    """Makes a worker known, with a limit that it may fill; returns its id."""
    worker_id = secrets.token_hex(8)
    with core.database.write() as conn:
        now = core.database.now_us(conn)
        setting_store.put_first(conn, setting_store.MAX_CONCURRENT, concurrency, now=now, by="test")
        workers.register(
            conn,
            {
                "id": worker_id,
                "name": name,
                "host": core.host,
                "pid": os.getpid(),
                "pid_ticks": process.start_ticks(os.getpid()),
                "release": core.settings.release,
                "concurrency": concurrency,
                "started_at": now,
                "heartbeat_at": now,
                "state": "up",
            },
        )
    return worker_id


def submitted(core: Core, content: str, **fields: Any) -> Submitted:
    """A submission, as over the API, with the tone engine unless another is named."""
    wanted = {"source": "api", "engine": "tone"} | fields
    return submit(core, SubmitRequest(content=content, **wanted))


def claimed(core: Core, worker_id: str) -> Claim:
    """The next claim of a worker, which must get one, begun by this process."""
    worker_core = bootstrap.with_actor(core, "worker w1")
    claim = claim_service.claim_next(worker_core, worker_id=worker_id)
    assert claim is not None, "nothing could be claimed"
    pid = os.getpid()
    assert claim_service.begin(worker_core, claim, pid=pid, ticks=process.start_ticks(pid))
    return claim


def run(core: Core, claim: Claim) -> TaskRecord:
    """Runs a claim to its verdict; returns the task after it."""
    execute(attempt_of(core, claim))
    return task_list.get(core, claim.task_id)


def attempt_of(core: Core, claim: Claim) -> Attempt:
    """An attempt with live spans, as a worker's child makes it."""
    pipeline = provider.worker_pipeline(release=core.settings.release)
    left_us = claim.deadline_at - (clock.now_us() + claim.offset_us)
    tracing = AttemptTracing(
        pipeline,
        spans.identity_of_claim(claim),
        offset_us=claim.offset_us,
        attributes=spans.attempt_attributes(claim, claim.release),
        on_timeout=lambda _passed: None,
    )
    return Attempt(
        core=bootstrap.with_actor(core, "worker w1"),
        claim=claim,
        tracing=tracing,
        deadline_s=clock.monotonic_s() + left_us / 1_000_000,
        tally=Tally(counts_calls=claim.source != "canary"),
    )


def spoken(core: Core, content: str, **fields: Any) -> TaskRecord:
    """A text submitted and spoken to its end."""
    submitted(core, content, **fields)
    return run(core, claimed(core, start_worker(core)))

"""What attempts leave running on a host: killed where the attempt was taken, and only there."""

import subprocess
from collections.abc import Iterator

import pytest

from app import process
from app.domain.claim import Claim
from app.service import claim as claim_service
from app.service import remains, verdict
from tests.support import service
from tests.support.home import Home


@pytest.fixture
def group() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that leads a group of its own, as a pool child does."""
    leader = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield leader
    leader.kill()
    leader.wait()


def _begun(home: Home, pid: int) -> Claim:
    """A claim that runs in that process, past its deadline soon."""
    core = home.core
    service.submitted(core, "@sleep 60\nHello.", engine="scripted", timeout_s=1)
    claim = claim_service.claim_next(core, worker_id=service.start_worker(core))
    assert claim is not None
    assert claim_service.begin(core, claim, pid=pid, ticks=process.start_ticks(pid))
    return claim


def test_process_that_ended_its_late_attempt_itself_lives_on(
    any_home: Home, group: "subprocess.Popen[bytes]"
) -> None:
    """A child that noticed its own deadline gave the verdict itself, and takes other tasks."""
    claim = _begun(any_home, group.pid)
    assert service.run(any_home.core, claim).status == "timeout"
    assert remains.kill_groups(any_home.core) == 0
    assert group.poll() is None


def test_process_of_an_attempt_that_was_taken_is_killed(
    any_home: Home, group: "subprocess.Popen[bytes]"
) -> None:
    """A late attempt that somebody else ended: what it left running ends, and is told once."""
    claim = _begun(any_home, group.pid)
    assert verdict.time_out(any_home.core, claim.task_id, claim.attempt, reason="late")
    assert remains.kill_groups(any_home.core) == 1
    assert group.wait(10) == -9
    assert remains.kill_groups(any_home.core) == 0

"""OTLP/gRPC in the programs: the duties load it where it is chosen, and nobody else does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.service import leader
from tests.support import service
from tests.support.home import Home
from tests.support.otlp_grpc_receiver import GrpcReceiver
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.pages import until, wait_for_web
from tests.support.wait import wait_until

#: Takes grpcio away from a Python that starts with it on its path.
_WITHOUT_GRPC = """
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "grpc" else PathFinder.find_spec(name, path, target)

sys.meta_path = [Without if finder is PathFinder else finder for finder in sys.meta_path]
"""


@pytest.fixture
def receiver() -> Iterator[GrpcReceiver]:
    """A receiver that accepts."""
    with GrpcReceiver() as made:
        yield made


def _loads_grpc(pid: int) -> bool:
    return "cygrpc" in Path(f"/proc/{pid}/maps").read_text()


def _set(home: Home, endpoint: str, protocol: str) -> None:
    home.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    home.environ["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol


def test_task_spans_leave_over_grpc_from_the_duties_alone(
    home: Home, receiver: GrpcReceiver
) -> None:
    """Web and worker run with the same variables, load no gRPC; the web says its spans stay."""
    task = service.spoken(home.core, "Over gRPC.")
    _set(home, receiver.endpoint, "grpc")
    duties, web = home.start_duties(), home.start("web")
    arrived = wait_until(
        lambda: [span for span in receiver.spans if span.span_id == task.span_id],
        20,
        what="the task span arrives",
    )
    assert arrived[0].attributes["voxtrace.task.status"] == "completed"
    assert _loads_grpc(duties.pid)
    wait_until(lambda: "leave over HTTP only" in web.output(), 20, what="the web says so")
    wait_for_web(home, web)
    assert not any(_loads_grpc(pid) for pid in (web.pid, *web.children()))
    worker = home.start_worker()
    spoken = service.submitted(home.core, "By the worker.").task
    until(home, spoken.id, "completed")
    assert not any(_loads_grpc(pid) for pid in (worker.pid, *worker.children()))


def test_duties_load_no_grpc_where_it_is_not_chosen(home: Home) -> None:
    """It costs memory and threads."""
    with OtlpReceiver() as receiver:
        _set(home, receiver.endpoint, "http/protobuf")
        duties = home.start_duties()
        service.spoken(home.core, "Over HTTP.")
        receiver.wait_for(lambda r: len(r.spans) > 2, timeout_s=20)
        assert not _loads_grpc(duties.pid)
        assert [duty.name for duty in leader.every(home.core) if duty.failure_count] == []


@pytest.mark.parametrize("command", ["duties", "list"])
def test_missing_library_is_a_configuration_error(home: Home, tmp_path: Path, command: str) -> None:
    """Exit code 2, and a line that says what to install; nothing starts that could not send."""
    (tmp_path / "sitecustomize.py").write_text(_WITHOUT_GRPC)
    _set(home, "http://127.0.0.1:4317", "grpc")
    done = home.run(command, PYTHONPATH=str(tmp_path))
    assert done.returncode == 2, done.stderr
    assert "the extra `grpc` of voxtrace" in done.stderr
    assert "Traceback" not in done.stderr

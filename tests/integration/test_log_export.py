"""Log lines over OTLP: from every process, with their task and span, and never in anybody's way."""

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.broker import relay
from app.logs.about import about
from app.logs.logger import logger_of
from app.service.task_logs import task_log
from app.service.task_logs.process_log import ProcessLog, packed, unpacked
from app.store import attempts
from telemetry import health, provider
from telemetry.log_export import LogEntry, LogExport, log_settings_from, not_sent
from telemetry.log_names import LOG_ATTRIBUTES
from tests.support.home import Home, free_port, terminate
from tests.support.log_lines import logging_as
from tests.support.otlp_logs import ReceivedLog
from tests.support.otlp_receiver import Answer, OtlpReceiver
from tests.support.pages import start_web, submit, until
from tests.support.wait import wait_until

log = logger_of("app.test")
_QUOTE = "words of somebody's text"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """A collector that takes logs."""
    with OtlpReceiver() as made:
        yield made


def environ(receiver: OtlpReceiver, **more: str) -> dict[str, str]:
    """Variables under which lines go to the receiver."""
    return {
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_BLRP_SCHEDULE_DELAY": "100",
        **more,
    }


@contextmanager
def exporting(home: Home, receiver: OtlpReceiver, **more: str) -> Iterator[ProcessLog]:
    """This test's process as a program whose lines are exported."""
    with logging_as("web", level="info"):
        made = ProcessLog(
            home.core, program="web", service="voxtrace-web", environ=environ(receiver, **more)
        )
        made.start()
        try:
            yield made
        finally:
            made.stop()


def test_record_has_the_ids_and_the_fields_of_its_line(home: Home, receiver: OtlpReceiver) -> None:
    """Severity, time, trace, span, task, attempt, fields and resource; names of the conventions."""
    before_ns = time.time_ns()
    with (
        exporting(home, receiver),
        about(task_id=7, attempt=2, trace_id="a" * 32, span_id="b" * 16),
    ):
        log.warning("it is slow", waited_s=1.5, engine="tone", error_type="x")
        try:
            int(_QUOTE)
        except ValueError:
            log.exception("broken")
        log.debug("too fine")
    slow, broken = receiver.logs
    assert (slow.body, slow.severity, slow.severity_text) == ("it is slow", 13, "WARNING")
    assert before_ns // 1000 * 1000 <= slow.at_ns <= time.time_ns()
    assert (slow.trace_id, slow.span_id) == ("a" * 32, "b" * 16)
    assert slow.attributes == {
        "error.type": "x",
        "voxtrace.attempt": 2,
        "voxtrace.log.engine": "tone",
        "voxtrace.log.waited_s": 1.5,
        "voxtrace.task.id": "7",
    }
    assert (slow.service, slow.scope) == ("voxtrace-web", "app.test")
    own_id = provider.process_instance_id()
    assert slow.resource["service.instance.id"] == own_id
    assert slow.resource["service.version"] == home.settings.release
    assert broken.attributes["exception.type"] == "ValueError"
    assert "test_log_export.py" in broken.attributes["exception.stacktrace"]
    assert _QUOTE not in str(broken.attributes)
    known = {attribute.key for attribute in LOG_ATTRIBUTES}
    said = {key for one in (slow, broken) for key in one.attributes}
    assert {key for key in said if not key.startswith("voxtrace.log.")} <= known


def test_nothing_is_exported_by_default(home: Home, receiver: OtlpReceiver) -> None:
    """An endpoint for spans is none for lines: OTEL_LOGS_EXPORTER=otlp asks for them."""
    with exporting(home, receiver, OTEL_LOGS_EXPORTER="none") as made:
        log.warning("not sent")
        assert made.export is None
    with exporting(home, receiver, OTEL_SDK_DISABLED="true") as made:
        assert made.export is None
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OTEL_LOGS_EXPORTER": "console"}, "OTEL_LOGS_EXPORTER must be otlp or none"),
        ({"OTEL_LOGS_EXPORTER": "otlp"}, "OTEL_LOGS_EXPORTER=otlp needs an OTLP/HTTP endpoint"),
        (
            {"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_LOGS_EXPORTER=otlp needs an OTLP/HTTP endpoint",
        ),
        (
            {"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "c:4318"},
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT must be an http",
        ),
    ],
)
def test_wrong_variable_ends_a_command_with_its_name(
    home: Home, variables: dict[str, str], words: str
) -> None:
    """Exit code 2 and a line that says what is allowed."""
    with pytest.raises(ValueError, match=words.replace("/", ".")):
        log_settings_from(variables)
    told = home.run("list", **variables)
    assert (told.returncode, words in told.stderr) == (2, True)


def test_lines_stay_where_the_general_protocol_is_grpc(home: Home) -> None:
    """It starts, and says once what is not sent and what to set; with that they are sent."""
    grpc = {
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }
    assert log_settings_from(grpc) is None
    told = home.run("list", **grpc)
    assert (told.returncode, told.stderr) == (0, "")
    web = start_web(home, **grpc)
    terminate(web)
    assert web.output().count("log lines are not sent") == 1
    assert "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/protobuf" in web.output()
    own = {
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://c:4318/v1/logs",
    }
    assert not_sent(grpc | own) is None
    settings = log_settings_from(grpc | own)
    assert settings is not None
    assert settings.endpoint == "http://c:4318/v1/logs"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "x"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "2"),
        ("OTEL_PROPAGATORS", "b9"),
    ],
)
def test_variable_that_the_sdk_reads_ends_the_web_with_its_name(
    home: Home, variable: str, value: str
) -> None:
    """Exit code 2 and one line, before anything is forked; no traceback, no silence."""
    told = home.run("web", OTEL_LOGS_EXPORTER="none", **{variable: value})
    assert told.returncode == 2
    assert told.stderr.startswith(f"voxtrace: {variable} must be ")
    assert told.stderr.count("\n") == 1


def test_collector_that_is_away_costs_nothing(home: Home, receiver: OtlpReceiver) -> None:
    """A thousand lines into a collector that never answers: no wait, no error, a short end."""
    receiver.rule(lambda _spans: Answer(delay_s=30, drop=True))
    before = health.failure_count()
    with exporting(home, receiver):
        began_s = time.monotonic()
        for number in range(1000):
            log.info("n", number=number)
        logged_s = time.monotonic() - began_s
        ends_s = time.monotonic()
    ended_s = time.monotonic() - ends_s
    assert logged_s < 5
    assert ended_s < 10
    assert health.failure_count() == before


def test_lines_of_the_exporter_itself_are_not_exported(home: Home, receiver: OtlpReceiver) -> None:
    """A refused request makes no line that is sent, refused, and so on for ever."""
    receiver.rule(lambda _spans: Answer(status=404))
    with exporting(home, receiver) as made:
        logging.getLogger("urllib3.connectionpool").warning("of the application")
        assert made.export is not None
        wait_until(lambda: receiver.requests, 20, what="the first request")
    first = len(receiver.requests)
    assert first == 1


def test_secrets_are_in_no_line(
    home: Home, receiver: OtlpReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a collector echoes of a header is not logged, at the finest level either."""
    receiver.rule(lambda _spans: Answer(status=401, message="bad token hush-hush-42"))
    with exporting(
        home, receiver, OTEL_EXPORTER_OTLP_LOGS_HEADERS="authorization=Bearer hush-hush-42"
    ):
        logging.getLogger("opentelemetry").setLevel(logging.DEBUG)
        logging.getLogger("opentelemetry.exporter").setLevel(logging.DEBUG)
        log.info("sent")
        wait_until(lambda: receiver.requests, 20, what="the request")
    assert receiver.requests[0].headers["authorization"] == "Bearer hush-hush-42"
    assert "hush-hush" not in capsys.readouterr().err


def test_line_is_handed_over_to_who_listens(tmp_path: Path, receiver: OtlpReceiver) -> None:
    """Of several ends one gets it; gone ones are removed; without one it is dropped at once."""
    run_dir = tmp_path / ("deep" * 30) / "run"
    run_dir.mkdir(parents=True)
    entry = LogEntry(at_us=1, level=20, logger="a", message="héllo", fields={"n": 1}, task_id=3)
    text = packed(entry, {"service.name": "voxtrace-worker"})
    assert unpacked(text) == (entry, {"service.name": "voxtrace-worker"})
    assert not relay.hand_over(run_dir, text)
    listener = relay.RelaySocket(run_dir)
    (run_dir / "lines.0").touch()
    assert relay.hand_over(run_dir, text)
    assert listener.receive(5) == text
    assert listener.receive(0.01) is None
    assert not relay.hand_over(run_dir, "x" * (relay.MAX_BYTES + 1))
    settings = log_settings_from(environ(receiver))
    assert settings is not None
    export = LogExport(settings, {"service.name": "voxtrace-duties"}, release="1")
    export.send(*unpacked(text))
    export.send(replace(entry, message="own"))
    export.stop()
    assert [(one.service, one.body) for one in receiver.logs] == [
        ("voxtrace-worker", "héllo"),
        ("voxtrace-duties", "own"),
    ]
    listener.close()


def _kept(home: Home, task_id: int) -> list[tuple[str, str, int | None]]:
    """What is kept of the first attempt: message, program, attempt."""
    return [
        (line.message, line.program, line.attempt)
        for line in task_log.page(home.core, task_id, attempt=1).lines
    ]


def test_every_process_exports_its_lines(home: Home, receiver: OtlpReceiver) -> None:
    """Web, worker, its children and duties: a task's whole story, a killed child's end included.

    The worker's parent, which forks, has one thread all the time.
    """
    home.environ |= environ(receiver, VOXTRACE_DRAIN_S="0")
    web = start_web(home)
    duties = home.start_duties()
    worker = home.start_worker()
    wait_until(lambda: list((home.path / "run").glob("lines.*")), 30, what="the relay listens")
    task_id = submit(home, "@sleep 30\nHello.", engine="scripted")["task"]["id"]
    until(home, task_id, "processing")
    child = wait_until(lambda: _pid(home, task_id), 30, what="the child has begun") or 0
    receiver.wait_for(lambda _: "the text is split" in _story(receiver, task_id), 30)
    wait_until(lambda: len(_kept(home, task_id)) == 2, 30, what="the child's line is kept")
    os.kill(child, signal.SIGKILL)
    receiver.wait_for(lambda _: len(_story(receiver, task_id)) >= 6, 30)
    assert len(list(Path(f"/proc/{worker.pid}/task").iterdir())) == 1
    assert _story(receiver, task_id)[:3] == ["submitted", "claimed", "the text is split"]
    assert "the attempt was lost: the task runs again" in _story(receiver, task_id)
    assert _kept(home, task_id) == [
        ("claimed", "worker", 1),
        ("the text is split", "child", 1),
        ("the attempt was lost: the task runs again", "worker", 1),
    ]
    by_service = {one.service: one for one in receiver.logs if one.task_id == str(task_id)}
    assert set(by_service) == {"voxtrace-web", "voxtrace-worker"}
    lost = _of(receiver, "the attempt was lost: the task runs again")
    claimed = _of(receiver, "claimed")
    split = _of(receiver, "the text is split")
    assert lost.span_id == claimed.span_id == split.span_id
    assert lost.trace_id == _of(receiver, "submitted").trace_id
    instance = "service.instance.id"
    assert lost.resource[instance] == claimed.resource[instance] != split.resource[instance]
    assert _of(receiver, "this process leads").service == "voxtrace-duties"
    for program in (worker, web, duties):
        assert terminate(program) == 0


def _pid(home: Home, task_id: int) -> int | None:
    with home.core.database.read() as conn:
        row = attempts.get(conn, task_id, 1)
    return row.pid if row is not None else None


def _story(receiver: OtlpReceiver, task_id: int) -> list[str]:
    mine = [one for one in receiver.logs if one.task_id == str(task_id)]
    return [one.body for one in sorted(mine, key=lambda one: one.at_ns)]


def _of(receiver: OtlpReceiver, body: str) -> ReceivedLog:
    return next(one for one in receiver.logs if one.body == body)

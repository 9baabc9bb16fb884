"""Log lines through a real collector, set up as the document says."""

import re
from pathlib import Path

from telemetry.log_export import LogEntry, LogExport, log_settings_from
from tests.support import deploy
from tests.support.backends import Backends, Collector, Jaeger
from tests.support.otlp_receiver import OtlpReceiver


def test_second_file_of_the_document_hands_lines_on(
    tmp_path: Path, backends: Backends, jaeger: Jaeger
) -> None:
    """The shipped collector with the `logs.yaml` of docs/telemetry.md passes lines on."""
    [text] = re.findall(r"```yaml\n(exporters:.*?)```", deploy.text("docs/telemetry.md"), re.DOTALL)
    with OtlpReceiver() as receiver:
        more = tmp_path / "logs.yaml"
        more.write_text(text.replace("http://loki.example.org:3100/otlp", receiver.endpoint))
        with Collector(backends.otelcol, tmp_path / "collector", jaeger, more=more) as collector:
            settings = log_settings_from(
                {
                    "OTEL_LOGS_EXPORTER": "otlp",
                    "OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_endpoint,
                }
            )
            assert settings is not None
            export = LogExport(settings, {"service.name": "voxtrace-worker"}, release="1")
            export.send(
                LogEntry(at_us=7, level=30, logger="a", message="the task is late", task_id=3)
            )
            export.stop()
            receiver.wait_for(lambda one: bool(one.logs))
        [line] = receiver.logs
    assert (line.body, line.severity_text, line.task_id) == ("the task is late", "WARNING", "3")
    assert (line.service, line.at_ns) == ("voxtrace-worker", 7000)

"""Resources, switches, and the span of a command."""

import os
import uuid

import pytest

from telemetry import provider
from telemetry.codec import decode
from telemetry.command import CommandTracing
from telemetry.metric_export import encode_metrics
from telemetry.names import RESOURCE


def test_row_resource_names_no_process() -> None:
    """Any writer on any host makes the same resource of a row."""
    assert provider.row_resource("1.2") == {"service.name": "voxtrace", "service.version": "1.2"}


def test_process_resource_names_the_process_and_takes_what_the_user_adds() -> None:
    """OTEL_RESOURCE_ATTRIBUTES add and may name the host, but cannot rename the service."""
    environ = {
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod%2C+1, host.name=node-3,"
        "service.name=other,service.instance.id=all-the-same",
    }
    resource = provider.process_resource("voxtrace-web", release="1.2", environ=environ)
    assert resource["deployment.environment.name"] == "prod,+1"
    assert resource["host.name"] == "node-3"
    assert (resource["service.name"], resource["service.version"]) == ("voxtrace-web", "1.2")
    assert uuid.UUID(str(resource["service.instance.id"])).version == 4


def test_process_resource_is_another_for_each_process() -> None:
    """Spans and lines of a process share its id; a forked child has another, unless given one."""
    first, second = (provider.process_resource("w", release="1", environ={}) for _ in range(2))
    assert first["service.instance.id"] == second["service.instance.id"]
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, provider.process_instance_id().encode())
        os._exit(0)
    os.wait()
    assert os.read(read, 100).decode() != first["service.instance.id"]
    os.close(read)
    os.close(write)
    assert first["host.name"] == os.uname().nodename
    assert set(first) == {attribute.key for attribute in RESOURCE}
    named = provider.process_resource("w", release="1", environ={}, instance_id="x")
    assert named["service.instance.id"] == "x"


@pytest.mark.parametrize("value", ["no-equals", "=value", "a=1,b"])
def test_wrong_resource_attributes_are_named(value: str) -> None:
    """The message names the variable and the pair."""
    with pytest.raises(ValueError, match="OTEL_RESOURCE_ATTRIBUTES must be key=value"):
        provider.resource_attributes({"OTEL_RESOURCE_ATTRIBUTES": value})


@pytest.mark.parametrize(
    ("value", "enabled"),
    [("true", False), (" TRUE ", False), ("false", True), ("", True), ("1", True)],
)
def test_tracing_is_off_only_where_the_variable_is_true(value: str, *, enabled: bool) -> None:
    """The specification knows one value that disables."""
    assert provider.is_enabled({"OTEL_SDK_DISABLED": value}) is enabled


def test_command_without_a_caller_begins_a_trace() -> None:
    """Its span is a root of the command's service."""
    command = CommandTracing(release="1.0", started_us=100, environ={})
    payload = command.end(200, attributes={"voxtrace.task.id": "17"})
    assert payload is not None
    (span,) = decode(payload)
    assert (span.name, span.service, span.parent_span_id) == (
        "voxtrace submit",
        "voxtrace-cli",
        None,
    )
    assert (span.trace_id, span.span_id) == (
        command.context.trace_id_hex,
        command.context.span_id_hex,
    )
    assert (span.start_us, span.end_us, span.status) == (100, 200, "unset")
    assert span.attributes == {"voxtrace.task.id": "17"}


def test_command_continues_the_caller_in_its_environment() -> None:
    """TRACEPARENT makes it a child, sampled or not; a failure is on the span."""
    environ = {"TRACEPARENT": f"00-{'a' * 32}-{'b' * 16}-00", "TRACESTATE": "x=1"}
    command = CommandTracing(release="1.0", started_us=100, environ=environ)
    payload = command.end(200, error_type="not_found", error="no such file")
    assert payload is not None
    (span,) = decode(payload)
    assert (span.trace_id, span.parent_span_id, span.trace_state) == ("a" * 32, "b" * 16, "x=1")
    assert (span.status, span.status_message) == ("error", "no such file")
    assert span.attributes == {"error.type": "not_found"}


def test_command_with_tracing_off_has_ids_but_no_span() -> None:
    """Rows still get a trace id; nothing is stored."""
    command = CommandTracing(release="1", started_us=1, environ={"OTEL_SDK_DISABLED": "true"})
    assert command.context.trace_id
    assert command.end(2) is None


def test_resource_attributes_are_clean_for_every_signal() -> None:
    """A byte that is no UTF-8 and a NUL are replaced: metrics and log lines encode them, too."""
    found = provider.resource_attributes({"OTEL_RESOURCE_ATTRIBUTES": "a=x\udcffy,b=1%002"})
    assert found == {"a": "x�y", "b": "1�2"}
    assert encode_metrics([], found, release="1", at_us=1)

"""Log records as a receiver got them, decoded with the classes of the OTLP package alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.support.otlp_values import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLog:
    """A record as it came; ids in hex, "" where it has none."""

    body: str
    severity: int
    severity_text: str
    at_ns: int
    trace_id: str
    span_id: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    scope: str

    @property
    def service(self) -> str:
        """Its `service.name`."""
        return str(self.resource.get("service.name", ""))

    @property
    def task_id(self) -> str:
        """The task that it tells of; "" for none."""
        return str(self.attributes.get("voxtrace.task.id", ""))


def logs_of(request: ExportLogsServiceRequest) -> Iterator[ReceivedLog]:
    """The records of a request, in their order."""
    for resource_logs in request.resource_logs:
        resource = plain(resource_logs.resource.attributes)
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                yield ReceivedLog(
                    body=record.body.string_value,
                    severity=record.severity_number,
                    severity_text=record.severity_text,
                    at_ns=record.time_unix_nano,
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                    attributes=plain(record.attributes),
                    resource=resource,
                    scope=scope_logs.scope.name,
                )

"""The transport that the settings ask for; gRPC's library is loaded only where it is chosen."""

from telemetry.export import ExportSettings
from telemetry.otlp import Client
from telemetry.otlp_http import OtlpHttpClient


def make_client(settings: ExportSettings) -> Client:
    """A connection as the settings say; make it in the process that uses it, after any fork."""
    if settings.protocol == "grpc":
        from telemetry.otlp_grpc import OtlpGrpcClient  # noqa: PLC0415 - an extra, and not for all

        return OtlpGrpcClient(settings)
    return OtlpHttpClient(settings)

"""SERVER spans of a Flask application, by the Flask instrumentation, held to our rules.

- Requests that make or follow a task call `keep_request_span`; see `request_spans`.
- A caller that does not sample does not hide a request that makes a task: unsampled spans are
  recorded, and only what would be sent at best effort follows the caller's decision.
- Nothing that the instrumentation gets wrong fails a request.

Call `instrument` in each web process after the fork (gunicorn without preload does); made before a
fork it works too, since the SDK starts its exporting thread again in the child.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

from flask import Flask
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.resources import Resource as SdkResource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from telemetry.best_effort import EXPORT_TIMEOUT_S, batch_options, exporter_options
from telemetry.export import ExportSettings
from telemetry.health import swallowed
from telemetry.names import SERVICE_WEB
from telemetry.otel_context import to_otel
from telemetry.pipeline import span_limits
from telemetry.provider import is_enabled, process_resource
from telemetry.request_spans import KeptRequests, RequestSink, RequestSpans
from telemetry.sampler import RecordAnyway, sampler_from
from telemetry.self_metrics import meter_provider
from telemetry.tracing import SpanContext
from telemetry.wsgi import guard_hooks, guarded, link_to_caller, noting_entry

_OPT_IN: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"

_KEPT: Final = KeptRequests()


class WebTracing:
    """The spans of one web process; `shutdown` sends what waits."""

    def __init__(self, provider: TracerProvider | None) -> None:
        self._provider = provider

    def flush(self, timeout_s: float = EXPORT_TIMEOUT_S) -> bool:
        """Sends what waits at best effort; False where that failed."""
        return self._provider is None or self._provider.force_flush(round(timeout_s * 1000))

    def shutdown(self) -> None:
        """Sends what waits, and ends."""
        if self._provider is not None:
            self._provider.shutdown()


def instrument(
    app: Flask,
    *,
    sink: RequestSink,
    release: str,
    excluded: Sequence[str] = (),
    trust_traceparent: bool = True,
    export: ExportSettings | None = None,
    environ: Mapping[str, str] = os.environ,
) -> WebTracing:
    r"""Makes a SERVER span of every request.

    Args:
        app: The application; its blueprints may be registered before or after.
        sink: Stores the spans of requests that called `keep_request_span`.
        release: Release of voxtrace.
        excluded: Regular expressions of whole paths that get no span, such as `/healthz` or
            `/api/v1/tasks/\d+/events`; without commas.
        trust_traceparent: Whether a request continues the trace of its caller; where not, it
            starts its own and links to the caller's.
        export: Where the other spans go at best effort; None for nowhere.
        environ: OTEL_SDK_DISABLED, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER and OTEL_BSP_… are
            read from it.
    """
    if not is_enabled(environ):
        return WebTracing(None)
    _opt_into_stable_names()
    provider = _provider(sink, release=release, export=export, environ=environ)
    original = app.wsgi_app
    app.wsgi_app = noting_entry(original)  # type: ignore[method-assign, assignment]
    FlaskInstrumentor().instrument_app(  # type: ignore[no-untyped-call]
        app,
        request_hook=link_to_caller,
        tracer_provider=provider,
        excluded_urls=_excluded_urls(excluded),
        enable_commenter=False,
    )
    guard_hooks(app)
    app.wsgi_app = guarded(  # type: ignore[method-assign, assignment]
        app.wsgi_app, original, hides_caller=not trust_traceparent
    )
    return WebTracing(provider)


def keep_request_span(task_id: int) -> None:
    """Has the present request's SERVER span stored, because it made or followed this task."""
    with swallowed("request span, keep"):
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            _KEPT.keep(context.span_id, task_id)


def link_request(task: SpanContext) -> None:
    """Links the present request's SERVER span to a task's span, because it follows that task."""
    with swallowed("request span, link"):
        span = trace.get_current_span()
        if span.is_recording():
            span.add_link(to_otel(task))


def _provider(
    sink: RequestSink,
    *,
    release: str,
    export: ExportSettings | None,
    environ: Mapping[str, str],
) -> TracerProvider:
    resource = process_resource(SERVICE_WEB, release=release, environ=environ)
    provider = TracerProvider(
        sampler=RecordAnyway(sampler_from(environ)),
        resource=SdkResource(resource),
        span_limits=span_limits(),
        shutdown_on_exit=True,
        meter_provider=meter_provider(),
    )
    best_effort = None
    if export is not None:
        best_effort = _processor(export, environ)
    provider.add_span_processor(RequestSpans(_KEPT, sink, best_effort))
    return provider


def _processor(export: ExportSettings, environ: Mapping[str, str]) -> BatchSpanProcessor:
    options = exporter_options(export, logger=OTLPSpanExporter.__module__)
    return BatchSpanProcessor(OTLPSpanExporter(**options), **batch_options("BSP", environ))


def _opt_into_stable_names() -> None:
    """The instrumentation reads this variable once in a process, and no other way is offered."""
    chosen = [word for word in os.environ.get(_OPT_IN, "").split(",") if word.strip()]
    if "http" not in chosen:
        os.environ[_OPT_IN] = ",".join([*chosen, "http"])


def _excluded_urls(paths: Sequence[str]) -> str:
    """The instrumentation searches in whole URLs, and parts its list at commas."""
    for path in paths:
        if "," in path:
            message = f"an excluded path must have no comma, got {path!r}"
            raise ValueError(message)
        re.compile(path)
    return ",".join(rf"^[a-z]+://[^/]*(?:{path})/?(?:\?|$)" for path in paths)

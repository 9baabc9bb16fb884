"""Borders of the Flask instrumentation: its faults stay inside, and callers can be hidden."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from flask import Flask
from opentelemetry import propagate, trace

from telemetry.health import note, swallowed
from telemetry.otel_context import to_otel
from telemetry.tracing import parse_traceparent

WsgiApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Keys in the WSGI environment: the caller that was hidden; that the application was reached.
_CALLER: Final = "voxtrace.caller"
_ENTERED: Final = "voxtrace.entered"


def guard_hooks(app: Flask) -> None:
    """Wraps what the instrumentation has just put before and after each request.

    It comes first, and last at the end (Flask tears down in reverse), so that a request which the
    application's own hooks turn away has a span too.
    """
    before = app.before_request_funcs[None]
    after = app.teardown_request_funcs[None]
    before.insert(0, _swallowing(before.pop()))
    after.insert(0, _swallowing(after.pop()))


def _swallowing(function: Callable[..., Any]) -> Any:
    def call(*args: Any) -> None:
        with swallowed("flask instrumentation"):
            function(*args)

    return call


def noting_entry(app: WsgiApp) -> WsgiApp:
    """Notes that a request has reached the application itself."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ[_ENTERED] = True
        return app(environ, start_response)

    return call


def guarded(instrumented: WsgiApp, plain: WsgiApp, *, hides_caller: bool) -> WsgiApp:
    """Serves a request without tracing where tracing fails before it reached the application."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if hides_caller:
            _hide_caller(environ)
        try:
            return instrumented(environ, start_response)
        except Exception as error:
            if environ.get(_ENTERED):
                raise
            note("flask instrumentation", error)
        return plain(environ, start_response)

    return call


def _hide_caller(environ: dict[str, Any]) -> None:
    """Takes the trace headers out of a request, and remembers the caller for a link."""
    environ[_CALLER] = parse_traceparent(
        environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_TRACESTATE")
    )
    for header in propagate.get_global_textmap().fields:
        environ.pop(f"HTTP_{header.upper().replace('-', '_')}", None)


def link_to_caller(span: trace.Span, environ: dict[str, Any]) -> None:
    """Links a request's span to the caller that was hidden from it, where there was one."""
    caller = environ.get(_CALLER)
    if caller is not None and span.is_recording():
        span.add_link(to_otel(caller))

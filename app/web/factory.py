"""The application factory: a Flask application around a Core."""

import os
from importlib import import_module
from importlib.util import find_spec

from flask import Flask
from flask.json.provider import DefaultJSONProvider
from typing_extensions import override
from werkzeug.routing import IntegerConverter

from app import bootstrap
from app.config.settings import Settings, load
from app.domain.ids import MAX_KEY
from app.logs.about import forget
from app.logs.logger import logger_of
from app.service import report
from app.service.core import Core
from app.service.health import HealthProbe
from app.service.measures import Measures
from app.service.process_counts import CountsThread, ProcessCounts
from app.service.public_settings import best_effort_export_of, export_of
from app.service.request_span import RequestSpanWriter
from app.service.traces.trace_state import TraceLook
from app.service.turn import Turns
from app.service.watch import OutboxGauge, Watcher
from app.web import errors, health, legacy, login, metrics, security
from app.web import state as web_state
from app.web.holds import Holds
from app.web.v1.routes import BLUEPRINTS
from telemetry import web as tracing

log = logger_of(__name__)


class _Json(DefaultJSONProvider):
    """JSON as we send it: in the order that it is made, Chinese as itself."""

    ensure_ascii = False
    sort_keys = False


#: Paths that make no span: those that live long, and those that ask every second.
UNTRACED = (
    "/healthz",
    "/readyz",
    "/metrics",
    "/static/.*",
    r"/api/task/stream/\d+",
    r"/api/v1/tasks/\d+/stream",
    "/api/v1/monitor/stream",
    r"/api/v1/correlate/analyses/\d+",
)
#: Database connections that a web process keeps open; more are opened when they are needed. One of
#: SQLite is opened in 2 ms, and grows to 1.4 MB of pages and statements.
SQLITE_POOL, POSTGRES_POOL = 4, 8
#: Looks into Jaeger at the same time.
TRACE_LOOKS = 4
#: Largest body of a request that submits no text.
MAX_BODY_BYTES = 1 << 20


class KeyConverter(IntegerConverter):
    """Ids in addresses: a number that no column can hold becomes the largest, which no row has."""

    @override
    def to_python(self, value: str) -> int:
        return min(int(value), MAX_KEY)


def create_app(settings: Settings | None = None, core: Core | None = None) -> Flask:
    """An application; make it after a fork.

    Args:
        settings: Checked settings; None reads them from the environment.
        core: What it works with; None makes one.
    """
    chosen = settings or load()
    pool_size = SQLITE_POOL if chosen.database_url.startswith("sqlite") else POSTGRES_POOL
    used = core or bootstrap.make_core(chosen, role="web", actor="web", pool_size=pool_size)
    app = Flask("app.web", static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.url_map.strict_slashes = False
    app.url_map.converters["int"] = KeyConverter
    app.json = _Json(app)
    found = _state(chosen, used)
    web_state.put(app, found)
    app.before_request(forget)  # threads serve many requests, each about a task of its own
    app.teardown_request(lambda _error: forget())
    security.protect(app, chosen)
    errors.register(app)
    _register(app)
    _trace(app, chosen, found)
    return app


def _state(settings: Settings, core: Core) -> web_state.WebState:
    gauge = OutboxGauge(core)
    turns = Turns(core.database)
    exports = export_of() is not None
    return web_state.WebState(
        core=core,
        watcher=Watcher(core, lambda: report.monitor(core, outbox=gauge.read(), exports=exports)),
        health=HealthProbe(core, outbox=gauge, exports=exports),
        outbox=gauge,
        measures=Measures(core, gauge, exports=exports),
        counts=CountsThread(core, ProcessCounts("web")),
        request_spans=RequestSpanWriter(core, turns),
        turns=turns,
        holds=Holds(settings.web_threads),
        traces=TraceLook(core, connections=TRACE_LOOKS),
        exports=exports,
    )


def _register(app: Flask) -> None:
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
    app.register_blueprint(login.blueprint)
    app.register_blueprint(legacy.blueprint)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if find_spec("app.web.pages") is not None:
        app.register_blueprint(import_module("app.web.pages").blueprint)


def _trace(app: Flask, settings: Settings, found: web_state.WebState) -> None:
    best_effort = best_effort_export_of()
    if found.exports and best_effort is None:
        log.warning("spans of requests that make no task are not sent: they leave over HTTP only")
    app.extensions["voxtrace_tracing"] = tracing.instrument(
        app,
        sink=found.request_spans.keep,
        release=settings.release,
        excluded=UNTRACED,
        trust_traceparent=settings.trust_traceparent,
        export=best_effort,
        environ=os.environ,
    )

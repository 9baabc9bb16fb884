"""/api/v1/monitor, /workers, /settings and /health: how the service itself fares."""

import os
from dataclasses import asdict

from flask import Blueprint, Response, jsonify
from werkzeug.wrappers import Response as BaseResponse

from app.service import public_settings, report
from app.web import shapes, streams, task_shapes
from app.web.health import shape
from app.web.state import core, state
from telemetry import health as telemetry_health

blueprint = Blueprint("v1_monitor", __name__, url_prefix="/api/v1")


@blueprint.get("/monitor")
def monitor() -> Response:
    """What the monitor shows, from one snapshot of the tables."""
    return jsonify(task_shapes.monitor(streams.monitor_view(state())))


@blueprint.get("/monitor/stream")
def stream() -> BaseResponse:
    """Server-sent events of the monitor, the present state first."""
    return streams.of_monitor()


@blueprint.get("/workers")
def workers() -> Response:
    """The living workers, and those that ended within a day."""
    return jsonify(
        {
            "workers": [
                shapes.worker(one.worker, is_alive=one.is_alive, running=one.running)
                for one in report.worker_list(core())
            ]
        }
    )


@blueprint.get("/settings")
def settings() -> Response:
    """The public part of the configuration."""
    export = public_settings.export_of(os.environ)
    return jsonify(
        {
            "settings": [asdict(one) for one in public_settings.of(core())],
            "export": export.shown_endpoint if export is not None else None,
        }
    )


@blueprint.get("/health")
def health() -> Response:
    """Every part of the service, and of this web process."""
    found = state()
    view = streams.monitor_view(found)
    return jsonify(
        shape(found.health.read())
        | {
            "release": found.core.settings.release,
            "host": found.core.host,
            "duties": [shapes.duty(duty, view.now) for duty in view.duties],
            "outbox": shapes.outbox(view.outbox),
            "exports": view.exports,
            "warnings": task_shapes.warnings(view),
            "web": {
                "pid": os.getpid(),
                "threads": found.core.settings.web_threads,
                "held_threads": found.holds.held,
                "telemetry_failures": telemetry_health.failure_count(),
            },
        }
    )

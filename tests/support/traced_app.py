"""A small traced application for gunicorn: `POST /upload` keeps its span, `GET /` does not.

Environment: TRACED_SINK (a file that kept payloads are appended to, in hex, a line each) and the
standard OTEL_EXPORTER_OTLP_* variables.
"""

import os
from pathlib import Path

from flask import Flask

from telemetry.export import export_settings_from
from telemetry.web import instrument, keep_request_span


def create_app() -> Flask:
    """The application, traced."""
    app = Flask("traced")
    sink_file = Path(os.environ["TRACED_SINK"])

    def sink(payload: bytes, trace_id: str, task_ids: tuple[int, ...], n_spans: int) -> None:
        with sink_file.open("a", encoding="ascii") as file:
            file.write(f"{trace_id} {task_ids[0]} {n_spans} {payload.hex()}\n")

    instrument(app, sink=sink, release="1.0", export=export_settings_from(os.environ))

    @app.get("/")
    def home() -> str:
        return str(os.getpid())

    @app.post("/upload")
    def upload() -> str:
        keep_request_span(17)
        return str(os.getpid())

    return app

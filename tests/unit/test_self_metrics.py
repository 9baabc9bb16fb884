"""What telemetry counts of itself: in this process, from its first span on, anew after a fork."""

import json
import os
import subprocess
import sys
from typing import Any

from telemetry.metric_names import (
    SDK_SPAN_EXPORTED,
    SDK_SPAN_PROCESSED,
    SDK_SPAN_STARTED,
    TELEMETRY_FAILURES,
)

#: A process that makes spans for a collector that is not there, forks, and tells what it counted.
_PROGRAM = """
import json, logging, os, sys
logging.disable(logging.CRITICAL)
from flask import Flask
from telemetry import health, self_metrics, web
from telemetry.export import ExportSettings

def told():
    return [[name, json.loads(labels), n] for (name, labels), n in self_metrics.counts().items()]

assert self_metrics.counts() == {}
app = Flask("site")
app.add_url_rule("/", view_func=lambda: "here")
tracing = web.instrument(
    app, sink=lambda *_: None, release="1",
    export=ExportSettings(endpoint="http://127.0.0.1:9/v1/traces", timeout_s=1))
client = app.test_client()
for _ in range(3):
    client.get("/")
tracing.flush()
health.note("somewhere", ValueError("secret"))
before = told()
reading, writing = os.pipe()
if os.fork() == 0:
    health.note("child", ValueError())
    os.write(writing, json.dumps(told()).encode())
    os._exit(0)
os.wait()
print(json.dumps({"parent": before, "child": json.loads(os.read(reading, 65536))}), flush=True)
os._exit(0)
"""


def _run(**environ: str) -> dict[str, list[list[Any]]]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**clean, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[list[Any]]] = json.loads(done.stdout)
    return found


def test_spans_and_failures_are_counted_and_a_child_begins_anew() -> None:
    """Begun, processed and undelivered spans by few attributes; errors by place, without words."""
    found = _run()
    counted = {(name, labels.get("error.type", "")): n for name, labels, n in found["parent"]}
    assert counted[SDK_SPAN_STARTED.name, ""] == 3
    assert counted[SDK_SPAN_PROCESSED.name, ""] == 3
    assert counted[SDK_SPAN_EXPORTED.name, "ConnectionError"] == 3
    assert [TELEMETRY_FAILURES.name, {"place": "somewhere"}, 1] in found["parent"]
    keys = {key for _name, labels, _n in found["parent"] for key in labels}
    allowed = {*SDK_SPAN_STARTED.attributes, *SDK_SPAN_EXPORTED.attributes, "place"}
    assert keys <= allowed
    assert "secret" not in json.dumps(found)
    assert found["child"] == [[TELEMETRY_FAILURES.name, {"place": "child"}, 1]]


def test_switch_turns_the_sdk_counts_off() -> None:
    """OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=false: no count of the SDK, those of errors stay."""
    found = _run(OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED="false")
    assert found["parent"] == [[TELEMETRY_FAILURES.name, {"place": "somewhere"}, 1]]

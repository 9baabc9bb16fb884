"""SERVER spans: kept with their tasks, best effort otherwise, and never in the way of a request."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import flask
import pytest
from flask import Flask, Response, abort
from flask.testing import FlaskClient

from telemetry import health, otel_context, web
from telemetry.codec import DecodedSpan, decode
from telemetry.export import ExportSettings
from telemetry.names import SpanKind
from telemetry.tracing import SpanContext
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.wait import wait_until

_TRACE, _SPAN = "a" * 32, "b" * 16


@dataclass
class _Site:
    """A traced application, and what its sink was given."""

    export: ExportSettings | None = None
    trust_traceparent: bool = True
    environ: dict[str, str] = field(default_factory=dict)
    sink_error: type[Exception] | None = None
    kept: list[tuple[DecodedSpan, str, tuple[int, ...], int]] = field(default_factory=list)
    contexts: list[SpanContext | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app = Flask("site")
        self.app.before_request(_turn_away)
        self.tracing = web.instrument(
            self.app,
            sink=self._sink,
            release="1.0",
            excluded=["/healthz", r"/task/\d+/stream"],
            trust_traceparent=self.trust_traceparent,
            export=self.export,
            environ=self.environ,
        )
        _add_routes(self)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def _sink(self, payload: bytes, trace_id: str, task_ids: tuple[int, ...], n_spans: int) -> None:
        if self.sink_error is not None:
            raise self.sink_error
        (span,) = decode(payload)
        self.kept.append((span, trace_id, task_ids, n_spans))

    def upload(self, **headers: str) -> DecodedSpan:
        response = self.client.post("/upload", headers=headers)
        assert response.status_code == 201
        return self.kept[-1][0]


def _turn_away() -> None:
    if "turn-away" in flask.request.args:
        abort(403)


def _add_routes(site: _Site) -> None:
    app = site.app

    @app.post("/upload")
    def upload() -> tuple[str, int]:
        site.contexts.append(otel_context.current())
        web.keep_request_span(17)
        return "made", 201

    @app.post("/follow")
    def follow() -> str:
        web.keep_request_span(17)
        web.link_request(SpanContext.from_hex(_TRACE, _SPAN))
        return "followed"

    @app.post("/batch/<int:count>")
    def batch(count: int) -> str:
        for number in (*range(count), 0):
            web.keep_request_span(100 + number)
        return "made"

    @app.get("/text/<int:text_id>")
    def text(text_id: int) -> str:
        return str(text_id)

    @app.get("/healthz")
    def healthz() -> str:
        web.keep_request_span(1)
        return str(otel_context.current())

    @app.get("/task/<int:task_id>/stream")
    def stream(task_id: int) -> Response:
        return Response(f"data: {n}\n\n" for n in range(task_id))

    @app.post("/fails")
    def fails() -> str:
        web.keep_request_span(17)
        return str(int("the secret text"))


@pytest.fixture
def site() -> Iterator[_Site]:
    """A traced application without a collector."""
    made = _Site()
    yield made
    made.tracing.shutdown()


def test_request_that_made_a_task_goes_to_the_sink(site: _Site) -> None:
    """Its SERVER span, encoded, with the trace's id and the task; names of the HTTP conventions."""
    span = site.upload()
    _, trace_id, task_ids, n_spans = site.kept[0]
    assert (trace_id, task_ids, n_spans) == (span.trace_id, (17,), 1)
    assert (span.name, span.kind, span.parent_span_id) == ("POST /upload", SpanKind.SERVER, None)
    assert (span.service, span.resource["service.version"]) == ("voxtrace-web", "1.0")
    assert span.attributes["http.request.method"] == "POST"
    assert span.attributes["http.route"] == "/upload"
    assert span.attributes["http.response.status_code"] == 201
    assert (span.attributes["voxtrace.task.id"], span.attributes["voxtrace.task.count"]) == (
        "17",
        1,
    )
    assert not [key for key in span.attributes if key.startswith(("http.method", "http.url"))]
    assert span.status == "unset"
    assert span.start_us < span.end_us


def test_row_continues_the_request(site: _Site) -> None:
    """The context that a route puts on a row is that of the span that is kept."""
    span = site.upload()
    (context,) = site.contexts
    assert context is not None
    assert (context.trace_id_hex, context.span_id_hex) == (span.trace_id, span.span_id)
    assert otel_context.current() is None


def test_request_of_several_tasks_is_kept_once(site: _Site) -> None:
    """Each task once, in order; the span names the first and their number."""
    site.client.post("/batch/3")
    ((span, _, task_ids, _),) = site.kept
    assert task_ids == (100, 101, 102)
    assert (span.attributes["voxtrace.task.id"], span.attributes["voxtrace.task.count"]) == (
        "100",
        3,
    )


def test_request_that_follows_a_task_is_linked_to_it(site: _Site) -> None:
    """It stays in its own trace; the link leads to the task that it follows."""
    site.client.post("/follow")
    ((span, _, _, _),) = site.kept
    assert [(link.trace_id, link.span_id) for link in span.links] == [(_TRACE, _SPAN)]
    assert span.trace_id != _TRACE
    before = health.failure_count()
    web.link_request(SpanContext.new())  # outside of a request: nothing to link
    assert health.failure_count() == before


def test_other_requests_are_not_kept(site: _Site) -> None:
    """Without a collector their spans go nowhere; excluded routes have none."""
    site.client.get("/text/5")
    assert site.client.get("/healthz").text == "None"
    assert site.client.get("/healthz?full=1").text == "None"
    assert site.client.get("/task/3/stream").text.count("data") == 3
    assert site.kept == []


@pytest.mark.parametrize("flags", ["00", "01", "02", "03"])
def test_request_continues_its_caller_whatever_that_sampled(site: _Site, flags: str) -> None:
    """The caller's trace goes on, and an unsampled caller hides no request that made a task."""
    span = site.upload(traceparent=f"00-{_TRACE}-{_SPAN}-{flags}", tracestate="v=1")
    assert (span.trace_id, span.parent_span_id, span.trace_state) == (_TRACE, _SPAN, "v=1")
    context = site.contexts[0]
    assert context is not None
    assert context.trace_state == "v=1"


def test_caller_that_is_not_trusted_is_linked() -> None:
    """The request starts a trace of its own and links to the caller's; baggage is not taken."""
    site = _Site(trust_traceparent=False)
    span = site.upload(traceparent=f"00-{_TRACE}-{_SPAN}-01", tracestate="v=1", baggage="k=v")
    assert span.trace_id != _TRACE
    assert (span.parent_span_id, span.trace_state) == (None, "")
    assert [(link.trace_id, link.span_id) for link in span.links] == [(_TRACE, _SPAN)]
    assert site.upload().links == ()
    assert site.upload(traceparent="nonsense").links == ()
    site.tracing.shutdown()


def test_sampler_of_the_environment_decides_only_what_is_best_effort() -> None:
    """OTEL_TRACES_SAMPLER=always_off sends no request's span, but keeps those with tasks."""
    environ = {"OTEL_TRACES_SAMPLER": "always_off"}
    with OtlpReceiver() as receiver:
        site = _Site(export=ExportSettings(endpoint=receiver.url), environ=environ)
        site.client.get("/text/5")
        assert site.upload().name == "POST /upload"
        site.tracing.shutdown()
        assert receiver.requests == []


def test_other_requests_are_sent_at_best_effort() -> None:
    """With a collector they arrive, cleaned; a kept one never goes there too."""
    with OtlpReceiver() as receiver:
        site = _Site(export=ExportSettings(endpoint=receiver.url, headers={"x-token": "t"}))
        site.client.get("/text/5?q=what+I+look+for", headers={"User-Agent": "bot\x01"})
        site.client.get("/no/such\0route")
        site.upload()
        assert site.tracing.flush()
        names = [span.name for span in receiver.wait_for(lambda r: len(r.spans) >= 2)]
        assert names == ["GET /text/<int:text_id>", "GET"]
        span = receiver.spans[0]
        assert span.attributes["user_agent.original"] == "bot\ufffd"
        assert "url.query" not in span.attributes
        assert not any("look" in str(value) for value in span.attributes.values())
        assert receiver.spans[1].attributes["url.path"] == "/no/such\ufffdroute"
        assert receiver.requests[0].headers["x-token"] == "t"
        site.tracing.shutdown()


def test_collector_that_is_absent_costs_a_request_nothing() -> None:
    """Requests are answered, and the end waits no longer than the exporter's timeout."""
    receiver = OtlpReceiver().start()
    receiver.stop()
    site = _Site(export=ExportSettings(endpoint=receiver.url, timeout_s=0.2))
    assert site.client.get("/text/5").status_code == 200
    assert site.upload().name == "POST /upload"
    site.tracing.shutdown()


def test_exporter_s_log_lines_tell_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """What the SDK logs of a failed export has no credential of the endpoint in it."""
    receiver = OtlpReceiver().start()
    receiver.stop()
    endpoint = receiver.url.replace("127", "user:hunter2@127") + "?key=hunter3"
    site = _Site(export=ExportSettings(endpoint=endpoint, timeout_s=0.2))
    site.client.get("/text/5")
    site.tracing.flush()
    lines = [record.getMessage() for record in caplog.records]
    assert any("/v1/traces" in line or "Failed to export" in line for line in lines)
    assert not any("hunter" in line for line in lines)
    site.tracing.shutdown()


def test_request_that_failed_tells_no_text(site: _Site) -> None:
    """A view's exception is on the span by its class; its message quoted a text."""
    assert site.client.post("/fails").status_code == 500
    ((span, _, _, _),) = site.kept
    assert span.status == "error"
    assert span.attributes["http.response.status_code"] == 500
    assert "secret" not in str(span)


def test_request_that_a_hook_turned_away_has_a_span() -> None:
    """The span begins before the application's own hooks, even those that were there first."""
    with OtlpReceiver() as receiver:
        site = _Site(export=ExportSettings(endpoint=receiver.url))
        assert site.client.get("/text/5?turn-away=1").status_code == 403
        site.tracing.flush()
        (span,) = receiver.wait_for(lambda r: len(r.spans) >= 1)
        assert span.attributes["http.response.status_code"] == 403
        site.tracing.shutdown()


def test_sink_that_fails_does_not_fail_the_request() -> None:
    """A database that is locked when the request ends costs its span, not its answer."""
    before = health.failure_count()
    site = _Site(sink_error=OSError)
    assert site.client.post("/upload").status_code == 201
    assert health.failure_count() == before + 1
    site.tracing.shutdown()


def test_instrumentation_that_fails_does_not_fail_the_request(site: _Site) -> None:
    """What it cannot digest (a port that is no number) is served without a span."""
    before = health.failure_count()
    response = site.client.post("/upload", environ_overrides={"SERVER_PORT": "http"})
    assert response.status_code == 201
    assert health.failure_count() > before
    assert site.kept == []


def test_error_of_the_application_is_its_own(site: _Site) -> None:
    """An exception out of the application is not taken for one of tracing, nor run twice."""
    site.app.config["PROPAGATE_EXCEPTIONS"] = True
    before = health.failure_count()
    with pytest.raises(ValueError, match="the secret text"):
        site.client.post("/fails")
    assert health.failure_count() == before
    assert len(site.kept) == 1


def test_disabled_tracing_serves_requests() -> None:
    """OTEL_SDK_DISABLED=true: no span, no context, no effect on answers."""
    site = _Site(environ={"OTEL_SDK_DISABLED": "true"})
    assert site.client.post("/upload").status_code == 201
    assert (site.kept, site.contexts) == ([], [None])
    assert site.tracing.flush()
    site.tracing.shutdown()


def test_excluded_path_with_a_comma_is_refused() -> None:
    """The instrumentation would part it in two."""
    with pytest.raises(ValueError, match="must have no comma, got '/a,b'"):
        web.instrument(Flask("x"), sink=_Site()._sink, release="1", excluded=["/a,b"], environ={})  # noqa: SLF001


@pytest.mark.parametrize("preload", [False, True])
def test_gunicorn_workers_keep_and_send(tmp_path: Path, *, preload: bool) -> None:
    """Real processes: each has an instance id of its own; a SIGTERM sends what waits."""
    sink = tmp_path / "sink"
    with OtlpReceiver() as receiver, _gunicorn(sink, receiver, preload=preload) as port:
        pids: set[str] = set()

        def both_answered() -> bool:
            pids.add(_get(port))
            return len(pids) == 2

        wait_until(both_answered, 20, what="an answer of each worker")
        uploads = {_get(port, method="POST") for _ in range(10)}
        assert uploads <= pids
    kept = [line.split(" ") for line in sink.read_text().splitlines()]
    spans = [decode(bytes.fromhex(payload))[0] for _, _, _, payload in kept]
    assert [span.name for span in spans] == ["POST /upload"] * 10
    sent = receiver.spans
    assert len(sent) >= 2
    assert {span.name for span in sent} == {"GET /"}
    instances = {span.resource["service.instance.id"] for span in sent}
    assert len(instances) == 2
    assert {span.resource["service.instance.id"] for span in spans} <= instances


def _get(port: int, method: str = "GET") -> str:
    path = "/upload" if method == "POST" else "/"
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
        return response.read().decode()  # type: ignore[no-any-return]


class _gunicorn:  # noqa: N801 - read as a statement: with _gunicorn(…) as port
    """gunicorn with two workers on the traced application; SIGTERM at the end."""

    def __init__(self, sink: Path, receiver: OtlpReceiver, *, preload: bool) -> None:
        sink.touch()
        self._log = sink.with_suffix(".log")
        command = [
            sys.executable, "-m", "gunicorn", "-w", "2", "-b", "127.0.0.1:0",
            "--graceful-timeout", "5", *(["--preload"] if preload else []),
            "tests.support.traced_app:create_app()",
        ]  # fmt: skip
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OTEL_")},
            "TRACED_SINK": str(sink),
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environ)

    def __enter__(self) -> int:
        found = wait_until(
            lambda: re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", self._log.read_text()),
            20,
            what="gunicorn listens",
        )
        assert found is not None
        return int(found[1])

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(20) == 0, json.dumps(self._log.read_text())

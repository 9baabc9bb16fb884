"""The task page beside the same trace as Jaeger's API returns it, for each way a task can end.

With `VOXTRACE_TEST_PICTURES=folder` (or `make pictures`) each pair is drawn into one picture.
"""

import base64
import html
import os
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import requests
from playwright.sync_api import Browser, expect

from app.service import task_list
from app.service.traces import trace_compare
from app.service.traces.trace_compare import Match
from app.web.format import duration
from telemetry import names
from telemetry.jaeger import JaegerClient
from telemetry.spans import DecodedSpan
from tests.support import browser as browsers
from tests.support.backends import Jaeger, Pair
from tests.support.home import Home
from tests.support.pages import start_web, submit, until
from tests.support.running import run_pid
from tests.support.traces import rows_of
from tests.support.wait import wait_until

ENDS: Final = ("success", "retried", "timed_out", "rescued", "cancelled", "followed")

_STATUS: Final = {"timed_out": "timeout", "cancelled": "cancelled"}


@pytest.fixture(scope="module")
def site(chromium: Browser, pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Web, worker and duties that know a real collector and a real Jaeger."""
    del chromium
    settings = {"VOXTRACE_WEB_PROCESSES": "1", "VOXTRACE_BACKOFF_S": "0.2"}
    path = tmp_path_factory.mktemp("beside") / "home"
    with Home.make(path, None, **pair.environ, **settings) as home:
        start_web(home)
        home.start_duties()
        home.start_worker("w1", VOXTRACE_WORKER_CONCURRENCY="4")
        yield home


@pytest.fixture(scope="module")
def tasks(site: Home) -> dict[str, int]:
    """A task for each end; they run beside each other."""
    new = partial(_new, site)
    rescued = new("Rescued", "The first sentence is made.\n\n@sleep 2\nThe second one, too.")
    wait_until(
        lambda: task_list.get(site.core, rescued).segments_done > 0, 60, what="a segment is made"
    )
    os.kill(run_pid(site, rescued), signal.SIGKILL)
    found = {
        "rescued": rescued,
        "success": new("Success", "It went well. It went well twice."),
        "retried": new("Retried", "@fail-until-attempt 2 retryable\nIt went well then."),
        "timed_out": new("Timed out", "@sleep 60\nToo late.", timeout_s=1),
        "cancelled": new("Cancelled", "@sleep 60\nNobody wants it."),
        "followed": new("Followed", "@sleep 2\nTwo want it."),
    }
    until(site, found["followed"], "processing", "completed")
    assert new("Follows", "@sleep 2\nTwo want it.") == found["followed"]
    run_pid(site, found["cancelled"])
    body = {"everyone": True}
    url = f"{site.url}/api/v1/tasks/{found['cancelled']}/cancel"
    assert requests.post(url, json=body, timeout=30).ok
    for end, task_id in found.items():
        until(
            site, task_id, {"timed_out": "timeout", "cancelled": "cancelled"}.get(end, "completed")
        )
    return found


def _new(site: Home, title: str, content: str, **fields: float) -> int:
    made = submit(site, content, title=title, engine="scripted", **fields)
    return int(made["task"]["id"])


def _in_jaeger(site: Home, jaeger: Jaeger, task_id: int) -> list[DecodedSpan]:
    """The spans of a task's trace, once Jaeger has it whole."""
    client, rows = JaegerClient(jaeger.url), rows_of(site.core, task_id)

    def look() -> list[DecodedSpan]:
        trace = client.trace(rows.task.trace_id)
        compared = trace_compare.compare(rows, trace, parent_is_kept=True)
        return list(trace.spans) if trace and compared.match is Match.EQUAL else []

    return wait_until(look, 30, what=f"the trace of task {task_id} is in Jaeger")


@pytest.mark.parametrize("end", ENDS)
def test_page_shows_what_jaeger_has(
    chromium: Browser, site: Home, tasks: dict[str, int], pair: Pair, end: str
) -> None:
    """Every span that Jaeger has is a row of the page with the same duration; the link leads there.

    Only the marker of an attempt's start is left off: the attempt's own row begins there.
    """
    spans = _in_jaeger(site, pair.jaeger, tasks[end])
    _check_end(end, spans)
    with browsers.visit(chromium, site.url, width=1280) as visit:
        visit.page.goto(f"/tasks/{tasks[end]}?spans=all")
        link = visit.page.locator("#jaeger a")
        expect(link).to_have_attribute("href", f"{pair.jaeger.url}/trace/{spans[0].trace_id}")
        rows = visit.page.locator(".waterfall tbody tr .took").all_text_contents()
        shown = [span for span in spans if span.name != names.SPAN_ATTEMPT_STARTED]
        wanted = [duration(span.end_us - span.start_us, "en") for span in shown]
        assert Counter(text.lstrip("≥ ") for text in rows) == Counter(wanted)
        if folder := os.environ.get("VOXTRACE_TEST_PICTURES"):
            _draw(
                chromium, Path(folder) / f"{end}.jpg", visit.page.screenshot(full_page=True), spans
            )


def _check_end(end: str, spans: list[DecodedSpan]) -> None:
    """The trace tells of that end."""
    attempts = [span for span in spans if span.name == names.SPAN_ATTEMPT]
    outcomes = [str(span.attributes[names.ATTEMPT_OUTCOME]) for span in attempts]
    expected = {
        "success": ["completed"],
        "retried": ["retry", "completed"],
        "timed_out": ["timeout"],
        "rescued": ["lost", "completed"],
        "cancelled": ["cancelled"],
        "followed": ["completed"],
    }
    assert sorted(outcomes) == sorted(expected[end])
    has_marker = any(span.name == names.SPAN_DEADLINE_EXCEEDED for span in spans)
    assert has_marker == (end == "timed_out")
    rebuilt = [span for span in attempts if span.attributes.get(names.SPAN_RECOVERED)]
    if end == "rescued":
        assert [span.attributes[names.ATTEMPT_OUTCOME] for span in rebuilt] == ["lost"]
    assert not rebuilt or end not in {"success", "retried", "followed"}


def _draw(browser: Browser, path: Path, page: bytes, spans: list[DecodedSpan]) -> None:
    """The page at the left, Jaeger's answer at the right."""
    start = min(span.start_us for span in spans)
    ordered = sorted(spans, key=lambda span: (span.start_us, -span.end_us))
    lines = "".join(_line(span, start) for span in ordered)
    image = base64.b64encode(page).decode()
    source = (
        "<style>body{margin:0;display:flex;align-items:flex-start;background:#fff;"
        "font:12px/1.5 monospace}"
        "img{width:900px}pre{margin:16px;white-space:pre-wrap;width:640px}</style>"
        f'<img src="data:image/png;base64,{image}">'
        f"<pre><b>GET /api/v3/traces/{spans[0].trace_id}</b>\n{lines}</pre>"
    )
    tab = browser.new_page(viewport={"width": 1600, "height": 600})
    tab.set_content(source, wait_until="load")
    path.parent.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=path, full_page=True, type="jpeg", quality=70)
    tab.close()


def _line(span: DecodedSpan, start: int) -> str:
    at, took = (span.start_us - start) / 1000, (span.end_us - span.start_us) / 1000
    told = {
        key: value
        for key, value in span.attributes.items()
        if key.startswith(("voxtrace.", "error.", "http.response"))
    }
    facts = "  ".join(f"{key.removeprefix('voxtrace.')}={value}" for key, value in told.items())
    error = f" ERROR {span.status_message}" if span.is_error else ""
    head = f"{span.name}  +{at:.1f} ms, {took:.3f} ms{error}"
    return f"\n<b>{html.escape(head)}</b>\n  {html.escape(facts)}\n"

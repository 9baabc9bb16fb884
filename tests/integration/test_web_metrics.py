"""/metrics: for Prometheus, with the token where one is set, without a span of its own."""

import sqlite3

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from telemetry.metric_names import TASKS, prometheus_name
from tests.support.documented import web_client
from tests.support.home import Home
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.service import submitted

#: What Prometheus 2 and Prometheus 3 ask for.
_PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
_PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/"
    "openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def test_openmetrics_for_who_prefers_it(home: Home) -> None:
    """Prometheus gets OpenMetrics, which its own parser reads, with the numbers of the rows."""
    submitted(home.core, "Waits.")
    with web_client(home.settings) as client:
        for accept in (_PROMETHEUS_2, _PROMETHEUS_3, "application/openmetrics-text"):
            answer = client.get("/metrics", headers={"Accept": accept})
            assert answer.status_code == 200
            kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
            assert answer.content_type == kind
            parsed = parse_openmetrics(answer.text)  # type: ignore[no-untyped-call]
            families = {family.name: family for family in parsed}
            samples = families[prometheus_name(TASKS)].samples
            assert {one.labels["status"]: one.value for one in samples}["pending"] == 1
            assert families["voxtrace_queue_oldest_age_seconds"].unit == "seconds"


def test_plain_text_for_everyone_else(home: Home) -> None:
    """A browser, curl, or nonsense gets the old text format."""
    with web_client(home.settings) as client:
        for accept in ("", "*/*", "text/html,*/*;q=0.8", "text/plain", ";;q=banana,/"):
            answer = client.get("/metrics", headers={"Accept": accept})
            assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
            names = {family.name for family in parse_text(answer.text)}
            assert {"voxtrace_tasks", "voxtrace_slots", "voxtrace_build_info"} <= names


def test_token_is_needed_where_one_is_set(home: Home) -> None:
    """Numbers are for those who know the token, as every other page; Prometheus can send it."""
    token = "0123456789abcdef"  # noqa: S105 - of this test
    home.environ["VOXTRACE_API_TOKEN"] = token
    with web_client(home.settings) as client:
        assert client.get("/metrics").status_code == 401
        wrong = {"Authorization": f"Bearer {token}x"}
        assert client.get("/metrics", headers=wrong).status_code == 401
        right = {"Authorization": f"Bearer {token}"}
        assert client.get("/metrics", headers=right).status_code == 200


def test_scrape_makes_no_span(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What asks every few seconds is in no trace."""
    with OtlpReceiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        with web_client(home.settings) as client:
            for _ in range(3):
                assert client.get("/metrics").status_code == 200
            client.get("/api/v1/engines")
            client.application.extensions["voxtrace_tracing"].shutdown()
        assert {span.name for span in receiver.spans} == {"GET /api/v1/engines"}


def test_database_that_cannot_be_read_is_an_error_and_no_number(home: Home) -> None:
    """No page of zeros or of old numbers: the target is down for Prometheus, with the reason."""
    with sqlite3.connect(home.path / "voxtrace.db") as database:
        database.execute("ALTER TABLE stat_total RENAME TO gone")
    with web_client(home.settings) as client:
        answer = client.get("/metrics")
    assert answer.status_code == 500
    assert "no such table" in answer.text
    assert "voxtrace_tasks" not in answer.text

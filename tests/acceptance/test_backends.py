"""Everything as a user has it without Docker: from an upload to Jaeger, Prometheus and back.

Jaeger, the collector and Prometheus run as native programs on the files that users get, `voxtrace
up` beside them; one of each for all tests.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import requests

from app import clock
from telemetry import names
from tests.support.backend_programs import require_prometheus
from tests.support.backends import Backends, Pair, Prometheus
from tests.support.home import Home
from tests.support.jaeger_trace import whole_trace
from tests.support.otlp_spans import ReceivedSpan
from tests.support.running import FINAL, PATIENCE_S, Json, running_up, task, until, upload
from tests.support.wait import wait_until
from tests.support.whole_trace import (
    check_documented,
    check_resources,
    check_whole,
    rows_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_FILE = Path(__file__).parents[1] / "data" / "texts" / "mixed-report.zh-en.txt"
#: Laid over otel-collector.yaml, whose 15 s a test has no need to wait for.
_HASTE = "connectors: {span_metrics: {metrics_flush_interval: 1s}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The running whole, and the tasks that were done on it.

    Attributes:
        spoken: A file that was uploaded as `curl -F file=@…` does.
        refused: A text that failed.
        retried: A text that was spoken at the second try.
    """

    home: Home
    pair: Pair
    prometheus: Prometheus
    spoken: Json
    refused: Json
    retried: Json


@pytest.fixture(scope="module")
def site(backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Starts all four, and has three texts done."""
    folder = tmp_path_factory.mktemp("site")
    prometheus = Prometheus(require_prometheus(backends), folder / "prometheus")
    haste = folder / "haste.yaml"
    haste.write_text(_HASTE)
    pair = Pair.make(backends, folder, prometheus, more=haste)
    prometheus.targets = pair.targets
    environ = {
        **pair.environ,
        "VOXTRACE_ENGINES": "espeak,tone,scripted",
        "VOXTRACE_BACKOFF_S": "0.05",
    }
    with pair, prometheus, Home.make(folder / "home", **environ) as home, running_up(home):
        spoken = requests.post(
            f"{home.url}/upload",
            files={"file": (_FILE.name, _FILE.read_bytes())},
            timeout=PATIENCE_S,
        ).json()
        refused = upload(home, "@fail permanent on purpose\nNever spoken.")
        retried = upload(home, "@fail-until-attempt 2 retryable\nSpoken at the second try.")
        for text in (spoken, refused, retried):
            until(home, text["text_id"], *FINAL)
        yield Site(
            home=home,
            pair=pair,
            prometheus=prometheus,
            spoken=spoken,
            refused=refused,
            retried=retried,
        )


def _trace(site: Site, text: Json) -> list[ReceivedSpan]:
    return whole_trace(site.home, site.pair.jaeger, rows_of(site.home, text["task_id"]))


def _us(moment: str) -> int:
    """A moment of the API in microseconds since the epoch."""
    return clock.to_us(datetime.fromisoformat(moment))


def _check_as_the_api_says(site: Site, text: Json, status: int) -> None:
    """The task's span and those of its attempts have the API's times, states and counts."""
    told = task(site.home, text["task_id"])
    by_id = {span.span_id: span for span in _trace(site, text)}
    assert told["trace_id"] == text["trace_id"]
    root = by_id[told["span_id"]]
    assert (root.start_ns, root.end_ns) == (
        _us(told["submitted_at"]) * 1000,
        _us(told["finished_at"]) * 1000,
    )
    assert root.status == status
    assert root.attributes[names.TASK_STATUS] == told["status"]
    assert root.attributes[names.TASK_ATTEMPTS] == told["attempt"]
    assert root.attributes.get(names.ERROR_TYPE) == told["error_type"]
    for attempt in told["attempts"]:
        span = by_id[attempt["span_id"]]
        assert (span.start_ns, span.end_ns) == (
            _us(attempt["claimed_at"]) * 1000,
            _us(attempt["finished_at"]) * 1000,
        )
        assert span.attributes[names.ATTEMPT_OUTCOME] == attempt["outcome"]
        assert span.attributes.get(names.ERROR_TYPE) == attempt["error_type"]


def test_upload_is_a_whole_trace_in_jaeger(site: Site) -> None:
    """Jaeger has every span of the task, named, placed, timed and described as documented."""
    rows, found = rows_of(site.home, site.spoken["task_id"]), _trace(site, site.spoken)
    check_whole(rows, found)
    check_resources(found)
    check_documented(found)
    assert len(found) == len({span.span_id for span in found})
    _check_as_the_api_says(site, site.spoken, status=0)


def test_failure_and_retry_are_in_jaeger_as_the_api_says(site: Site) -> None:
    """A failed task has status ERROR; one that was retried has an attempt in ERROR and one not."""
    _check_as_the_api_says(site, site.refused, status=2)
    _check_as_the_api_says(site, site.retried, status=0)
    rows, found = rows_of(site.home, site.retried["task_id"]), _trace(site, site.retried)
    check_whole(rows, found)
    spans = {span.span_id: span for span in found}
    assert [spans[row.span_id].status for row in rows.attempts] == [2, 0]


def test_verify_says_that_table_and_jaeger_agree(site: Site) -> None:
    """`voxtrace verify --json` reads the three traces, and finds them equal."""
    done = site.home.run("verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["tasks"], told["equal"], told["differences"]) == (3, 3, [])


def test_collector_took_every_span(site: Site) -> None:
    """Nothing was refused on the way, and nothing is left in the queue."""
    count = site.pair.collector.count
    wait_until(
        lambda: (
            count("otelcol_receiver_accepted_spans") == count("otelcol_exporter_sent_spans") > 0
        ),
        PATIENCE_S,
        what="all that was taken is handed on",
    )
    assert count("otelcol_receiver_refused_spans") == 0
    assert count("otelcol_exporter_send_failed_spans") == 0
    assert count("otelcol_exporter_queue_size") == 0


def _ended(prometheus: Prometheus) -> dict[tuple[str, ...], int]:
    """Tasks that the collector counted, by engine, status and error type, as Prometheus tells."""
    series = 'traces_span_metrics_calls_total{service_name="voxtrace",span_name="tts task"}'
    labels = ("voxtrace_engine", "voxtrace_task_status", "error_type")
    return {
        tuple(one["metric"].get(label, "") for label in labels): int(one["value"][1])
        for one in prometheus.query(series)
    }


def test_span_metrics_are_in_prometheus(site: Site) -> None:
    """Calls by status, and durations in seconds, of the spans that the collector took.

    The collector makes metrics each second here, and a new one begins at 0.
    """
    wanted = {
        ("espeak", "completed", ""): 1,
        ("scripted", "completed", ""): 1,
        ("scripted", "failed", "engine_rejected"): 1,
    }
    wait_until(lambda: _ended(site.prometheus) == wanted, PATIENCE_S, what=f"{wanted}", every_s=0.5)
    lasted = 'traces_span_metrics_duration_seconds_sum{span_name="process tts"}'
    total_s = sum(float(one["value"][1]) for one in site.prometheus.query(lasted))
    told = [task(site.home, text["task_id"]) for text in (site.spoken, site.refused, site.retried)]
    ran_s = sum(attempt["ran_s"] for one in told for attempt in one["attempts"])
    assert total_s == pytest.approx(ran_s, abs=0.001)


@pytest.mark.parametrize("kind", ["calls", "errors", "latencies"])
def test_jaegers_monitor_page_has_its_numbers(site: Site, kind: str) -> None:
    """Jaeger's metrics API answers out of Prometheus: rates, errors and latencies by span."""
    wanted = {names.SPAN_TASK, names.SPAN_ATTEMPT}

    def operations() -> set[str]:
        asked = {
            "service": ["voxtrace", "voxtrace-worker", "voxtrace-web"],
            "spanKind": ["internal", "consumer", "server"],
            "groupByOperation": "true",
            "endTs": str(round(time.time() * 1000)),
            "lookback": "600000",
            "step": "5000",
            "ratePer": "60000",
            "quantile": "0.95",
        }
        answer = requests.get(
            f"{site.pair.jaeger.url}/api/metrics/{kind}", params=asked, timeout=10
        )
        assert answer.ok, answer.text
        return {
            label["value"]
            for one in answer.json().get("metrics") or []
            for label in one["labels"]
            if label["name"] == "operation"
        }

    wait_until(lambda: wanted <= operations(), PATIENCE_S, what=f"{kind} of {wanted}", every_s=0.5)


def test_prometheus_watches_all_of_them(site: Site) -> None:
    """Collector, its span metrics, Jaeger and Prometheus itself answer to its scrapes."""
    wanted = {"span-metrics", "collector", "jaeger", "prometheus"}
    wait_until(
        lambda: wanted <= {one["metric"]["job"] for one in site.prometheus.query("up == 1")},
        PATIENCE_S,
        what="all are up",
        every_s=0.5,
    )

"""Metrics as a user has them: `voxtrace up`, collector, Jaeger, a real Prometheus with our rules.

One of each for all tests; the rules are those of deploy/alerts.yaml, their `for:` made short. A
token is set, which Prometheus shows out of its file.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families as parse_text

from telemetry.metric_names import (
    CANARY_AGE,
    CANARY_OK,
    CANARY_STAGE,
    METRICS,
    SDK_SPAN_STARTED,
    TASKS_FINISHED,
    TELEMETRY_FAILURES,
    prometheus_name,
)
from tests.support import dashboard, deploy
from tests.support.backend_programs import require_prometheus
from tests.support.backends import Backends, Pair, Prometheus
from tests.support.home import Home
from tests.support.running import PATIENCE_S, get, part, running_up, until, upload
from tests.support.system import System
from tests.support.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_TOKEN = "0123456789abcdef"  # noqa: S105 - of this test
#: Metrics that are there only after something went wrong, or once a canary came home.
_RARE = frozenset(
    prometheus_name(metric) for metric in (TELEMETRY_FAILURES, CANARY_OK, CANARY_AGE, CANARY_STAGE)
)
#: Metrics that differ from one process to another, since time passes between two answers.
_AGES = ("_age_seconds", "_last_success_timestamp_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The running whole.

    Attributes:
        fired_at_first: Alerts that fired while all was well.
    """

    system: System
    pair: Pair
    prometheus: Prometheus
    fired_at_first: frozenset[str]

    @property
    def home(self) -> Home:
        """Where voxtrace lives."""
        return self.system.home


@pytest.fixture(scope="module")
def site(backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Starts all four; metrics leave each second, by both ways."""
    folder = tmp_path_factory.mktemp("site")
    pair = Pair.make(backends, folder)
    home = Home.make(
        folder / "home",
        **pair.environ,
        OTEL_METRIC_EXPORT_INTERVAL="1000",
        VOXTRACE_WEB_PROCESSES="4",
        VOXTRACE_API_TOKEN=_TOKEN,
        VOXTRACE_WATCH_EVERY_S="10",
        VOXTRACE_WEBHOOK_URL="http://127.0.0.1:9/nobody",
        VOXTRACE_WEBHOOK_SECRET=_TOKEN,
    )
    targets = {**pair.targets, "web:8082": home.environ["VOXTRACE_BIND"]}
    prometheus = Prometheus(
        require_prometheus(backends), folder / "prometheus", targets, token=_TOKEN, wait="1s"
    )
    with home, pair, running_up(home) as up, prometheus:
        until(home, upload(home, "The first words.")["text_id"], "completed")
        asked = 'count_over_time(up{job="voxtrace"}[1m]) >= 3'
        wait_until(lambda: prometheus.query(asked), PATIENCE_S, what="three scrapes", every_s=0.3)
        yield Site(
            system=System(home, up),
            pair=pair,
            prometheus=prometheus,
            fired_at_first=frozenset(prometheus.firing()),
        )


def test_upload_is_a_trace_in_jaeger_and_a_number_in_prometheus(site: Site) -> None:
    """One text more: one trace in Jaeger, one task more in Prometheus by either way."""
    before = _numbers(get(site.home, "/metrics").text)[
        prometheus_name(TASKS_FINISHED), "status=completed"
    ]
    spoken = upload(site.home, "Counted once, seen once.")
    until(site.home, spoken["text_id"], "completed")
    trace = f"{site.pair.jaeger.url}/api/v3/traces/{spoken['trace_id']}"
    wait_until(lambda: requests.get(trace, timeout=10).ok, PATIENCE_S, what="the trace")
    finished = f'{prometheus_name(TASKS_FINISHED)}{{status="completed"%s}}'
    ways = {
        "scraped from /metrics": finished % ', job="voxtrace"',
        "through the collector": finished % ', job="span-metrics", exported_job="voxtrace"',
    }
    for way, expression in ways.items():
        more = f"{expression} > {before}"
        wait_until(partial(site.prometheus.query, more), PATIENCE_S, what=way, every_s=0.3)


def _numbers(page: str) -> dict[tuple[str, ...], float]:
    """Every series of a page but those that tell how long ago something was."""
    return {
        (sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in parse_text(page)
        for sample in family.samples
        if not sample.name.endswith(_AGES)
    }


def test_every_web_process_tells_the_same_numbers(site: Site) -> None:
    """Each of four processes, asked alone, answers with what the others answer."""
    for number in range(3):
        upload(site.home, f"Text {number}.")

    def told() -> list[dict[tuple[str, ...], float]] | None:
        """The pages of all four, once nothing moves between the first and the last of them."""
        pages = [_numbers(answer.text) for answer in site.system.ask_each("/metrics").values()]
        return pages if all(page == pages[0] for page in pages) else None

    pages = wait_until(told, PATIENCE_S, what="four pages with the same numbers")
    assert pages is not None
    assert len(pages) == 4
    assert pages[0]["voxtrace_tasks", "status=completed"] >= 1


def test_promtool_finds_nothing_to_say_about_the_page(site: Site) -> None:
    """`promtool check metrics` on the live page: no lint, no error."""
    page = get(site.home, "/metrics").text
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=page,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_metric_is_in_prometheus_by_its_documented_name(site: Site) -> None:
    """By the scrape, and by OTLP through the collector, with the same names and labels."""
    wanted = {
        f"{prometheus_name(metric)}{'_count' if metric.instrument == 'histogram' else ''}": metric
        for metric in METRICS
        if prometheus_name(metric) not in _RARE
    }
    for job in ("voxtrace", "span-metrics"):
        for name, metric in wanted.items():
            series = wait_until(
                partial(site.prometheus.query, f'{name}{{job="{job}"}}'),
                PATIENCE_S,
                what=f"{name} of {job}",
                every_s=0.3,
            )
            labels = {key.replace(".", "_") for key in metric.attributes} - {"error_type"}
            assert labels <= set(series[0]["metric"]), (job, name)


def _expressions() -> Iterator[tuple[str, str]]:
    """(where, expression) of every rule and every panel, as Prometheus is asked."""
    for rule in deploy.alert_rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads(dashboard.PATH.read_text())["panels"]:
        for target in panel.get("targets", []):
            asked = target["expr"].replace("$job", "voxtrace").replace("$__rate_interval", "1m")
            yield panel["title"], asked


def test_every_expression_of_rules_and_dashboard_is_answered(site: Site) -> None:
    """No expression is an error, and every metric that it names exists (but the rare ones)."""
    for where, expression in _expressions():
        site.prometheus.query(expression)
        named = re.findall(r"\b(?:voxtrace|otel_sdk|otelcol)_\w+(?=\{)|\bup\b", expression)
        assert named, where
        wait_until(  # what a process counts of itself is told and scraped a little later
            partial(_are_there, site, set(named) - _RARE), PATIENCE_S, what=where, every_s=0.5
        )


def _are_there(site: Site, names: set[str]) -> bool:
    return names <= site.prometheus.metric_names()


def test_rules_are_loaded_and_well(site: Site) -> None:
    """Prometheus evaluates every rule without an error; nothing fired while all was well."""
    answer = requests.get(f"{site.prometheus.url}/api/v1/rules", timeout=10).json()
    rules = [rule for group in answer["data"]["groups"] for rule in group["rules"]]
    assert len(rules) == len(deploy.alert_rules())
    assert {rule["health"] for rule in rules} == {"ok"}
    assert site.fired_at_first == frozenset()


def test_what_processes_count_of_themselves_arrives(site: Site) -> None:
    """Spans of the web and of the children; none of the scrapes, which make no span."""

    def programs() -> set[str]:
        name = prometheus_name(SDK_SPAN_STARTED)
        series = site.prometheus.query(f'{name}{{job="voxtrace"}}')
        return {one["metric"]["program"] for one in series}

    wait_until(lambda: programs() >= {"web", "child"}, PATIENCE_S, what="both", every_s=0.5)


def test_alerts_fire_when_worker_and_collector_stop_and_end_when_they_are_back(site: Site) -> None:
    """A worker that stands still, a collector that was killed: each is told, with what to do.

    No template is left unfilled. The alerts end by themselves once the trouble does (that of the
    forwarder at its next try).
    """
    wanted = {"VoxtraceNoWorker", "BackendDown", "VoxtraceForwarderFails"}
    worker = part(site.system.up, "worker")
    site.pair.collector.kill()
    upload(site.home, "Its spans wait.")
    with site.home.core.database.write():  # else it may stand still with the writer's lock
        os.kill(worker.pid, signal.SIGSTOP)
    try:
        alerts = _all_fire(site, wanted)
    finally:
        os.kill(worker.pid, signal.SIGCONT)
        site.pair.collector.start()
    assert alerts["VoxtraceNoWorker"]["labels"]["severity"] == "critical"
    assert "`voxtrace worker`" in alerts["VoxtraceNoWorker"]["annotations"]["description"]
    for alert in alerts.values():
        words = " ".join(alert["annotations"].values())
        assert not re.search(r"\{\{|<no value>|error expanding", words), words
    wait_until(
        lambda: not {"VoxtraceNoWorker", "BackendDown"} & set(site.prometheus.firing()),
        PATIENCE_S,
        what="the end of both alerts",
        every_s=0.3,
    )


def _all_fire(site: Site, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """The alerts once all that are wanted fire, one after the other."""
    for name in sorted(wanted):
        firing = f'ALERTS{{alertname="{name}", alertstate="firing"}}'
        wait_until(partial(site.prometheus.query, firing), PATIENCE_S, what=name, every_s=0.3)
    return site.prometheus.firing()

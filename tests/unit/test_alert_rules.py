"""Alert rules and dashboard as files: promtool takes them, they name what there is."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from telemetry.metric_names import METRICS, prometheus_name
from tests.support import dashboard, deploy

#: Metrics of others that the rules name.
_OF_OTHERS = frozenset({"up", "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"})
_NAMES = frozenset(prometheus_name(metric) for metric in METRICS)
#: Functions, words and labels of the expressions; whatever else looks like a name is a metric.
_SERIES = re.compile(r"\b(?:voxtrace|otel_sdk|otelcol)_\w+|\bup\b")


def _promtool(*arguments: str, folder: Path | None = None) -> str:
    """What promtool says of a file that it must find good; skips where it is missing."""
    if shutil.which("promtool") is None:
        pytest.skip("NO PROMTOOL: alert rules are not checked (apt-get install prometheus)")
    done = subprocess.run(
        ["promtool", *arguments],
        cwd=folder or deploy.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _metrics_in(expression: str) -> set[str]:
    """The metrics that an expression names, without the suffixes of a histogram's series."""
    found = set(_SERIES.findall(re.sub(r'"[^"]*"', "", expression)))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in found} | (found & _NAMES)


def test_promtool_takes_the_rules() -> None:
    """Every expression and template of deploy/alerts.yaml is one that Prometheus can evaluate."""
    assert f"SUCCESS: {len(deploy.alert_rules())} rules found" in _promtool(
        "check", "rules", "deploy/alerts.yaml"
    )


def test_promtool_takes_the_configuration(tmp_path: Path) -> None:
    """deploy/prometheus.yaml with the files that belong beside it."""
    for name in ("prometheus.yaml", "alerts.yaml"):
        shutil.copy(deploy.ROOT / "deploy" / name, tmp_path)
    (tmp_path / "api_token").write_text("")
    said = _promtool("check", "config", "prometheus.yaml", folder=tmp_path)
    assert "1 rule files found" in said


def test_each_rule_fires_on_its_trouble_and_none_while_all_is_well() -> None:
    """deploy/alerts_test.yaml, by promtool: what fires, and that nothing else does."""
    assert "SUCCESS" in _promtool("test", "rules", "deploy/alerts_test.yaml")


def test_every_rule_has_a_case_that_fires() -> None:
    """A rule without a case in deploy/alerts_test.yaml could be silent for ever."""
    tests = yaml.safe_load(deploy.text("deploy/alerts_test.yaml"))["tests"]
    fired = re.findall(
        r'alertname="(\w+)", alertstate="firing"', json.dumps(tests).replace("\\", "")
    )
    assert set(fired) == {rule["alert"] for rule in deploy.alert_rules()}


def test_each_rule_says_what_is_wrong_and_what_to_do() -> None:
    """Severity, a summary that is a sentence, a description longer than that; names once each."""
    rules = deploy.alert_rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        name = rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}, name
        summary, words = rule["annotations"]["summary"], rule["annotations"]["description"]
        assert summary.endswith("."), name
        assert len(words) > len(summary), name
        assert re.search(r"`|log|Look|Start", words), f"{name}: what is to be done?"


def test_rules_name_metrics_that_exist() -> None:
    """Every metric in a rule is in the table, or one of the few of others that are known."""
    for rule in deploy.alert_rules():
        named = _metrics_in(rule["expr"])
        assert named, rule["alert"]
        assert named <= _NAMES | _OF_OTHERS, rule["alert"]


def test_commands_and_settings_in_rules_exist() -> None:
    """`voxtrace …` and VOXTRACE_… in a description are commands and settings."""
    from app.cli.main import cli
    from app.config.specs import SPECS

    words = " ".join(rule["annotations"]["description"] for rule in deploy.alert_rules())
    assert set(re.findall(r"`voxtrace ([a-z]+)", words)) <= set(cli.commands)
    known = {spec.name for spec in SPECS}
    assert set(re.findall(r"VOXTRACE_\w+", words)) <= known


def test_dashboard_is_what_its_table_says() -> None:
    """deploy/grafana/voxtrace.json is made, not edited."""
    assert dashboard.PATH.read_text() == dashboard.text(), "run: python -m tests.support.dashboard"


def _panels() -> Iterator[Mapping[str, Any]]:
    for panel in json.loads(dashboard.PATH.read_text())["panels"]:
        if panel["type"] != "row":
            yield panel


def test_dashboard_shows_every_metric_and_no_other() -> None:
    """Each metric of the table is in a panel; each name in a panel is in the table."""
    shown = {
        name
        for panel in _panels()
        for target in panel["targets"]
        for name in _metrics_in(target["expr"])
    }
    assert shown == _NAMES


def test_each_panel_has_a_unit_a_description_and_asks_the_chosen_source() -> None:
    """Units are set, each selector has the chosen job and source; nothing overlaps."""
    places: set[tuple[int, int]] = set()
    for panel in _panels():
        title = panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], title
        assert panel["description"].endswith("."), title
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, title
            series = re.findall(r"\b(?:voxtrace|otel_sdk)_\w+(\{[^}]*\})?", target["expr"])
            assert all('job="$job"' in labels for labels in series), title
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert max(x for x, _ in cells) < 24, title
        assert not cells & places, title
        places |= cells


def test_dashboard_can_be_imported_anywhere() -> None:
    """The data source and the job are variables; no id of a certain Grafana is in it."""
    made = json.loads(dashboard.PATH.read_text())
    variables = {one["name"]: one for one in made["templating"]["list"]}
    assert variables["datasource"]["query"] == "prometheus"
    assert variables["job"]["current"]["value"] == "voxtrace"
    assert "id" not in made
    ids = [panel["id"] for panel in made["panels"]]
    assert len(ids) == len(set(ids))

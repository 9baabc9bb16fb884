"""Exposition: what Prometheus' own parser reads is what was measured, in both formats."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from telemetry import exposition
from telemetry import metric_names as m
from telemetry.metric_names import METRICS, Metric, prometheus_name
from telemetry.samples import Histogram, Sample

_ROOT = Path(__file__).parents[2]


def _one_of_each() -> list[Sample]:
    shape = Histogram(bounds=(0.5, 1.0), counts=(2, 0, 1), sum=61.25)
    return [
        Sample(
            metric=metric,
            value=shape if metric.instrument == "histogram" else 3,
            attributes={key: f"a {key}" for key in metric.attributes},
        )
        for metric in METRICS
    ]


def _parsed(page: str, form: exposition.Format) -> dict[str, dict[str, float]]:
    """Value of each series by its name and labels, and the type of each family."""
    parse = parse_openmetrics if form == "openmetrics" else parse_text
    found: dict[str, dict[str, float]] = {}
    for family in parse(page):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


@pytest.mark.parametrize("form", ["text", "openmetrics"])
def test_every_metric_is_read_by_its_documented_name(form: exposition.Format) -> None:
    """Name, labels, value and help of each metric of the table; buckets are cumulative."""
    page = exposition.expose(_one_of_each(), form).decode()
    found = _parsed(page, form)
    for metric in METRICS:
        name = prometheus_name(metric)
        assert f"# HELP {name.removesuffix('_total') if form == 'openmetrics' else name} " in page
        if metric.instrument == "histogram":
            assert set(found[f"{name}_count"].values()) == {3}
            assert set(found[f"{name}_sum"].values()) == {61.25}
            assert sorted(found[f"{name}_bucket"].values()) == [2, 2, 3]
        else:
            assert list(found[name].values()) == [3]
    assert (page.endswith("# EOF\n")) == (form == "openmetrics")
    assert ("# UNIT voxtrace_queue_oldest_age_seconds seconds" in page) == (form == "openmetrics")


@given(st.text(max_size=80))
def test_any_label_value_survives(value: str) -> None:
    """Quotes, backslashes, line ends and any Unicode come back as they were."""
    sample = Sample(metric=m.DUTY_FAILURES, value=1, attributes={"duty": value})
    page = exposition.expose([sample], "text").decode()
    (family,) = parse_text(page)
    assert [one.labels["duty"] for one in family.samples] == [value]


def test_value_of_the_wrong_shape_is_refused_with_the_metric_s_name() -> None:
    """A histogram where a number belongs, or the other way round, is an error that names it."""
    shape = Histogram(bounds=(), counts=(0,), sum=0)
    with pytest.raises(TypeError, match=r"voxtrace\.queue\.depth must have a number"):
        exposition.expose([Sample(metric=m.QUEUE_DEPTH, value=shape)], "text")
    with pytest.raises(TypeError, match=r"voxtrace\.engine\.call must have a histogram, got int"):
        exposition.expose([Sample(metric=m.ENGINE_CALL, value=1)], "text")


def _row(metric: Metric) -> str:
    attributes = ", ".join(f"`{key}`" for key in metric.attributes)
    cells = (
        f"`{metric.name}`",
        f"`{prometheus_name(metric)}`",
        metric.instrument,
        f"`{metric.unit}`" if metric.unit else "",
        attributes,
        metric.meaning,
    )
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def test_page_and_code_have_the_same_table_of_metrics() -> None:
    """docs/telemetry.md says what metric_names.py says, line by line."""
    page = (_ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
    section = page.split("\n## Metrics\n", 1)[1].split("\n## ", 1)[0]
    table = [line for line in section.splitlines() if line.startswith("| ")]
    rows = [line for line in table if line.startswith(("| `voxtrace.", "| `otel."))]
    expected = [_row(metric) for metric in METRICS]
    assert rows == expected, "docs/telemetry.md should read:\n" + "\n".join(expected)


def test_every_metric_is_in_the_table_once() -> None:
    """A metric that nobody described cannot be used; no two share a name, in either way."""
    constants = [value for value in vars(m).values() if isinstance(value, Metric)]
    assert sorted(one.name for one in constants) == sorted(one.name for one in METRICS)
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert len({prometheus_name(metric) for metric in METRICS}) == len(METRICS)


def test_names_follow_the_rules_of_prometheus() -> None:
    """Lower case and underscores; `_total` for counters alone; units are base units in the name."""
    for metric in METRICS:
        name = prometheus_name(metric)
        assert re.fullmatch(r"(voxtrace|otel_sdk)_[a-z_]+", name), name
        assert name.endswith("_total") == (metric.instrument == "counter"), name
        assert metric.unit in {"s", "By", ""} or re.fullmatch(r"\{[a-z]+\}", metric.unit), name
        if metric.unit == "s":
            assert name.endswith("_seconds"), name

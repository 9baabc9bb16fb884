"""The Grafana dashboard, out of a table of panels.

    python -m tests.support.dashboard        # writes deploy/grafana/voxtrace.json anew

The panels are in `dashboard_panels`; their expressions name no job: `$job` is put into each.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from telemetry.metric_names import METRICS, prometheus_name
from tests.support.dashboard_panels import ROWS, Panel

PATH: Final = Path(__file__).parents[2] / "deploy" / "grafana" / "voxtrace.json"
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
#: Columns of Grafana's grid.
_WIDTH: Final = 24
_NAMES: Final = sorted((prometheus_name(metric) for metric in METRICS), key=len, reverse=True)
_SERIES: Final = re.compile(rf"\b({'|'.join(_NAMES)})(_bucket|_count|_sum)?\b(\{{[^}}]*\}})?")


def with_job(expression: str) -> str:
    """The expression with `job="$job"` in each selector."""

    def selected(match: re.Match[str]) -> str:
        rest = (match[3] or "{}")[1:-1]
        inside = ", ".join(part for part in ('job="$job"', rest) if part)
        return f"{match[1]}{match[2] or ''}{{{inside}}}"

    return _SERIES.sub(selected, expression)


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": "voxtrace",
        "title": "voxtrace",
        "description": "Text-to-speech tasks, the spans that tell of them, and who watches both.",
        "tags": ["voxtrace"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [_datasource(), _job()]},
        "panels": _panels(),
    }


def _datasource() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def _job() -> dict[str, Any]:
    query = "label_values(voxtrace_build_info, job)"
    return {
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "job"},
        "current": {"selected": True, "text": "voxtrace", "value": "voxtrace"},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
        "sort": 1,
    }


def _panels() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    top = 0
    for title, panels in ROWS:
        place = {"h": 1, "w": _WIDTH, "x": 0, "y": top}
        made.append(
            {
                "id": len(made) + 1,
                "type": "row",
                "title": title,
                "collapsed": False,
                "gridPos": place,
                "panels": [],
            }
        )
        top += 1
        left, height = 0, 0
        for panel in panels:
            if left + panel.width > _WIDTH:
                left, top = 0, top + height
            height = 4 if panel.width == 3 else 8
            place = {"h": height, "w": panel.width, "x": left, "y": top}
            made.append({"id": len(made) + 1, **_panel(panel), "gridPos": place})
            left += panel.width
        top += height
    return made


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.words,
        "datasource": _SOURCE,
        "targets": [_target(at, query, panel) for at, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel.kind),
    }


def _target(at: int, query: tuple[str, str], panel: Panel) -> dict[str, Any]:
    expression, legend = query
    return {
        "refId": "ABCDEFGH"[at],
        "datasource": _SOURCE,
        "expr": with_job(expression),
        "legendFormat": legend or "__auto",
        "instant": panel.kind == "stat",
        "range": panel.kind != "stat",
        "format": "heatmap" if panel.kind == "heatmap" else "time_series",
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.kind == "timeseries":
        stacking = {"mode": "normal" if panel.is_stacked else "none", "group": "A"}
        defaults |= {
            "min": 0,
            "custom": {
                "drawStyle": "line",
                "fillOpacity": 20 if panel.is_stacked else 0,
                "lineWidth": 1,
                "showPoints": "never",
                "stacking": stacking,
            },
        }
    if panel.kind == "stat":
        defaults |= {
            "noValue": "–",
            "color": {"mode": "thresholds"},
            "thresholds": _steps(panel.steps),
        }
    return defaults


def _steps(steps: Sequence[tuple[float | None, str]]) -> dict[str, Any]:
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": color} for value, color in steps],
    }


def _options(kind: str) -> dict[str, Any]:
    match kind:
        case "stat":
            reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
            return {
                "colorMode": "value",
                "graphMode": "none",
                "textMode": "auto",
                "reduceOptions": reduced,
            }
        case "heatmap":
            return {"calculate": False, "yAxis": {"unit": "s"}, "cellGap": 1}
        case _:
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }


def text() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes the file."""
    PATH.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()

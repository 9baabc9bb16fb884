"""Names: one table in the code, the same table in docs/telemetry.md, and nothing beside them."""

import re
from pathlib import Path

import pytest

from telemetry import names
from telemetry.log_names import LOG_ATTRIBUTES

_ROOT = Path(__file__).parents[2]
_DOCS = _ROOT / "docs" / "telemetry.md"
_SPANS = [f"| `{s.name}` | {s.kind.name} | {s.parent} | {s.meaning} |" for s in names.SPANS]
_EVENTS = [f"| `{e.name}` | {e.where} | {e.meaning} |" for e in names.EVENTS]
_ATTRIBUTES = [f"| `{a.key}` | {a.type} | {a.where} | {a.meaning} |" for a in names.ATTRIBUTES]
_RESOURCE = [f"| `{a.key}` | {a.type} | {a.where} | {a.meaning} |" for a in names.RESOURCE]


def _table(heading: str) -> list[str]:
    """Rows of the first table under a heading of the page, without its head."""
    section = (
        _DOCS.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    )
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return lines[2:]


@pytest.mark.parametrize(
    ("heading", "rows"),
    [
        ("Spans", _SPANS),
        ("Events", _EVENTS),
        ("Attributes", _ATTRIBUTES),
        ("Resource", _RESOURCE),
    ],
)
def test_page_and_code_have_the_same_table(heading: str, rows: list[str]) -> None:
    """docs/telemetry.md says what names.py says, line by line."""
    assert _table(heading) == rows, "docs/telemetry.md should read:\n" + "\n".join(rows)


def test_every_constant_is_in_a_table() -> None:
    """A name that nobody described cannot be used."""
    constants = {
        value
        for name, value in vars(names).items()
        if isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z_]+", name)
    }
    described = {
        *(span.name for span in names.SPANS),
        *(event.name for event in names.EVENTS),
        *(attribute.key for attribute in (*names.ATTRIBUTES, *names.RESOURCE)),
    }
    values = {names.ENGINE_OPERATION, names.URL_QUERY, names.SCOPE, names.SERVICE_ROWS,
              names.SERVICE_WEB, names.SERVICE_WORKER, names.SERVICE_CLI,
              names.SERVICE_DUTIES}  # fmt: skip
    assert constants - values - described == set()


def test_keys_are_unique_and_of_a_known_space() -> None:
    """Semantic conventions first, `voxtrace.` for the rest; no key twice, none with a capital."""
    keys = [attribute.key for attribute in (*names.ATTRIBUTES, *names.RESOURCE)]
    assert len(keys) == len(set(keys))
    spaces = (
        "voxtrace.",
        "error.",
        "exception.",
        "messaging.",
        "gen_ai.",
        "http.",
        "service.",
        "host.",
    )
    assert [key for key in keys if not key.startswith(spaces) or key != key.lower()] == []


def test_where_names_spans_that_exist() -> None:
    """The column `where` speaks of spans and events of the tables (or says all of them)."""
    known = {*(span.name for span in names.SPANS), *(event.name for event in names.EVENTS)}
    free = {"any span", "any span that failed", "all", "web", "worker", "command line"}
    for attribute in (*names.ATTRIBUTES, *names.RESOURCE):
        assert set(attribute.where.split(", ")) <= known | free, attribute


def test_attributes_in_the_code_of_the_app_come_from_the_table() -> None:
    """No module of the application writes a `voxtrace.…` key by hand."""
    found = [
        (path.name, match)
        for folder in ("app", "telemetry")
        for path in (_ROOT / folder).rglob("*.py")
        if path.name not in {"names.py", "metric_names.py", "log_names.py"}
        for match in re.findall(r'"(voxtrace\.[a-z_.]+)"', path.read_text(encoding="utf-8"))
        if match not in {"voxtrace.caller", "voxtrace.entered", "voxtrace.engines"}
    ]
    assert found == []


def test_log_attributes_are_those_of_the_page() -> None:
    """docs/telemetry.md has the table of what a log record says, line by line."""
    page = (_ROOT / "docs/telemetry.md").read_text(encoding="utf-8")
    for attribute in LOG_ATTRIBUTES:
        row = f"| `{attribute.key}` | {attribute.type} | {attribute.where} | {attribute.meaning} |"
        assert row in page
    section = page.partition("## Log lines")[2].partition("## Settings")[0]
    assert len(re.findall(r"^\| `", section, re.MULTILINE)) == len(LOG_ATTRIBUTES)

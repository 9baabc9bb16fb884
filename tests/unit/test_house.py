"""The house: sizes of modules and functions, records and tables, the error tree."""

import ast
import statistics
from dataclasses import fields
from pathlib import Path

import pytest

from app.domain import errors, records
from app.domain.finding import DeliveryRecord, FindingRecord
from app.store import tables

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for package in ("app", "telemetry", "migrations")
    for path in sorted((ROOT / package).rglob("*.py"))
    if "versions" not in path.parts
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_is_small_and_says_what_it_is(path: Path) -> None:
    """At most 400 lines, functions of at most 60, and a first line that is a sentence."""
    source = path.read_text()
    tree = ast.parse(source)
    assert len(source.splitlines()) <= 400
    first = (ast.get_docstring(tree) or "").split("\n\n")[0].replace("\n", " ")
    assert first.endswith((".", ":", ")")), first
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


def test_functions_are_short_on_the_whole() -> None:
    """The median function has at most 12 lines, docstring included."""
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    assert statistics.median(lengths) <= 12


@pytest.mark.parametrize(
    ("record", "table"),
    [
        (records.TextRecord, tables.text_table),
        (records.SubmissionRecord, tables.submission_table),
        (records.TaskRecord, tables.task_table),
        (records.AttemptRecord, tables.attempt_table),
        (records.SegmentRecord, tables.segment_table),
        (records.AudioRecord, tables.audio_table),
        (records.WorkerRecord, tables.worker_table),
        (records.EventRecord, tables.event_table),
        (records.DutyRecord, tables.duty_table),
        (records.LogLineRecord, tables.task_log_table),
        (records.CanaryRecord, tables.canary_table),
        (FindingRecord, tables.finding_table),
        (DeliveryRecord, tables.webhook_delivery_table),
    ],
)
def test_record_has_the_columns_of_its_table(record: type, table: object) -> None:
    """A record's fields are its table's columns, by name."""
    columns = {column.name for column in table.c}  # type: ignore[attr-defined]
    assert {field.name for field in fields(record)} == columns


def test_error_tree_is_drawn_as_it_is() -> None:
    """The tree in the docstring of app.domain.errors is the tree of its classes."""
    drawn = [
        (line.index(line.lstrip("│├└─ ")), line.lstrip("│├└─ ").strip())
        for line in (errors.__doc__ or "").splitlines()
        if line.lstrip("│├└─ ").strip().endswith("Error")
    ]
    parents: dict[str, str] = {}
    stack: list[tuple[int, str]] = []
    for depth, name in drawn:
        while stack and stack[-1][0] >= depth:
            stack.pop()
        parents[name] = stack[-1][1] if stack else "Exception"
        stack.append((depth, name))
    found = {
        name: str(value.__base__ and value.__base__.__name__)
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert parents == found

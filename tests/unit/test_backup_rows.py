"""Lines of a backup file: every row comes back as it was, and the manifest as it was written."""

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain import backup
from app.domain.backup import AudioPart, Manifest, TablePart
from app.domain.backup_rows import Column, Kind, RowReader, RowWriter, TableShape
from app.domain.errors import BackupError

VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "float": st.floats(allow_nan=False),
    "text": st.text(),
    "bytes": st.binary(),
}
SHAPE = TableShape(
    name="all",
    columns=tuple(
        Column(
            name=f"{kind}_{'some' if is_nullable else 'must'}", kind=kind, is_nullable=is_nullable
        )
        for kind in VALUES
        for is_nullable in (True, False)
    ),
    key=(),
    id_column=None,
)
ROWS = st.tuples(
    *(
        st.one_of(st.none(), VALUES[one.kind]) if one.is_nullable else VALUES[one.kind]
        for one in SHAPE.columns
    )
)
#: A machine that does other things is no reason to fail.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
PART: dict[str, Any] = {"entry": "x", "bytes": 3, "sha256": "ab"}
MANIFEST = Manifest(
    release="1",
    schema="0001",
    made_at=5,
    database="sqlite",
    tables=(
        TablePart(**PART, table="t", columns={"id": "int", "a": "text"}, row_count=2, last_id=9),
        TablePart(**PART, table="u", columns={}, row_count=0, last_id=None),
    ),
    audio=AudioPart(**PART, file_count=1, missing_count=0),
)
DATA = backup.to_json(MANIFEST)


@PATIENT
@given(rows=st.lists(ROWS, max_size=4))
def test_rows_come_back_as_they_were(rows: list[tuple[Any, ...]]) -> None:
    """For every row: one line, and the same values and kinds out of it."""
    writer, reader = RowWriter(SHAPE), RowReader(SHAPE, is_strict=False)
    for row in rows:
        line = writer.line(row)
        assert line.count(b"\n") == 1
        found = reader.row(line.rstrip(b"\n"))
        assert tuple(found) == row
        assert list(map(type, found)) == list(map(type, row))


def test_number_that_is_none_comes_back() -> None:
    """A float that is no number stands in JSON as a word."""
    shape = TableShape(
        name="f",
        columns=(Column(name="f", kind="float", is_nullable=False),),
        key=(),
        id_column=None,
    )
    line = RowWriter(shape).line((math.nan,))
    assert json.loads(line) == ["nan"]
    assert math.isnan(RowReader(shape, is_strict=True).row(line)[0])


@PATIENT
@given(values=st.lists(st.one_of(st.none(), st.booleans(), st.text(), st.floats()), max_size=12))
def test_other_lines_are_refused_in_words(values: list[Any]) -> None:
    """Whatever stands there: a row that fits, or a ValueError that quotes nothing."""
    line = json.dumps(values).encode()
    for is_strict in (True, False):
        words = _words(line, is_strict=is_strict)
        assert words.startswith(("column ", "must be an array of 10 values", "is no JSON", "fits"))


def _words(line: bytes, *, is_strict: bool) -> str:
    try:
        RowReader(SHAPE, is_strict=is_strict).row(line)
    except ValueError as error:
        return str(error)
    return "fits"


def test_manifest_comes_back() -> None:
    """What is written is what is read."""
    assert backup.from_json(DATA, backup.checksum(DATA)) == MANIFEST
    assert MANIFEST.row_count == 2


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value stands in nested JSON."""
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [one for key, part in value.items() for one in _paths(part, (*path, key))]
    if isinstance(value, list):
        return found + [one for at, part in enumerate(value) for one in _paths(part, (*path, at))]
    return found


@pytest.mark.parametrize("path", _paths(json.loads(backup.to_json(MANIFEST))), ids=str)
def test_manifest_with_a_wrong_value_is_refused(path: tuple[Any, ...]) -> None:
    """Each field is looked at; one that is of another kind is named, or read as what it may be."""
    value = json.loads(backup.to_json(MANIFEST))
    at = value
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = [[]]
    changed = json.dumps(value).encode()
    with pytest.raises(BackupError):
        backup.from_json(changed, backup.checksum(changed))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_something_else_is_no_manifest(data: bytes) -> None:
    """Nonsense is told apart, whatever it is."""
    with pytest.raises(BackupError):
        backup.from_json(data, backup.checksum(data))

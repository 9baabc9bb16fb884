"""A backup file that is not as it was written: nothing of it reaches a database."""

import io
import json
import random
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.domain import backup
from app.domain.errors import BackupError, StoreError, VoxtraceError
from app.service.backup import check
from app.service.backup.export import export
from app.service.backup.zip_reader import opened
from tests.support.backup_files import (
    Json,
    changed,
    contents,
    import_file,
    lines_of,
    put_entries,
    put_raw,
    put_together,
    taken_apart,
)
from tests.support.home import Home
from tests.support.service import start_worker
from tests.support.worked import worked

Entries = dict[str, bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup file with audio, of a database with work in it."""
    folder = tmp_path_factory.mktemp("made")
    with Home.make(folder / "home") as home:
        worked(home.core)
        start_worker(home.core, name="more")
        export(home.core, folder / "whole.zip", with_audio=True)
    return folder / "whole.zip"


def test_truncated_file_is_refused_wherever_it_ends(made: Path, home: Home, tmp_path: Path) -> None:
    """Cut at any of many bytes, the file is refused before anything is read into a database."""
    whole, part = made.read_bytes(), tmp_path / "part.zip"
    before = contents(home.core.database)
    ends = {0, 1, 21, 22, len(whole) - 1, len(whole) - 22, len(whole) // 2}
    for end in sorted(ends | set(range(0, len(whole), 997))):
        part.write_bytes(whole[:end])
        with pytest.raises(BackupError, match=r"part\.zip"):
            import_file(home.core, part)
    assert contents(home.core.database) == before


def test_flipped_byte_is_refused_or_changes_no_row(made: Path, home: Home, tmp_path: Path) -> None:
    """A byte that differs, anywhere, is found; where it is not, it is none that is read."""
    whole, other = bytearray(made.read_bytes()), tmp_path / "other.zip"
    wanted = lines_of(made)
    chance = random.Random(7)  # noqa: S311 - the same places each time
    refused = 0
    places = [*chance.sample(range(len(whole)), 100), *range(len(whole) - 120, len(whole))]
    for at in places:
        old, whole[at] = whole[at], whole[at] ^ (1 << chance.randrange(8))
        other.write_bytes(whole)
        whole[at] = old
        try:
            with opened(other) as found:
                check.check_file(home.core, found)
        except BackupError:
            refused += 1
        else:
            assert lines_of(other) == wanted
    assert refused > len(places) / 2


def _flip_row_count(manifest: Json, _entries: Entries) -> None:
    manifest["tables"][-1]["row_count"] += 1


def _shorten(manifest: Json, entries: Entries) -> None:
    part = _part(manifest, "task")
    entries[part["entry"]] = entries[part["entry"]][:-100]


def _lengthen_silently(manifest: Json, entries: Entries) -> None:
    """A bomb: far more bytes than the manifest says."""
    entries[_part(manifest, "event")["entry"]] = b"[" * 50_000_000


def _drop_entry(manifest: Json, entries: Entries) -> None:
    del entries[_part(manifest, "segment")["entry"]]


def _name_a_file(manifest: Json, entries: Entries) -> None:
    del entries[_part(manifest, "segment")["entry"]]
    _part(manifest, "segment")["entry"] = "../../../etc/passwd"


def _drop_table(manifest: Json, _entries: Entries) -> None:
    manifest["tables"] = [part for part in manifest["tables"] if part["table"] != "event"]


def _repeat_table(manifest: Json, _entries: Entries) -> None:
    manifest["tables"].append(manifest["tables"][0])


def _add_table(manifest: Json, _entries: Entries) -> None:
    manifest["tables"].append({**_part(manifest, "event"), "table": "sqlite_master"})


def _add_column(manifest: Json, _entries: Entries) -> None:
    _part(manifest, "event")["columns"]["oops"] = "text"


def _lose_ids(manifest: Json, _entries: Entries) -> None:
    _part(manifest, "event")["last_id"] = None


def _be_of_the_future(manifest: Json, _entries: Entries) -> None:
    manifest["schema"] = "9999"


def _have_a_later_form(manifest: Json, _entries: Entries) -> None:
    manifest["format"] = 3


def _be_of_others(manifest: Json, _entries: Entries) -> None:
    manifest["product"] = "pg_dump"


def _be_crooked(manifest: Json, _entries: Entries) -> None:
    manifest["tables"] = {"task": 1}


def _count_below_nothing(manifest: Json, _entries: Entries) -> None:
    manifest["made_at"] = -1


RAW: dict[Callable[[Json, Entries], None], str] = {
    _flip_row_count: "has 4 rows, the manifest says 5",
    _shorten: "task.jsonl has .* bytes, the manifest says",
    _lengthen_silently: "event.jsonl has 50000000 bytes, the manifest says",
    _drop_entry: "has no tables/segment.jsonl",
    _name_a_file: "has no ../../../etc/passwd",
    _drop_table: "tables are others: lacks event",
    _repeat_table: "tables are others: one twice",
    _add_table: "tables are others: has sqlite_master",
    _add_column: "tables/event.jsonl: the file's columns are others: has oops",
    _lose_ids: "tables/event.jsonl must have a last_id",
    _be_of_the_future: r"schema '9999' .*this release knows 0001 to \d+",
    _have_a_later_form: "has form '3', this release reads up to 2",
    _be_of_others: "made by something else",
    _be_crooked: "as 'tables'",
    _count_below_nothing: "has -1 as 'made_at'",
}


@pytest.mark.parametrize("change", RAW, ids=lambda change: change.__name__)
def test_file_that_contradicts_its_manifest_is_refused(
    made: Path, home: Home, tmp_path: Path, change: Callable[[Json, Entries], None]
) -> None:
    """The error says which entry it is and what is wrong, before a row is written."""
    manifest, entries = taken_apart(made)
    change(manifest, entries)
    bad = put_raw(tmp_path / "bad.zip", manifest, entries)
    with pytest.raises(BackupError, match=RAW[change]):
        import_file(home.core, bad)
    _assert_untouched(home)


def test_manifest_that_was_changed_is_refused(made: Path, home: Home, tmp_path: Path) -> None:
    """Any value of it is covered by a checksum, the form that has none too."""
    with zipfile.ZipFile(made) as found:
        entries = {name: found.read(name) for name in found.namelist()}
    data = entries[backup.MANIFEST]
    manifest = json.loads(data)
    for name, value in {"made_at": 1, "release": "9.9", "format": 1}.items():
        changed = json.dumps({**manifest, name: value}).encode()
        bad = put_entries(tmp_path / "bad.zip", {**entries, backup.MANIFEST: changed})
        with pytest.raises(BackupError, match=r"manifest\.sha256 says: the file was changed"):
            import_file(home.core, bad)
    del entries[backup.CHECKSUM]
    with pytest.raises(BackupError, match=r"has no manifest\.sha256"):
        import_file(home.core, put_entries(tmp_path / "bad.zip", entries))
    _assert_untouched(home)


def test_entry_that_is_not_in_the_manifest_is_refused(
    made: Path, home: Home, tmp_path: Path
) -> None:
    """One more, or one twice: a reader of the file may have got another one."""
    bad = tmp_path / "bad.zip"
    for name, words in {"notes.txt": "'notes.txt'", "tables/text.jsonl": "there twice"}.items():
        bad.write_bytes(made.read_bytes())
        with warnings.catch_warnings(), zipfile.ZipFile(bad, "a") as found:
            warnings.simplefilter("ignore", UserWarning)
            found.writestr(name, b"")
        with pytest.raises(BackupError, match=words):
            import_file(home.core, bad)
    _assert_untouched(home)


def _part(manifest: Json, table: str) -> Json:
    found: Json = next(part for part in manifest["tables"] if part["table"] == table)
    return found


def _assert_untouched(home: Home) -> None:
    assert {name for name, rows in contents(home.core.database).items() if rows} == set()
    assert list(home.core.storage.iterate("audio")) == []


LINES: dict[str, tuple[Callable[[list[bytes]], None], str]] = {
    "no JSON": (lambda lines: lines.__setitem__(2, b"{nonsense"), "line 3: is no JSON"),
    "no array": (lambda lines: lines.__setitem__(0, b'{"id":1}'), "line 1: must be an array of"),
    "deep": (lambda lines: lines.__setitem__(0, b"[" * 100_000), "line 1: is no JSON"),
    "too few": (lambda lines: lines.__setitem__(1, b"[1,2]"), "line 2: must be an array of"),
    "no number": (lambda lines: _set(lines, 0, 0, "1"), "line 1: column id must be of kind int"),
    "null": (lambda lines: _set(lines, 1, 4, None), "line 2: column kind must not be null"),
    "huge": (lambda lines: _set(lines, 0, 3, 2**70), "line 1: column at must have 64 bits"),
    "half": (lambda lines: _set(lines, 0, 7, "\ud800"), "line 1: column by has half of a"),
    "cut": (lambda lines: lines.__setitem__(-1, b""), "is no JSON"),
}


def _set(lines: list[bytes], line: int, at: int, value: Any) -> None:
    row = json.loads(lines[line])
    row[at] = value
    lines[line] = json.dumps(row).encode()


@pytest.mark.parametrize("name", LINES)
def test_line_that_is_no_row_is_named(made: Path, home: Home, tmp_path: Path, name: str) -> None:
    """Even with the right hashes a line must be a row of its table."""
    manifest, entries = taken_apart(made)
    entry = _part(manifest, "event")["entry"]
    change, words = LINES[name]
    lines = entries[entry].splitlines()
    change(lines)
    entries[entry] = b"".join(line + b"\n" for line in lines)
    bad = put_together(tmp_path / "bad.zip", manifest, entries)
    with pytest.raises(
        BackupError, match=f"^tables/event.jsonl, line .*{words.partition(': ')[2]}"
    ):
        import_file(home.core, bad)
    _assert_untouched(home)


def test_value_that_postgres_cannot_hold_is_found_before_it_is_written(
    made: Path, any_home: Home
) -> None:
    """SQLite holds long words, wide numbers and NUL characters; PostgreSQL is not asked in vain."""
    changes: dict[str, Callable[[Json], None]] = {
        "column title must have 200 characters at most, got 300": lambda row: row.update(
            title="x" * 300
        ),
        "column content has a NUL character": lambda row: row.update(content="a\0b"),
        "column char_count must have 32 bits at most": lambda row: row.update(char_count=2**40),
    }
    for words, change in changes.items():
        odd = changed(made, "text", change)
        if any_home.core.database.is_sqlite:
            import_file(any_home.core, odd, replace=True, while_running=True)
        else:
            with pytest.raises(BackupError, match=f"tables/text.jsonl, line 1: {words}"):
                import_file(any_home.core, odd)
            _assert_untouched(any_home)


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("event", lambda row: row.update(id=1), "tables/event.jsonl, one of the lines 1 to"),
        ("event", lambda row: row.update(task_id=999), "event.*(FOREIGN KEY|foreign key)"),
        ("task", lambda row: row.update(status="odd"), "task.jsonl.*(ck_task|CHECK constraint)"),
        (
            "task",
            lambda row: row.update(content_key="same", status="pending", finished_at=None),
            "(ux_task_content_live|task.content_key)",
        ),
    ],
    ids=["twice", "orphan", "check", "index"],
)
def test_rows_that_the_database_refuses_leave_nothing(
    made: Path, any_home: Home, table: str, change: Callable[[Json], None], words: str
) -> None:
    """What only the database can tell takes back everything, and quotes no value of a row."""
    with pytest.raises(StoreError, match=words) as caught:
        import_file(any_home.core, changed(made, table, change))
    assert "Said and heard" not in caught.value.message
    found = contents(any_home.core.database)
    assert {name for name, rows in found.items() if rows} == set()


def test_import_into_nothing_that_fails_leaves_no_schema(made: Path, tmp_path: Path) -> None:
    """A database without a schema has none afterwards either."""
    home = Home.make(tmp_path / "other")
    bad = changed(made, "event", lambda row: row.update(id=1))
    with Home(tmp_path / "new", {**home.environ, "VOXTRACE_HOME": str(tmp_path / "new")}) as new:
        with pytest.raises(VoxtraceError):
            import_file(new.core, bad)
        _assert_no_schema(new)
        import_file(new.core, made)


def _assert_no_schema(home: Home) -> None:
    from sqlalchemy import inspect

    with home.core.database.read() as conn:
        assert inspect(conn).get_table_names() == []


def _tar(*members: tuple[str, bytes, bytes]) -> bytes:
    """A tar archive of (name, content, type)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data, kind in members:
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(data), kind, "/etc/passwd"
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


_HASH = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of b"abc"
_KEY = f"audio/ba/78/{_HASH}.mp3"


@pytest.mark.parametrize(
    ("tar", "words"),
    [
        (_tar(("../../escape.mp3", b"abc", tarfile.REGTYPE)), "no audio file of ours"),
        (_tar((f"/{_KEY}", b"abc", tarfile.REGTYPE)), "no audio file of ours"),
        (_tar((_KEY, b"", tarfile.SYMTYPE)), "no audio file of ours"),
        (_tar((_KEY, b"abd", tarfile.REGTYPE)), "another SHA-256 than its name says"),
        (_tar((_KEY, b"abc", tarfile.REGTYPE)), "has 1 files, the manifest says 2"),
        (b"nothing of the kind" * 100, "cannot be read"),
    ],
    ids=["up", "root", "link", "content", "count", "no tar"],
)
def test_audio_that_is_no_audio_of_ours_is_refused(
    made: Path, home: Home, tmp_path: Path, tar: bytes, words: str
) -> None:
    """No path leads out of the storage, and each file is what its name says."""
    manifest, entries = taken_apart(made)
    entries[manifest["audio"]["entry"]] = tar
    bad = put_together(tmp_path / "bad.zip", manifest, entries)
    with pytest.raises(BackupError, match=words):
        import_file(home.core, bad)
    _assert_untouched(home)


def test_file_that_changes_between_check_and_load_is_not_loaded(
    made: Path, home: Home, tmp_path: Path
) -> None:
    """What was checked is what is loaded: hashes are compared in both readings."""
    manifest, entries = taken_apart(made)
    path = tmp_path / "moving.zip"
    put_raw(path, manifest, entries, packing=zipfile.ZIP_STORED)
    data = path.read_bytes()
    with opened(path) as found:
        checked = check.check_file(home.core, found)
        at = data.index(entries[_part(manifest, "text")["entry"]]) + 10
        with path.open("r+b") as file:
            file.seek(at)
            file.write(b"0" if data[at : at + 1] != b"0" else b"1")
        part = next(part for part in found.manifest.tables if part.table == "text")
        with pytest.raises(BackupError):
            list(_rows(found, part, checked.shapes))
    assert {name for name, rows in contents(home.core.database).items() if rows} == set()


def _rows(found: Any, part: Any, shapes: Any) -> Iterator[Any]:
    yield from check.batches(
        found, part, shapes[part.table], is_strict=False, tell=lambda _progress: None
    )


def test_something_else_is_no_backup(home: Home, tmp_path: Path) -> None:
    """A text, a folder, another zip and no file at all are told apart in words."""
    path = tmp_path / "x.zip"
    for words in ("cannot be read: No such file", "is no backup file", "has no manifest.json"):
        with pytest.raises(BackupError, match=words):
            import_file(home.core, path)
        if not path.exists():
            path.write_text("Just a text. " * 100)
        else:
            with zipfile.ZipFile(path, "w") as other:
                other.writestr("readme.txt", "nothing")
    with pytest.raises(BackupError, match="cannot be read"):
        import_file(home.core, tmp_path)

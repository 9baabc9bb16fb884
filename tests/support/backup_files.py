"""Backup files for tests: what a database holds, files that are changed, files of old releases."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from app.domain import backup
from app.domain.backup import Manifest, TablePart
from app.domain.backup_rows import RowWriter
from app.service.backup import check
from app.service.backup.restore import Restored, restore
from app.service.backup.target import Wanted
from app.service.backup.zip_reader import opened
from app.service.backup.zip_writer import new_file
from app.service.core import Core
from app.store import bulk, id_counters, layout
from app.store.database import Database

Rows = list[tuple[Any, ...]]
Contents = dict[str, Rows]
Json = dict[str, Any]

#: What an import changes of what lived when the file was made, by table: columns, and which rows.
_LIVES = {"pending", "processing"}
ADOPTED: dict[str, tuple[Collection[str], Callable[[Json], bool]]] = {
    "worker": ({"state", "ended_at", "end_reason"}, lambda row: row["ended_at"] is None),
    "duty": ({"lease_until", "ticked_at"}, lambda row: row["name"] == "leader"),
    "task": ({"give_up_at", "deadline_at"}, lambda row: row["status"] in _LIVES),
    "task_attempt": ({"pid", "pid_ticks", "deadline_at"}, lambda row: row["finished_at"] is None),
}


def import_file(core: Core, path: Path, **wanted: bool) -> Restored:
    """Checks a file and loads it."""
    with opened(path) as found:
        return restore(core, check.check_file(core, found), Wanted(**wanted))


def contents(database: Database, *, revision: str | None = None) -> Contents:
    """Every row of every table that a backup holds, sorted by its key."""
    shapes = layout.today() if revision is None else layout.of_revision(revision)
    found: Contents = {}
    with database.read() as conn:
        for shape in shapes:
            places = [shape.names.index(name) for name in shape.key]
            rows = [tuple(row) for row in bulk.rows(conn, shape)]
            found[shape.name] = sorted(rows, key=lambda row: tuple(row[at] for at in places))
    return found


def kept(found: Contents, *, besides: Contents | None = None) -> Contents:
    """The contents but for what an import changes; which rows those are, `besides` says."""
    names = {shape.name: shape.names for shape in layout.today()}
    told: Contents = dict(found)
    for table, (columns, is_live) in ADOPTED.items():
        marks = (besides or found)[table]
        told[table] = [
            tuple(
                None
                if is_live(dict(zip(names[table], mark, strict=True))) and name in columns
                else value
                for name, value in zip(names[table], row, strict=True)
            )
            for row, mark in zip(found[table], marks, strict=True)
        ]
    return told


def ids(database: Database) -> dict[str, int]:
    """The highest id that was ever given, by table."""
    with database.read() as conn:
        return {
            shape.name: id_counters.last_id(conn, shape.name, shape.id_column)
            for shape in layout.today()
            if shape.id_column is not None
        }


def taken_apart(path: Path) -> tuple[Json, dict[str, bytes]]:
    """The manifest of a file as JSON, and its entries."""
    with zipfile.ZipFile(path) as found:
        entries = {name: found.read(name) for name in found.namelist()}
    entries.pop(backup.CHECKSUM)
    return json.loads(entries.pop(backup.MANIFEST)), entries


def put_together(path: Path, manifest: Json, entries: dict[str, bytes]) -> Path:
    """A file with these entries, whose sizes, hashes and numbers of rows are made anew."""
    parts = [*manifest["tables"], *([manifest["audio"]] if manifest["audio"] else [])]
    for part in parts:
        data = entries.get(part["entry"])
        if data is not None:
            part["bytes"] = len(data)
            part["sha256"] = hashlib.sha256(data).hexdigest()
            if "row_count" in part:
                part["row_count"] = data.count(b"\n")
    return put_raw(path, manifest, entries)


def put_raw(
    path: Path, manifest: Json, entries: dict[str, bytes], *, packing: int = zipfile.ZIP_DEFLATED
) -> Path:
    """The same with a manifest that says what it likes, and a checksum that fits."""
    data = json.dumps(manifest).encode()
    written = {**entries, backup.MANIFEST: data, backup.CHECKSUM: backup.checksum(data)}
    return put_entries(path, written, packing=packing)


def put_entries(
    path: Path, entries: dict[str, bytes], *, packing: int = zipfile.ZIP_DEFLATED
) -> Path:
    """A file of these entries, whatever they say."""
    with zipfile.ZipFile(path, "w", packing) as made:
        for name, data in entries.items():
            made.writestr(name, data)
    return path


def changed(path: Path, table: str, change: Callable[[Json], None]) -> Path:
    """A copy of a file in which each row of a table went through `change`, by names of columns."""
    manifest, entries = taken_apart(path)
    part = next(part for part in manifest["tables"] if part["table"] == table)
    lines = []
    for line in entries[part["entry"]].splitlines():
        row = dict(zip(part["columns"], json.loads(line), strict=True))
        change(row)
        lines.append(json.dumps(list(row.values()), ensure_ascii=False) + "\n")
    entries[part["entry"]] = "".join(lines).encode()
    return put_together(path.with_suffix(".changed.zip"), manifest, entries)


def export_of_revision(database: Database, revision: str, path: Path) -> None:
    """A file as a release at `revision` wrote it, in the first form; the database is of it, too."""
    parts = []
    with new_file(path, may_replace=False) as writer, database.read() as conn:
        for shape in layout.of_revision(revision):
            name = f"tables/{shape.name}.jsonl"
            rows = [tuple(row) for row in bulk.rows(conn, shape)]
            with writer.entry(name) as entry:
                for row in rows:
                    entry.write(RowWriter(shape).line(row))
            last_id = None
            if shape.id_column is not None:
                last_id = id_counters.last_id(conn, shape.name, shape.id_column)
            parts.append(
                TablePart(
                    entry=name,
                    bytes=entry.bytes,
                    sha256=entry.sha256,
                    table=shape.name,
                    columns={column.name: column.kind for column in shape.columns},
                    row_count=len(rows),
                    last_id=last_id,
                )
            )
        manifest = Manifest(
            release="0.0.1",
            schema=revision,
            made_at=database.now_us(conn),
            database="sqlite" if database.is_sqlite else "postgresql",
            tables=tuple(parts),
            audio=None,
        )
        first_form = {**json.loads(backup.to_json(manifest)), "format": 1}
        with writer.entry(backup.MANIFEST) as entry:
            entry.write(json.dumps(first_form).encode())


def lines_of(path: Path) -> dict[str, list[bytes]]:
    """The lines of every table of a file that is found whole."""
    with opened(path) as found:
        wanted = check.shapes(found.manifest)
        check.check(found, wanted, is_strict=False, tell=lambda _progress: None)
        return {part.table: list(found.lines(part)) for part in found.manifest.tables}

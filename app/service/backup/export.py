"""Export: the whole state as one file, of one moment, while everything goes on.

All tables are read in one snapshot: rows that belong together would otherwise be of different
moments. Until it ends SQLite's log cannot be cut back, and grows by what is written meanwhile.
Audio files are read after it; a file of a row never changes.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from app.domain import backup
from app.domain.backup import AudioPart, Manifest, TablePart
from app.domain.backup_rows import Row, RowWriter, TableShape
from app.service.backup import audio_files
from app.service.backup.progress import Progress, Tell, silent, told
from app.service.backup.zip_writer import ZipWriter, new_file
from app.service.core import Core
from app.store import bulk, bulk_load, id_counters, layout, revisions
from app.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written."""

    manifest: Manifest
    size_bytes: int


@dataclass(slots=True, kw_only=True)
class _Read:
    """What the snapshot gave.

    Attributes:
        keys: A temporary file with the keys of audio files, one a line; None: not wanted.
    """

    made_at: int = 0
    tables: list[TablePart] = field(default_factory=list)
    keys: IO[bytes] | None = None


def export(
    core: Core,
    target: Path,
    *,
    with_audio: bool = False,
    may_replace: bool = False,
    tell: Tell = silent,
) -> Exported:
    """Writes the whole state to `target`.

    Memory does not grow with the rows. 100 000 tasks with all that belongs to them take about a
    minute.

    Raises:
        BackupError: `target` exists and may not be replaced, or cannot be written.
        StoreError: The database failed; nothing is left of the file.
    """
    with (
        new_file(target, may_replace=may_replace) as writer,
        tempfile.TemporaryFile(dir=target.resolve().parent) as spool,
    ):
        read = _Read(keys=spool if with_audio else None)
        with core.database.read() as conn:
            _read(core, conn, writer, read, tell)
        audio = _audio(core, writer, read.keys, tell)
        manifest = Manifest(
            release=core.settings.release,
            schema=revisions.known()[-1],
            made_at=read.made_at,
            database="sqlite" if core.database.is_sqlite else "postgresql",
            tables=tuple(read.tables),
            audio=audio,
        )
        data = backup.to_json(manifest)
        for name, written in ((backup.MANIFEST, data), (backup.CHECKSUM, backup.checksum(data))):
            with writer.entry(name) as entry:
                entry.write(written)
    return Exported(manifest=manifest, size_bytes=target.stat().st_size)


def _read(core: Core, conn: Connection, writer: ZipWriter, read: _Read, tell: Tell) -> None:
    bulk_load.without_limits(conn)
    read.made_at = core.database.now_us(conn)
    for shape in layout.today():
        read.tables.append(_table(conn, shape, writer, tell))
    if read.keys is not None:
        read.keys.writelines(f"{key}\n".encode() for key in bulk.audio_keys(conn))
        read.keys.seek(0)


def _table(conn: Connection, shape: TableShape, writer: ZipWriter, tell: Tell) -> TablePart:
    name = f"tables/{shape.name}.jsonl"
    line = RowWriter(shape).line
    count, last = 0, None
    with writer.entry(name) as entry:
        found = told(bulk.rows(conn, shape), tell, Progress(step="read", what=shape.name, done=0))
        for row in found:
            entry.write(line(row))
            count, last = count + 1, row
    return TablePart(
        entry=name,
        bytes=entry.bytes,
        sha256=entry.sha256,
        table=shape.name,
        columns={column.name: column.kind for column in shape.columns},
        row_count=count,
        last_id=_last_id(conn, shape, last),
    )


def _last_id(conn: Connection, shape: TableShape, last: Row | None) -> int | None:
    """The highest id ever given; a row that got its id by hand may be above the counter."""
    if shape.id_column is None:
        return None
    highest = 0 if last is None else int(last[shape.names.index(shape.id_column)])
    return max(highest, id_counters.last_id(conn, shape.name, shape.id_column))


def _audio(core: Core, writer: ZipWriter, keys: IO[bytes] | None, tell: Tell) -> AudioPart | None:
    if keys is None:
        return None
    with writer.entry(audio_files.ENTRY, is_packed=False) as entry:
        packed = audio_files.pack(core.storage, _names(keys), entry, tell)
    return AudioPart(
        entry=audio_files.ENTRY,
        bytes=entry.bytes,
        sha256=entry.sha256,
        file_count=packed.file_count,
        missing_count=packed.missing_count,
    )


def _names(keys: IO[bytes]) -> Iterator[str]:
    return (key.strip().decode() for key in keys)

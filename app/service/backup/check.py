"""Check: everything that a backup file says about itself, before anything is written.

The whole file is read: its entries, every size and SHA-256, every line as JSON, every value
against its column, the number of rows of each table. What the database alone can tell (keys that
are there twice, rows that refer to none) comes up while rows are loaded, and takes all of them
back.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from app.domain.backup import Manifest, TablePart
from app.domain.backup_rows import RowReader, TableShape
from app.domain.errors import BackupError
from app.service.backup import audio_files
from app.service.backup.progress import Progress, Tell, silent, told
from app.service.backup.zip_reader import BackupFile
from app.service.core import Core
from app.store import layout, revisions

Rows = list[list[Any]]

#: Rows of one batch at most, and bytes of their lines.
_BATCH_ROWS: Final = 2000
_BATCH_BYTES: Final = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file that was found whole, and the shape of each of its tables."""

    backup: BackupFile
    shapes: dict[str, TableShape] = field(repr=False)


def check_file(core: Core, backup: BackupFile, *, tell: Tell = silent) -> Checked:
    """Reads the whole file, as the database of `core` would take it; writes nothing.

    Raises:
        BackupError: What is wrong with it, naming entry and line.
    """
    wanted = shapes(backup.manifest)
    backup.refuse_others()
    check(backup, wanted, is_strict=not core.database.is_sqlite, tell=tell)
    return Checked(backup=backup, shapes=wanted)


def shapes(manifest: Manifest) -> dict[str, TableShape]:
    """The tables of the schema that the file has, with their columns in its order.

    Raises:
        BackupError: The revision is unknown here, or tables or columns are not that revision's.
    """
    known = revisions.known()
    if manifest.schema not in known:
        message = (
            f"the file has schema {manifest.schema[:20]!r} (release {manifest.release[:40]!r}), "
            f"this release knows {known[0]} to {known[-1]}: import it with a release that has it"
        )
        raise BackupError(message)
    wanted = {shape.name: shape for shape in layout.of_revision(manifest.schema)}
    _same(f"schema {manifest.schema}", "tables", [part.table for part in manifest.tables], wanted)
    for part in manifest.tables:
        _same(part.entry, "columns", part.columns, wanted[part.table].names)
        _check_ids(part, wanted[part.table])
    parts = {part.table: part for part in manifest.tables}
    return {name: shape.in_order(list(parts[name].columns)) for name, shape in wanted.items()}


def _same(where: str, what: str, found: Any, wanted: Any) -> None:
    if sorted(found) != sorted(wanted):
        missing, strange = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
        words = [f"lacks {', '.join(missing)}"] if missing else []
        words += [f"has {', '.join(strange)}"[:200]] if strange else []
        message = f"{where}: the file's {what} are others: {' and '.join(words) or 'one twice'}"
        raise BackupError(message)


def _check_ids(part: TablePart, shape: TableShape) -> None:
    if (part.last_id is None) != (shape.id_column is None):
        message = f"{part.entry} must {'have a' if shape.id_column else 'not have a'} last_id"
        raise BackupError(message)


def check(
    backup: BackupFile, wanted: dict[str, TableShape], *, is_strict: bool, tell: Tell
) -> None:
    """Reads all of it.

    Args:
        backup: The open file.
        wanted: From `shapes`.
        is_strict: PostgreSQL is to take the rows.
        tell: Hears how far it is.

    Raises:
        BackupError: Names the entry, and the line where it is one.
    """
    for part in backup.manifest.tables:
        for _ in batches(backup, part, wanted[part.table], is_strict=is_strict, tell=tell):
            pass
    if backup.manifest.audio is not None:
        audio_files.check(backup, backup.manifest.audio, tell)


def batches(
    backup: BackupFile,
    part: TablePart,
    shape: TableShape,
    *,
    is_strict: bool,
    tell: Tell,
    step: str = "check",
) -> Iterator[tuple[int, Rows]]:
    """The rows of a table, some at a time, each with the number of its first line, from 1.

    Raises:
        BackupError: As `check`; with the last batch at the latest.
    """
    read = RowReader(shape, is_strict=is_strict).row
    first = Progress(step=step, what=part.table, done=0, total=part.row_count)
    lines = enumerate(told(backup.lines(part), tell, first), start=1)
    count = 0
    while batch := _batch(lines, read, part):
        yield count + 1, batch
        count += len(batch)
    if count != part.row_count:
        message = f"{part.entry} has {count} rows, the manifest says {part.row_count}"
        raise BackupError(message)


def _batch(
    lines: Iterator[tuple[int, bytes]], read: Callable[[bytes], list[Any]], part: TablePart
) -> Rows:
    batch: Rows = []
    size = 0
    for number, line in islice(lines, _BATCH_ROWS):
        try:
            batch.append(read(line))
        except ValueError as error:
            message = f"{part.entry}, line {number}: {error}"
            raise BackupError(message) from error
        size += len(line)
        if size > _BATCH_BYTES:
            break
    return batch

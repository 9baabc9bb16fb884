"""Restore: a backup file becomes the state of a database, all of it or nothing.

The file is checked whole before the first write; one transaction does the rest.
"""

from contextlib import suppress
from dataclasses import dataclass

from app.domain.backup import Manifest
from app.domain.errors import StoreError
from app.service.backup import adopt, audio_files, load, target
from app.service.backup.check import Checked
from app.service.backup.progress import Tell, silent
from app.service.backup.zip_reader import BackupFile
from app.service.core import Core
from app.store import bulk, bulk_load, schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of an import.

    Attributes:
        lost_tasks: Tasks that ran when the file was made; the reaper gives them back.
        drifts: Where counters and rows of the file differ, in words.
        stored_files: Audio files that came with it and were not there.
        missing_files: Audio files that rows name and that are not in this storage.
    """

    manifest: Manifest
    lost_tasks: int
    drifts: tuple[str, ...]
    stored_files: int
    missing_files: int


def restore(
    core: Core, checked: Checked, wanted: target.Wanted, *, tell: Tell = silent
) -> Restored:
    """Makes the state of the file the state of the database; killed at any moment, nothing of it.

    Args:
        core: With a database that waits long for locks (role `migrate`).
        checked: From `check.check_file`, its file still open.
        wanted: What is allowed.
        tell: Hears how far it is.

    Raises:
        ConflictError: The database is not empty, or somebody works on it.
        BackupError: The database refuses rows of the file; names them.
        StoreError: The database failed.
    """
    schema.prepare(core.database)
    stored = _store_audio(core, checked.backup, wanted, tell)
    with core.database.write() as conn:
        load.keep_others_out(conn)
        found = target.see(core, conn)
        target.refuse(found, wanted)
        load.load(conn, checked, before=found.revision, tell=tell)
        lost = adopt.adopt(core, conn, checked.backup.manifest)
        drifts = adopt.drifts(conn)
    if core.database.is_sqlite:
        with suppress(StoreError):  # it is committed; the log is cut back when there is room
            core.database.pragma("wal_checkpoint(TRUNCATE)")
    return Restored(
        manifest=checked.backup.manifest,
        lost_tasks=lost,
        drifts=drifts,
        stored_files=stored,
        missing_files=_missing_files(core),
    )


def _store_audio(core: Core, backup: BackupFile, wanted: target.Wanted, tell: Tell) -> int:
    """Files come before the rows that refer to them; the sweeper takes those that none does."""
    if backup.manifest.audio is None:
        return 0
    with core.database.read() as conn:
        target.refuse(target.see(core, conn), wanted)
    return audio_files.unpack(core.storage, backup, backup.manifest.audio, tell)


def _missing_files(core: Core) -> int:
    with core.database.read() as conn:
        bulk_load.without_limits(conn)
        return audio_files.missing(core.storage, bulk.audio_keys(conn))

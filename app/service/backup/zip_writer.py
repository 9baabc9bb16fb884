"""A backup file that is being written: entries of any size, counted and hashed as they pass.

It is a zip, so that other programs can look into it. It is made beside its place and moved there
when it is whole, so that no half of one ever has its name.
"""

import fcntl
import glob
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from app.domain.errors import BackupError

#: Bytes that are compressed at once.
_BLOCK_BYTES: Final = 262_144
#: The fastest: rows are mostly hashes and numbers, which a higher level hardly makes smaller.
_LEVEL: Final = 1


class Entry:
    """One entry, being written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        """Adds bytes; returns how many, as a file does."""
        self._waiting += data
        if len(self._waiting) >= _BLOCK_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Hands on what waits."""
        block, self._waiting = self._waiting, bytearray()
        self._digest.update(block)
        self.bytes += len(block)
        self._stream.write(block)

    @property
    def sha256(self) -> str:
        """Of everything that was handed on, in hex."""
        return self._digest.hexdigest()


class ZipWriter:
    """The file with its entries, one after the other."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(
            file, "w", compression=zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=_LEVEL
        )

    @contextmanager
    def entry(self, name: str, *, is_packed: bool = True) -> Iterator[Entry]:
        """An entry to write into; its size and hash are there when the context has ended.

        Args:
            name: In the file.
            is_packed: Whether it is compressed (audio is so already).
        """
        info: str | zipfile.ZipInfo = name if is_packed else zipfile.ZipInfo(name)
        with self._zip.open(info, "w", force_zip64=True) as stream:
            entry = Entry(stream)
            yield entry
            entry.flush()

    def close(self) -> None:
        """Writes the directory of entries."""
        self._zip.close()


@contextmanager
def new_file(target: Path, *, may_replace: bool) -> Iterator[ZipWriter]:
    """A new backup file, readable by its owner only; it has its name once all is on the disk.

    A link is followed: the file comes where it leads.

    A process that is killed leaves `.NAME.….part` beside it; the next one for this name removes it.

    Raises:
        BackupError: It exists and `may_replace` is not set, or it cannot be written.
    """
    target = target.resolve()
    _refuse_existing(target, may_replace=may_replace)
    _remove_leftovers(target)
    with _disk_errors(target):
        handle, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".part", dir=target.parent
        )
    part = Path(name)
    try:
        with _disk_errors(target), os.fdopen(handle, "w+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with _closed_at_last(ZipWriter(file)) as writer:
                yield writer
                writer.close()
            file.flush()
            os.fsync(file.fileno())
        _refuse_existing(target, may_replace=may_replace)
        with _disk_errors(target):
            part.replace(target)
            _sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _closed_at_last(writer: ZipWriter) -> Iterator[ZipWriter]:
    """Whatever happens: `zipfile` would otherwise write to a file that is closed by then."""
    try:
        yield writer
    finally:
        with suppress(OSError, ValueError):
            writer.close()


def _remove_leftovers(target: Path) -> None:
    """Parts that a dead process left; one that is being written is locked."""
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def _refuse_existing(target: Path, *, may_replace: bool) -> None:
    if target.exists() and not (may_replace and target.is_file()):
        words = "is no file" if not target.is_file() else "exists; --force replaces it"
        message = f"{target} {words}"
        raise BackupError(message)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _disk_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}"
        raise BackupError(message) from error

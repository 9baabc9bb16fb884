"""A backup file that is read: only what its manifest names, never more than that says.

The file stays open between two readings, and each reading is checked against size and SHA-256
again: what is written to the database is what was checked before.
"""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from app.domain import backup
from app.domain.backup import Manifest, Part
from app.domain.errors import BackupError

#: Bytes that are read at once.
_BLOCK_BYTES: Final = 1 << 20
#: Bytes of one row at most: the longest text that a setting allows, escaped.
_LINE_BYTES: Final = 1 << 30
#: Bytes of the manifest's checksum at most: more is none.
_CHECKSUM_BYTES: Final = 1000
#: What `zipfile` raises over a file that is truncated or changed.
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
    OverflowError,
    LookupError,
)


class BackupFile:
    """An open backup file. Use `opened`."""

    def __init__(self, path: Path, found: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = found
        self.manifest: Manifest = self._read_manifest()

    def _read_manifest(self) -> Manifest:
        with self._understood(backup.MANIFEST):
            if self._zip.getinfo(backup.MANIFEST).file_size > backup.MAX_MANIFEST_BYTES:
                message = f"{self.path}: {backup.MANIFEST} is too large: it is no backup"
                raise BackupError(message)
            data = self._zip.read(backup.MANIFEST)
        return backup.from_json(data, self._read_checksum())

    def _read_checksum(self) -> bytes | None:
        """What the manifest must be, as far as it can be one; None: an older release wrote it."""
        if backup.CHECKSUM not in self._zip.namelist():
            return None
        with self._understood(backup.CHECKSUM), self._zip.open(backup.CHECKSUM) as stream:
            return stream.read(_CHECKSUM_BYTES)

    def refuse_others(self) -> None:
        """Looks for entries that the manifest does not name.

        Raises:
            BackupError: There is one, or one is there twice: who did that may have done more.
        """
        known = {backup.MANIFEST, backup.CHECKSUM, *self.manifest.entries}
        names = self._zip.namelist()
        strange = sorted(set(names) - known)
        if strange or len(names) != len(set(names)):
            what = (
                f"{strange[0][:80]!r}, which is not in its manifest"
                if strange
                else "one is there twice"
            )
            message = f"{self.path} has an entry too many: {what}: it was changed"
            raise BackupError(message)

    def lines(self, part: Part) -> Iterator[bytes]:
        """The lines of an entry, one at a time, without their ends.

        Raises:
            BackupError: The entry is not there, cannot be unpacked, or is not what the manifest
                says. It comes with the last line at the latest, so what was done with the lines
                before must be taken back.
        """
        rest, rest_bytes = [b""], 0
        with self.stream(part) as stream:
            while block := stream.read(_BLOCK_BYTES):
                first, *others = block.split(b"\n")
                rest.append(first)
                rest_bytes += len(first)
                if rest_bytes > _LINE_BYTES:
                    message = f"{part.entry} has a line of more than {_LINE_BYTES} bytes"
                    raise BackupError(message)
                if others:
                    yield b"".join(rest)
                    *whole, last = others
                    yield from whole
                    rest, rest_bytes = [last], len(last)
            stream.check()
        if rest_bytes:
            message = f"{part.entry} ends in the middle of a line: the file was changed"
            raise BackupError(message)

    @contextmanager
    def stream(self, part: Part) -> Iterator["CheckedStream"]:
        """The bytes of an entry; call `check` at the end of them.

        Raises:
            BackupError: As `lines`.
        """
        with self._understood(part.entry):
            found = self._zip.getinfo(part.entry)
            if found.file_size != part.bytes:
                message = (
                    f"{part.entry} has {found.file_size} bytes, the manifest says {part.bytes}: "
                    "the file was changed"
                )
                raise BackupError(message)
            opened = self._zip.open(found)
        with opened:
            yield CheckedStream(self, part, opened)

    @contextmanager
    def _understood(self, entry: str) -> Iterator[None]:
        """Turns what a broken file makes `zipfile` raise into words."""
        try:
            yield
        except BackupError:
            raise
        except KeyError as error:
            message = f"{self.path} has no {entry}: it is no backup, or was changed"
            raise BackupError(message) from error
        except _BROKEN as error:
            message = f"{self.path}: {entry} cannot be unpacked: the file is damaged"
            raise BackupError(message) from error
        except OSError as error:
            message = f"{self.path} cannot be read: {error.strerror or 'the file is damaged'}"
            raise BackupError(message) from error

    def block(self, part: Part, stream: IO[bytes], size: int) -> bytes:
        """Up to `size` bytes of an entry that is open."""
        with self._understood(part.entry):
            return stream.read(size)


class CheckedStream:
    """The bytes of an entry on their way, hashed as they pass."""

    def __init__(self, source: BackupFile, part: Part, stream: IO[bytes]) -> None:
        self._source = source
        self._part = part
        self._stream = stream
        self._digest = hashlib.sha256()

    def read(self, size: int = _BLOCK_BYTES) -> bytes:
        """The next bytes; none at the end."""
        block = self._source.block(self._part, self._stream, size)
        self._digest.update(block)
        return block

    def check(self) -> None:
        """Reads what is left, and compares with the manifest.

        Raises:
            BackupError: The bytes are not those that were written.
        """
        while self.read():
            pass
        if self._digest.hexdigest() != self._part.sha256:
            message = f"{self._part.entry} has another SHA-256 than the manifest says"
            raise BackupError(message)


@contextmanager
def opened(path: Path) -> Iterator[BackupFile]:
    """A backup file for reading; its manifest is read at once.

    Raises:
        BackupError: It cannot be read, or is no backup.
    """
    try:
        found: Any = zipfile.ZipFile(path)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or 'it is damaged'}"
        raise BackupError(message) from error
    except _BROKEN as error:
        message = f"{path} is no backup file, or only a part of one: it has no directory of entries"
        raise BackupError(message) from error
    with found:
        yield BackupFile(path, found)

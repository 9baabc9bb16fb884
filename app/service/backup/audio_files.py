"""Audio files in a backup: one tar archive, so that ten million files are one entry.

A file's name has its SHA-256, so that each is checked by itself: one that is damaged on the disk is
left out of a backup, and one that is damaged in it is refused.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol

from app.domain.backup import AudioPart
from app.domain.errors import BackupError, StorageError
from app.service.backup.progress import Progress, Tell, told
from app.service.backup.zip_reader import BackupFile
from app.service.sweep import AUDIO_PREFIX
from app.storage.storage import Storage

#: Name of the entry.
ENTRY: Final = "audio.tar"
_BLOCK_BYTES: Final = 1 << 20
#: The name of a file: where `Storage.put_file` puts content with this hash.
_NAME: Final = re.compile(
    rf"{AUDIO_PREFIX}/(?P<a>[0-9a-f]{{2}})/(?P<b>[0-9a-f]{{2}})/"
    r"(?P<sha256>(?P=a)(?P=b)[0-9a-f]{60})(?P<suffix>\.[a-z0-9]{1,8})"
)


class Sink(Protocol):
    """What takes bytes."""

    def write(self, data: bytes) -> int:
        """Adds bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """How many files went in, and how many are not there or not whole."""

    file_count: int
    missing_count: int


def pack(storage: Storage, keys: Iterator[str], sink: Sink, tell: Tell) -> Packed:
    """Writes the files of these keys, each at most once, as a tar archive."""
    packed, missing = 0, 0
    stream: Any = sink
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for key in told(keys, tell, Progress(step="read", what="audio", done=0)):
            with _whole(storage, key) as file:
                if file is None:
                    missing += 1
                    continue
                info = tarfile.TarInfo(key)
                info.size = file.seek(0, 2)
                file.seek(0)
                tar.addfile(info, file)
                packed += 1
            _forget(tar)
    return Packed(file_count=packed, missing_count=missing)


def _forget(tar: Any) -> None:
    """It would remember every file that went by."""
    tar.members = []


@contextmanager
def _whole(storage: Storage, key: str) -> Iterator[BinaryIO | None]:
    """The file, at its beginning, if its content is what its name says."""
    name = _NAME.fullmatch(key)
    try:
        file: Any = storage.open(key) if name else None
    except StorageError:
        file = None
    if file is None or name is None:
        yield None
        return
    with file:
        is_whole = hashlib.file_digest(file, "sha256").hexdigest() == name["sha256"]
        file.seek(0)
        yield file if is_whole else None


def check(backup: BackupFile, part: AudioPart, tell: Tell) -> None:
    """Reads all files of a backup: first as bytes, so that no changed one is taken apart.

    Raises:
        BackupError: One is not what its name says, or they are not what the manifest says.
    """
    with backup.stream(part) as stream:
        stream.check()
    found = 0
    for name, file in _members(backup, part, tell, "check"):
        digest = hashlib.sha256()
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
        if digest.hexdigest() != name["sha256"]:
            message = f"{part.entry}: {name[0]} has another SHA-256 than its name says"
            raise BackupError(message)
        found += 1
    if found != part.file_count:
        message = f"{part.entry} has {found} files, the manifest says {part.file_count}"
        raise BackupError(message)


def unpack(storage: Storage, backup: BackupFile, part: AudioPart, tell: Tell) -> int:
    """Puts the files that are not there yet into the storage; returns how many those were.

    Raises:
        BackupError: As `check`; what was stored before stays, and the sweeper takes it.
        StorageError: The disk is full, or refuses.
    """
    stored = 0
    for name, file in _members(backup, part, tell, "store"):
        if storage.touch(name[0]):
            continue
        temp = storage.make_temp(name["suffix"])
        try:
            _copy(file, temp)
            put = storage.put_file(temp, prefix=AUDIO_PREFIX, suffix=name["suffix"])
        finally:
            temp.unlink(missing_ok=True)
        if put.key != name[0]:
            storage.delete(put.key)
            message = f"{part.entry}: {name[0]} has another SHA-256 than its name says"
            raise BackupError(message)
        stored += 1
    return stored


def _copy(file: IO[bytes], temp: Path) -> None:
    try:
        with temp.open("wb") as copy:
            while block := file.read(_BLOCK_BYTES):
                copy.write(block)
    except OSError as error:
        message = f"cannot store an audio file: {error.strerror}"
        raise StorageError(message) from error


def _members(
    backup: BackupFile, part: AudioPart, tell: Tell, step: str
) -> Iterator[tuple[re.Match[str], IO[bytes]]]:
    """Name and content of each file; nothing but plain files under such names is taken."""
    first = Progress(step=step, what="audio", done=0, total=part.file_count)
    with backup.stream(part) as stream:
        source: Any = stream
        with _understood(part), tarfile.open(fileobj=source, mode="r|") as tar:
            for member in told(tar, tell, first):
                name = _NAME.fullmatch(member.name)
                file = tar.extractfile(member) if name and member.isreg() else None
                if name is None or file is None:
                    message = f"{part.entry} has an entry that is no audio file of ours"
                    raise BackupError(message)
                yield name, file
                _forget(tar)
        stream.check()


@contextmanager
def _understood(part: AudioPart) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, ValueError) as error:
        message = f"{part.entry} cannot be read: the file was changed"
        raise BackupError(message) from error


def missing(storage: Storage, keys: Iterator[str]) -> int:
    """How many of these files are not in the storage."""
    found = 0
    for key in keys:
        with suppress(StorageError):
            found += not storage.exists(key)
    return found

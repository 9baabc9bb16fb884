"""Audio storage in a folder: written beside, synced, renamed; so an object is whole or absent.

Layout: `<root>/<key>` for objects, `<root>/.tmp/` for files that are being made. A crash at any
moment leaves at most a file in `.tmp`, which `sweep_temp` removes.
"""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.clock import now_us
from app.domain.errors import StorageError
from app.storage.storage import StoredEntry, StoredObject, check_key

_TEMP = ".tmp"
#: Bytes read at a time.
_BLOCK_BYTES = 1 << 20

_WORDS = {
    errno.ENOSPC: "no space is left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "it does not exist",
    errno.EMFILE: "too many files are open",
    errno.EIO: "the device failed",
}


class LocalStorage:
    """Objects as files below `root`, which is made if missing.

    Safe for any number of processes: a rename is atomic, and an object's content follows from its
    key, so that the last of several identical puts changes nothing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._temp = self._root / _TEMP
        with _storage_errors("make the storage folder"):
            self._temp.mkdir(parents=True, exist_ok=True)

    def put_file(self, path: Path, *, prefix: str, suffix: str) -> StoredObject:
        """Takes the file at `path` in; a copy is made only from another file system."""
        with _storage_errors("store a file"):
            digest, size_bytes = _hash_and_sync(path)
            key = check_key(f"{prefix}/{digest[:2]}/{digest[2:4]}/{digest}{suffix}")
            self._move_in(path, self._root / key)
        return StoredObject(key=key, bytes=size_bytes, sha256=digest)

    def put_bytes(self, data: bytes, *, key: str) -> StoredObject:
        """Stores `data` under `key`."""
        target = self._root / check_key(key)
        with _storage_errors(f"store {key}"):
            self._write_in(data, target)
        return StoredObject(key=key, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())

    def open(self, key: str) -> BinaryIO:
        """The object, opened for reading."""
        with _storage_errors(f"read {key}"):
            return self.path(key).open("rb")

    def path(self, key: str) -> Path:
        """The object's file; whether it exists is not asked."""
        return self._root / check_key(key)

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        with _storage_errors(f"look for {key}"):
            return self.path(key).is_file()

    def touch(self, key: str) -> bool:
        """Sets the object's time to now."""
        with _storage_errors(f"touch {key}"):
            try:
                os.utime(self.path(key))
            except FileNotFoundError:
                return False
        return True

    def delete(self, key: str) -> bool:
        """Removes the object; empty folders stay, another put may be about to use them."""
        with _storage_errors(f"delete {key}"):
            try:
                self.path(key).unlink()
            except FileNotFoundError:
                return False
        return True

    def iterate(self, prefix: str = "") -> Iterator[StoredEntry]:
        """Walks the folder; objects that come or go meanwhile may be met or not."""
        top = self.path(prefix) if prefix else self._root
        with _storage_errors(f"list {prefix or 'the storage'}"):
            for folder, folders, names in os.walk(top):
                if Path(folder) == self._root:
                    folders[:] = [name for name in folders if name != _TEMP]
                for name in names:
                    with suppress(FileNotFoundError):
                        yield self._entry(Path(folder) / name)

    def make_temp(self, suffix: str = "") -> Path:
        """An empty file in `.tmp`, on the same file system as the objects."""
        with _storage_errors("make a temporary file"):
            self._temp.mkdir(exist_ok=True)
            handle, name = tempfile.mkstemp(suffix=suffix, prefix="new-", dir=self._temp)
            os.close(handle)
        return Path(name)

    def sweep_temp(self, older_than_s: float) -> int:
        """Removes what dead writers left in `.tmp`."""
        limit_us = now_us() - round(older_than_s * 1_000_000)
        removed_count = 0
        with _storage_errors("sweep temporary files"):
            for path in self._temp.iterdir():
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime_ns // 1000 <= limit_us:
                        path.unlink()
                        removed_count += 1
        return removed_count

    def probe(self) -> dict[str, str | int | bool]:
        """Writes and removes a small file."""
        try:
            path = self.make_temp(".probe")
            with _storage_errors("write a probe"):
                path.write_bytes(b"voxtrace")
                path.unlink()
                free_bytes = shutil.disk_usage(self._root).free
        except StorageError as error:
            return {"ok": False, "kind": "local", "error": error.message}
        return {"ok": True, "kind": "local", "free_bytes": free_bytes}

    def _entry(self, path: Path) -> StoredEntry:
        found = path.stat()
        key = path.relative_to(self._root).as_posix()
        return StoredEntry(key=key, mtime_us=found.st_mtime_ns // 1000, bytes=found.st_size)

    def _write_in(self, data: bytes, target: Path) -> None:
        temp = self.make_temp()
        try:
            with temp.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._publish(temp, target)
        finally:
            temp.unlink(missing_ok=True)

    def _move_in(self, path: Path, target: Path) -> None:
        try:
            self._publish(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            copy = self.make_temp()
            try:
                shutil.copyfile(path, copy)
                _sync(copy)
                self._publish(copy, target)
            finally:
                copy.unlink(missing_ok=True)
            path.unlink(missing_ok=True)

    def _publish(self, temp: Path, target: Path) -> None:
        """Gives a synced file its name, and makes the name durable with every folder above it."""
        target.parent.mkdir(parents=True, exist_ok=True)
        temp.chmod(0o644)
        os.utime(temp)
        temp.replace(target)
        folder = target.parent
        while folder != self._root:
            _sync(folder)
            folder = folder.parent
        _sync(folder)


def _hash_and_sync(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
        os.fsync(file.fileno())
        return digest.hexdigest(), file.tell()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _storage_errors(doing: str) -> Iterator[None]:
    """Turns OSError into StorageError with words; never with a path of this host."""
    try:
        yield
    except OSError as error:
        words = _WORDS.get(error.errno or 0, os.strerror(error.errno or 0))
        message = f"cannot {doing}: {words}"
        raise StorageError(message) from error

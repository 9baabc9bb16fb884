"""The border to audio storage: immutable bytes under keys, and temporary files beside them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from app.domain.errors import ErrorKind, StorageError

#: Characters of a key.
MAX_KEY_CHARS = 400

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=@+-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """What was stored.

    Args:
        key: Where.
        bytes: Size.
        sha256: Of the content, in hex.
    """

    key: str
    bytes: int
    sha256: str


class StoredEntry(NamedTuple):
    """One object that a sweep meets."""

    key: str
    mtime_us: int
    bytes: int


@runtime_checkable
class Storage(Protocol):
    """Immutable objects under keys like `audio/ab/cd/<sha256>.mp3`.

    A key never changes its content, so that putting one twice, from anywhere, is harmless. Every
    method raises StorageError for a key that could leave the store (permanent), and for a full
    disk, a missing right or a missing object (words say which).
    """

    def put_file(self, path: Path, *, prefix: str, suffix: str) -> StoredObject:
        """Takes the file at `path` in, under `prefix`, its SHA-256 and `suffix`; the file is gone.

        Durable when it returns. A file made by `make_temp` is moved, not copied.
        """
        ...

    def put_bytes(self, data: bytes, *, key: str) -> StoredObject:
        """Stores `data` under a key of the caller's choice; durable when it returns."""
        ...

    def open(self, key: str) -> BinaryIO:
        """The object's bytes, readable and seekable."""
        ...

    def path(self, key: str) -> Path:
        """A local file with the object's bytes, for reading only."""
        ...

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        ...

    def touch(self, key: str) -> bool:
        """Makes the object new to the sweeper; False if it is gone."""
        ...

    def delete(self, key: str) -> bool:
        """Removes the object; False if it was gone already."""
        ...

    def iterate(self, prefix: str = "") -> Iterator[StoredEntry]:
        """Every object below the folder `prefix`, in no order; temporary files are left out."""
        ...

    def make_temp(self, suffix: str = "") -> Path:
        """A new empty file that `put_file` can move; the caller or `sweep_temp` removes it."""
        ...

    def sweep_temp(self, older_than_s: float) -> int:
        """Removes temporary files that nobody wrote to for so long; returns how many."""
        ...

    def probe(self) -> dict[str, str | int | bool]:
        """Whether it can be written now: `ok`, `free_bytes`, or `error`. Never raises."""
        ...


def check_key(key: str) -> str:
    """`key`, if every part of it is a plain name; raises a permanent StorageError otherwise."""
    parts = key.split("/")
    if len(key) > MAX_KEY_CHARS or not all(_PART.fullmatch(part) for part in parts):
        message = (
            f"a storage key is up to {MAX_KEY_CHARS} characters of plain names (letters, digits, "
            f"_ . = @ + -, no leading dot) with single slashes between, got {key[:80]!r}"
        )
        raise StorageError(message, error_type="storage_key", kind=ErrorKind.PERMANENT)
    return key

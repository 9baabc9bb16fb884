"""Addresses of sockets on this host: a path may have 107 bytes, a home may have more."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MAX_PATH_BYTES = 100


@contextmanager
def address_of(path: Path) -> Iterator[str]:
    """A name of `path` that fits into a socket address; a longer one goes through /proc."""
    if len(os.fsencode(path)) <= _MAX_PATH_BYTES:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)

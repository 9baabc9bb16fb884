"""Datagram sockets between processes of this host, by the path of a file in a directory.

A socket's path may have 107 bytes, a home may have more.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MAX_PATH_BYTES = 100


def listen(path: Path) -> socket.socket:
    """Listens at a path, whose directory is made where it is missing; who ends removes the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with _address_of(path) as address:
        listener.bind(address)
    return listener


def send(sender: socket.socket, path: Path, data: bytes) -> bool:
    """Sends to who listens at a path; removes the file of one that is gone. Never fails.

    Returns whether it was taken: False, too, where the other's queue is full.
    """
    try:
        with _address_of(path) as address:
            sender.sendto(data, address)
    except ConnectionRefusedError:
        with suppress(OSError):
            path.unlink()
        return False
    except OSError:
        return False
    return True


@contextmanager
def _address_of(path: Path) -> Iterator[str]:
    """A name of `path` that fits into a socket address; a longer one goes through /proc."""
    if len(os.fsencode(path)) <= _MAX_PATH_BYTES:
        yield str(path)
        return
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)

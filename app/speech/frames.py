"""Frames between a process and its engine host: one letter, a length, so many bytes.

To the host: `J` a job (JSON). From the host: `R` ready (JSON), `A` audio (PCM), `M` moments (JSON
list of [offset, ms]), `D` the job is done, `E` it failed (JSON).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

READY = b"R"
JOB = b"J"
AUDIO = b"A"
MOMENTS = b"M"
DONE = b"D"
FAILED = b"E"

#: Bytes; a longer frame means that the two sides have lost each other.
MAX_PAYLOAD_BYTES = 1 << 26

_HEADER = struct.Struct("<cI")


class Frame(NamedTuple):
    """A kind (one of the letters above) and what it carries."""

    kind: bytes
    payload: bytes


def encode(kind: bytes, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    return _HEADER.pack(kind, len(payload)) + payload


class FrameDecoder:
    """Finds frames in bytes that arrive in pieces."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Frames that are complete with `data`; ValueError where there can be none."""
        self._data += data
        while len(self._data) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._data)
            if length > MAX_PAYLOAD_BYTES:
                message = f"a frame has at most {MAX_PAYLOAD_BYTES} bytes, got {length}"
                raise ValueError(message)
            end = _HEADER.size + length
            if len(self._data) < end:
                return
            payload = bytes(self._data[_HEADER.size : end])
            del self._data[:end]
            yield Frame(kind, payload)

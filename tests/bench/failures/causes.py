"""Causes whose failures are to be one group each: what their messages say, and how they vary.

`causes.txt` is written from the messages of the programs themselves (requests, httpx, aiohttp,
urllib3, websockets, grpc, psycopg, sqlite3, ffmpeg, onnxruntime, PyTorch, boto3, Azure, Volcengine,
the kernel, this product), not from the rules that are judged by them. Types are few, so that a type
alone says little.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.failures.parts import Parts

_FILE: Final = Path(__file__).with_name("causes.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause: the type and the code of its failures, and the pattern of what they say."""

    error_type: str
    code: str | None
    pattern: str

    def says(self, parts: Parts) -> str:
        """A message of this cause."""
        return self.pattern.format_map(parts)


def _read() -> Iterator[tuple[str, Cause]]:
    for line in _FILE.read_text().splitlines():
        if not line.startswith("#"):
            name, error_type, code, pattern = line.split(" | ", 3)
            said = pattern.replace("\\n", "\n").replace("\\t", "\t")
            yield name, Cause(error_type=error_type, code=code.strip() or None, pattern=said)


#: By a name of their own.
CAUSES: Final[Mapping[str, Cause]] = dict(_read())

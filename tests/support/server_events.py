"""Server-sent events of a test client's response, as they come."""

import json
from collections.abc import Iterator
from typing import Any

from werkzeug.test import TestResponse


def events_of(response: TestResponse) -> Iterator[dict[str, Any]]:
    """The events of a stream: `id`, `event`, `data` (decoded); comments left out."""
    block: dict[str, Any] = {}
    for line in _lines(response):
        name, colon, value = line.partition(": ")
        if not line and "data" in block:
            yield block
            block = {}
        elif colon and name:
            block[name] = json.loads(value) if name == "data" else value


def _lines(response: TestResponse) -> Iterator[str]:
    rest = ""
    for chunk in response.iter_encoded():
        *lines, rest = (rest + chunk.decode()).split("\n")
        yield from lines

"""docs/api.md against the routes."""

import re
from pathlib import Path

from app.web.openapi.document import OPERATIONS

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_page_names_every_route_and_no_other() -> None:
    """The tables of routes are the routes of the document."""
    told = {
        (method.lower(), path)
        for method, path in re.findall(r"^\| `(GET|POST|PUT|DELETE) (/\S+)` \|", TEXT, re.MULTILINE)
    }
    assert told == {(operation.method, operation.path) for operation in OPERATIONS}


def test_page_tells_the_numbers_of_the_code() -> None:
    """Lengths, shares and sizes on the page are those of the code."""
    from app.web.streams import BUSY_RETRY_MS, HEARTBEAT_S, LIFE_S
    from app.web.v1.audio import SHORT_BYTES

    assert f"longer than {LIFE_S:g} s" in TEXT
    assert f"every {HEARTBEAT_S:g} s" in TEXT
    assert f"`retry: {BUSY_RETRY_MS}`" in TEXT
    assert f"{SHORT_BYTES // 1024} KiB" in TEXT

"""Static files under an address that changes with their content, so that browsers may keep them.

The version is one hash over all files: scripts that import each other by relative paths stay a set.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from flask import Response, send_from_directory

ROOT: Final = Path(__file__).with_name("static")
#: Where the files are served; what is below is free of tokens and of traces.
PREFIX: Final = "/static"
#: Seconds that a browser keeps a file of the version that is served: a year.
KEPT_S: Final = 31_536_000


@cache
def version() -> str:
    """Ten hex digits that change when any file does; read once in each process."""
    digest = hashlib.sha256()
    for path in sorted(path for path in ROOT.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def static_url(name: str) -> str:
    """The address of a file of this version."""
    return f"{PREFIX}/{version()}/{name}"


def serve(filename: str) -> Response:
    """The view of Flask's `static` endpoint: VERSION/NAME; another version's file is not kept."""
    wanted, _, name = filename.partition("/")
    response = send_from_directory(ROOT, name)
    if wanted == version():
        response.headers["Cache-Control"] = f"public, max-age={KEPT_S}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response

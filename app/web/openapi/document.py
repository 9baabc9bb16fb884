"""The whole document."""

from typing import Any


def build(release: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a release."""
    return {"openapi": "3.1.0", "info": {"title": "voxtrace", "version": release}, "paths": {}}

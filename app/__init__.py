"""voxtrace: the service. `create_app` is lazy, so that workers never import Flask."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config.settings import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """The Flask application; None reads the settings from the environment."""
    from app.web.factory import create_app as create

    return create(settings)

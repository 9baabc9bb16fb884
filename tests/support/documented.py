"""A client of the application that holds every answer against the OpenAPI document."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import jsonschema
from flask import Flask
from flask.testing import FlaskClient
from typing_extensions import override
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app.config.settings import Settings
from app.web import state
from app.web.factory import create_app
from app.web.openapi.document import build


class DocumentedClient(FlaskClient):
    """Fails a test whose answer the document does not describe."""

    @override
    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        check(self.application, response)
        return response


@contextmanager
def web_client(settings: Settings) -> Iterator[DocumentedClient]:
    """A client of a new application on these settings."""
    app = create_app(settings)
    app.test_client_class = DocumentedClient
    client = app.test_client()
    assert isinstance(client, DocumentedClient)
    try:
        yield client
    finally:
        state.end(state.of(app))


def documented_path(rule: str) -> str:
    """A route's pattern as the document writes it."""
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule)


@cache
def document() -> dict[str, Any]:
    """The document."""
    return build("test")


def check(app: Flask, response: TestResponse) -> None:
    """Holds an answer against its operation; routes that are not described are passed over."""
    request = response.request
    try:
        rule, _ = app.url_map.bind("localhost").match(
            request.path, request.method, return_rule=True
        )
    except HTTPException:
        return
    operation = document()["paths"].get(documented_path(rule.rule), {}).get(request.method.lower())
    if operation is None:
        return
    where = f"{request.method} {request.path} -> {response.status_code}"
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{where} is not documented"
    contents = described.get("content", {})
    if not (response.mimetype or "").endswith("json"):
        return
    assert response.mimetype in contents, f"{where} answered {response.mimetype}"
    place = (rule.rule, request.method.lower(), str(response.status_code), response.mimetype)
    _validator(*place).validate(response.json)


@cache
def _validator(rule: str, method: str, status: str, mimetype: str) -> Any:
    """Of the answers of an operation: what their parts refer to is looked up once."""
    operation = document()["paths"][documented_path(rule)][method]
    schema = operation["responses"][status]["content"][mimetype]["schema"]
    return jsonschema.Draft202012Validator(
        schema | {"components": document()["components"]},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )

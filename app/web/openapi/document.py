"""The OpenAPI 3.1 document, put together from the tables of operations and schemas."""

from http import HTTPStatus
from typing import Any

from app.web.openapi import (
    attempt_operations,
    compare_operations,
    correlate_operations,
    failure_operations,
    finding_operations,
    legacy_operations,
    legacy_schemas,
    list_operations,
    log_operations,
    schemas,
    stats_operations,
    v1_operations,
)
from app.web.openapi.operation import JSON, PROBLEM, Operation, Parameter
from app.web.openapi.types import ref

#: Every route that the document describes.
OPERATIONS = (
    *v1_operations.OPERATIONS,
    *list_operations.OPERATIONS,
    *attempt_operations.OPERATIONS,
    *log_operations.OPERATIONS,
    *stats_operations.OPERATIONS,
    *compare_operations.OPERATIONS,
    *correlate_operations.OPERATIONS,
    *finding_operations.OPERATIONS,
    *failure_operations.OPERATIONS,
    *legacy_operations.OPERATIONS,
)

_ABOUT = (
    "Text-to-speech tasks whose monitoring can be trusted. Moments are RFC 3339 in UTC; units are "
    "in the names. The routes tagged `legacy` keep the shapes of the service before this one."
)
_TAGS = {
    "texts": "Texts: submit, list, delete, retry, cancel.",
    "tasks": "Tasks: what is done for a text, and how it went.",
    "audio": "Audio: bytes, waveforms, captions.",
    "service": "The service itself: engines, limits, workers, health.",
    "legacy": "The old routes.",
}
#: Errors that every route may answer with.
_ALWAYS = (401, 403, 500)


def build(release: str) -> dict[str, Any]:
    """The document of a release."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "voxtrace", "version": release, "description": _ABOUT},
        "tags": [{"name": name, "description": words} for name, words in _TAGS.items()],
        "security": [{}, {"bearer": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.SCHEMAS
            | list_operations.SCHEMAS
            | attempt_operations.SCHEMAS
            | log_operations.SCHEMAS
            | stats_operations.SCHEMAS
            | compare_operations.SCHEMAS
            | correlate_operations.SCHEMAS
            | finding_operations.SCHEMAS
            | failure_operations.SCHEMAS
            | legacy_schemas.SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "voxtrace_session"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.words,
        "responses": _responses(operation),
    }
    if operation.parameters:
        described["parameters"] = [_parameter(one) for one in operation.parameters]
    if operation.bodies:
        described["requestBody"] = {
            "required": operation.is_body_required,
            "content": {kind: {"schema": schema} for kind, schema in operation.bodies.items()},
        }
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.words,
        "schema": parameter.schema,
    }


def _responses(operation: Operation) -> dict[str, Any]:
    answers: dict[str, Any] = {
        str(status): _response(status, contents) for status, contents in operation.answers.items()
    }
    errors = (*operation.errors, *_ALWAYS)
    if operation.tag != "legacy":
        errors += (503,)
    for status in errors:
        if operation.tag == "legacy":
            contents = {JSON: ref("LegacyError")}
        else:
            contents = {PROBLEM: ref("Problem")}
        answers.setdefault(str(status), _response(status, contents))
    return answers


def _response(status: int, contents: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if contents:
        described["content"] = {kind: {"schema": schema} for kind, schema in contents.items()}
    return described

"""The OpenAPI document against the routes."""

from flask import Flask
from openapi_spec_validator import validate

from app.web.openapi.document import OPERATIONS, build
from tests.support.documented import documented_path, web_client
from tests.support.home import Home

#: Routes for people, not for programs.
PAGES = {"pages", "login", None}


def _routes(app: Flask) -> set[tuple[str, str]]:
    found = set()
    for rule in app.url_map.iter_rules():
        blueprint, dot, _ = rule.endpoint.partition(".")
        if rule.endpoint != "static" and (blueprint if dot else None) not in PAGES:
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            found |= {(method.lower(), documented_path(rule.rule)) for method in methods}
    return found


def test_every_route_is_documented_and_every_documented_one_routed(home: Home) -> None:
    """Nothing answers that the document does not name, and the other way round."""
    with web_client(home.settings) as client:
        assert _routes(client.application) == {
            (operation.method, operation.path) for operation in OPERATIONS
        }


def test_document_is_openapi() -> None:
    """The document follows the specification, and its operation ids are unique."""
    document = build("1.2.3")
    validate(document)
    ids = [operation.id for operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_document_is_served(home: Home) -> None:
    """The service serves its own document, with its release."""
    with web_client(home.settings) as client:
        served = client.get("/api/v1/openapi.json").json
        assert served == build(home.settings.release)

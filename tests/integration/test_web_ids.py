"""Ids that no row can have: they are unknown, not an error of ours."""

import pytest
from flask import Flask

from app.web.factory import create_app
from tests.support.home import Home

HUGE = (2**63, 99999999999999999999999)
ROUTES = [
    ("GET", "/api/task/status/{}"),
    ("GET", "/api/task/stream/{}"),
    ("POST", "/api/task/retry/{}"),
    ("GET", "/api/audio/url/{}"),
    ("DELETE", "/api/audio/{}"),
    ("GET", "/tasks/{}"),
    ("GET", "/texts/{}"),
    ("POST", "/texts/{}/delete"),
    ("GET", "/api/v1/tasks/{}"),
    ("POST", "/api/v1/tasks/{}/cancel"),
    ("GET", "/api/v1/texts/{}"),
    ("DELETE", "/api/v1/texts/{}"),
    ("GET", "/api/v1/audio/{}/file"),
]


@pytest.fixture
def app(home: Home) -> Flask:
    """The application on a new home."""
    return create_app(home.settings)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_id_beyond_any_row_is_not_found(app: Flask, method: str, path: str) -> None:
    """An id above 2^63 - 1 is answered with 404, as any unknown one."""
    client = app.test_client()
    for number in HUGE:
        answer = client.open(path.format(number), method=method)
        assert answer.status_code == 404, (number, answer.status_code)


@pytest.mark.parametrize("command", [["show"], ["cancel"], ["retry"], ["list", "--before"]])
def test_command_refuses_an_id_beyond_any_row(home: Home, command: list[str]) -> None:
    """The command line says what is allowed, with exit code 2."""
    done = home.run(*command, str(2**63))
    assert done.returncode == 2
    assert "not in the range" in done.stderr

"""Ping: calls a place outside while all is well; what matters is that it notices the silence.

Only silence says that something is wrong. An address of another kind ("…/fail") would be known by
some places and counted as a sign of life by others.
"""

from http import HTTPStatus

import requests

from app.service.health import Health
from telemetry.otlp_http import reason_of

#: Seconds that the other side may take, to connect and to answer.
TIMEOUT_S = 10.0


def held_by(health: Health) -> list[str]:
    """The parts for whose sake it is not called: what is required, and the canary.

    A canary that is on, but has proven nothing yet, holds it too.
    """
    bad = [one.name for one in health.checks.values() if one.level == "bad" and one.is_required]
    canary = health.checks["canary"]
    return [*bad, "canary"] if canary.level in {"bad", "unknown"} else bad


def call(url: str) -> str | None:
    """Calls the address once: a GET, which must be answered with 2xx.

    Returns:
        None where it was accepted; else why not, in words without the address, which is a secret.
    """
    try:
        with requests.Session() as session:
            session.auth = _as_it_is
            with session.get(
                url, timeout=(TIMEOUT_S, TIMEOUT_S), allow_redirects=False, stream=True
            ) as answer:
                status = answer.status_code
    except (requests.RequestException, OSError) as error:
        return f"no answer: {reason_of(error)}"
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"it answers {status}, a redirect: set the address that it leads to"
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    return f"it answers {status} {phrase}".rstrip()


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Nothing of a ~/.netrc is added."""
    return request

"""CollectorSession: HTTP connections that go where the settings say, and keep the secrets."""

import logging
from collections.abc import Iterator
from typing import Any

import requests
from typing_extensions import override

from telemetry.export import ExportSettings


class CollectorSession(requests.Session):
    """A session with three habits of requests turned off.

    REQUESTS_CA_BUNDLE goes before a session's `verify`; a ~/.netrc takes the place of our
    Authorization header; a redirect of a POST is followed, as a GET or with our headers.
    """

    def __init__(self, settings: ExportSettings) -> None:
        super().__init__()
        self.auth = _as_it_is
        self._certificate = settings.certificate
        if settings.client_certificate:
            key = settings.client_key
            self.cert = (settings.client_certificate, key) if key else settings.client_certificate

    @override
    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:
        merged = super().merge_environment_settings(*args, **kwargs)
        if self._certificate is not None:
            merged["verify"] = self._certificate
        return merged

    @override
    def resolve_redirects(self, *args: Any, **kwargs: Any) -> Iterator[requests.Response]:
        return iter(())


def hide_secrets(text: str, settings: ExportSettings) -> str:
    """The text without header values and credentials, which a collector may have echoed."""
    for secret in settings.secrets:
        text = text.replace(secret, "***")
    return text


class SecretFilter(logging.Filter):
    """Takes the secrets out of a library's log lines."""

    def __init__(self, settings: ExportSettings) -> None:
        super().__init__()
        self._settings = settings

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hide_secrets(record.getMessage(), self._settings), ()
        return True


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request

"""Hosts, origins, paths: what may come in."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.security import cookie_value, host_name, is_own, is_token, local_path


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8082", "localhost"),
        ("LOCALHOST", "localhost"),
        ("[::1]:8082", "[::1]"),
        ("127.0.0.1:1", "127.0.0.1"),
        ("evil.com:80@localhost", "evil.com"),
        ("localhost.", "localhost"),
        ("", ""),
    ],
)
def test_host_name_is_without_its_port(header: str, name: str) -> None:
    """The name in a Host header decides, whatever the port."""
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://localhost:8082", "localhost:8082", True),
        ("https://tts.example.com", "tts.example.com", True),
        ("https://tts.example.com", "tts.example.com:443", True),
        ("http://localhost:9999", "localhost:8082", False),
        ("http://evil.com", "localhost:8082", False),
        ("null", "localhost:8082", False),
        ("http://[::1", "localhost", False),
        ("http://localhost:99999", "localhost", False),
        ("file://", "localhost", False),
    ],
)
def test_only_the_asked_host_is_our_own_origin(*, origin: str, host: str, own: bool) -> None:
    """A page of another host or port may change nothing."""
    assert is_own(origin, host) is own


@given(st.text(max_size=60) | st.from_regex(r"/[/\\]?[a-z.]{1,10}/?"))
def test_login_leads_only_to_this_site(wanted: str) -> None:
    """For every `next`: the redirect stays on this host, as browsers read it."""
    path = local_path(wanted)
    assert path.startswith("/")
    assert not path.replace("\\", "/").startswith("//")
    parts = urlsplit(path)
    assert not parts.netloc
    assert not parts.scheme


def test_cookie_does_not_tell_the_token() -> None:
    """The cookie proves the token without holding it; another token makes another cookie."""
    assert "secret-token-0001" not in cookie_value("secret-token-0001")
    assert cookie_value("secret-token-0001") != cookie_value("secret-token-0002")
    assert is_token("secret-token-0001", "secret-token-0001")
    assert not is_token("sécret", "secret-token-0001")

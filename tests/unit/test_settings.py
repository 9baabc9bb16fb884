"""Settings: defaults, ranges, errors that name what was wrong."""

from pathlib import Path

import pytest

from app.config import parsers
from app.config.settings import load, unknown
from app.config.specs import SPECS
from app.domain.errors import ConfigError
from app.service import public_settings
from tests.support.home import Home


def test_defaults_are_a_working_laptop() -> None:
    """Without any variable the settings are those of the README."""
    settings = load({})
    assert settings.home == Path("var").absolute()
    assert (settings.bind, settings.web_processes, settings.task_timeout_s) == (
        "127.0.0.1:8082",
        4,
        2400,
    )
    assert (settings.engines, settings.default_engine) == (("espeak", "tone"), "espeak")
    assert settings.max_concurrent == settings.worker_concurrency
    assert settings.database_url.startswith("sqlite:///")
    assert settings.max_text_chars == 5_000_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VOXTRACE_TASK_TIMEOUT_S", "-1"),
        ("VOXTRACE_WEB_PROCESSES", "four"),
        ("VOXTRACE_BIND", "8082"),
        ("VOXTRACE_DATABASE_URL", "mysql://x"),
        ("VOXTRACE_LEGACY_OPEN", "maybe"),
        ("VOXTRACE_WORKER_NAME", "a b"),
        ("VOXTRACE_API_TOKEN", "short"),
        ("VOXTRACE_MAX_CONCURRENT", "0"),
        ("VOXTRACE_JAEGER_URL", "jaeger:16686"),
        ("VOXTRACE_JAEGER_URL", "http://jaeger:99999"),
        ("VOXTRACE_JAEGER_URL", "http://jaeger:0"),
        ("VOXTRACE_JAEGER_URL", "http://[::1"),
        ("VOXTRACE_JAEGER_URL", "http://jaeger/?x=1"),
        ("VOXTRACE_LOG_LEVEL", "loud"),
        ("VOXTRACE_WATCH_EVERY_S", "9"),
        ("VOXTRACE_WATCH_EVERY_S", "often"),
        ("VOXTRACE_WEBHOOK_URL", "ftp://somewhere/x"),
        ("VOXTRACE_WEBHOOK_SECRET", "short"),
    ],
)
def test_wrong_value_is_named_with_what_is_allowed(name: str, value: str) -> None:
    """A wrong value gives one line: its name, what was got (unless secret), what is allowed."""
    with pytest.raises(ConfigError) as caught:
        load({name: value})
    assert len(caught.value.problems) == 1
    line = caught.value.problems[0]
    spec = next(spec for spec in SPECS if spec.name == name)
    assert line.startswith(f"{name} must be ")
    assert spec.allowed in line
    assert (value in line) is not spec.is_secret


def test_all_wrong_values_are_named_at_once() -> None:
    """Two wrong values give two lines."""
    with pytest.raises(ConfigError) as caught:
        load({"VOXTRACE_DRAIN_S": "x", "VOXTRACE_MAX_ATTEMPTS": "0"})
    assert len(caught.value.problems) == 2


def test_open_bind_without_token_is_refused_with_how_to_set_one() -> None:
    """Binding to anything but loopback needs a token; the line says how to make one."""
    with pytest.raises(ConfigError) as caught:
        load({"VOXTRACE_BIND": "0.0.0.0:8082"})
    assert "VOXTRACE_API_TOKEN" in str(caught.value)
    assert "openssl rand -hex 32" in str(caught.value)
    assert load({"VOXTRACE_BIND": "0.0.0.0:8082", "VOXTRACE_API_TOKEN": "t" * 20}).api_token
    for address in ("[::1]:80", "localhost:80", "127.1.2.3:80"):
        assert load({"VOXTRACE_BIND": address}).is_loopback


def test_default_engine_must_be_offered() -> None:
    """A default engine that is not among the engines is refused."""
    with pytest.raises(ConfigError, match="VOXTRACE_DEFAULT_ENGINE"):
        load({"VOXTRACE_ENGINES": "tone", "VOXTRACE_DEFAULT_ENGINE": "espeak"})


def test_webhook_needs_a_secret() -> None:
    """What it is told must be signed; the line says how to make a secret, and shows no address."""
    with pytest.raises(ConfigError, match="VOXTRACE_WEBHOOK_SECRET must be set") as caught:
        load({"VOXTRACE_WEBHOOK_URL": "http://hook/secret-path"})
    assert "secret-path" not in str(caught.value)
    assert load({"VOXTRACE_WATCH_EVERY_S": "0"}).watch_every_s == 0


def test_misspelled_setting_is_named_with_the_nearest() -> None:
    """A variable that looks like a setting and is none is told."""
    lines = unknown({"VOXTRACE_TASK_TIMEOUT": "1", "PATH": "x"})
    assert lines == [
        "VOXTRACE_TASK_TIMEOUT is not a setting; did you mean VOXTRACE_TASK_TIMEOUT_S?"
    ]


def test_password_of_jaeger_is_not_shown(tmp_path: Path) -> None:
    """Links and the settings page have Jaeger's address without a user and a password in it."""
    with Home.make(tmp_path, VOXTRACE_JAEGER_URL="https://ann:secret@jaeger.example/base") as home:
        settings = home.settings
        assert settings.jaeger_url == "https://ann:secret@jaeger.example/base"
        assert settings.jaeger_public_url == "https://jaeger.example/base"
        shown = [one.value for one in public_settings.of(home.core)]
    assert "https://jaeger.example/base" in shown
    assert not any("secret" in value for value in shown)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:secret@host:16686/x", "http://host:16686/x"),
        ("http://user:se@cret@host", "http://host"),
        ("HTTP://user:secret@host", "HTTP://host"),
        ("http://host/a@b", "http://host/a@b"),
        ("12", "12"),
    ],
)
def test_shown_address_has_no_user_and_no_password(url: str, shown: str) -> None:
    """Whatever stands before the last @ of the host is left out, in any spelling."""
    assert parsers.without_user(url) == shown

"""The deployment files as values: parsed by a real YAML parser, variables filled in.

Two ways of filling in are known: Compose's `${NAME:-default}` and `${NAME:?words}`, and the
collector's (and Jaeger's) `${env:NAME:-default}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
#: What a user sets before `docker compose up`.
SECRETS = {"VOXTRACE_API_TOKEN": "0123456789abcdef0123456789abcdef", "POSTGRES_PASSWORD": "f00d"}

_COMPOSE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
_ENV = re.compile(r"\$\{env:(\w+)(?::-([^}]*))?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A `${env:NAME:-default}`; `default` is None where there is none."""

    name: str
    default: str | None


def text(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def compose(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """docker-compose.yml with its variables filled in.

    Raises:
        KeyError: A variable that must be set is not.
    """
    env = SECRETS if environ is None else environ

    def fill(match: re.Match[str]) -> str:
        name, rule, rest = match.groups()
        value = env.get(name, "")
        if rule == ":?" and not value:
            raise KeyError(name)
        return value or (rest if rule == ":-" else "")

    parsed = yaml.safe_load(_COMPOSE.sub(fill, text("docker-compose.yml")))
    assert isinstance(parsed, dict)
    return parsed


def services() -> dict[str, dict[str, Any]]:
    """The services of docker-compose.yml by name."""
    found = compose()["services"]
    assert isinstance(found, dict)
    return found


def environment(service: str) -> dict[str, str]:
    """The environment of one service."""
    return {name: str(value) for name, value in services()[service]["environment"].items()}


def variables(name: str) -> list[Variable]:
    """Every `${env:…}` of a file, in order."""
    return [Variable(name=found[1], default=found[2]) for found in _ENV.finditer(text(name))]


def configuration(name: str, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A configuration of the collector or of Jaeger, with variables or their defaults filled in."""
    env = environ or {}
    filled = _ENV.sub(lambda found: env.get(found[1], found[2] or ""), text(name))
    parsed = yaml.safe_load(filled)
    assert isinstance(parsed, dict)
    return parsed


def alert_rules() -> list[dict[str, Any]]:
    """Every rule of deploy/alerts.yaml, in order."""
    parsed = yaml.safe_load(text("deploy/alerts.yaml"))
    return [rule for group in parsed["groups"] for rule in group["rules"]]


def port_of(address: str) -> int:
    """The port of HOST:PORT or of a URL."""
    return int(address.rpartition(":")[2].partition("/")[0])


def host_of(address: str) -> str:
    """The host of HOST:PORT or of a URL."""
    return address.partition("://")[2].rpartition(":")[0] or address.rpartition(":")[0]

"""The settings of one process: read from the environment and checked once, at the start.

The standard `OTEL_*` variables are read by the telemetry package.
"""

import difflib
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from app.config.parsers import without_user
from app.config.specs import SPECS
from app.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one process; see `SPECS` for units and ranges."""

    home: Path
    bind: str
    web_processes: int
    web_threads: int
    worker_concurrency: int
    worker_name: str
    database_url: str
    engines: tuple[str, ...]
    default_engine: str
    task_timeout_s: float
    max_concurrent: int
    max_attempts: int
    backoff_s: float
    max_text_chars: int
    give_up_h: float
    idempotency_h: float
    keep_completed_d: float
    keep_failed_d: float
    keep_timeout_d: float
    keep_cancelled_d: float
    keep_deleted_d: float
    keep_findings_d: float
    keep_system_events_d: float
    keep_deliveries_d: float
    keep_analyses_d: float
    drain_s: float
    api_token: str | None
    legacy_open: bool
    hosts: tuple[str, ...]
    release: str
    trust_traceparent: bool
    jaeger_url: str | None
    jaeger_public_url: str | None
    jaeger_retention_h: float
    outbox_keep_h: float
    outbox_max_bytes: int
    task_log_lines: int
    canary_min: float
    ping_url: str | None
    watch_every_s: float
    webhook_url: str | None
    webhook_secret: str | None
    public_url: str | None
    log_level: str
    log_format: str
    #: Names of the settings that the environment gave a value.
    given: frozenset[str]

    @property
    def bind_host(self) -> str:
        """The host part of `bind`, without the brackets of an IPv6 address."""
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def bind_port(self) -> int:
        """The port part of `bind`."""
        return int(self.bind.rpartition(":")[2])

    @property
    def local_url(self) -> str:
        """Where a program on this machine reaches the web."""
        host = self.bind_host
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.bind_port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the web."""
        host = self.bind_host
        return host in {"localhost", "::1"} or host.startswith("127.")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads and checks every setting.

    Raises:
        ConfigError: One line for each wrong setting: its name, what was got, what is allowed.
    """
    env = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    problems: list[str] = []
    for spec in SPECS:
        text = env.get(spec.name, "").strip() or spec.default
        try:
            values[spec.field] = None if text is None else spec.parse(text)
        except ValueError as error:
            got = "a value" if spec.is_secret else repr(text)
            problems.append(f"{spec.name} must be {error}, got {got}")
    if problems:
        raise ConfigError(problems)
    given = frozenset(spec.name for spec in SPECS if env.get(spec.name, "").strip())
    settings = Settings(**_with_defaults(values), given=given)
    problems = _contradictions(settings)
    if problems:
        raise ConfigError(problems)
    return settings


def _with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Fills the defaults that are made at the start."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    made = {
        "worker_concurrency": values["worker_concurrency"] or cores or 1,
        "worker_name": values["worker_name"] or f"{_host_name()}-1",
        "database_url": values["database_url"] or f"sqlite:///{values['home'] / 'voxtrace.db'}",
        "default_engine": values["default_engine"] or values["engines"][0],
        "release": values["release"] or version("voxtrace"),
        "jaeger_public_url": values["jaeger_public_url"]
        or (values["jaeger_url"] and without_user(values["jaeger_url"])),
    }
    filled = values | made
    filled["max_concurrent"] = filled["max_concurrent"] or filled["worker_concurrency"]
    return filled


def _contradictions(settings: Settings) -> list[str]:
    problems = []
    if settings.default_engine not in settings.engines:
        problems.append(
            f"VOXTRACE_DEFAULT_ENGINE must be one of VOXTRACE_ENGINES "
            f"({', '.join(settings.engines)}), got {settings.default_engine!r}"
        )
    if settings.webhook_url is not None and settings.webhook_secret is None:
        problems.append(
            "VOXTRACE_WEBHOOK_SECRET must be set with VOXTRACE_WEBHOOK_URL: "
            "`export VOXTRACE_WEBHOOK_SECRET=$(openssl rand -hex 32)`, and give it to the receiver"
        )
    if not settings.is_loopback and settings.api_token is None:
        problems.append(
            f"VOXTRACE_BIND must be a loopback address while VOXTRACE_API_TOKEN is not set, "
            f"got {settings.bind!r}: set a token with "
            "`export VOXTRACE_API_TOKEN=$(openssl rand -hex 32)`"
        )
    return problems


#: Variables that are not settings: what voxtrace sets for the processes it starts, and where the
#: tests find a collector and a Jaeger.
_INTERNAL = frozenset(
    {"VOXTRACE_PARENT_PID", "VOXTRACE_RUN", "VOXTRACE_OTELCOL", "VOXTRACE_JAEGER"}
)


def unknown(env: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none: one line each, with the nearest name."""
    known = {spec.name for spec in SPECS}
    problems = []
    for name in env:
        if name.startswith("VOXTRACE_") and name not in known | _INTERNAL:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; see docs/settings.md"
            problems.append(f"{name} is not a setting{hint}")
    return problems


def _host_name() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:100] or "host"

"""ExportSettings: where a signal goes, from the standard OTEL_EXPORTER_OTLP_* variables.

Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter". A wrong value is an error
that names its variable; no error tells a header's value, and no `repr` does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

Compression = Literal["gzip", "none"]
Signal = Literal["traces", "metrics", "logs"]

#: What OTEL_…_EXPORTER says of a signal where nobody sets it.
_DEFAULT_EXPORTER: Final[Mapping[Signal, str]] = {
    "traces": "otlp",
    "metrics": "otlp",
    "logs": "none",
}

DEFAULT_TIMEOUT_S: Final = 10.0
MAX_TIMEOUT_S: Final = 600.0
#: A timeout below this is one in seconds (see `_timeout_s`).
_SECONDS_BELOW: Final = 100
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """Where and how to send a signal by OTLP/HTTP (protobuf).

    Attributes:
        endpoint: Full URL, path included; may hold credentials: show `shown_endpoint` instead.
        headers: Sent with each request; secret.
        timeout_s: For connecting, and for each wait for data.
        compression: Of the request's body.
        certificate: File of the certificates to trust; None for the system's.
        client_certificate: File of our own certificate, for mutual TLS.
        client_key: File of its key.
    """

    endpoint: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = DEFAULT_TIMEOUT_S
    compression: Compression = "gzip"
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    @property
    def shown_endpoint(self) -> str:
        """The endpoint without user, password and query."""
        parts = urlsplit(self.endpoint)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown: header values, and credentials in the URL."""
        parts = urlsplit(self.endpoint)
        found = [*self.headers.values(), parts.password, parts.username, parts.query]
        words = [word for value in found if value for word in (value, value.split(" ")[-1])]
        return tuple(sorted({word for word in words if len(word) >= 4}, key=len, reverse=True))


def export_settings_from(
    environ: Mapping[str, str], signal: Signal = "traces"
) -> ExportSettings | None:
    """The settings of a signal in an environment; None where nothing of it is to be sent.

    Nothing is sent without an endpoint (there is no default), with OTEL_TRACES_EXPORTER=none (of
    logs that is the default), and with OTEL_SDK_DISABLED=true. A `…_TRACES_…` variable goes before
    the general one.

    Raises:
        ValueError: A variable's value is not allowed.
    """
    _check_words(environ)
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    reader = _Reader(environ=environ, signal=signal)
    if not _exports_otlp(reader) or not (endpoint := _endpoint(reader)):
        return None
    _check_protocol(reader)
    return ExportSettings(
        endpoint=endpoint,
        headers=_headers(reader),
        timeout_s=_timeout_s(reader),
        compression=_compression(reader),
        certificate=_file(reader, "CERTIFICATE"),
        client_certificate=_file(reader, "CLIENT_CERTIFICATE"),
        client_key=_file(reader, "CLIENT_KEY"),
    )


#: Variables of the specification that take one of a few words.
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "OTEL_SDK_DISABLED": ("true", "false"),
    "OTEL_TRACES_SAMPLER": (
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ),
}


def _check_words(environ: Mapping[str, str]) -> None:
    for name, allowed in _WORDS.items():
        value = environ.get(name, "").strip().lower()
        if value and value not in allowed:
            message = f"{name} must be one of {', '.join(allowed)}, got {value[:40]!r}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """The variables of one signal."""

    environ: Mapping[str, str]
    signal: Signal

    def special(self, what: str) -> str:
        """Name of the signal's own variable."""
        return f"OTEL_EXPORTER_OTLP_{self.signal.upper()}_{what}"

    def pick(self, what: str) -> tuple[str, str]:
        """Name and value of the variable that decides; an empty one counts as unset."""
        special, general = self.special(what), f"OTEL_EXPORTER_OTLP_{what}"
        for name in (special, general):
            value = self.environ.get(name, "").strip()
            if value:
                return name, value
        return general, ""


def _exports_otlp(reader: _Reader) -> bool:
    name = f"OTEL_{reader.signal.upper()}_EXPORTER"
    chosen = reader.environ.get(name, "").strip().lower() or _DEFAULT_EXPORTER[reader.signal]
    if chosen not in {"otlp", "none"}:
        message = f"{name} must be otlp or none, got {chosen!r}"
        raise ValueError(message)
    return chosen == "otlp"


def _check_protocol(reader: _Reader) -> None:
    name, value = reader.pick("PROTOCOL")
    if value not in {"", "http/protobuf"}:
        message = f"{name} must be http/protobuf, got {value!r}"
        raise ValueError(message)


def _endpoint(reader: _Reader) -> str:
    name, value = reader.pick("ENDPOINT")
    if not value:
        return ""
    if not _is_url(value):
        message = f"{name} must be an http:// or https:// URL, got something else"
        raise ValueError(message)
    if name == reader.special("ENDPOINT"):
        return value
    parts = urlsplit(value)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + f"/v1/{reader.signal}"))


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _headers(reader: _Reader) -> dict[str, str]:
    """`key=value` pairs with commas between them, values percent-encoded (or plain)."""
    name, text = reader.pick("HEADERS")
    headers: dict[str, str] = {}
    for pair in text.split(","):
        key, equals, value = pair.partition("=")
        if not pair.strip():
            continue
        header, content = unquote(key.strip()).lower(), unquote(value.strip(), encoding="latin-1")
        if not equals or not _HEADER_NAME.fullmatch(header) or not _HEADER_VALUE.fullmatch(content):
            message = f"{name} must be name=value pairs with commas between them; pair {len(headers) + 1} is not"  # noqa: E501
            raise ValueError(message)
        headers[header] = content
    return headers


def _timeout_s(reader: _Reader) -> float:
    """The timeout in seconds.

    The specification counts in milliseconds, the Python SDK in seconds. Nobody means less than
    100 ms, nor more than 100 s where 100 ms would do: below 100 it is seconds.
    """
    name, text = reader.pick("TIMEOUT")
    if not text:
        return DEFAULT_TIMEOUT_S
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    timeout_s = value if value < _SECONDS_BELOW else value / 1000
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        message = f"{name} must be milliseconds, 100 to {MAX_TIMEOUT_S * 1000:.0f}, or seconds below 100, got {text!r}"  # noqa: E501
        raise ValueError(message)
    return timeout_s


def _compression(reader: _Reader) -> Compression:
    name, value = reader.pick("COMPRESSION")
    match value.lower():
        case "" | "gzip":
            return "gzip"
        case "none":
            return "none"
        case other:
            message = f"{name} must be gzip or none, got {other!r}"
            raise ValueError(message)


def _file(reader: _Reader, what: str) -> str | None:
    name, value = reader.pick(what)
    if value and not Path(value).is_file():
        message = f"{name} must be a file that can be read, got {value!r}"
        raise ValueError(message)
    return value or None

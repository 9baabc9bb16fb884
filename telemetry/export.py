"""ExportSettings: where a signal goes, from the standard OTEL_EXPORTER_OTLP_* variables.

Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter". A wrong value is an error
that names its variable; no error tells a header's value, and no `repr` does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from telemetry.standard_settings import check_standard, is_sdk_disabled

Compression = Literal["gzip", "none"]
Protocol = Literal["http/protobuf", "grpc"]
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
_NO_GRPC: Final = (
    "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, and its library is not installed: "
    "`.venv/bin/pip install 'grpcio>=1.66,<2'` (the extra `grpc` of voxtrace)"
)
_PORTS: Final = {"http": 80, "https": 443}
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\x80-\xff]*")
#: What gRPC takes as metadata: a name of its own letters that it does not keep for itself.
_METADATA_NAME: Final = re.compile(r"(?!grpc-)[a-z0-9_.-]+(?<!-bin)")
_METADATA_VALUE: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """Where and how to send a signal by OTLP.

    Attributes:
        endpoint: Full URL, path included (over gRPC without one); may hold credentials: show
            `shown_endpoint` instead.
        protocol: OTLP/HTTP with protobuf, or OTLP/gRPC.
        headers: Sent with each request; secret.
        timeout_s: For connecting, and for each wait for data.
        compression: Of the request's body.
        certificate: File of the certificates to trust; None for the system's.
        client_certificate: File of our own certificate, for mutual TLS.
        client_key: File of its key.
    """

    endpoint: str = field(repr=False)
    protocol: Protocol = "http/protobuf"
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
    def grpc_target(self) -> str:
        """HOST:PORT for gRPC; a URL without a port has that of its scheme."""
        parts = urlsplit(self.endpoint)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port or _PORTS[parts.scheme]}"

    @property
    def is_secure(self) -> bool:
        """Whether it goes over TLS."""
        return urlsplit(self.endpoint).scheme == "https"

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
    the general one. Only spans may go over gRPC: where the general protocol is grpc, nothing of the
    other signals is sent, unless they have a protocol of their own.

    Raises:
        ValueError: A variable's value is not allowed.
    """
    check_standard(environ)
    reader = _Reader(environ=environ, signal=signal)
    if not is_wanted(environ, signal) or not (endpoint := _endpoint(reader)):
        return None
    return ExportSettings(
        endpoint=endpoint,
        protocol=_protocol(reader) or "http/protobuf",
        headers=_headers(reader),
        timeout_s=_timeout_s(reader),
        compression=_compression(reader),
        certificate=_file(reader, "CERTIFICATE"),
        client_certificate=_file(reader, "CLIENT_CERTIFICATE"),
        client_key=_file(reader, "CLIENT_KEY"),
    )


def is_wanted(environ: Mapping[str, str], signal: Signal) -> bool:
    """Whether a signal is to be sent at all, wherever that be.

    Raises:
        ValueError: OTEL_…_EXPORTER is neither otlp nor none.
    """
    return not is_sdk_disabled(environ) and _exports_otlp(_Reader(environ=environ, signal=signal))


def has_only_grpc(environ: Mapping[str, str], signal: Signal) -> bool:
    """Whether a signal has an endpoint, but only the general protocol, which it cannot have.

    Raises:
        ValueError: The protocol is none.
    """
    reader = _Reader(environ=environ, signal=signal)
    return bool(reader.pick("ENDPOINT")[1]) and _protocol(reader) is None


def check_library(settings: ExportSettings | None) -> None:
    """Raises ValueError, with what to do, where the library of the chosen protocol is missing."""
    if settings is not None and settings.protocol == "grpc" and find_spec("grpc") is None:
        raise ValueError(_NO_GRPC)


def best_effort_settings_from(environ: Mapping[str, str]) -> ExportSettings | None:
    """Where spans go that no task hangs on, and that may be lost: always over HTTP.

    As the others; where those go over gRPC to an endpoint of their own (…_TRACES_ENDPOINT), the
    general variables say where. None for nowhere.

    Raises:
        ValueError: A variable's value is not allowed.
    """
    settings = export_settings_from(environ)
    if settings is None or settings.protocol == "http/protobuf":
        return settings
    own = "OTEL_EXPORTER_OTLP_TRACES_"
    if not environ.get(f"{own}ENDPOINT", "").strip():
        return None
    general = {name: value for name, value in environ.items() if not name.startswith(own)}
    found = export_settings_from(general)
    return found if found is not None and found.protocol == "http/protobuf" else None


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


def _protocol(reader: _Reader) -> Protocol | None:
    """The protocol; None where the general one is grpc and this signal cannot have it."""
    name, value = reader.pick("PROTOCOL")
    match value:
        case "" | "http/protobuf":
            return "http/protobuf"
        case "grpc" if reader.signal == "traces":
            return "grpc"
        case "grpc" if name != reader.special("PROTOCOL"):
            return None
    allowed = "http/protobuf or grpc" if reader.signal == "traces" else "http/protobuf"
    message = f"{name} must be {allowed}, got {value!r}"
    raise ValueError(message)


def _endpoint(reader: _Reader) -> str:
    """The URL to send to; empty where there is none, or none that this signal can use."""
    name, value = reader.pick("ENDPOINT")
    if not value or (protocol := _protocol(reader)) is None:
        return ""
    if protocol == "grpc":
        return _grpc_endpoint(reader, name, value)
    if not _is_url(value):
        message = f"{name} must be an http:// or https:// URL, got something else"
        raise ValueError(message)
    if name == reader.special("ENDPOINT"):
        return value
    parts = urlsplit(value)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + f"/v1/{reader.signal}"))


def _grpc_endpoint(reader: _Reader, name: str, value: str) -> str:
    """As a URL without a path; HOST:PORT alone is secure, unless …_INSECURE says otherwise."""
    scheme = "http" if _is_insecure(reader) else "https"
    url = value if "://" in value else f"{scheme}://{value}"
    has_port = "://" in value or re.search(r":\d+$", value)
    if not has_port or not _is_url(url) or urlsplit(url).path not in {"", "/"}:
        message = f"{name} must be http://HOST:PORT, https://HOST:PORT or HOST:PORT for grpc, without a path, got something else"  # noqa: E501
        raise ValueError(message)
    return urlunsplit(urlsplit(url)._replace(path=""))


def _is_insecure(reader: _Reader) -> bool:
    name, value = reader.pick("INSECURE")
    if value.lower() not in {"", "true", "false"}:
        message = f"{name} must be true or false, got {value[:40]!r}"
        raise ValueError(message)
    return value.lower() == "true"


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _headers(reader: _Reader) -> dict[str, str]:
    """`key=value` pairs with commas between them, values percent-encoded (or plain)."""
    name, text = reader.pick("HEADERS")
    names, values = _HEADER_NAME, _HEADER_VALUE
    if _protocol(reader) == "grpc":
        names, values = _METADATA_NAME, _METADATA_VALUE
    headers: dict[str, str] = {}
    for pair in text.split(","):
        key, equals, value = pair.partition("=")
        if not pair.strip():
            continue
        header, content = unquote(key.strip()).lower(), unquote(value.strip(), encoding="latin-1")
        if not equals or not names.fullmatch(header) or not values.fullmatch(content):
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

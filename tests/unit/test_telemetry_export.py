"""Export settings: the standard variables, their order, and errors that tell no secret."""

from pathlib import Path

import pytest

from telemetry.export import (
    ExportSettings,
    best_effort_settings_from,
    export_settings_from,
)

_BASE = "OTEL_EXPORTER_OTLP_"


def _settings(**variables: str) -> ExportSettings:
    environ = {f"{_BASE}ENDPOINT": "http://collector:4318"} | {
        f"{_BASE}{name}": value for name, value in variables.items()
    }
    settings = export_settings_from(environ)
    assert settings is not None
    return settings


def test_nothing_is_sent_without_an_endpoint() -> None:
    """There is no default endpoint: spans stay in the outbox until one is set."""
    assert export_settings_from({}) is None
    assert export_settings_from({f"{_BASE}ENDPOINT": " "}) is None
    assert export_settings_from({f"{_BASE}HEADERS": "a=b"}) is None


@pytest.mark.parametrize("off", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}])
def test_nothing_is_sent_where_it_is_turned_off(off: dict[str, str]) -> None:
    """The standard switches go before an endpoint."""
    assert export_settings_from({f"{_BASE}ENDPOINT": "http://c:4318"} | off) is None


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("https://host/otlp/", "https://host/otlp/v1/traces"),
        ("http://[::1]:4318/", "http://[::1]:4318/v1/traces"),
    ],
)
def test_general_endpoint_gets_the_path_of_traces(endpoint: str, url: str) -> None:
    """The general endpoint is a base; the one for traces is used as it is."""
    assert _settings(ENDPOINT=endpoint).endpoint == url
    exact = _settings(ENDPOINT=endpoint, TRACES_ENDPOINT="http://other/collect")
    assert exact.endpoint == "http://other/collect"


def test_defaults_are_gzip_and_ten_seconds() -> None:
    """What nobody sets has the value of the specification (and gzip)."""
    settings = _settings()
    assert (settings.compression, settings.timeout_s, settings.headers) == ("gzip", 10.0, {})
    assert settings.certificate is None


def test_variables_for_traces_go_before_the_general_ones(tmp_path: Path) -> None:
    """Each of them on its own."""
    certificate = tmp_path / "ca.pem"
    certificate.write_text("x")
    settings = _settings(
        HEADERS="a=1", TRACES_HEADERS="Authorization=Bearer%20abc%3D,x=a=b",
        TIMEOUT="5000", TRACES_TIMEOUT="2500",
        COMPRESSION="gzip", TRACES_COMPRESSION="none",
        CERTIFICATE="/nowhere", TRACES_CERTIFICATE=str(certificate),
        TRACES_CLIENT_CERTIFICATE=str(certificate), TRACES_CLIENT_KEY=str(certificate),
    )  # fmt: skip
    assert settings.headers == {"authorization": "Bearer abc=", "x": "a=b"}
    assert (settings.timeout_s, settings.compression) == (2.5, "none")
    assert settings.certificate == settings.client_certificate == str(certificate)
    assert settings.client_key == str(certificate)


@pytest.mark.parametrize(
    ("text", "timeout_s"), [("10", 10.0), ("0.5", 0.5), ("99", 99.0), ("100", 0.1), ("10000", 10.0)]
)
def test_timeout_is_milliseconds_and_below_a_hundred_seconds(text: str, timeout_s: float) -> None:
    """Milliseconds by the specification; what the Python SDK would mean by a small number too."""
    assert _settings(TIMEOUT=text).timeout_s == timeout_s


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ENDPOINT", "collector:4318", "must be an http:// or https:// URL"),
        ("ENDPOINT", "ftp://u:hunter2@x", "must be an http:// or https:// URL"),
        ("ENDPOINT", "http://", "must be an http:// or https:// URL"),
        ("TRACES_ENDPOINT", "http://host:hunter2", "must be an http:// or https:// URL"),
        ("HEADERS", "a=1,hunter2", "pair 2 is not"),
        ("HEADERS", "bad name=hunter2", "pair 1 is not"),
        ("TRACES_HEADERS", "a=hunter2%0d%0ab: c", "pair 1 is not"),
        ("TIMEOUT", "0", "must be milliseconds"),
        ("TIMEOUT", "-5", "must be milliseconds"),
        ("TIMEOUT", "soon", "must be milliseconds"),
        ("TIMEOUT", "nan", "must be milliseconds"),
        ("TIMEOUT", "999999999", "must be milliseconds"),
        ("COMPRESSION", "brotli", "must be gzip or none, got 'brotli'"),
        ("PROTOCOL", "http/json", "must be http/protobuf or grpc, got 'http/json'"),
        ("CERTIFICATE", "/nowhere/ca.pem", "must be a file that can be read"),
        ("CLIENT_KEY", "/nowhere/key.pem", "must be a file that can be read"),
    ],
)
def test_wrong_value_names_its_variable_and_no_secret(name: str, value: str, words: str) -> None:
    """Which variable, what is allowed; what was got only where it cannot be a credential."""
    with pytest.raises(ValueError, match=r"^OTEL_EXPORTER_OTLP_\w+ must") as raised:
        _settings(**{name: value})
    assert str(raised.value).startswith(f"{_BASE}{name} ")
    assert words in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_wrong_exporter_is_named() -> None:
    """Only otlp and none are known here."""
    with pytest.raises(ValueError, match="OTEL_TRACES_EXPORTER must be otlp or none, got 'zipkin'"):
        export_settings_from({"OTEL_TRACES_EXPORTER": "zipkin"})


def test_credentials_are_not_shown() -> None:
    """Neither `repr` nor the shown endpoint tell a header, a password or a key in the query."""
    settings = _settings(
        TRACES_ENDPOINT="https://user:hunter2@host:4318/v1/traces?key=hunter3",
        HEADERS="authorization=Bearer hunter4",
    )
    assert settings.shown_endpoint == "https://host:4318/v1/traces"
    assert "hunter" not in repr(settings)
    assert {"hunter2", "key=hunter3", "hunter4", "Bearer hunter4"} <= set(settings.secrets)


def test_each_signal_has_variables_of_its_own() -> None:
    """`…_LOGS_…` says nothing of traces; the general endpoint gets the path of the signal."""
    environ = {
        f"{_BASE}ENDPOINT": "http://c:4318",
        f"{_BASE}LOGS_HEADERS": "a=b",
        "OTEL_LOGS_EXPORTER": "otlp",
    }
    logs, metrics = export_settings_from(environ, "logs"), export_settings_from(environ, "metrics")
    assert logs is not None
    assert metrics is not None
    assert (logs.endpoint, logs.headers) == ("http://c:4318/v1/logs", {"a": "b"})
    assert (metrics.endpoint, metrics.headers) == ("http://c:4318/v1/metrics", {})
    exact = export_settings_from(environ | {f"{_BASE}LOGS_ENDPOINT": "http://l/x"}, "logs")
    assert exact is not None
    assert exact.endpoint == "http://l/x"


def test_logs_leave_only_where_it_is_asked_for() -> None:
    """OTEL_LOGS_EXPORTER is `none` by default; a wrong word names its variable."""
    endpoint = {f"{_BASE}ENDPOINT": "http://c:4318"}
    assert export_settings_from(endpoint, "logs") is None
    with pytest.raises(ValueError, match="OTEL_LOGS_EXPORTER must be otlp or none, got 'loki'"):
        export_settings_from(endpoint | {"OTEL_LOGS_EXPORTER": "loki"}, "logs")


@pytest.mark.parametrize(
    ("endpoint", "target", "is_secure"),
    [
        ("http://collector:4317", "collector:4317", False),
        ("https://collector:4317/", "collector:4317", True),
        ("collector:4317", "collector:4317", True),
        ("http://[::1]:4317", "[::1]:4317", False),
        ("[::1]:4317", "[::1]:4317", True),
        ("https://host", "host:443", True),
    ],
)
def test_grpc_endpoint_is_an_address_without_a_path(
    endpoint: str, target: str, *, is_secure: bool
) -> None:
    """The scheme says whether it is secure; without one it is (the specification's default)."""
    settings = _settings(PROTOCOL="grpc", ENDPOINT=endpoint)
    assert (settings.grpc_target, settings.is_secure) == (target, is_secure)
    assert settings.protocol == "grpc"


def test_insecure_speaks_of_endpoints_without_a_scheme_alone() -> None:
    """OTEL_EXPORTER_OTLP_INSECURE: a scheme goes before it."""
    assert not _settings(PROTOCOL="grpc", ENDPOINT="c:4317", INSECURE="true").is_secure
    assert _settings(PROTOCOL="grpc", ENDPOINT="https://c:4317", INSECURE="true").is_secure


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ENDPOINT", "http://c:4318/v1/traces", "without a path"),
        ("ENDPOINT", "collector", "HOST:PORT"),
        ("ENDPOINT", "ftp://c:4317", "HOST:PORT"),
        ("INSECURE", "maybe", "must be true or false, got 'maybe'"),
        ("HEADERS", "a=hunter2\xe9", "pair 1 is not"),
        ("HEADERS", "grpc-timeout=1", "pair 1 is not"),
        ("HEADERS", "key-bin=hunter2", "pair 1 is not"),
    ],
)
def test_wrong_value_for_grpc_names_its_variable(name: str, value: str, words: str) -> None:
    """What gRPC cannot use is found at the start, and no secret is told."""
    with pytest.raises(ValueError, match=rf"^{_BASE}{name} must") as raised:
        _settings(**({"PROTOCOL": "grpc", "ENDPOINT": "c:4317"} | {name: value}))
    assert words in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_only_spans_go_over_grpc() -> None:
    """Other signals are not sent to an endpoint that they cannot use; their own protocol helps."""
    environ = {f"{_BASE}ENDPOINT": "c:4317", f"{_BASE}PROTOCOL": "grpc"}
    assert export_settings_from(environ, "metrics") is None
    own = {
        f"{_BASE}METRICS_PROTOCOL": "http/protobuf",
        f"{_BASE}METRICS_ENDPOINT": "http://c:4318/v1/metrics",
    }
    settings = export_settings_from(environ | own, "metrics")
    assert settings is not None
    assert settings.endpoint == "http://c:4318/v1/metrics"
    with pytest.raises(ValueError, match="METRICS_PROTOCOL must be http/protobuf, got 'grpc'"):
        export_settings_from(environ | {f"{_BASE}METRICS_PROTOCOL": "grpc"}, "metrics")


def test_best_effort_spans_leave_over_http_or_not_at_all() -> None:
    """By the general variables, where the spans of tasks have an endpoint for grpc of their own."""
    http = {f"{_BASE}ENDPOINT": "http://c:4318"}
    assert best_effort_settings_from(http) == export_settings_from(http)
    everything = {f"{_BASE}ENDPOINT": "http://c:4317", f"{_BASE}PROTOCOL": "grpc"}
    assert best_effort_settings_from(everything) is None
    same = http | {f"{_BASE}TRACES_PROTOCOL": "grpc"}
    assert best_effort_settings_from(same) is None, "the one endpoint speaks grpc"
    own = same | {f"{_BASE}TRACES_ENDPOINT": "http://c:4317"}
    found = best_effort_settings_from(own)
    assert found is not None
    assert (found.endpoint, found.protocol) == ("http://c:4318/v1/traces", "http/protobuf")

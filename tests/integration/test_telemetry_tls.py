"""Spans over TLS: a certificate that is told is trusted, another is configuration trouble."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from telemetry import web
from telemetry.export import ExportSettings
from telemetry.otlp import Verdict
from telemetry.otlp_http import OtlpHttpClient
from tests.support.certificates import self_signed
from tests.support.otlp_receiver import OtlpReceiver


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that nobody has signed, and its key."""
    return self_signed(tmp_path)


@pytest.fixture
def receiver(certificate: tuple[Path, Path]) -> Iterator[OtlpReceiver]:
    """A receiver that speaks TLS."""
    with OtlpReceiver(certificate=certificate) as made:
        yield made


def _send(settings: ExportSettings) -> tuple[Verdict, str]:
    client = OtlpHttpClient(settings)
    answer = client.send(b"", now_us=0)
    client.close()
    return answer.verdict, answer.words


def test_certificate_that_is_told_is_trusted(
    receiver: OtlpReceiver, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OTEL_EXPORTER_OTLP_CERTIFICATE goes before the bundles that other variables name."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    settings = ExportSettings(endpoint=receiver.url, certificate=str(certificate[0]))
    assert _send(settings) == (Verdict.ACCEPTED, "200 OK")


def test_certificate_that_nobody_knows_is_configuration_trouble(receiver: OtlpReceiver) -> None:
    """Waiting cannot help; the words say what is wrong."""
    verdict, words = _send(ExportSettings(endpoint=receiver.url))
    assert verdict is Verdict.CONFIGURATION
    assert "CERTIFICATE_VERIFY_FAILED" in words


def test_plain_words_to_a_tls_port_are_waited_on(receiver: OtlpReceiver) -> None:
    """No answer that could be read: later, as with any broken connection."""
    url = receiver.url.replace("https", "http")
    assert _send(ExportSettings(endpoint=url))[0] is Verdict.BUSY


def test_best_effort_trusts_the_same_certificate(
    receiver: OtlpReceiver, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The web's exporter is set up from the same settings."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    settings = ExportSettings(endpoint=receiver.url, certificate=str(certificate[0]))
    app = Flask("site")
    tracing = web.instrument(app, sink=lambda *_: None, release="1", export=settings, environ={})
    app.test_client().get("/")
    tracing.flush()
    assert [span.name for span in receiver.wait_for(lambda r: len(r.spans) >= 1)] == ["GET"]
    tracing.shutdown()

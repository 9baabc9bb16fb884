"""What Jaeger answers, read: every shape that its releases send, and what is no Jaeger at all."""

import base64
import json
from collections.abc import Iterator

import pytest

from telemetry.jaeger import JaegerClient, JaegerError
from tests.support.home import free_port
from tests.support.jaeger_site import SPAN, JaegerSite, answer

TRACE = SPAN["traceId"]


@pytest.fixture
def site() -> Iterator[JaegerSite]:
    """A server of ours."""
    with JaegerSite.running() as started:
        started.status = 200
        yield started


@pytest.fixture
def client(site: JaegerSite) -> Iterator[JaegerClient]:
    """A client of it, with a base path."""
    client = JaegerClient(f"{site.url}/base/", timeout_s=5)
    yield client
    client.close()


def test_every_field_is_read(site: JaegerSite, client: JaegerClient) -> None:
    """Times to the nanosecond, integers of 64 bits, status, kind; a root has no parent."""
    site.body = answer(SPAN)
    trace = client.trace(TRACE)
    assert trace is not None
    [span] = trace.spans
    assert (span.start_ns, span.end_ns) == (1795625158052875000, 1795625158230732000)
    assert span.attributes == {"a": 9007199254740993, "b": 0.5, "c": False, "d": "é"}
    assert (span.status, span.status_message, span.kind.name) == ("error", "timeout", "INTERNAL")
    assert (span.parent_span_id, span.service) == (None, "voxtrace")


def test_words_for_kinds_and_codes_are_read(site: JaegerSite, client: JaegerClient) -> None:
    """OTLP's JSON allows the names of enums where Jaeger writes numbers."""
    site.body = answer(SPAN | {"kind": "SPAN_KIND_SERVER", "status": {"code": "STATUS_CODE_ERROR"}})
    trace = client.trace(TRACE)
    assert trace is not None
    assert (trace.spans[0].kind.name, trace.spans[0].status) == ("SERVER", "error")


def test_same_span_twice_is_one(site: JaegerSite, client: JaegerClient) -> None:
    """Storage that keeps each delivery does not make two spans of one; another content does."""
    site.body = answer(SPAN, SPAN, SPAN | {"name": "other"})
    trace = client.trace(TRACE)
    assert trace is not None
    assert [span.name for span in trace.spans] == ["tts task", "other"]
    assert trace.deliveries == 3


def test_answer_in_pieces_is_one_trace(site: JaegerSite, client: JaegerClient) -> None:
    """A long trace may come as several JSON values, one after the other."""
    site.body = answer(SPAN) + "\n" + answer(SPAN | {"spanId": "ef" * 8})
    trace = client.trace(TRACE)
    assert trace is not None
    assert [span.span_id for span in trace.spans] == ["cd" * 8, "ef" * 8]


@pytest.mark.parametrize("words", ["trace not found", "No traces found"])
def test_unknown_trace_is_none(site: JaegerSite, client: JaegerClient, words: str) -> None:
    """Jaeger's own 404 means that it has no such trace."""
    site.status = 404
    site.body = json.dumps({"error": {"httpCode": 404, "message": words}})
    assert client.trace(TRACE) is None


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, "<h1>Not Found</h1>", "answers 404"),
        (404, '{"success": false, "error": "not found"}', "answers 404"),
        (200, "<!DOCTYPE html><title>Jaeger UI</title>", "does not answer as Jaeger's API v3"),
        (200, "", "does not answer as Jaeger's API v3"),
        (200, '{"result": {}}', "does not answer as Jaeger's API v3"),
        (200, '{"result": {"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}}', "API v3"),
        (503, "later", "answers 503: later"),
    ],
)
def test_what_is_no_jaeger_is_told(
    site: JaegerSite, client: JaegerClient, status: int, body: str, words: str
) -> None:
    """An answer that is not Jaeger's is an error with what came, never "no such trace"."""
    site.status, site.body = status, body
    with pytest.raises(JaegerError, match=words):
        client.trace(TRACE)


def test_credentials_are_sent_and_never_told(site: JaegerSite) -> None:
    """A user and a password in the address go as Basic authorization, and into no message."""
    client = JaegerClient(f"http://ann:s%40cret@127.0.0.1:{site.server_port}", timeout_s=5)
    site.status, site.body = 503, "later"
    with pytest.raises(JaegerError) as caught:
        client.trace(TRACE)
    assert site.authorization == "Basic " + base64.b64encode(b"ann:s@cret").decode()
    assert "cret" not in f"{caught.value}{client.url}"
    client.close()


def test_no_answer_is_told() -> None:
    """Nobody at that address: the error says why."""
    with pytest.raises(JaegerError, match="Connection refused"):
        JaegerClient(f"http://127.0.0.1:{free_port()}", timeout_s=5).trace(TRACE)

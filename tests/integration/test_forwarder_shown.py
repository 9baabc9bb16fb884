"""What the forwarder meets is shown: refused, left out, sent again; to people and programs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.service import leader
from app.web.factory import create_app
from telemetry import outbox
from tests.support.home import Home
from tests.support.otlp_receiver import OtlpReceiver

_ANSWER = "400 Bad Request: span <7> has no name"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """A receiver that accepts."""
    with OtlpReceiver() as made:
        yield made


@pytest.fixture
def home_of_trouble(home: Home, receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose collector has refused a row, left out spans, and was lost three minutes ago."""
    endpoint = receiver.endpoint
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    home.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
    with home.core.database.write() as conn:
        now = home.core.database.now_us(conn)
        for _ in range(2):
            outbox.add(conn, payload=b"x", n_spans=1, rank=1, created_at_us=now)
        rows = outbox.next_batch(conn, max_bytes=100, max_rows=2)
        for row, error in zip(rows, ("400 an older one", _ANSWER), strict=True):
            outbox.mark_poison(conn, row.id, error)
    state: dict[str, Any] = {
        "endpoint": endpoint,
        "rejected_spans": 4,
        "partial_message": "200 OK: too old",
        "resent_rows": 31,
        "resent_at_us": now - 180_000_000,
        "resent_why": "the connection to the collector was closed",
    }
    leader.note_success(home.core, "forwarder", "h/1/x", json.dumps(state))
    return home


@pytest.fixture
def client(home_of_trouble: Home) -> Iterator[FlaskClient]:
    """A client of an application on that home."""
    app = create_app(home_of_trouble.settings, home_of_trouble.core)
    with app.test_client() as made:
        yield made
    app.extensions["voxtrace_tracing"].shutdown()


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "en",
            (
                "2 batches were refused and are kept aside, the last: 400 Bad Request",
                "span &lt;7&gt; has no name",
                "The collector left out 4 spans, the last time: 200 OK: too old",
                "31 batches were sent again, last 3 min",
                "ago: the connection to the collector was closed",
            ),
        ),
        (
            "zh",
            ("2 批跨度被拒绝", "收集器未接收 4 个跨度", "重发了 31 批跨度，最近一次在 3 分"),
        ),
    ],
)
def test_monitor_page_tells_what_the_collector_did(
    client: FlaskClient, lang: str, words: tuple[str, ...]
) -> None:
    """How much and why, in the outbox's line, in either language; what it said is never markup."""
    page = client.get(f"/monitor?lang={lang}", headers={"Accept": "text/html"}).text
    for said in words:
        assert said in page


def test_health_tells_programs_the_same(client: FlaskClient) -> None:
    """GET /api/v1/health: the outbox's last refusal, and what the forwarder says of itself."""
    found = client.get("/api/v1/health").json
    assert found is not None
    assert (found["outbox"]["poison"], found["outbox"]["poison_error"]) == (2, _ANSWER)
    [duty] = [duty for duty in found["duties"] if duty["name"] == "forwarder"]
    assert duty["state"]["resent_rows"] == 31


def test_doctor_tells_the_answer_and_what_to_do(home_of_trouble: Home) -> None:
    """The line of the forwarder: refused, how the collector put it, and the command for it."""
    done = home_of_trouble.run("doctor")
    assert f"the collector refused 2 span batches, kept aside: {_ANSWER}" in done.stdout
    assert "voxtrace resend --poison" in done.stdout

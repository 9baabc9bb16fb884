"""The API of findings: a list by state and time, one by its number, in two languages."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import found
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client whose answers are held against the OpenAPI document."""
    with web_client(home.settings) as made:
        yield made


def _told(client: DocumentedClient, path: str) -> Any:
    return client.get(path).get_json()


def _ids(client: DocumentedClient, query: str = "") -> list[int]:
    told = client.get(f"/api/v1/findings{query}")
    assert told.status_code == 200, told.text
    return [one["id"] for one in told.get_json()["findings"]]


def test_findings_are_listed_by_state_and_time(home: Home, client: DocumentedClient) -> None:
    """The newest first; by state; those that lasted at some time of a window."""
    first, second, third = (found.opened(home.core, {"worker": name}) for name in "abc")
    found.closed(home.core, second)
    assert _ids(client) == [third.id, second.id, first.id]
    assert _ids(client, "?state=open") == [third.id, first.id]
    assert _ids(client, "?state=closed&from=1h") == [second.id]
    assert _ids(client, "?to=1h") == []
    assert _ids(client, "?limit=2") == [third.id, second.id]
    told = _told(client, "/api/v1/findings?limit=2")
    assert _ids(client, f"?limit=2&cursor={told['next']}") == [first.id]
    assert _told(client, f"/api/v1/findings?cursor={third.id}")["next"] is None


def test_a_finding_is_told_whole(home: Home, client: DocumentedClient) -> None:
    """How it stands, the scan that opened it, its words in the language that was asked for."""
    row = found.opened(home.core, {"worker": "w3"}, is_muted=True)
    told = _told(client, f"/api/v1/findings/{row.id}?lang=zh")
    assert (told["state"], told["closed_at"], told["trace_id"]) == ("open", None, "a" * 32)
    assert told["is_muted"] is True
    assert told["words"] == told["words_zh"]
    assert "w3" in told["words_zh"]
    assert told["words_en"].startswith("worker w3 fails 40 of 50 (expected 1)")
    found.closed(home.core, row)
    told = _told(client, told["url"])
    assert (told["state"], told["closed_why"]) == ("closed", "stopped")
    assert told["words"] == told["words_en"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?state=new", "state must be one of all, open, closed, got 'new'"),
        ("?limit=0", "limit must be"),
        ("?from=soon", "from"),
        ("?cursor=x", "cursor"),
        ("?lang=fr", "lang must be one of en, zh, got 'fr'"),
        ("?statee=open", "statee"),
    ],
)
def test_wrong_wishes_are_told(client: DocumentedClient, query: str, words: str) -> None:
    """400, with what was got and what is allowed."""
    told = client.get(f"/api/v1/findings{query}")
    assert told.status_code == 400
    assert words in told.get_json()["detail"]


def test_an_unknown_finding_is_404(client: DocumentedClient) -> None:
    """With its number."""
    told = client.get("/api/v1/findings/77")
    assert (told.status_code, "finding 77" in told.get_json()["detail"]) == (404, True)

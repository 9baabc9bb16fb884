"""GET /api/v1/attempts: every attempt with what it is told apart by, and what cannot be asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse
from app.web.shapes import moment
from tests.support.attempt_rows import Listed, holds, listed, populate, value_of
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A service with attempts, and what is in it."""

    client: DocumentedClient
    rows: Sequence[Listed]

    def get(self, **args: object) -> Any:
        """The answer to these parameters."""
        answer = self.client.get("/api/v1/attempts", query_string=args)
        assert answer.status_code == 200, answer.json
        return answer.json

    def expected(self, query: str) -> list[tuple[int, int]]:
        """The attempts that a list must show, last ended first."""
        asked = parse(query, ATTEMPTS)
        return [
            key[1:] for key in sorted((o.key for o in self.rows if holds(asked, o)), reverse=True)
        ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Planted attempts behind the API."""
    with Home.make(tmp_path_factory.mktemp("api") / "home") as home:
        with home.core.database.write() as conn:
            populate(conn, count=90, seed=5)
            rows = list(listed(conn))
        with web_client(home.settings) as client:
            yield Site(client=client, rows=rows)


def _keys(answer: Any) -> list[tuple[int, int]]:
    return [(one["task_id"], one["attempt"]) for one in answer["attempts"]]


def test_attempt_tells_what_it_is_told_apart_by(site: Site) -> None:
    """Each member is the row's, under the name that filters give it."""
    told = site.get(limit=200)["attempts"]
    by_key = {one.key[1:]: one for one in site.rows}
    assert len(told) == len(by_key)
    names = ("worker", "host", "engine", "voice", "language", "release", "length", "source")
    for one in told:
        row = by_key[one["task_id"], one["attempt"]]
        assert {name: one[name] for name in names} == {n: value_of(n, row) for n in names}
        assert one["at"] == moment(row.ended_at)
        assert one["dur_ms"] == row.dur_ms
        assert one["trace_id"] == row.trace_id
        assert one["url"] == f"/tasks/{one['task_id']}?tab=attempts#attempt-{one['attempt']}"
        assert one["jaeger_url"] is None
        for name in ("outcome", "error_type", "error_message", "fingerprint", "template"):
            assert one[name] == getattr(row.row, name)


def test_filter_pages_and_count_go_together(site: Site) -> None:
    """Pages of a filter hold each of its attempts once; the count is theirs."""
    query = "outcome:failure -worker:w1"
    first = site.get(q=query, limit=4, count=1)
    assert first["query"] == query
    assert first["count"] == {"n": len(site.expected(query)), "is_exact": True}
    found = _keys(first)
    cursor = first["next"]
    while cursor:
        page = site.get(q=query, limit=4, cursor=cursor)
        assert page["count"] is None
        found += _keys(page)
        cursor = page["next"]
    assert found == site.expected(query)


def test_every_value_leads_to_its_attempts(site: Site) -> None:
    """What an attempt says of itself, asked for, finds it: names with odd letters, too."""
    for name in ("worker", "voice", "language", "length", "source", "fingerprint"):
        for value in {str(value_of(name, one) or "") for one in site.rows}:
            query = f'{name}:"{value.replace(chr(34), chr(92) + chr(34))}"'
            if value or name != "source":
                assert _keys(site.get(q=query, limit=200)) == site.expected(query)


def test_window_narrows_the_list(site: Site) -> None:
    """`from` and `to` are a window of ends, and part of the filter that is told."""
    found = site.get(**{"from": "2026-02-27", "to": "2026-02-28", "q": "host:h1", "limit": 200})
    assert _keys(found) == site.expected("host:h1 ended:2026-02-27..2026-02-28")
    assert found["query"] == "host:h1 since:2026-02-27 until:2026-02-28"
    assert site.get(q=found["query"], limit=200)["attempts"] == found["attempts"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("?query=x", "parameter 'query' is not known; allowed: q, from, to, cursor, limit, count"),
        ("?limit=0", "limit must be a whole number from 1 to 200, got '0'"),
        ("?count=2", "count must be one of 0, 1, got '2'"),
        ("?cursor=abc", "cursor must be one that an earlier page of this list gave, got 'abc'"),
        ("?from=soon", "from must be so long ago (24h, 7d), a date"),
        ("?from=1h&to=2h", "from must be before to: the window is empty"),
        ("?q=" + quote("format:mp3"), "'format' is no filter; allowed: outcome, is, worker"),
        ("?q=" + quote("status:fail"), "outcome cannot be 'fail'; did you mean failed?"),
        ("?q=" + quote("is:live"), "is cannot be 'live'; allowed: repeat, late"),
        ("?q=" + quote("hour:7"), "hour cannot be '7'"),
        ("?q=" + quote("length:500"), "length cannot be '500'"),
        ("?q=" + quote("source:canary"), "source cannot be 'canary'"),
    ],
)
def test_wrong_question_is_told_exactly(site: Site, path: str, says: str) -> None:
    """What is wrong, what was got and what is allowed; of a filter the place, too."""
    answer = site.client.get(f"/api/v1/attempts{path}")
    assert answer.status_code == 400
    told = answer.json
    assert told is not None
    assert says in told["detail"]
    assert ("position" in told) == path.startswith("?q=")

"""The statistics page: the API's numbers, each with the rows behind it, in both languages."""

import re

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.web.stats_chart import nice
from tests.support.home import Home
from tests.support.service import spoken, start_worker, submitted


@pytest.fixture
def client(home: Home) -> FlaskClient:
    """A client of the application on the test's home."""
    return create_app(home.settings).test_client()


def _work(home: Home) -> None:
    start_worker(home.core)
    spoken(home.core, "One.")
    spoken(home.core, "@fail permanent\nTwo.", engine="scripted")
    submitted(home.core, "It waits.")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_page_shows_the_numbers_of_the_api(home: Home, client: FlaskClient, lang: str) -> None:
    """Total and each status; a status leads to a filter of its tasks in this window."""
    _work(home)
    page = client.get("/stats", query_string={"from": "24h", "by": "engine", "lang": lang}).text
    told = client.get("/api/v1/stats", query_string={"from": "24h"}).json or {}
    assert re.search(rf'class="value">{told["total"]}<', page)
    for status, n in told["by_status"].items():
        found = re.search(rf'href="(/tasks\?query=status%3A{status}[^"]*)">(\d+)</a>', page)
        assert found is not None, status
        assert int(found[2]) == n
        assert "ended%3A%3E%3D" in found[1]
    assert "scripted" in page
    assert page.count('class="f-completed"') >= 2


def test_page_of_nothing_says_what_to_do(client: FlaskClient) -> None:
    """No tasks: dashes, no charts, and the way to upload a text."""
    page = client.get("/stats?from=all").text
    assert 'href="/upload"' in page
    assert "<rect" not in page.partition("<main")[2].partition("</main")[0]


def test_wrong_filter_is_underlined_and_counts_nothing(home: Home, client: FlaskClient) -> None:
    """The place is marked, the words say what is allowed, and no number is shown."""
    _work(home)
    answer = client.get("/stats", query_string={"query": "engine:tone colour:red"})
    page = answer.text
    assert answer.status_code == 400
    assert "engine:tone <mark>colour</mark>:red" in page
    assert 'class="value"' not in page
    assert "is no filter" in page
    kept = client.get("/stats", query_string={"query": "chars:>5"}).text
    assert "<mark>chars:&gt;5</mark>" in kept
    assert "Statistics are not kept by chars" in kept


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"from": "zzz"}, "from must be so long ago"),
        ({"to": "zzz"}, "to must be so long ago"),
        ({"from": "1h", "to": "2h"}, "from must be before to"),
        ({"to": "9999-12-31"}, "to must lie in the years 1970 to 2999"),
        ({"by": "nix"}, "which is none. Allowed: engine"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    client: FlaskClient, args: dict[str, str], says: str
) -> None:
    """A window or dimension that cannot be is no other one."""
    answer = client.get("/stats", query_string=args)
    assert answer.status_code == 400
    assert says in answer.text
    assert 'class="value"' not in answer.text
    assert 'class="error-panel"' in answer.text
    chinese = client.get("/stats", query_string=args | {"lang": "zh"}).text
    told = re.search('id="fault".*?</div>', chinese, re.DOTALL)
    assert told
    assert re.search("[一-鿿]{3}", told[0])


def test_any_window_is_shown(home: Home, client: FlaskClient) -> None:
    """From and to of the address are those of the API; every sum opens its tasks."""
    _work(home)
    page = client.get("/stats?from=2h&to=1h").text
    assert 'class="value">0<' in page
    page = client.get("/stats?from=2h").text
    assert 'class="value">3<' in page
    for term in ("is%3Aended", "lost%3A%3E0", "is%3Alate", "capacity%3A%3E0", "retries%3A%3E0"):
        assert re.search(rf'href="/tasks\?query=[^"]*{term}[^"]*ended%3A%3E%3D', page), term


def test_filter_and_exact_stay_in_every_link(home: Home, client: FlaskClient) -> None:
    """The whole view is in the address: another window keeps the filter."""
    _work(home)
    page = client.get("/stats?query=engine:tone&exact=1&by=voice").text
    assert re.search(r'href="/stats\?[^"]*query=engine%3Atone[^"]*from=7d', page)
    assert re.search(r'href="/stats\?[^"]*exact=1[^"]*by=worker', page)


def test_axis_ends_at_an_even_number() -> None:
    """Where a value is drawn against, the middle is a whole number too."""
    assert [nice(value) for value in (0, 1, 2, 3, 5, 7, 11, 47, 101, 2001)] == [
        2, 2, 2, 4, 6, 10, 20, 60, 200, 4000,
    ]  # fmt: skip

"""The correlate page: a question that an address keeps, an answer in words, rows behind numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from app.domain.query.amounts import written_moment
from app.domain.query.value import At
from app.service.correlate import analysing
from tests.support import failing_window, recent
from tests.support.documented import web_client
from tests.support.failing_window import FailingWindow, listed, numbers
from tests.support.home import Home
from tests.support.recent import SECOND_US, traffic

HTML = {"Accept": "text/html"}
CHINESE = HTML | {"Accept-Language": "zh-CN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    home: Home
    window: FailingWindow
    client: FlaskClient

    def args(self, **more: str) -> dict[str, str]:
        """The window, as an address says it."""
        moments = {"from": self.window.start, "to": self.window.end}
        return {name: written_moment(At(us=at)) for name, at in moments.items()} | more

    def page(self, **more: str) -> str:
        """The page of a question that its address keeps."""
        answer = self.client.get("/correlate", query_string=self.args(**more), headers=HTML)
        assert answer.status_code == 200, answer.headers.get("Location")
        return answer.text


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Place]:
    """A home with an hour in which w3 fails with amy, and a client of it."""
    with Home.make(tmp_path_factory.mktemp("correlate") / "home") as home:
        window = failing_window.fill(home.core)
        with web_client(home.settings) as client:
            yield _Place(home=home, window=window, client=client)


def test_an_address_without_moments_is_sent_on_to_one_that_keeps_them(place: _Place) -> None:
    """`24h` becomes the moment that it is, in the filters too; that address asks the same again."""
    asked = {"from": "2h", "query": "outcome:failure since:1h", "baseline": "1d"}
    answer = place.client.get("/correlate", query_string=asked, headers=HTML)
    assert answer.status_code == 302
    kept = {
        name: one[0] for name, one in parse_qs(urlsplit(answer.headers["Location"]).query).items()
    }
    assert kept["baseline"] == "1d"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", kept["from"])
    assert re.fullmatch(r"outcome:failure since:20\d\d-\d\d-\d\dT[\d:.]+Z", kept["query"])
    again = place.client.get(answer.headers["Location"], headers=HTML)
    assert again.status_code == 200
    assert "this address keeps the question" in again.text


def test_the_language_of_an_address_is_that_of_where_it_sends_on_to(place: _Place) -> None:
    """A client that keeps no cookies is answered in the language that it asked for."""
    asked = {"from": "2h", "lang": "zh"}
    answer = place.client.get("/correlate", query_string=asked, headers=HTML)
    place.client.delete_cookie("voxtrace_lang")
    again = place.client.get(answer.headers["Location"], headers=HTML)
    place.client.delete_cookie("voxtrace_lang")
    assert (again.status_code, '<html lang="zh-CN"' in again.text) == (200, True)


def test_a_kept_address_tells_the_same_later(place: _Place) -> None:
    """Failures that come after the window change nothing on its page."""
    before = numbers(place.page())
    later = place.window.end + 5 * SECOND_US
    rows = traffic(later, later + 60 * SECOND_US, every_us=SECOND_US)
    recent.put(place.home.core, [row | {"failed": failing_window.GROUP} for row in rows])
    assert numbers(place.page()) == before


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"query": "worker:w3"},
        {"query": "fingerprint:v2:00000000000000aa", "within": "voice:amy"},
        {"outcome": "slow", "quantile": "0.9"},
    ],
    ids=["failures", "worker", "group", "slow"],
)
def test_every_number_opens_so_many_rows(place: _Place, more: dict[str, str]) -> None:
    """Each number that is a link lists exactly as many attempts."""
    page = place.page(**more)
    found = numbers(page)
    assert len(found) >= 10
    for query, n in dict(found).items():
        assert listed(place.client, query) == n, query


@pytest.mark.parametrize("hours", [1, 24])
def test_every_cell_of_workers_and_time_opens_so_many_rows(place: _Place, hours: int) -> None:
    """Of a short window by rows, of a day by the cube: worker, step, how many of how many."""
    start = place.window.end - hours * failing_window.HOUR_US
    page = place.page(**{"from": written_moment(At(us=start))})
    cells = re.findall(
        r'<a href="([^"]*)" tabindex="-1"><title>w(\d), [^<]*: (\d+) of (\d+)<', page
    )
    assert {worker for _, worker, _, _ in cells} >= {"3"}
    for path, worker, selected, _ in cells:
        query = parse_qs(urlsplit(unescape(path)).query)["q"][0]
        assert f"worker:w{worker}" in query
        assert listed(place.client, query) == int(selected), query
    told = numbers(page.partition('id="h-overall"')[0])
    assert sum(int(selected) for _, _, selected, _ in cells) == told[0][1]


def test_the_answer_is_in_words_with_its_boundary(place: _Place) -> None:
    """The predicate, the release that came before, the group, at least three examples."""
    page = unescape(place.page())
    card = page.partition('class="panel found"')[2].partition("</article>")[0]
    assert re.search(r"worker w3", card)
    assert re.search(r"voice amy|amy", card)
    assert "release 1.4.2" in card
    of_group = place.page(query=f"fingerprint:{failing_window.GROUP}")
    assert f'href="/failures/{failing_window.GROUP}"' in of_group
    assert card.count("/correlate/compare?left=") >= 3
    assert re.search("(strong|good) evidence", card)
    assert "since then:" in card
    assert 'class="onset-band"' in page
    assert re.search(r'class="mark-label"[^>]*>1\.4\.2<', page)
    assert re.search(r"3 attempts were left out", page)


def test_the_answer_is_in_chinese_for_who_reads_it(place: _Place) -> None:
    """The same in Chinese."""
    page = place.client.get("/correlate", query_string=place.args(), headers=CHINESE).text
    assert '<html lang="zh-CN"' in page
    card = page.partition('class="panel found"')[2].partition("</article>")[0]
    assert re.search("证据充分|证据较多", card)
    assert re.search("版本 1.4.2", card)
    assert "expected" not in card


def test_a_window_in_which_nothing_stands_out_says_so(place: _Place) -> None:
    """The calm part has no finding; the sentence says that there is nothing."""
    start, end = place.window.start, place.window.began
    moments = {name: written_moment(At(us=at)) for name, at in (("from", start), ("to", end))}
    page = place.client.get("/correlate", query_string=moments, headers=HTML).text
    assert "nothing stands out" in page
    assert 'class="panel found"' not in page


def test_a_window_without_attempts_says_what_to_do(place: _Place) -> None:
    """No attempts at all, or none of these: the words, and other windows."""
    page = place.client.get("/correlate?from=2001-01-01&to=2001-01-02", headers=HTML).text
    assert "No attempt ended here" in page
    page = place.page(query="engine:nobody")
    assert "None of these here" in page


@pytest.mark.parametrize(
    ("args", "field", "says"),
    [
        ({"from": "zzz"}, "from", "It must be so long ago"),
        ({"to": "1999"}, "to", "It must be so long ago"),
        ({"from": "1h", "to": "2h"}, "from", "window is empty"),
        ({"baseline": "2999-01-01"}, "baseline", "past must begin before"),
        ({"query": "engine:tone colour:red"}, "query", "is no filter"),
        ({"within": "colour:red"}, "within", "is no filter"),
        ({"query": "worker:w1", "within": "chars:x"}, "within", "must be a whole number"),
        ({"quantile": "0.9"}, "quantile", "of the slowest only"),
        ({"outcome": "slow", "quantile": "2"}, "quantile", "number from 0.5 to 0.999"),
        ({"outcome": "slow", "query": "worker:w1"}, "query", "leave this empty"),
        ({"within": "is:repeat"}, "within", "left out of both sides"),
    ],
)
def test_what_is_asked_wrongly_is_told_beside_its_field(
    place: _Place, args: dict[str, str], field: str, says: str
) -> None:
    """The field is marked and described by the words, in Chinese too; nothing is answered."""
    answer = place.client.get("/correlate", query_string=args, headers=HTML)
    assert answer.status_code == 400
    marked = re.findall(r'<input[^>]*name="(\w+)"[^>]*aria-invalid="true"', answer.text)
    assert marked == [field]
    told = re.search(rf'id="wrong-{field}".*?</div>', answer.text, re.DOTALL)
    assert told
    assert says in re.sub("<[^>]*>", "", unescape(told[0]))
    assert 'id="h-overall"' not in answer.text
    chinese = place.client.get("/correlate", query_string=args, headers=CHINESE).text
    told = re.search(rf'id="wrong-{field}".*?</div>', chinese, re.DOTALL)
    assert told
    assert re.search("[一-鿿]{3}", told[0])


def test_both_sides_stay_in_the_form(place: _Place) -> None:
    """What is asked stands in the fields, quoted as markup, and the windows at hand keep it."""
    page = place.page(query='worker:"<w 1>"', within="-engine:volc")
    assert 'value="worker:&#34;&lt;w 1&gt;&#34;"' in page
    assert re.search(r'href="/correlate\?from=1h&amp;[^"]*within=-engine%3Avolc', page)


def _long(place: _Place, **more: str) -> str:
    """The address of the analysis of a question that takes long."""
    answer = place.client.get("/correlate", query_string={"from": "3d"} | more, headers=HTML)
    answer = place.client.get(answer.headers["Location"], headers=HTML)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_a_long_question_shows_how_far_it_is_and_then_the_answer(place: _Place) -> None:
    """Its address names the analysis; once the duty has answered it has the answer."""
    path = _long(place)
    page = place.client.get(path, headers=HTML).text
    assert "data-analysis=" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "Waiting for its turn" in page
    assert '<details class="change" data-menu-wide><summary' in page
    assert re.search('role="progressbar" [^>]*aria-valuemax="100" aria-valuenow="0"', page)
    while analysing.work_on_next(place.home.core, "test") is not None:
        pass
    page = place.client.get(path, headers=HTML).text
    assert "data-analysis=" not in page
    assert 'class="panel found"' in page
    chinese = place.client.get(path, headers=CHINESE).text
    assert 'id="found-1">发现 1<' in chinese
    for query, n in numbers(page)[2:6]:
        assert listed(place.client, query) == n, query


def test_a_long_question_can_be_stopped_and_asked_again(place: _Place) -> None:
    """The button cancels it; the page says so, and its link asks the same anew."""
    path = _long(place, query="engine:tone")
    page = place.client.get(path, headers=HTML).text
    form = re.search(r'<form method="post" action="(/correlate/analyses/\d+/cancel)"', page)
    assert form
    answer = place.client.post(form[1], headers=HTML)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    page = place.client.get(path, headers=HTML).text
    assert "It was stopped" in page
    again = re.search(r'class="btn btn-primary" href="(/correlate\?[^"]*)">Ask again', page)
    assert again
    anew = place.client.get(unescape(again[1]), headers=HTML)
    assert anew.status_code == 302
    assert anew.headers["Location"] != path


def test_an_analysis_of_another_question_is_not_shown(place: _Place) -> None:
    """A number that is of another question, or of none, leads to the question's own."""
    other = parse_qs(urlsplit(_long(place, query="engine:volc")).query)["analysis"][0]
    for number in (other, "999999"):
        page = place.client.get(
            "/correlate", query_string=place.args(analysis=number), headers=HTML
        ).text
        assert 'id="h-overall"' in page

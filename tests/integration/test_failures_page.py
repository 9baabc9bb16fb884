"""The pages of failures: groups by state with their rows, one group, what is decided about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app.service import reap, task_list
from app.service.failures import actions
from app.service.findings import watch
from tests.support import failing_window
from tests.support.documented import web_client
from tests.support.failing_window import GROUP, OTHER, listed, numbers
from tests.support.home import Home
from tests.support.recent import SECOND_US
from tests.support.service import spoken, start_worker, submitted

HTML = {"Accept": "text/html"}
CHINESE = HTML | {"Accept-Language": "zh-CN"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    home: Home
    client: FlaskClient

    def page(self, path: str, **args: str) -> str:
        answer = self.client.get(path, query_string=args or None, headers=HTML)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, fingerprint: str, **form: str) -> None:
        answer = self.client.post(f"/failures/{fingerprint}", data=form, headers=HTML)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/failures/{fingerprint}")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Place]:
    """A home in which two groups failed, and a client of it."""
    with Home.make(tmp_path_factory.mktemp("failures") / "home") as home:
        failing_window.fill(home.core)
        with web_client(home.settings) as client:
            yield _Place(home=home, client=client)


def _groups(page: str) -> list[str]:
    return re.findall(r'data-row data-live[^>]*>.*?href="/failures/([^"?]+)', page, re.DOTALL)


def _events(page: str) -> str:
    return page.partition('id="events"')[2].partition("</section>")[0]


@pytest.mark.parametrize("start", ["1h", "24h", "7d"])
def test_every_number_of_the_list_opens_so_many_attempts(place: _Place, start: str) -> None:
    """Each count lists its attempts, repeats too; what did not fail in the window has none."""
    page = place.page("/failures", **{"from": start})
    found = numbers(page)
    assert found
    for query, n in found:
        assert listed(place.client, query) == n, query
    assert set(_groups(page)) == {GROUP, OTHER}


def test_window_tells_how_many_groups_failed_in_it(place: _Place) -> None:
    """Groups that did not are listed, with 0, and not among those that failed."""
    page = unescape(place.page("/failures", **{"from": "2026-01-01", "to": "2026-01-02"}))
    assert "0 failed attempts in 0 groups" in page
    assert set(_groups(page)) == {GROUP, OTHER}


def test_list_is_narrowed_and_ordered_by_its_address(place: _Place) -> None:
    """By a part of the message, by a worker, by order; a chip takes the worker away."""
    assert _groups(place.page("/failures", text="name> in aa")) == [GROUP]
    assert _groups(place.page("/failures", sort="first")) == [GROUP, OTHER]
    assert _groups(place.page("/failures", sort="count", **{"from": "7d"})) == [GROUP, OTHER]
    page = place.page("/failures", worker="w3", **{"from": "1h"})
    assert _groups(page) == [GROUP]
    assert all("worker:w3" in query for query, _ in numbers(page))
    assert re.search(r'class="fchip">.*?>w3<.*?href="/failures\?from=1h"', page, re.DOTALL)
    assert "No group fits" in place.page("/failures", text="no such words")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"state": "nix"}, "must be one of new, ongoing"),
        ({"from": "zzz"}, "must be so long ago"),
        ({"from": "1h", "to": "2h"}, "window is empty"),
        ({"sort": "nix"}, "must be one of last, first"),
        ({"cursor": "!!"}, "is no place that a page"),
    ],
)
def test_what_is_asked_wrongly_is_told(place: _Place, args: dict[str, str], says: str) -> None:
    """No groups, but what is allowed; in Chinese too."""
    answer = place.client.get("/failures", query_string=args, headers=HTML)
    assert answer.status_code == 400
    assert says in unescape(answer.text)
    assert _groups(answer.text) == []
    chinese = place.client.get("/failures", query_string=args, headers=CHINESE).text
    told = re.search('id="fault".*?</div>', chinese, re.DOTALL)
    assert told
    assert re.search("[一-鿿]{3}", told[0])


@pytest.mark.parametrize("start", ["1h", "24h"])
def test_every_number_of_a_group_opens_so_many_attempts(place: _Place, start: str) -> None:
    """Counts, repeats, texts, spreads, bars of time and the dimensions that set it apart."""
    page = place.page(f"/failures/{GROUP}", **{"from": start})
    found = numbers(page)
    assert len(found) >= 15
    for query, n in dict(found).items():
        assert listed(place.client, query) == n, query
    bars = re.findall(r'<a href="(/attempts[^"]*)" tabindex="-1"><title>[^<]*: (\d+)<', page)
    assert bars
    for path, n in bars:
        query = parse_qs(urlsplit(unescape(path)).query)["q"][0]
        assert listed(place.client, query) == int(n), query
    assert sum(int(n) for _, n in bars) == found[0][1]


def test_a_group_says_why_it_is_one_and_what_sets_it_apart(place: _Place) -> None:
    """Template and frames, the finding in words, examples and a success, the whole question."""
    page = unescape(place.page(f"/failures/{GROUP}", **{"from": "1h"}))
    assert "engine_error: no voice of <name> in aa\napp.speech.scripted:speak" in page
    apart = page.partition('id="apart"')[2].partition("</section>")[0]
    assert "worker w3" in apart
    assert 'id="dimension-worker"' in apart
    question = re.search(r'href="(/correlate\?[^"]*)">What do they have in common', page)
    assert question
    kept = parse_qs(urlsplit(question[1]).query)
    assert kept["query"] == [f"fingerprint:{GROUP}"]
    assert place.client.get(question[1], headers=HTML, follow_redirects=True).status_code == 200
    examples = page.partition('id="examples"')[2].partition("</section>")[0]
    for word in ("newest", "first", "slowest", "success"):
        assert f">{word}<" in examples
    compare = re.search(r'href="(/correlate/compare\?[^"]*)"', examples)
    assert compare
    assert place.client.get(compare[1], headers=HTML).status_code == 200
    assert re.search(r'class="mark-label"[^>]*>1\.4\.2<', page)
    chinese = place.client.get(f"/failures/{GROUP}", headers=CHINESE).text
    assert "为何归为一组" in chinese


def test_what_is_decided_is_shown_with_who_and_when(place: _Place) -> None:
    """Resolve, reopen, mute and unmute are forms; each is an event; a muted group is hidden."""
    place.post(OTHER, action="resolve")
    page = place.page(f"/failures/{OTHER}")
    assert 'data-state="resolved"' in page
    assert re.search(r"Resolved[.;]", page)
    assert 'value="reopen"' in page
    assert 'value="resolve"' not in page
    assert _groups(place.page("/failures", state="resolved")) == [OTHER]
    place.post(OTHER, action="reopen")
    assert 'data-state="ongoing"' in place.page(f"/failures/{OTHER}")
    place.post(OTHER, action="mute")
    listing = place.page("/failures")
    assert _groups(listing) == [GROUP]
    assert "1 muted group is hidden" in listing
    assert _groups(place.page("/failures", state="muted")) == [OTHER]
    place.post(OTHER, action="unmute")
    assert set(_groups(place.page("/failures"))) == {GROUP, OTHER}
    events = _events(place.page(f"/failures/{OTHER}"))
    assert re.findall(r"(Unmuted|Muted|Reopened|Resolved)[.;]", events) == [
        *("Unmuted", "Muted", "Reopened", "Resolved"),
    ]


def test_a_decision_leaves_the_window(place: _Place) -> None:
    """The form of a window leads back to that window."""
    path = f"/failures/{OTHER}?from=7d"
    form = re.search(r'<form method="post" action="([^"]*)"', place.page(path))
    assert form
    assert unescape(form[1]) == path
    answer = place.client.post(path, data={"action": "note", "note": "x"}, headers=HTML)
    assert answer.headers["Location"] == path
    place.post(OTHER, action="note", note="")


def test_who_resolved_it_is_told_after_it_is_back(home: Home) -> None:
    """A failure opened it again, not who resolved it; both events tell their release."""
    start_worker(home.core)
    failed = spoken(home.core, "@fail permanent\nOne.", engine="scripted")
    key = str(failed.fingerprint)
    actions.act(home.core, key, actions.done("resolve", {}, by="ann"))
    spoken(home.core, "@fail permanent\nTwo.", engine="scripted")
    with web_client(home.settings) as client:
        page = client.get(f"/failures/{key}", headers=HTML).text
    assert 'data-state="regressed"' in page
    assert re.search(r"<dt>Decided</dt><dd>resolved by ann \(\w+\), ", page)
    release = home.settings.release
    assert f"Seen again after it was resolved, in {release}." in _events(page)
    assert f"Seen for the first time, in {release}." in _events(page)


def test_person_and_note_are_kept_and_never_markup(place: _Place) -> None:
    """What a visitor writes is shown as text, in the form and in the events."""
    place.post(OTHER, action="assign", assignee="Mei <b>")
    place.post(OTHER, action="note", note="look at\n<script>alert(1)</script>")
    page = place.page(f"/failures/{OTHER}")
    assert "for Mei &lt;b&gt;" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Assigned to Mei &lt;b&gt;." in _events(page)
    place.post(OTHER, action="assign", assignee="")
    place.post(OTHER, action="note", note="")
    assert "for Mei" not in place.page(f"/failures/{OTHER}")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"action": "explode"}, "must be one of resolve, reopen"),
        ({"action": "note", "note": "x" * 2001}, "may have 2"),
        ({"action": "assign"}, "needs assignee"),
        ({"action": "resolve", "note": "x"}, "takes no note"),
    ],
)
def test_what_cannot_be_decided_is_told_on_the_page(
    place: _Place, form: dict[str, str], says: str
) -> None:
    """Nothing changes; the page of the group says what is allowed."""
    answer = place.client.post(f"/failures/{GROUP}", data=form, headers=HTML)
    assert answer.status_code == 400
    assert says in unescape(answer.text)
    assert 'id="course"' in answer.text


def test_a_group_that_is_none_is_not_found(place: _Place) -> None:
    """Its page is an error page with words; so are a wrong window's, beside the group."""
    answer = place.client.get("/failures/v2:nothing", headers=HTML)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert "No failure has this fingerprint" in answer.text
    assert "The text or task" not in answer.text
    assert 'class="btn btn-primary" href="/failures"' in answer.text
    answer = place.client.get(f"/failures/{GROUP}?from=zzz", headers=HTML)
    assert answer.status_code == 400
    assert "must be so long ago" in answer.text


def test_open_findings_stand_above_the_groups(place: _Place) -> None:
    """What the watch has found is told in words, and leads to its own window."""
    watch.scan(place.home.core, quiet_us=10 * SECOND_US)
    panel = place.page("/failures").partition('id="findings"')[2].partition("</section>")[0]
    assert "worker w3" in unescape(panel)
    path = re.search(r'href="(/correlate\?[^"]*)"', panel)
    assert path
    answer = place.client.get(unescape(path[1]), headers=HTML, follow_redirects=True)
    assert answer.status_code == 200
    assert 'class="panel found"' in answer.text


def test_numbers_of_other_pages_lead_to_the_groups(place: _Place) -> None:
    """The monitor's success rate, and the statistics of a window, which the groups then have."""
    assert 'class="value" href="/failures"' in place.page("/monitor")
    page = place.page("/stats", **{"from": "2h", "to": "1m"})
    path = re.search(r'href="(/failures\?from=20[^"]*&amp;to=20[^"]*)"', page)
    assert path
    assert _groups(place.page(unescape(path[1])))
    assert re.search(r'href="/correlate\?from=20[^"]*&amp;to=20', page)


def test_nothing_failed_says_what_to_do(home: Home) -> None:
    """An empty home has no groups, and says what comes here."""
    with web_client(home.settings) as client:
        page = client.get("/failures", headers=HTML).text
        assert "No failures" in page
        assert "data-row" not in page.partition("<main")[2]


def test_a_failed_task_leads_to_its_group(home: Home) -> None:
    """From what happened, and from its attempt; tasks that never ran have a group of tasks."""
    start_worker(home.core)
    failed = spoken(home.core, "@fail permanent\nTwo.", engine="scripted")
    waited = submitted(home.core, "Nobody comes.").task
    with home.core.database.write() as conn:
        conn.execute(text("UPDATE task SET give_up_at = 1 WHERE id = :id"), {"id": waited.id})
    reap.reap(home.core)
    with web_client(home.settings) as client:
        page = client.get(f"/tasks/{failed.id}?tab=attempts", headers=HTML).text
        assert page.count(f'href="/failures/{failed.fingerprint}"') == 2
        page = client.get(f"/failures/{failed.fingerprint}", headers=HTML).text
        for_good = re.search(r'failed for good</dt><dd><a[^>]*href="(/tasks[^"]*)">1<', page)
        assert for_good
        assert f'id="task-{failed.id}"' in client.get(unescape(for_good[1]), headers=HTML).text
        with home.core.database.write() as conn:
            conn.execute(text("DELETE FROM task_attempt WHERE task_id = :id"), {"id": failed.id})
        page = client.get(f"/failures/{failed.fingerprint}", headers=HTML).text
        assert "<dt>Ever</dt><dd>1 attempt</dd>" in page  # no link: no row is kept
        path = f"/failures/{task_list.get(home.core, waited.id).fingerprint}"
        page = client.get(path, headers=HTML).text
        rows = re.search(r'href="(/tasks\?query=[^"]*)">1 task<', page)
        assert rows
        assert f'id="task-{waited.id}"' in client.get(unescape(rows[1]), headers=HTML).text
        assert "never had an attempt" in page

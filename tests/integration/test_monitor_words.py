"""What the monitor says in words: what waits for what, which part an alert is of, one judgement."""

import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app import clock
from app.domain.records import DutyRecord
from app.service import cancel, leader, limits
from app.service.neighbours import Neighbour
from app.store import canaries, findings
from app.store.tables import task_table
from app.web.factory import create_app
from tests.support import found
from tests.support.facts import away, neighbours
from tests.support.home import Home
from tests.support.service import spoken, start_worker, submitted

HOLDER = "h/1/x"


@pytest.fixture
def client(home: Home) -> Iterator[FlaskClient]:
    """A client of an application whose duties lead and whose worker lives."""
    home.environ["VOXTRACE_CANARY_MIN"] = "10"
    leader.lead(home.core, HOLDER)
    leader.note_success(home.core, "reaper", HOLDER)
    start_worker(home.core, concurrency=3)
    app = create_app(home.settings, home.core)
    with app.test_client() as made:
        yield made
    app.extensions["voxtrace_tracing"].shutdown()


def _page(client: FlaskClient, path: str = "/monitor?lang=en") -> str:
    return client.get(path, headers={"Accept": "text/html"}).text


def _hold(home: Home, *task_ids: int, reason: str) -> None:
    with home.core.database.write() as conn:
        later = home.core.database.now_us(conn) + 60_000_000
        conn.execute(
            update(task_table)
            .where(task_table.c.id.in_(task_ids))
            .values(wait_reason=reason, not_before=later)
        )


def test_verdict_says_what_texts_wait_for(home: Home, client: FlaskClient) -> None:
    """Not for a slot while slots are free: for room at the engine, for a next try, for a claim."""
    ids = [submitted(home.core, f"Text {n}.").task.id for n in range(4)]
    assert "4 texts are waiting to be taken up." in _page(client)
    _hold(home, *ids, reason="capacity")
    assert "4 texts are waiting for room at the engine." in _page(client)
    _hold(home, ids[0], reason="backoff")
    assert "4 texts are waiting for room at the engine, for their next try." in _page(client)
    assert "4 篇文本在等待引擎的余量，下一次尝试。" in _page(client, "/monitor?lang=zh")


def test_numbers_of_the_success_rate_lead_to_their_texts(home: Home, client: FlaskClient) -> None:
    """Those with audio, those without that have ended, and all of them, each as many as it says."""
    for n in range(2):
        spoken(home.core, f"Spoken {n}.")
    spoken(home.core, "@fail permanent no", engine="scripted")
    cancel.cancel_text(home.core, submitted(home.core, "Taken back.").text.id)
    submitted(home.core, "It waits.")
    page = _page(client)
    links = re.findall(r'<a class="link" href="(/[^"]*)">(\d+)[^<]*</a>', page)
    told = {unescape(path): int(number) for path, number in links if path.startswith("/?")}
    assert told == {"/?status=completed": 2, "/?status=failed,timeout,cancelled": 2}
    assert '<a class="link" href="/">5</a> texts have audio' in page
    for path, number in [*told.items(), ("/", 5)]:
        assert _page(client, path).count('<li id="text-') == number


def test_a_limit_of_nothing_is_no_missing_worker(home: Home, client: FlaskClient) -> None:
    """With a limit of 0 and a living worker texts wait for a slot; no worker is said to be gone."""
    submitted(home.core, "A text.")
    limits.set_max_concurrent(home.core, 0)
    page = _page(client)
    assert "1 text is waiting for a slot." in page
    assert "no worker is running" not in page


def test_an_alert_is_labelled_with_its_part(home: Home, client: FlaskClient) -> None:
    """Two alerts of one area can be told apart, and the canary's says what did not come through."""
    with home.core.database.write() as conn:
        canaries.insert_canary(
            conn,
            {
                "started_at": 1,
                "stage": "queue",
                "finished_at": home.core.database.now_us(conn),
                "is_ok": False,
                "cause": "unclaimed",
                "detail": "queued for 60 s: none took it",
            },
        )
    _told(home, neighbours(jaeger=_gone()))
    page = _page(client)
    alerts = page[page.index('id="alerts"') : page.index('id="tiles"')]
    for label in ("Canary", "Jaeger"):
        assert f'<span class="what">{label}</span>' in alerts
    assert "The canary, a short text of our own, did not come through" in alerts


@pytest.mark.parametrize("path", ["/monitor?lang=en", "/system?lang=en"])
def test_one_cause_has_one_judgement(home: Home, client: FlaskClient, path: str) -> None:
    """A look-up that fails since Jaeger is away is grey in the list of duties, as in the checks."""
    _told(home, neighbours(jaeger=_gone()))
    for _ in range(4):
        leader.note_failure(home.core, "look-up", HOLDER, "VoxtraceError: no answer")
    page = _page(client, path)
    assert "failed 4 times" not in page
    assert "waits for Jaeger" in page
    lists = page[page.index('id="holders"' if "system" in path else 'id="monitoring"') :]
    line = next(one for one in lists.split("<li ") if "Trace look-up" in one)
    assert line.startswith('data-level="unknown"')


def _gone() -> Neighbour:
    now = clock.now_us()
    return away("http://j", at=now, since=now - 60_000_000)


def _told(home: Home, duty: DutyRecord) -> None:
    """The duty's row, with every neighbour asked a moment ago."""
    state = json.loads(duty.state)
    for name in ("web", "collector", "jaeger"):
        state[name]["at"] = clock.now_us()
    leader.note_success(home.core, duty.name, HOLDER, json.dumps(state))


def test_open_findings_are_told_in_a_sentence(home: Home, client: FlaskClient) -> None:
    """With a way to what the scan saw; verdict and chip say so; where none is, it is hidden."""
    page = _page(client)
    assert (
        '<section class="panel" id="findings" data-live aria-labelledby="h-findings" hidden>'
        in page
    )
    row = found.opened(home.core, {"worker": "w3", "voice": "amy"})
    page = _page(client)
    part = page[page.index('id="findings"') : page.index('id="tiles"')]
    assert "Voice amy on worker w3 fails 40 of 50 (expected 1); 80 % of all failures" in (
        unescape(part).replace("\u202f", " ")
    )
    window = json.loads(row.answer)["window"]
    [path] = re.findall(r'href="(/correlate\?[^"]*)"', part)
    assert parse_qs(urlsplit(unescape(path)).query) == {key: [at] for key, at in window.items()}
    verdict = page[page.index('id="verdict"') : page.index('id="findings"')]
    assert "Failures have something in common." in verdict
    assert 'href="/monitor#tasks" data-level="warn"' in page
    assert '<span class="what">Findings</span>' not in page, "they have a list of their own"
    chinese = _page(client, "/monitor?lang=zh")
    assert "失败之间有 1 处共同点。" in chinese
    assert "合成进程 w3 上的声音 amy" in chinese
    found.closed(home.core, row)
    assert "worker w3" not in _page(client)


def test_a_muted_finding_is_shown_and_alarms_nobody(home: Home, client: FlaskClient) -> None:
    """It says that it is muted, comes after the others, and the verdict leaves it out."""
    found.opened(home.core, {"worker": "w3"})
    found.opened(home.core, {"worker": "w4"}, is_muted=True)
    page = _page(client)
    part = page[page.index('id="findings"') : page.index('id="tiles"')]
    assert part.index("orker w3") < part.index("orker w4")
    assert part.count('<span class="tag">muted</span>') == 1
    assert 'data-level="unknown"' in part[part.index("finding-2") :]
    assert "Failures have something in common." in page
    with home.core.database.write() as conn:
        findings.change(conn, 1, {"is_muted": True})
    page = _page(client)
    assert "in common." not in page
    assert '<span class="tag">已静音</span>' in _page(client, "/monitor?lang=zh")

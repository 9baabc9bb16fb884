"""Long questions: asked, joined, worked on by a duty, cancelled, begun again after a kill."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from app import clock
from app.domain.errors import AskedError, ConflictError
from app.duties.analyst import Analyst
from app.service.correlate import analyses, analysing, answering, shape
from app.service.correlate.analyses import Analysis
from app.service.correlate.question import SETTLE_US, asked
from app.service.correlate.words import Reader
from app.store import analyses as rows
from tests.conftest import KINDS, database_url
from tests.support import caused_failures
from tests.support.caused_failures import DAY_US, NOW_US, Numbers
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home, terminate
from tests.support.wait import wait_until

if TYPE_CHECKING:
    from pathlib import Path

_ASKED = {"from": clock.iso(NOW_US - 4 * DAY_US), "to": clock.iso(NOW_US), "baseline": "3d"}


@pytest.fixture(scope="module", params=KINDS)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home with a cause among its attempts, on a database of each kind."""
    path: Path = tmp_path_factory.mktemp("analyses")
    with Home.make(path / "home", database_url(request.param, path)) as made:
        with made.core.database.write() as conn:
            caused_failures.fill(conn, Numbers(before=500, day=800, last=120))
        yield made


@pytest.fixture
def home(filled: Home) -> Home:
    """The same, without any analysis."""
    with filled.core.database.write() as conn:
        conn.execute(text("DELETE FROM analysis"))
    return filled


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of the application, whose answers are held against the OpenAPI document."""
    with web_client(home.settings) as made:
        yield made


def _ask(client: DocumentedClient, **query: str) -> Any:
    answer = client.get("/api/v1/correlate", query_string=_ASKED | query)
    assert answer.status_code == 202, answer.text
    assert answer.json is not None
    assert answer.headers["Location"] == answer.json["url"]
    assert answer.headers["Retry-After"] == "1"
    return answer.json


def _held(home: Home, holder: str) -> Analysis | None:
    """Takes the next analysis, as a process that is killed then."""
    return home.core.database.run(lambda conn: analysing.take(home.core, conn, holder))


def test_long_question_is_answered_by_the_duty(home: Home, client: DocumentedClient) -> None:
    """202 with a place; the duty answers what the same look does; words in the asked language."""
    waiting = _ask(client)
    assert (waiting["state"], waiting["answer"], waiting["progress_ratio"]) == ("waiting", None, 0)
    assert waiting["question"] == _ASKED
    duty = Analyst(home.core, "here")
    duty.step()
    done = client.get(waiting["url"], query_string={"lang": "zh"}).json
    assert done is not None
    assert (done["state"], done["progress_ratio"], done["error"]) == ("done", 1, None)
    with home.core.database.read() as conn:
        question = asked(_ASKED).at(NOW_US + SETTLE_US)
        found = answering.look(home.core, conn, question, NOW_US)
    expected = shape.answer(found, Reader(lang="zh", now_us=NOW_US))
    assert _without_time(done["answer"]) == _without_time(expected)
    assert [one["name"] for one in done["answer"]["dimensions"]].count("hour") == 1
    assert json.loads(duty.state()) == {"analyses": 1, "last": waiting["id"]}
    assert duty.step() > 0.5


def _without_time(answer: Any) -> Any:
    """What was found: how long it took, and which day it was then, aside."""
    found = {name: value for name, value in answer.items() if name not in {"took_ms", "overall"}}
    numbers = ("n", "observed", "expected", "where", "onset", "exemplars", "q")
    found["findings"] = [{name: one[name] for name in numbers} for one in answer["findings"]]
    return found


def test_same_question_is_joined_while_it_is_fresh(home: Home, client: DocumentedClient) -> None:
    """Who asks the same within five minutes gets the same analysis, done or not; others do not."""
    first = _ask(client)
    assert _ask(client, lang="zh")["id"] == first["id"]
    assert _ask(client, within="engine:volc")["id"] != first["id"]
    Analyst(home.core, "here").step()
    assert _ask(client)["state"] == "done"
    with home.core.database.write() as conn:
        conn.execute(text("UPDATE analysis SET asked_at = asked_at - 300000001"))
    assert _ask(client)["id"] != first["id"]


def test_cancelled_analysis_stays_cancelled(home: Home, client: DocumentedClient) -> None:
    """DELETE cancels what waits or runs; nobody answers it, and it is asked anew."""
    waiting = _ask(client)
    assert client.delete(waiting["url"]).json == waiting | {
        "state": "cancelled",
        "finished_at": client.get(waiting["url"]).json["finished_at"],  # type: ignore[index]
    }
    assert client.delete(waiting["url"]).status_code == 200
    assert Analyst(home.core, "here").step() > 0.5
    again = _ask(client)
    assert again["id"] != waiting["id"]
    Analyst(home.core, "here").step()
    assert client.delete(again["url"]).status_code == 409
    assert client.get("/api/v1/correlate/analyses/4711").status_code == 404
    assert client.delete("/api/v1/correlate/analyses/4711").status_code == 404


def test_running_analysis_stops_when_it_is_cancelled(home: Home) -> None:
    """Who works on it learns it when it tells how far it is, and writes no answer."""
    asked_for = analyses.ask(home.core, asked(_ASKED))
    held = _held(home, "here")
    assert held is not None
    analyses.cancel(home.core, asked_for.id)
    with pytest.raises(analysing.StoppedError):
        analysing.answer(home.core, held)
    with home.core.database.write() as conn:
        assert not rows.finish(conn, held, now=1, answer="{}")
    assert analyses.get(home.core, asked_for.id).state == "cancelled"


def test_progress_is_told_while_it_runs(home: Home, client: DocumentedClient) -> None:
    """What is asked meanwhile says the phase, and how far it is."""
    waiting = _ask(client)
    held = _held(home, "here")
    assert held is not None
    with home.core.database.write() as conn:
        rows.go_on(conn, held, phase="scanning", permille=600, lease_until=2**60)
    told = client.get(waiting["url"]).json
    assert told is not None
    assert (told["state"], told["phase"], told["progress_ratio"]) == ("running", "scanning", 0.6)


def test_what_a_killed_process_left_is_begun_again_thrice(home: Home) -> None:
    """Another holder takes it at once; the first writes nothing any more; the fourth gives up."""
    asked_for = analyses.ask(home.core, asked(_ASKED))
    lost = [_held(home, f"dead {number}") for number in range(3)]
    assert [one and one.starts for one in lost] == [1, 2, 3]
    with home.core.database.write() as conn:
        assert lost[0] is not None
        assert not rows.go_on(conn, lost[0], phase="looking", permille=1, lease_until=2**60)
    Analyst(home.core, "here").step()
    found = analyses.get(home.core, asked_for.id)
    assert found.state == "failed"
    assert found.error is not None
    assert "begun 3 times" in found.error


def test_too_many_and_wrong_ones_are_refused(home: Home) -> None:
    """The twenty-first that waits is a conflict; what cannot be asked is no analysis."""
    for number in range(analyses.MAX_OPEN):
        analyses.ask(home.core, asked(_ASKED | {"within": f"worker:w{number}"}))
    with pytest.raises(ConflictError, match="20 analyses wait or run already"):
        analyses.ask(home.core, asked(_ASKED))
    with pytest.raises(AskedError, match="from must be before to"):
        analyses.ask(home.core, asked({"from": "2026-01-02", "to": "2026-01-01"}))


def test_many_rows_are_an_analysis(
    client: DocumentedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short window of which too many rows would be read is answered by the duty, too."""
    window = {"from": clock.iso(NOW_US - DAY_US), "query": "error:quota"}
    assert client.get("/api/v1/correlate", query_string=_ASKED | window).status_code == 200
    monkeypatch.setattr(analyses, "MAX_ROWS", 100)
    _ask(client, **window)
    by_cube = {"from": window["from"]}
    assert client.get("/api/v1/correlate", query_string=_ASKED | by_cube).status_code == 200


def test_duties_program_answers_what_a_killed_one_left(home: Home) -> None:
    """A real duties process takes an analysis that a dead holder has begun, and ends when told."""
    if not home.core.database.is_sqlite:
        pytest.skip("one database is enough for a program that starts")
    asked_for = analyses.ask(home.core, asked(_ASKED))
    assert _held(home, "dead") is not None
    program = home.start_duties()
    wait_until(lambda: analyses.get(home.core, asked_for.id).state == "done", 30, what="the answer")
    assert analyses.get(home.core, asked_for.id).starts == 2
    assert terminate(program) == 0  # other tests answer on this home themselves

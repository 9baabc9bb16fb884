"""Health: one list of parts for all who ask, and who is told how much of it."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app import clock
from app.duties.neighbours import Neighbours
from app.service import duty_state, leader
from app.service.checks import check_host
from app.service.checks.check import REQUIRED
from app.service.checks.checks import AREAS
from app.service.health import HealthProbe
from app.store import canaries
from app.store.database import Database
from app.web import state
from app.web.factory import create_app
from telemetry.export import ExportSettings
from tests.support.documented import DocumentedClient, web_client
from tests.support.facts import NOW, away, neighbours
from tests.support.home import Home
from tests.support.otlp_receiver import Answer, OtlpReceiver
from tests.support.service import start_worker

HOLDER = "h/1/x"
TOKEN = "a-secret-token-of-tests"  # noqa: S105 - of this test
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NAMES = [name for names in AREAS.values() for name in names]


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of an application without a token."""
    with web_client(home.settings) as made:
        yield made


def _run(home: Home) -> None:
    """A worker and a leading duties process, as rows."""
    start_worker(home.core)
    leader.lead(home.core, HOLDER)
    leader.note_success(home.core, "reaper", HOLDER)


def test_ready_says_which_part_is_not(home: Home, client: DocumentedClient) -> None:
    """Without a worker and duties the service is not ready, and says what to start."""
    assert client.get("/healthz").json == {"ok": True}
    answer = client.get("/readyz")
    told = answer.json or {}
    assert (answer.status_code, told["ready"], told["well"]) == (503, False, False)
    bad = {name: one["fix"] for name, one in told["checks"].items() if not one["ok"]}
    assert set(bad) == {"workers", "duties", "reaper"}
    assert "voxtrace worker" in bad["workers"]
    assert "voxtrace duties" in bad["duties"]
    assert {name for name, one in told["checks"].items() if one["required"]} == REQUIRED
    _run(home)
    with web_client(home.settings) as another:
        answer = another.get("/readyz")
        assert (answer.status_code, (answer.json or {})["ready"]) == (200, True)


def test_everyone_is_told_the_same_parts(home: Home, client: DocumentedClient) -> None:
    """/readyz, /healthz?full=1, /api/v1/health and `doctor` have one list, in one order."""
    _run(home)
    asked = ("/readyz", "/healthz?full=1", "/api/v1/health")
    lists = [(client.get(path).json or {})["checks"] for path in asked]
    doctor = json.loads(home.run("doctor", "--json").stdout)
    for found in [*lists, {name: doctor[name] for name in doctor if name in NAMES}]:
        assert list(found) == NAMES
        assert {name: one["level"] for name, one in found.items()} == {
            name: one["level"] for name, one in lists[0].items()
        }
    beside = {"engine tone", "engine scripted", "export", "leftovers"}
    assert set(doctor) - set(NAMES) == beside


def test_everyone_is_told_the_last_canary_and_its_age(home: Home) -> None:
    """A canary that came through 90 s ago: both addresses, the page and `doctor` say so."""
    home.environ["VOXTRACE_CANARY_MIN"] = "10"
    _run(home)
    leader.note_success(home.core, "canary", HOLDER)
    core = home.core
    with core.database.write() as conn:
        then = core.database.now_us(conn) - 90_000_000
        ended = {"stage": "done", "finished_at": then, "is_ok": True, "cause": "found"}
        canaries.insert_canary(conn, {**ended, "started_at": then - 500_000, "detail": "found"})
    with web_client(home.settings) as client:
        for path in ("/readyz", "/healthz?full=1"):
            told = (client.get(path).json or {})["checks"]["canary"]
            assert told["level"] == "ok", told
            assert 90 <= told["age_s"] < 150
        page = client.get("/system", headers={"Accept-Language": "en"}).text
    shown = re.sub(r"<[^>]+>", " ", page[page.index('id="part-canary"') :])
    assert re.search(r"came through in 0\.5 s.* (1 min|9\d s)", shown[:400], re.DOTALL), shown[:400]
    assert re.search(r"ok +canary +came through in 0\.5 s: found \(.*(min|s) ago\)", _doctor(home))


def _doctor(home: Home) -> str:
    return str(home.run("doctor").stdout)


def test_a_jaeger_that_is_away_takes_nobody_out(home: Home) -> None:
    """It is bad, and named by `full`; but who balances the load is told that the web can work."""
    _run(home)
    found = neighbours(jaeger=away("http://jaeger", since=NOW, at=clock.now_us()))
    leader.note_success(home.core, found.name, HOLDER, found.state)
    with web_client(home.settings) as client:
        assert client.get("/readyz").status_code == 200
        full = client.get("/healthz?full=1")
    assert full.status_code == 503
    jaeger = (full.json or {})["checks"]["jaeger"]
    assert (jaeger["ok"], jaeger["required"]) == (False, False)
    assert "connection refused" in jaeger["detail"]
    assert jaeger["since"].startswith("2026-")
    done = home.run("doctor")
    assert done.returncode == 1
    assert "BAD  jaeger " in done.stdout
    assert "     -> start it: `jaeger" in done.stdout


def test_who_shows_no_token_is_told_no_names_of_hosts(home: Home) -> None:
    """/healthz is for all, `full` is not; /readyz tells levels, and the rest with the token."""
    _run(home)
    home.environ["VOXTRACE_API_TOKEN"] = TOKEN
    with web_client(home.settings) as client:
        assert client.get("/healthz").json == {"ok": True}
        assert client.get("/healthz?full=1").status_code == 401
        assert client.get("/healthz?full=1", headers=BEARER).status_code == 200
        assert client.get("/healthz?full=2", headers=BEARER).status_code == 400
        bare = (client.get("/readyz").json or {})["checks"]
        told = (client.get("/readyz", headers=BEARER).json or {})["checks"]
    assert all(set(one) == {"ok", "level", "required"} for one in bare.values())
    assert told["duties"]["detail"] == "led by h"


def test_a_locked_database_is_named_and_the_process_still_answers(home: Home) -> None:
    """The write is refused and said to be; what reads goes on being told."""
    _run(home)
    core = replace(home.core, database=Database(home.settings.database_url, role="hub"))
    app = create_app(home.settings, core)
    with app.test_client() as client, home.core.database.write():
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
    state.end(state.of(app))
    checks = (answer.json or {})["checks"]
    assert answer.status_code == 503
    assert [name for name, one in checks.items() if not one["ok"]] == ["database"]
    assert "locked" in checks["database"]["detail"]
    assert "fuser" in checks["database"]["fix"]


def test_a_database_that_is_gone_leaves_nothing_said_to_be_well(home: Home) -> None:
    """What only rows can tell is not known then; each such part says so."""
    missing = Database("postgresql+psycopg://nobody@/none?host=/nowhere", role="hub")
    found = HealthProbe(replace(home.core, database=missing)).read()
    missing.close()
    levels = {name: one.level for name, one in found.checks.items()}
    assert {levels[name] for name in AREAS["work"] + AREAS["watch"]} == {"unknown"}
    assert (levels["database"], levels["schema"], levels["clock"]) == ("bad", "bad", "unknown")
    assert not found.is_ready
    assert "wal" not in levels, "that is SQLite's"


def test_system_page_names_a_database_that_is_gone(home: Home) -> None:
    """The page that tells what is wrong does not need the database to tell it."""
    missing = Database("postgresql+psycopg://nobody@/none?host=/nowhere", role="hub")
    app = create_app(home.settings, replace(home.core, database=missing))
    with app.test_client() as client:
        answer = client.get("/system", headers={"Accept": "text/html"})
    state.end(state.of(app))
    assert answer.status_code == 200
    assert 'id="part-database" data-live data-level="bad"' in answer.text
    assert "VOXTRACE_DATABASE_URL leads to it" in answer.text


def test_what_is_not_well_is_dated_from_its_first_sight(home: Home) -> None:
    """A part whose maker knows no moment has that at which it was first seen so, and keeps it."""
    _run(home)
    probe = HealthProbe(home.core)
    audio = home.settings.home / "audio"
    audio.rename(home.settings.home / "elsewhere")
    audio.write_text("a file where the folder should be")
    first = probe.read()
    probe._kept_until_s = 0.0  # noqa: SLF001 - asks again without waiting a second
    again = probe.read()
    assert (first.checks["storage"].level, first.is_ready) == ("bad", False)
    assert first.checks["storage"].since == first.now
    assert again.checks["storage"].since == first.now < again.now


def test_clocks_are_compared(any_home: Home) -> None:
    """This host's clock and the database's are the same machine's here."""
    check = check_host.clocks(any_home.core)
    assert check.level == "ok"
    assert abs(float(check.facts["apart_ms"] or 0)) < 500


def test_a_log_that_grows_is_told(home: Home, tmp_path: Path) -> None:
    """SQLite's write-ahead log is measured; PostgreSQL has none of ours."""
    check = check_host.wal(home.core)
    assert check is not None
    assert check.level == "ok"
    grown = tmp_path / "grown.db"
    core = replace(home.core, database=Database(f"sqlite:///{grown}", role="cli"))
    with Path(f"{grown}-wal").open("wb") as file:
        os.truncate(file.fileno(), 300_000_000)
    check = check_host.wal(core)
    assert check is not None
    assert (check.level, check.said.en) == ("warn", "write-ahead log of 300.0 MB")


def test_neighbours_are_asked_and_since_when_survives(home: Home) -> None:
    """A collector that answers, goes, refuses, and comes back; a new leader keeps the moment."""
    core = home.core
    with OtlpReceiver() as receiver:
        export = ExportSettings(endpoint=receiver.url)
        duty = Neighbours(core, export)
        duty.step()
        seen = json.loads(duty.state())
        assert (seen["collector"]["failures"], seen["collector"]["address"]) == (0, receiver.url)
        assert seen["web"]["answered_at"] is None
        assert seen["jaeger"] is None
        receiver.stop()
        duty.step()
        duty.step()
        leader.note_success(core, duty.name, HOLDER, duty.state())
        first = duty_state.read(core, duty.name)["collector"]
        assert (first["failures"], first["words"]) == (
            2,
            "ConnectionError (Connection refused)",
        )
        other = Neighbours(core, export)
        other.step()
        later = json.loads(other.state())["collector"]
        assert (later["failures"], later["since"]) == (3, first["since"])
        receiver.start()
        receiver.script(Answer(status=401, message="who are you"))
        other.step()
        refused = json.loads(other.state())["collector"]
        assert refused["words"].startswith("401")
        other.step()
        back = json.loads(other.state())["collector"]
        assert (back["failures"], back["since"], back["words"]) == (0, None, "")

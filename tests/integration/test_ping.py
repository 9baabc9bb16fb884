"""The ping: called while all is well, silent while it is not, and its address never told."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import clock
from app.domain.errors import ConfigError
from app.duties.ping import AGAIN_S, HELD_S, ROUND_S, Ping
from app.logs.setup import QUIET
from app.service import calling, duty_state, leader, ping, public_settings
from app.service.canaries import canary
from app.service.canaries.canary import Watch
from app.service.core import Core
from app.service.health import HealthProbe
from app.service.watch import OutboxGauge
from app.store import workers
from tests.support.home import Home
from tests.support.ping_place import PingPlace
from tests.support.service import claimed, run, start_worker
from tests.support.wait import wait_until

HOLDER = "h/1/x"


@pytest.fixture
def place() -> Iterator[PingPlace]:
    """A place that answers 200."""
    with PingPlace() as made:
        yield made


def _well(home: Home, url: str) -> Core:
    """A core on which everything that is required is well."""
    home.environ |= {"VOXTRACE_PING_URL": url}
    core = home.core
    leader.lead(core, HOLDER)
    leader.note_success(core, "reaper", HOLDER)
    return core


def _state(duty: Ping) -> dict[str, object]:
    found: dict[str, object] = json.loads(duty.state())
    return found


def test_it_is_called_while_all_is_well(home: Home, place: PingPlace) -> None:
    """A GET of the very address, each minute, without cookies or credentials of ours."""
    core = _well(home, place.url)
    start_worker(core)
    duty = Ping(core, OutboxGauge(core), exports=False)
    assert duty.step() == ROUND_S
    assert place.calls == ["/a-secret-path/?key=secret"]
    assert not {"authorization", "cookie"} & set(place.headers)
    assert isinstance(_state(duty)["accepted_at"], int)


def test_it_is_silent_while_something_is_not_well(home: Home, place: PingPlace) -> None:
    """Without a worker nothing is called, and its row says for whose sake."""
    core = _well(home, place.url)
    duty = Ping(core, OutboxGauge(core), exports=False)
    assert duty.step() == HELD_S
    assert (place.calls, _state(duty)["held_by"]) == ([], ["workers"])
    start_worker(core)
    duty = Ping(core, OutboxGauge(core), exports=False)
    duty.step()
    assert len(place.calls) == 1


def test_a_canary_that_failed_holds_it(home: Home, place: PingPlace) -> None:
    """Until one comes through nothing is called, though every process lives."""
    home.environ["VOXTRACE_CANARY_MIN"] = "10"
    core = _well(home, place.url)
    worker = start_worker(core)
    duty = Ping(core, OutboxGauge(core), exports=False)
    assert duty.step() == HELD_S, "none has come through yet"
    canary.begin(core)
    watch = Watch(exports=False, jaeger=None)
    row, _ = canary.newest(core)
    assert row is not None
    run(core, claimed(core, worker))
    canary.look(core, row, watch)
    row, _ = canary.newest(core)
    assert row is not None
    canary.look(core, row, watch)
    assert Ping(core, OutboxGauge(core), exports=False).step() == ROUND_S
    assert len(place.calls) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "it answers 404 Not Found"),
        (503, "it answers 503 Service Unavailable"),
        (301, "it answers 301, a redirect: set the address that it leads to"),
        (0, "no answer: "),
    ],
)
def test_what_goes_wrong_is_told_without_the_address(
    home: Home, place: PingPlace, caplog: pytest.LogCaptureFixture, status: int, words: str
) -> None:
    """It is tried again soon; row, log and health name the fault, and never the secret."""
    core = _well(home, place.url)
    start_worker(core)
    place.status = status
    duty = Ping(core, OutboxGauge(core), exports=False)
    with caplog.at_level(logging.DEBUG):
        assert duty.step() == AGAIN_S
    assert str(_state(duty)["error"]).startswith(words)
    assert place.calls == ["/a-secret-path/?key=secret"], "a redirect is not followed"
    leader.note_success(core, duty.name, HOLDER, duty.state())
    check = HealthProbe(core).read().checks["ping"]
    assert (check.level, words in check.said.en) == ("bad", True)
    told = duty.state() + check.said.en + check.fix.en + check.said.zh
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("app.")]
    assert "secret" not in told + "".join(ours)


def test_nobody_there_is_told(home: Home) -> None:
    """A place that is gone is no fault of ours, and is named."""
    with PingPlace() as place:
        url = place.url
    core = _well(home, url)
    start_worker(core)
    duty = Ping(core, OutboxGauge(core), exports=False)
    assert duty.step() == AGAIN_S
    assert str(_state(duty)["error"]).startswith("no answer: ConnectionError (Connection refused")


def test_an_answer_that_never_ends_is_cut(
    place: PingPlace, caplog: pytest.LogCaptureFixture
) -> None:
    """Byte after byte renews the wait for the next one; the call as a whole is over in time."""
    place.drips_s = 0.05
    begun_s = clock.monotonic_s()
    assert ping.call(place.url, within_s=0.5) == "no answer: it was not over after 0.5 s"
    assert clock.monotonic_s() - begun_s < calling.TIMEOUT_S / 2
    telling = [one for one in caplog.records if "secret" in one.getMessage()]
    assert all(one.levelno < QUIET.get(one.name, 0) for one in telling), "kept out of the log"


def test_a_slow_ping_holds_no_other_watch(home: Home, place: PingPlace) -> None:
    """While a call of the ping hangs, the neighbours are asked as often as ever."""
    place.drips_s = 0.1
    home.environ |= {"VOXTRACE_PING_URL": place.url}
    core = home.core
    start_worker(core, concurrency=1)

    def asked_at() -> int:
        found = duty_state.read(core, "neighbours").get("web")
        return int(found["at"]) if found else 0

    def is_called() -> bool:
        with core.database.write() as conn:
            for worker in workers.live(conn):
                workers.beat(conn, worker.id, core.database.now_us(conn))
        return bool(place.calls)

    duties = home.start("duties")
    wait_until(is_called, 30, what="the ping is called")
    first_at = asked_at()
    soon_s = calling.TOTAL_S - 2
    wait_until(lambda: asked_at() > first_at, soon_s, what="neighbours are asked again")
    assert "secret" not in duties.output()


def test_a_new_leader_knows_when_it_was_heard_last(home: Home, place: PingPlace) -> None:
    """The age of the last accepted call survives the process that made it."""
    core = _well(home, place.url)
    start_worker(core)
    first = Ping(core, OutboxGauge(core), exports=False)
    first.step()
    leader.note_success(core, first.name, HOLDER, first.state())
    place.status = 500
    second = Ping(core, OutboxGauge(core), exports=False)
    second.step()
    assert _state(second)["accepted_at"] == _state(first)["accepted_at"]


@pytest.mark.parametrize(
    "url",
    ["ftp://x/y", "http://:80", "https://host:0/", "http://host:x/", "http://h/a b", "http://h/#a"],
)
def test_a_wrong_address_ends_the_start(tmp_path: Path, url: str) -> None:
    """What is no address is refused, and is not shown: it may hold the secret all the same."""
    home = Home(tmp_path, {"VOXTRACE_HOME": str(tmp_path), "VOXTRACE_PING_URL": url})
    with pytest.raises(ConfigError) as refused:
        _ = home.settings
    assert refused.value.problems[0].startswith("VOXTRACE_PING_URL must be an http:// or https://")
    assert url not in refused.value.problems[0]


def test_the_address_is_shown_nowhere(home: Home, place: PingPlace) -> None:
    """The public settings say that it is set, and no more; its last slash is kept."""
    core = _well(home, f"{place.url}/")
    shown = {one.name: one.value for one in public_settings.of(core)}
    assert shown["VOXTRACE_PING_URL"] == "set"
    assert core.settings.ping_url == f"{place.url}/"

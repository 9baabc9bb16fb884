"""Findings do not come and go: hours of traffic looked at again and again, told as few times."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.finding import FindingRecord
from app.service.core import Core
from app.service.findings import watch
from app.store import failure_groups, findings, webhook_deliveries
from tests.conftest import database_url
from tests.support import recent
from tests.support.home import Home
from tests.support.recent import MINUTE_US

GROUP, OTHER = "v2:00000000000000aa", "v2:00000000000000bb"
#: Somewhere in the past, so that every moment of a story has been.
START_US = 1_780_000_000_000_000
EVERY_MIN = 5
Row = dict[str, Any]
#: With what an attempt of a minute fails; None: it completes.
Fails = Callable[[random.Random, Row, float], str | None]


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """One database for all stories."""
    path = tmp_path_factory.mktemp("steady")
    url = database_url("sqlite", path)
    hook = {"VOXTRACE_WEBHOOK_URL": "http://127.0.0.1:9/", "VOXTRACE_WEBHOOK_SECRET": "s" * 16}
    with Home.make(path / "home", url, **hook) as home:
        recent.begin(home.core)
        yield home.core


def _row(dice: random.Random, at: int) -> Row:
    return {
        "at": at,
        "worker": f"w{dice.randint(1, 4)}",
        "voice": dice.choice(("amy", "bob", "cleo")),
    }


def _begin(core: Core) -> random.Random:
    """An empty past but for some days of attempts, of which one in fifty fails."""
    dice = random.Random(7)  # noqa: S311 - the same story each time
    with core.database.write() as conn:
        for table in ("webhook_delivery", "finding", "failure_group", "task_attempt",
                      "stat_attempt"):  # fmt: skip
            conn.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of this test
    rows = [_row(dice, START_US - (n + 13) * 5 * MINUTE_US) for n in range(600)]
    recent.put(
        core, [row | ({"failed": OTHER} if n % 50 == 0 else {}) for n, row in enumerate(rows)]
    )
    return dice


def _tell(
    core: Core, fails: Fails, *, minutes: int, per_minute: int = 6, every: int = EVERY_MIN
) -> list[tuple[int, str, FindingRecord]]:
    """What opened and closed in some hours, in minutes."""
    dice = _begin(core)
    told: list[tuple[int, str, FindingRecord]] = []
    for minute in range(0, minutes, every):
        rows = []
        for n in range(every * per_minute):
            row = _row(dice, START_US + minute * MINUTE_US + n * MINUTE_US // per_minute)
            bad = fails(dice, row, minute + n / per_minute)
            rows.append(row if bad is None else row | {"failed": bad})
        recent.put(core, rows)
        end = minute + every
        found = watch.scan(core, quiet_us=every * MINUTE_US, at=START_US + end * MINUTE_US)
        told += [(end, "opened", row) for row in found.opened]
        told += [(end, "closed", row) for row in found.closed]
    return told


def _said(told: list[tuple[int, str, FindingRecord]]) -> list[tuple[str, dict[str, str]]]:
    return [(what, row.where) for _, what, row in told]


def _stray(dice: random.Random) -> str | None:
    return OTHER if dice.random() < 0.02 else None


W3 = {"worker": "w3"}


def test_steady_failures_are_one_finding_and_nothing_after_them(core: Core) -> None:
    """Three of ten on one worker for an hour and a half: opened once, closed once.

    It may begin as a rise of everything: whose it is shows later, and that is the same finding.
    What the hour still shows of it after its end, of that worker or of all, tells nothing new.
    """

    def fails(dice: random.Random, row: Row, minute: float) -> str | None:
        is_bad = 20 < minute < 110 and row["worker"] == "w3" and dice.random() < 0.3
        return GROUP if is_bad else _stray(dice)

    told = _tell(core, fails, minutes=175)
    [(_, _, opened), (closed_at, what, closed)] = told
    assert (what, closed.id, closed.where) == ("closed", opened.id, W3)
    assert closed_at >= 110


def test_bursts_are_not_told_each(core: Core) -> None:
    """The second burst is told, too; then it stays open until the breaks are surely longer."""

    def fails(dice: random.Random, row: Row, minute: float) -> str | None:
        is_bad = 16 < minute < 130 and minute % 20 < 3 and row["worker"] == "w3"
        return GROUP if is_bad and dice.random() < 0.9 else _stray(dice)

    told = _tell(core, fails, minutes=130, per_minute=10, every=2)
    assert [what for _, what, _ in told][:3] == ["opened", "closed", "opened"]
    assert len(told) <= 4
    again = told[2][2]
    assert again.where == W3
    assert 12 * MINUTE_US < (again.break_us or 0) < 20 * MINUTE_US


def test_an_outage_of_all_is_one_finding(core: Core) -> None:
    """Everything fails for twenty minutes: no worker, voice or engine is named for it."""

    def fails(dice: random.Random, _: Row, minute: float) -> str | None:
        return GROUP if 30 < minute < 50 else _stray(dice)

    assert _said(_tell(core, fails, minutes=120)) == [("opened", {}), ("closed", {})]


def test_two_causes_are_two_findings(core: Core) -> None:
    """Each opens and closes by itself."""

    def fails(dice: random.Random, row: Row, minute: float) -> str | None:
        if 20 < minute < 100 and row["worker"] == "w3" and dice.random() < 0.7:
            return GROUP
        if 40 < minute < 80 and row["voice"] == "cleo" and row["worker"] != "w3":
            return OTHER
        return None

    told = _tell(core, fails, minutes=140)
    opened = [row.where for _, what, row in told if what == "opened"]
    assert opened[0] == W3
    assert opened[1]["voice"] == "cleo"
    assert len(told) == 4


def test_few_failures_are_none(core: Core) -> None:
    """Two of eight attempts of an hour are no rise, whatever the past was."""
    _begin(core)
    rows = [_row(random.Random(n), START_US + n * MINUTE_US) for n in range(8)]  # noqa: S311
    recent.put(
        core, [row | ({"failed": GROUP} if n in {2, 5} else {}) for n, row in enumerate(rows)]
    )
    found = watch.scan(core, quiet_us=MINUTE_US, at=START_US + 9 * MINUTE_US)
    assert found.selected == 2
    assert found.opened == []


def _deliveries(core: Core, row: FindingRecord) -> list[str]:
    with core.database.read() as conn:
        return [one.event for one in webhook_deliveries.of_finding(conn, row.id)]


def _muted(core: Core) -> None:
    values = {"fingerprint": GROUP, "error_type": "e", "template": "t", "first_at": 1}
    with core.database.write() as conn:
        failure_groups.insert_new(conn, values | {"state": "muted"})


def _mute(core: Core, state: str) -> None:
    with core.database.write() as conn:
        failure_groups.change(conn, GROUP, {"state": state})


def test_a_finding_of_muted_groups_is_silent_until_it_is_not(core: Core) -> None:
    """It opens, muted, and no webhook is told; it is, once, when the group is not muted any more.

    Its end is told to who was told of its beginning, muted again or not.
    """
    _begin(core)
    _muted(core)
    start, end = START_US - 40 * MINUTE_US, START_US - 4 * MINUTE_US
    recent.put(
        core, recent.traffic(start, end, every_us=6_000_000, failed=GROUP, worker="w3", voice="amy")
    )

    def scan(minute: int) -> watch.Scanned:
        return watch.scan(core, quiet_us=MINUTE_US, at=START_US + minute * MINUTE_US)

    [row] = scan(-4).opened
    assert row.is_muted
    assert _deliveries(core, row) == []
    with core.database.read() as conn:
        assert findings.count_open(conn) == {True: 1}
    _mute(core, "open")
    scan(-3)
    with core.database.read() as conn:
        assert findings.count_open(conn) == {False: 1}
    assert _deliveries(core, row) == ["opened"]
    for state in ("muted", "open", "muted"):
        _mute(core, state)
        scan(-2)
    assert _deliveries(core, row) == ["opened"]
    recent.put(core, recent.traffic(end, START_US, every_us=1_000_000))
    [over] = scan(0).closed
    assert over.id == row.id
    assert _deliveries(core, row) == ["opened", "closed"]
    with core.database.read() as conn:
        told = webhook_deliveries.of_finding(conn, row.id)
    assert json.loads(told[0].body)["finding"]["is_muted"] is False


def test_what_is_unmuted_never_is_never_told(core: Core) -> None:
    """Neither its beginning nor its end."""
    _begin(core)
    _muted(core)
    end = START_US - 4 * MINUTE_US
    rows = recent.traffic(end - 30 * MINUTE_US, end, every_us=6_000_000, failed=GROUP, worker="w3")
    recent.put(core, rows)
    [row] = watch.scan(core, quiet_us=MINUTE_US, at=end).opened
    recent.put(core, recent.traffic(end, START_US, every_us=1_000_000))
    assert [one.id for one in watch.scan(core, quiet_us=MINUTE_US, at=START_US).closed] == [row.id]
    assert _deliveries(core, row) == []

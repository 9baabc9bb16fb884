"""A release that breaks something is told by who runs it, and since when; the release is why."""

from typing import Any

from app.service.core import Core
from app.service.correlate import answering
from app.service.correlate.answer import Finding
from app.service.correlate.question import Question
from app.store import system_events
from tests.support import recent
from tests.support.home import Home
from tests.support.recent import MINUTE_US, SECOND_US, now_us, traffic

GROUP = "v2:00000000000000aa"
NEW = "1.4.2"


def _released(rows: list[dict[str, Any]], *workers: str) -> list[dict[str, Any]]:
    """The attempts, with the new release where one of these workers ran them."""
    return [one | ({"release": NEW} if one["worker"] in workers else {}) for one in rows]


def _restarts(core: Core, at: int, *workers: str) -> None:
    with core.database.write() as conn:
        for worker in workers:
            values = {"at": at, "kind": "release", "worker": worker, "host": "h1", "by": "test"}
            system_events.add(conn, values | {"release": NEW, "before": "1.4.1"})


def _found(core: Core, now: int) -> Finding:
    question = Question(start=now - 60 * MINUTE_US, end=now, baseline_start=now - 3000 * MINUTE_US)
    with core.database.read() as conn:
        [one] = answering.look(core, conn, question, now).findings
    return one


def _begin(core: Core) -> int:
    recent.begin(core)
    now = now_us(core)
    past = now - 60 * MINUTE_US
    recent.put(core, traffic(past - 2000 * MINUTE_US, past, every_us=4 * MINUTE_US))
    return now


def test_a_release_on_one_worker_is_told_as_the_worker(home: Home) -> None:
    """With what it fails at, since it was started there, and of the release's own attempts."""
    core = home.core
    now = _begin(core)
    began = now - 20 * MINUTE_US
    recent.put(core, traffic(now - 60 * MINUTE_US, began, every_us=9 * SECOND_US))
    rows = traffic(began, now, every_us=6 * SECOND_US, failed=GROUP, worker="w3", voice="amy")
    recent.put(core, _released(rows, "w3"))
    _restarts(core, began - SECOND_US, "w3")
    one = _found(core, now)
    assert one.found.where == {"worker": "w3", "voice": "amy", "release": NEW}
    assert {"voice": "amy", "release": NEW} in one.found.indistinguishable
    ran = [row for row in rows if (row["worker"], row["voice"]) == ("w3", "amy")]
    assert one.found.n == len(ran)
    assert one.found.observed == sum("failed" in row for row in rows)
    assert one.onset is not None
    assert one.onset.low <= began + 3 * MINUTE_US
    assert one.boundary is not None
    assert (one.boundary.kind, one.boundary.worker, one.boundary.release) == ("release", "w3", NEW)


def test_repeats_do_not_hide_who_runs_a_release(home: Home) -> None:
    """Attempts that count on no side are none of the worker's either."""
    core = home.core
    now = _begin(core)
    began = now - 20 * MINUTE_US
    recent.put(core, traffic(now - 60 * MINUTE_US, began, every_us=9 * SECOND_US))
    rows = traffic(began, now, every_us=6 * SECOND_US, failed=GROUP, worker="w3", voice="amy")
    again = [row | {"at": row["at"] + 1, "is_repeat": True} for row in rows if "failed" in row]
    recent.put(core, _released([*rows, *again], "w3"))
    _restarts(core, began - SECOND_US, "w3")
    one = _found(core, now)
    assert one.found.where == {"worker": "w3", "voice": "amy", "release": NEW}
    assert one.found.n == one.found.observed == len(again)


def test_its_start_tells_since_when_where_nothing_ran_before(home: Home) -> None:
    """The worker had no attempt before it: attempts alone would say that it was always so."""
    core = home.core
    now = _begin(core)
    began = now - 20 * MINUTE_US
    rows = traffic(now - 60 * MINUTE_US, began, every_us=9 * SECOND_US)
    recent.put(core, [one for one in rows if one["worker"] != "w3"])
    rows = traffic(began, now, every_us=6 * SECOND_US, failed=GROUP, worker="w3", voice="amy")
    recent.put(core, _released(rows, "w3"))
    _restarts(core, began - SECOND_US, "w3")
    one = _found(core, now)
    assert one.found.where == {"worker": "w3", "voice": "amy"}
    assert one.onset is not None
    failed = [row["at"] for row in rows if "failed" in row]
    assert (one.onset.low, one.onset.high) == (began - SECOND_US, min(failed))
    assert (one.onset.n, one.onset.observed) == (len(failed), len(failed))
    assert one.boundary is not None
    assert one.boundary.release == NEW


def test_a_release_beside_an_old_one_stays_what_is_told(home: Home) -> None:
    """Two of four workers have it and fail: it is what they share, and no worker is named."""
    core = home.core
    now = _begin(core)
    began = now - 20 * MINUTE_US
    recent.put(core, traffic(now - 60 * MINUTE_US, began, every_us=9 * SECOND_US))
    rows = traffic(began, now, every_us=2 * SECOND_US)
    for row in rows:
        if row["worker"] in {"w3", "w4"} and row["voice"] == "amy":
            row["failed"] = GROUP
    recent.put(core, _released(rows, "w3", "w4"))
    _restarts(core, began - SECOND_US, "w3", "w4")
    one = _found(core, now)
    assert one.found.where == {"voice": "amy", "release": NEW}
    assert one.boundary is not None
    assert (one.boundary.release, one.boundary.workers) == (NEW, 2)


def test_a_release_that_was_replaced_is_told_by_its_own_attempts(home: Home) -> None:
    """What runs there since fares well: from the onset to the release's last attempt all had it."""
    core = home.core
    now = _begin(core)
    began, mended = now - 20 * MINUTE_US, now - 8 * MINUTE_US
    recent.put(core, traffic(now - 60 * MINUTE_US, began, every_us=9 * SECOND_US))
    rows = traffic(began, mended, every_us=6 * SECOND_US, failed=GROUP, worker="w3", voice="amy")
    recent.put(core, _released(rows, "w3"))
    recent.put(core, traffic(mended, now, every_us=6 * SECOND_US))
    _restarts(core, began - SECOND_US, "w3")
    one = _found(core, now)
    assert one.found.where == {"worker": "w3", "voice": "amy", "release": NEW}
    assert one.boundary is not None
    assert one.boundary.release == NEW


def _voice_fails(home: Home, elsewhere_every: int) -> tuple[Finding, int]:
    """A voice that fails since w3 was restarted, and elsewhere ran each so many-th time only."""
    core = home.core
    now = _begin(core)
    began = now - 20 * MINUTE_US
    rows = traffic(now - 60 * MINUTE_US, began, every_us=9 * SECOND_US)
    rows += traffic(began, now, every_us=6 * SECOND_US, failed=GROUP, voice="amy")
    elsewhere = [one for one in rows if one["voice"] == "amy" and one["worker"] != "w3"]
    rest = [one for one in rows if one not in elsewhere]
    recent.put(core, rest + elsewhere[::elsewhere_every])
    _restarts(core, began - SECOND_US, "w3")
    return _found(core, now), began


def test_a_release_on_one_of_the_workers_that_fail_is_no_boundary(home: Home) -> None:
    """A quarter of the failures ran there; from the onset on all attempts of the voice failed."""
    one, began = _voice_fails(home, 1)
    assert one.found.where == {"voice": "amy"}
    assert one.boundary is None
    assert one.onset is not None
    assert abs(one.onset.at - began) < MINUTE_US
    assert one.onset.n == one.onset.observed == one.found.observed < one.found.n


def test_a_release_on_the_worker_that_nearly_all_failed_on_is_one(home: Home) -> None:
    """Though the predicate does not name it: the voice hardly ran anywhere else."""
    one, _ = _voice_fails(home, 13)
    assert one.found.where == {"voice": "amy"}
    assert one.boundary is not None
    assert one.boundary.worker == "w3"


def test_what_begins_with_its_first_attempt_is_so_since_then(home: Home) -> None:
    """A voice that had never run before: not all window long, and no moment of change either."""
    core = home.core
    now = _begin(core)
    began = now - 20 * MINUTE_US
    recent.put(core, traffic(now - 60 * MINUTE_US, now, every_us=9 * SECOND_US))
    new = [
        {"at": at, "worker": f"w{at % 4 + 1}", "voice": "dora", "failed": GROUP}
        for at in range(began, now, 30 * SECOND_US)
    ]
    recent.put(core, new)
    one = _found(core, now)
    assert one.found.where == {"voice": "dora"}
    assert (one.onset, one.first_at) == (None, began)

"""Kept histograms in a recount: damage is named, mended by a rebuild only, never by the way."""

import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.domain.drift import Drift
from app.domain.histogram import histogram_of, pack, unpack
from app.duties.recount import Recount
from app.service.core import Core
from app.service.recounts.reconcile import reconcile
from app.service.recounts.verdict import verdict
from app.store import recount_latencies
from app.store.recount_latencies import Packed
from tests.support import planted
from tests.support.home import Home
from tests.support.task_rows import HOUR_US, START_US

#: An hour of which rows are removed, and one of which all are there.
_GONE, _THERE = START_US, START_US + HOUR_US
_DAY = START_US


@pytest.fixture
def core(any_home: Home) -> Core:
    """Two hours of a day with tasks of two engines, counted anew; of one some rows are gone."""
    core = any_home.core
    with core.database.write() as conn:
        planted.put_text(conn)
        planted.put(conn, *(_task(hour, n) for hour in (_GONE, _THERE) for n in range(8)))
    assert reconcile(core).drifts == ()
    with core.database.write() as conn:
        conn.execute(
            text("DELETE FROM task WHERE finished_at < :at AND run_us IN (1000000, 7000000)"),
            {"at": _THERE},
        )
    assert reconcile(core).drifts == ()
    return core


def _task(hour: int, n: int) -> dict[str, Any]:
    return {
        "submitted": hour,
        "finished": hour + 20_000_000 + n,
        "run": (n + 1) * 1_000_000,
        "engine": "tone" if n < 4 else "scripted",
        "voice": f"v{n % 2}",
    }


def kept(core: Core, start: int, grain: Any = "hour") -> Packed:
    """What is kept of an hour or a day."""
    with core.database.read() as conn:
        return recount_latencies.of_start(conn, grain, start)


def names(drifts: Sequence[Drift]) -> set[str]:
    """What is told of kept histograms."""
    return {one.name for one in drifts if one.place == "stat_latency"}


_SET = text(
    "UPDATE stat_latency SET buckets = :buckets, n = :n WHERE grain = :grain AND start = :start"
    " AND dimension = 'engine' AND value = 'tone'"
)


def _damage(core: Core, grain: str, start: int, buckets: bytes, n: int = 4) -> None:
    with core.database.write() as conn:
        values = {"grain": grain, "start": start, "buckets": buckets, "n": n}
        assert conn.execute(_SET, values).rowcount == 1


def _foreign(core: Core) -> bytes:
    """The other engine's histograms, which hold as many tasks."""
    return kept(core, _THERE)["engine", "scripted"][1]


@pytest.mark.parametrize("start", [_GONE, _THERE], ids=["removed", "whole"])
@pytest.mark.parametrize("damage", ["foreign", "garbage", "short"])
def test_damaged_histogram_of_an_hour_is_named_and_mended_by_a_rebuild(
    core: Core, damage: str, start: int
) -> None:
    """Nothing is mended by the way; a rebuild makes it anew, or takes it away with its rows gone.

    The rest of the hour stays as it is.
    """
    before = kept(core, start)
    buckets = {"foreign": _foreign(core), "garbage": b"\x00garbage", "short": pack({})}[damage]
    _damage(core, "hour", start, buckets)
    damaged = kept(core, start)
    found = reconcile(core)
    assert not found.is_equal
    assert names(found.drifts)
    assert all(" engine tone " in name for name in names(found.drifts)), found.drifts
    assert reconcile(core).drifts == found.drifts
    assert kept(core, start) == damaged
    with core.database.read() as conn:
        assert verdict(conn, core.database.now_us(conn)).state == "drift"
    rebuilt = reconcile(core, rebuild=True)
    assert rebuilt.is_equal, rebuilt.left
    assert rebuilt.drifts == found.drifts
    assert rebuilt.mended["stat_latency"] >= 1
    tone = ("engine", "tone")
    wanted = {key: one for key, one in before.items() if start == _THERE or key != tone}
    assert kept(core, start) == wanted
    assert tone in kept(core, _DAY, "day")
    assert reconcile(core).drifts == ()


@pytest.mark.parametrize("damage", ["foreign", "garbage", "count"])
def test_damaged_histogram_of_a_day_is_named_and_made_of_its_hours(core: Core, damage: str) -> None:
    """A day is what its hours are, also once rows are gone."""
    before = kept(core, _DAY, "day")
    right = before["engine", "tone"][1]
    buckets = {
        "foreign": before["engine", "scripted"][1],
        "garbage": b"",
        "count": right,
    }[damage]
    _damage(core, "day", _DAY, buckets, n=7 if damage == "count" else 8)
    found = reconcile(core)
    assert all(" engine tone " in name for name in names(found.drifts))
    assert names(found.drifts)
    assert kept(core, _DAY, "day") != before
    assert reconcile(core, rebuild=True).is_equal
    assert kept(core, _DAY, "day") == before


def test_day_keeps_what_an_hour_has_lost(core: Core) -> None:
    """Where an hour's is taken away, its day's goes on, and is told wrong where it contradicts."""
    day = kept(core, _DAY, "day")
    _damage(core, "hour", _GONE, b"\x01")
    assert reconcile(core, rebuild=True).is_equal
    assert ("engine", "tone") not in kept(core, _GONE)
    assert kept(core, _DAY, "day") == day
    _damage(core, "day", _DAY, day["engine", "scripted"][1], n=8)
    assert names(reconcile(core).drifts)
    assert reconcile(core, rebuild=True).is_equal
    assert ("engine", "tone") not in kept(core, _DAY, "day")


def test_late_task_is_followed_and_no_drift(core: Core) -> None:
    """A task that was committed after its hour was counted is in hour and day by the next look."""
    with core.database.write() as conn:
        planted.put(conn, _task(_THERE, 3))
    assert reconcile(core).drifts == ()
    runs = [1000, 2000, 3000, 4000, 4000]
    n, packed = kept(core, _THERE)["engine", "tone"]
    assert (n, unpack(packed)["run"]) == (5, histogram_of(runs))
    assert kept(core, _DAY, "day")["engine", "tone"][0] == 9


def test_histograms_that_another_machine_packed_are_the_same(core: Core) -> None:
    """What counts is what they hold: bytes differ with the release of zlib."""
    before = kept(core, _THERE)
    with core.database.write() as conn:
        _repack(conn, _THERE, before)
    assert kept(core, _THERE) != before
    assert reconcile(core).drifts == ()


def _repack(conn: Connection, start: int, before: Packed) -> None:
    for (dimension, value), (_, packed) in before.items():
        conn.execute(
            text(
                "UPDATE stat_latency SET buckets = :b WHERE grain = 'hour' AND start = :s"
                " AND dimension = :d AND value = :v"
            ),
            {
                "b": packed[:1] + zlib.compress(zlib.decompress(packed[1:]), 0),
                "s": start,
                "d": dimension,
                "v": value,
            },
        )


def test_duty_goes_on_over_damage(core: Core) -> None:
    """Bytes that are none are drift, and no error: everything else is looked at as ever."""
    _damage(core, "hour", _GONE, b"\x00")
    _damage(core, "day", _DAY, b"\x00", n=8)
    duty = Recount(core, round_s=0, share=1, least_rest_s=0)
    for _ in range(40):
        duty.step()
    with core.database.read() as conn:
        told = verdict(conn, core.database.now_us(conn))
    assert told.state == "drift"
    assert {one.place for one in told.drifts} == {"stat_latency"}

"""The boundary: the nearest change that can have to do with a finding, and none where none can."""

from typing import Any, Final

import pytest

from app.domain.correlation.found import Onset
from app.service.correlate.boundary import Boundary, choose, shape
from app.store.system_events import SystemEvent

_S: Final = 1_000_000
_MIN: Final = 60 * _S
_AT: Final = 1_772_323_200 * _S
_ONSET: Final = Onset(at=_AT, low=_AT - 2 * _MIN, high=_AT + _MIN)


def _event(kind: str, before_us: int, **changed: Any) -> SystemEvent:
    """An event so long before the onset."""
    usual: dict[str, Any] = {
        "id": 1,
        "at": _AT - before_us,
        "kind": kind,
        "worker": "w3",
        "host": "h1",
        "release": "1.4.2",
        "before": "1.4.1" if kind == "release" else None,
        "name": None,
        "value": None,
        "by": "worker w3",
    }
    return SystemEvent(**(usual | changed))


def _limit(before_us: int, name: str) -> SystemEvent:
    of_nobody = {"worker": None, "host": None, "release": None}
    return _event("limit", before_us, name=name, before="2", value="4", **of_nobody)


def _chosen(*events: SystemEvent, **where: str) -> Boundary | None:
    """Where most failures ran on whichever worker is asked for."""
    return choose(events, _ONSET, where, bool)


def test_nearest_change_is_told_with_its_distance() -> None:
    """Of several far apart the nearest counts; the distance is positive where it came before."""
    sharp = Onset(at=_AT, low=_AT - _S, high=_AT + _S)
    found = choose([_event("release", 150 * _S), _event("restart", 20 * _S)], sharp, {}, bool)
    assert found is not None
    assert (found.kind, found.distance_us, found.worker) == ("restart", 20 * _S, "w3")
    late = choose([_event("restart", -10 * _S)], sharp, {}, bool)
    assert late is not None
    assert late.distance_us == -10 * _S


def test_first_starts_count_only_just_before_failures() -> None:
    """A minute before the interval, not three: what never ran before has changed nothing."""
    assert _chosen(_event("restart", 4 * _MIN)) is not None
    assert _chosen(_event("start", 4 * _MIN)) is None
    assert _chosen(_event("start", 3 * _MIN)) is not None


@pytest.mark.parametrize(
    ("nearer", "told"),
    [("restart", "release"), ("start", "release"), ("start", "restart"), ("limit", "start")],
)
def test_more_telling_kind_counts_where_several_are_equally_near(nearer: str, told: str) -> None:
    """What the onset's uncertainty cannot tell apart is equally near: then the kind decides."""
    near = _limit(10 * _S, "max_concurrent") if nearer == "limit" else _event(nearer, 10 * _S)
    found = _chosen(near, _event(told, 80 * _S))
    assert found is not None
    assert found.kind == told


def test_nothing_is_told_where_no_change_is_near() -> None:
    """Neither what was long before the interval nor what came after it is a boundary."""
    assert _chosen() is None
    assert _chosen(_event("release", 6 * _MIN), _event("release", -2 * _MIN)) is None
    assert _chosen(_event("stop", 10 * _S)) is None
    assert _chosen(_event("release", 5 * _MIN)) is not None


def test_change_of_another_worker_host_or_release_is_none() -> None:
    """A predicate that names a worker, a host or a release leaves out what happened elsewhere."""
    events = (
        _event("release", 10 * _S, worker="w1", host="h2", release="1.5"),
        _event("restart", 60 * _S),
    )
    for where in ({"worker": "w3"}, {"host": "h1"}, {"release": "1.4.2"}):
        found = _chosen(*events, **where, voice="amy")
        assert found is not None
        assert (found.kind, found.worker) == ("restart", "w3")
    assert _chosen(*events, worker="w9") is None
    assert _chosen(*events, worker="w3", release="1.5") is None
    anywhere = _chosen(*events, voice="amy")
    assert anywhere is not None
    assert anywhere.kind == "release"


@pytest.mark.parametrize("kind", ["release", "restart", "start"])
def test_change_of_one_worker_counts_where_most_failures_ran_on_it(kind: str) -> None:
    """A predicate of none of worker, host and release: else what is wider, or nothing, is told."""
    event, limit = _event(kind, 10 * _S), _limit(20 * _S, "max_concurrent")
    asked: list[str] = []

    def ran_elsewhere(worker: str) -> bool:
        asked.append(worker)
        return False

    amy = {"voice": "amy"}
    assert choose([event], _ONSET, amy, ran_elsewhere) is None
    assert asked == ["w3"]
    wider = choose([event, limit], _ONSET, amy, ran_elsewhere)
    assert wider is not None
    assert wider.kind == "limit"
    several = choose([event, _event(kind, 20 * _S, worker="w1")], _ONSET, {}, ran_elsewhere)
    assert several is not None
    assert several.workers == 2
    for where in ({"worker": "w3"}, {"host": "h1"}, {"release": "1.4.2"}):
        assert choose([event], _ONSET, where, ran_elsewhere) is not None
    there = choose([event], _ONSET, amy, lambda worker: worker == "w3")
    assert there is not None
    assert there.worker == "w3"


def test_limit_of_another_engine_is_none() -> None:
    """A limit of one engine concerns a predicate that names it, or no engine; the whole's, all."""
    assert _chosen(_limit(_S, "engine:volc"), engine="tone") is None
    for where in ({"engine": "volc"}, {"voice": "amy"}, {"worker": "w3"}):
        found = _chosen(_limit(_S, "engine:volc"), **where)
        assert found is not None
        assert (found.name, found.before, found.value) == ("engine:volc", "2", "4")
    assert _chosen(_limit(_S, "max_concurrent"), engine="tone") is not None


def test_deploy_is_told_once() -> None:
    """Starts of one new release one after another are one change, at its first."""
    events = [
        _event("release", (4 - place) * _MIN, worker=f"w{place}", id=place, before=f"1.{place % 2}")
        for place in range(1, 4)
    ]
    found = _chosen(*reversed(events), _event("restart", _S, worker="w9"), voice="amy")
    assert found is not None
    assert (found.kind, found.workers, found.worker) == ("release", 3, None)
    assert (found.at, found.distance_us) == (events[0].at, 3 * _MIN)
    assert found.before is None
    one = _chosen(*events, worker="w2")
    assert one is not None
    assert (one.workers, one.worker, one.distance_us) == (1, "w2", 2 * _MIN)


def test_releases_of_other_names_are_other_deploys() -> None:
    """Two releases near one another are not added up; neither are restarts far apart."""
    found = _chosen(
        _event("release", 2 * _MIN, worker="w1", release="1"),
        _event("release", 10 * _S, worker="w2", release="2"),
    )
    assert found is not None
    assert (found.release, found.workers) == ("2", 1)
    restarts = _chosen(_event("restart", 4 * _MIN, worker="w1"), _event("restart", _S, worker="w2"))
    assert restarts is not None
    assert restarts.workers == 1


def test_boundary_in_json_has_iso_moments_and_seconds() -> None:
    """The shape is that of findings."""
    found = _chosen(_event("release", 90 * _S))
    assert found is not None
    assert shape(found) == {
        "kind": "release",
        "at": "2026-02-28T23:58:30.000000Z",
        "worker": "w3",
        "workers": 1,
        "release": "1.4.2",
        "before": "1.4.1",
        "name": None,
        "value": None,
        "distance_s": 90.0,
    }

"""Exemplars on real databases: which failures are shown, and the success most like each."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from sqlalchemy import insert, text, update

from app import clock
from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse
from app.service.core import Core
from app.service.correlate import exemplars
from app.service.correlate.exemplars import Exemplar, Surroundings, Wanted, find
from app.store.attempt_filter import Sides
from app.store.tables import attempt_table, task_table, text_table
from tests.conftest import KINDS, database_url
from tests.support.home import Home
from tests.support.statements import plan, recorded

_S: Final = 1_000_000
_MIN: Final = 60 * _S
_HOUR: Final = 60 * _MIN
_DAY: Final = 24 * _HOUR
#: Where the window of the first test ends.
_END: Final = 1_772_323_200 * _S
_GROUP: Final = "v2:0123456789abcdef"
_MONTHS: Final = itertools.count()


@dataclass(slots=True)
class World:
    """A database, and what was put into it: (task, attempt) -> what it is told apart by.

    Attributes:
        end: Of the window, which is six hours long; no other test has attempts near it.
    """

    core: Core
    end: int
    rows: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """Of the window."""
        return self.end - 6 * _HOUR

    def put(self, at: int, **changed: Any) -> tuple[int, int]:
        """An attempt that ended then, of a task and a text of its own; completed unless told."""
        row: dict[str, Any] = {
            "worker": "w1",
            "host": "h1",
            "engine": "volc",
            "voice": "amy",
            "language": "en",
            "release": "1.4.2",
            "chars": 400,
            "source": "api",
            "group": None,
            "is_repeat": False,
            "seen": False,
            "text_id": None,
        } | changed
        if row["host"] == "h1" and row["worker"] in {"w3", "w4"}:
            row["host"] = "h2"
        with self.core.database.write() as conn:
            text_id = (
                row["text_id"]
                or conn.execute(
                    insert(text_table).values(_TEXT).returning(text_table.c.id)
                ).scalar_one()
            )
            number = self.end + len(self.rows)
            seen = at if row["seen"] else None
            task = {**_TASK, "text_id": text_id, "finished_at": at, "trace_seen_at": seen}
            task |= {"trace_id": f"{number:032x}", "content_key": f"k{number}"}
            task_id = conn.execute(
                insert(task_table).values(task).returning(task_table.c.id)
            ).scalar_one()
            conn.execute(insert(attempt_table).values(_attempt(task_id, at, row)))
        key = (int(task_id), 1)
        self.rows[key] = row | {"at": at, "text_id": text_id}
        return key

    def found(
        self,
        *,
        selection: str = "outcome:failure",
        around: Surroundings | None = None,
        **wanted: Any,
    ) -> tuple[Exemplar, ...]:
        """The exemplars of what is wanted: usually of the group's failures, voice amy on w3."""
        sides = Sides(
            start=self.start,
            end=self.end,
            within=parse("", ATTEMPTS),
            selection=parse(selection, ATTEMPTS),
            now_us=self.end,
        )
        usual: dict[str, Any] = {
            "where": {"worker": "w3", "voice": "amy"},
            "fingerprint": _GROUP,
            "onset_at": None,
            "sides": sides,
        }
        with self.core.database.read() as conn:
            return find(self.core, conn, Wanted(**(usual | wanted)), around)


_TEXT: Final[Mapping[str, Any]] = {
    "title": "t",
    "content": "c",
    "char_count": 1,
    "content_hash": "h",
    "source": "api",
    "created_at": 0,
}
_TASK: Final[Mapping[str, Any]] = {
    "status": "completed",
    "engine": "volc",
    "engine_version": "1",
    "voice": "amy",
    "format": "mp3",
    "source": "api",
    "char_count": 1,
    "timeout_us": 1,
    "max_attempts": 3,
    "give_up_at": 1,
    "submitted_at": 0,
    "queued_at": 0,
    "not_before": 0,
    "span_id": "0" * 16,
}


def _attempt(task_id: int, at: int, row: Mapping[str, Any]) -> dict[str, Any]:
    same = ("host", "engine", "voice", "language", "release", "source", "is_repeat")
    return {
        **{name: row[name] for name in same},
        "task_id": task_id,
        "attempt": 1,
        "span_id": f"{task_id:016x}",
        "worker_id": "w",
        "worker_name": row["worker"],
        "queued_at": at - 3 * _S,
        "wait_reason": "queued",
        "claimed_at": at - row.get("ran", 2) * _S,
        "deadline_at": at + _S,
        "finished_at": at,
        "outcome": "failed" if row["group"] else "completed",
        "char_count": row["chars"],
        "fingerprint": row["group"],
    }


@pytest.fixture(scope="module", params=KINDS)
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home on each database; Jaeger is set, nobody asks it."""
    path = tmp_path_factory.mktemp("exemplars")
    jaeger = {"VOXTRACE_JAEGER_URL": "http://127.0.0.1:9"}
    with Home.make(path / "home", database_url(request.param, path), **jaeger) as home:
        yield home


@pytest.fixture
def world(home: Home) -> World:
    """Where no attempt is near: each test has a month of its own."""
    return World(core=home.core, end=_END + 30 * next(_MONTHS) * _DAY)


def _fail(world: World, at: int, **changed: Any) -> tuple[int, int]:
    return world.put(at, **({"worker": "w3", "group": _GROUP} | changed))


def _key(example: exemplars.Example) -> tuple[int, int]:
    return example.task_id, example.attempt


def _successes(found: tuple[Exemplar, ...]) -> list[tuple[int, int] | None]:
    return [None if one.success is None else _key(one.success) for one in found]


def test_exemplars_are_the_newest_the_first_and_of_many_texts(world: World) -> None:
    """Of more than five: the newest, the first since the onset, then other texts; no repeats."""
    onset = world.end - 60 * _MIN
    early = _fail(world, onset - 10 * _MIN)
    first = _fail(world, onset + _S)
    others = [_fail(world, onset + (2 + place) * _MIN) for place in range(3)]
    text_id = world.rows[others[0]]["text_id"]
    again = [_fail(world, world.end - (9 - at) * _MIN, text_id=text_id) for at in range(5)]
    newest = _fail(world, world.end - _MIN)
    _fail(world, world.end - 30 * _S, is_repeat=True)
    _fail(world, world.end - 30 * _S, voice="bob")
    _fail(world, world.end - 30 * _S, worker="w1")
    _fail(world, world.end - 30 * _S, group="v2:fedcba9876543210")
    _fail(world, world.end + _S)
    _fail(world, world.start - _S)
    found = world.found(onset_at=onset)
    assert [_key(one.failure) for one in found[:2]] == [newest, first]
    assert len({world.rows[_key(one.failure)]["text_id"] for one in found}) == 5
    assert {_key(one.failure) for one in found} <= {early, first, *others, *again, newest}


def test_failures_whose_trace_was_seen_come_first(world: World) -> None:
    """An exemplar leads to a trace that is in Jaeger, wherever there is one."""
    _fail(world, world.end - _MIN)
    seen = [_fail(world, world.end - (20 + at) * _MIN, seen=True) for at in range(2)]
    found = world.found()
    assert [_key(one.failure) for one in found[:2]] == seen
    linked = [one.failure.jaeger_url is not None for one in found]
    assert linked == [True, True, False]


def test_success_differs_in_one_dimension_of_the_predicate(world: World) -> None:
    """The same voice elsewhere, or another one there, is nearer than what fits no part of it."""
    failure = _fail(world, world.end - _MIN, chars=400)
    world.put(world.end - _MIN, worker="w2", voice="bob", chars=400)
    far = world.put(world.end - 90 * _MIN, worker="w4", chars=380)
    assert _successes(world.found()) == [far]
    [found] = world.found()
    assert (_key(found.failure), found.differs) == (failure, ("worker",))
    assert found.compare_url == f"/correlate/compare?left={failure[0]}.1&right={far[0]}.1"
    longer = world.put(world.end - 2 * _MIN, worker="w4", chars=12_000)
    other = world.put(world.end - 2 * _MIN, worker="w4", engine="tone", chars=400)
    assert _successes(world.found()) not in ([longer], [other])


def test_same_predicate_serves_where_nothing_else_is_like_it(world: World) -> None:
    """A success of the predicate itself is nearer than one that has neither part of it."""
    _fail(world, world.end - _MIN)
    world.put(world.end - _MIN, worker="w2", voice="bob", host="h1")
    same = world.put(world.end - 30 * _MIN, worker="w3")
    [found] = world.found()
    assert _successes((found,)) == [same]
    assert found.differs == ()


def test_success_before_the_onset_serves_where_all_fails(world: World) -> None:
    """Where nothing completed in the window, one before it is shown; without one, none."""
    for at in range(8):
        _fail(world, world.end - at * _MIN - _S, voice=f"v{at % 2}")
    assert _successes(world.found(where={}, onset_at=world.start)) == [None] * 5
    before = world.put(world.start - 20 * _HOUR)
    assert set(_successes(world.found(where={}, onset_at=world.start))) == {before}


def test_slow_attempts_are_shown_beside_quick_ones(world: World) -> None:
    """Of another selection the counterpart completed and is not selected."""
    slow = [world.put(world.end - (1 + at) * _MIN, worker="w3", ran=100) for at in range(2)]
    quick = world.put(world.end - 3 * _MIN, worker="w4", ran=3)
    _fail(world, world.end - 2 * _MIN, worker="w4", ran=1)
    found = world.found(
        selection="outcome:completed dur:>=60s", fingerprint=None, where={"worker": "w3"}
    )
    assert [_key(one.failure) for one in found] == slow
    assert set(_successes(found)) == {quick}


def test_canaries_and_other_outcomes_are_no_examples(world: World) -> None:
    """What counts nowhere is shown nowhere, on neither side."""
    _fail(world, world.end - _MIN)
    _fail(world, world.end - _MIN, source="canary")
    world.put(world.end - _MIN, worker="w4", source="canary")
    cancelled = world.put(world.end - _MIN, worker="w4")
    with world.core.database.write() as conn:
        conn.execute(
            update(attempt_table)
            .where(attempt_table.c.task_id == cancelled[0])
            .values(outcome="cancelled")
        )
    [found] = world.found()
    assert found.success is None
    assert exemplars.shape(found) == {
        "task_id": found.failure.task_id,
        "attempt": 1,
        "trace_id": found.failure.trace_id,
        "span_id": found.failure.span_id,
        "at": clock.iso(world.end - _MIN),
        "url": f"/tasks/{found.failure.task_id}?tab=attempts#attempt-1",
        "jaeger_url": None,
        "success": None,
        "compare_url": None,
    }


def test_differing_dimensions_are_those_of_the_rows(world: World) -> None:
    """`differs` names exactly the dimensions whose values are not the same."""
    failure = _fail(world, world.end - _MIN, chars=400, language="zh")
    success = world.put(world.end - _MIN, worker="w4", language="", chars=600, release="1.4.1")
    [found] = world.found()
    assert _successes((found,)) == [success]
    one, other = world.rows[failure], world.rows[success]
    names = [name for name in DIMENSIONS if name != "length" and one[name] != other[name]]
    assert list(found.differs) == [*names, "length"]


def test_surroundings_are_read_once_for_several_findings(world: World) -> None:
    """What was read around one failure serves for others near it, of other findings too."""
    for at in range(1, 40):
        world.put(world.end - at * _MIN, worker=f"w{at % 4 + 1}")
    _fail(world, world.end - 10 * _MIN - _S)
    _fail(world, world.end - 12 * _MIN - _S, group="v2:fedcba9876543210", worker="w2")
    around: Surroundings = {}
    with world.core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        world.found(around=around)
        before = len(statements)
        [found] = world.found(
            where={"worker": "w2"}, fingerprint="v2:fedcba9876543210", around=around
        )
    assert found.success is not None
    assert len(around) == 1
    assert sum("UNION" in sql for sql, _ in statements[before:]) == 0


#: Four thousand attempts of one task, of which one in twenty failed, in one of ten ways.
_MANY: Final = """
INSERT INTO task_attempt (task_id, attempt, span_id, worker_id, worker_name, host, release, engine,
  queued_at, wait_reason, claimed_at, deadline_at, finished_at, outcome, voice, language, source,
  char_count, fingerprint)
WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
SELECT task_id, i, span_id, worker_id, 'w' || (i % 4), host, release, engine, queued_at,
  wait_reason, claimed_at, deadline_at, finished_at - i * CAST(5000000 AS bigint),
  CASE WHEN i % 20 = 0 THEN 'failed' ELSE 'completed' END, 'v' || (i % 7), language, source,
  char_count, CASE WHEN i % 20 = 0 THEN 'v2:' || (i % 200) END
FROM task_attempt, n WHERE task_id = :task_id AND attempt = 1
"""


def test_exemplars_are_read_by_indexes(world: World) -> None:
    """Neither failures nor successes are looked for by a walk through all attempts.

    Failures of a group are found by it, whatever else ended.
    """
    task_id, _ = world.put(world.end - _MIN, worker="w4")
    _fail(world, world.end - _MIN)
    with world.core.database.write() as conn:
        conn.execute(text(_MANY), {"task_id": task_id})
        engine = conn.engine
        if not world.core.database.is_sqlite:
            conn.execute(text("ANALYZE task_attempt"))
    with recorded(engine) as statements:
        world.found()
        world.found(fingerprint=None)
    sent = [(sql, values) for sql, values in statements if "task_attempt" in sql]
    assert len(sent) == 4
    with world.core.database.read() as conn:
        if not world.core.database.is_sqlite:
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        told = ["\n".join(plan(conn, sql, values)) for sql, values in sent]
    for lines, names in zip(told, ("fingerprint", "ended", "ended|failed", "ended"), strict=True):
        assert re.search(f"ix_task_attempt_({names})", lines), lines
        assert "Seq Scan" not in lines, lines
        assert "TEMP B-TREE" not in lines, lines

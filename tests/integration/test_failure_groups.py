"""Failure groups: their counts are those of the rows, in any window, and what people decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.errors import AskedError, NotFoundError
from app.domain.fingerprint import Cause
from app.domain.records import FailureGroupRecord
from app.domain.window import DAY_US, HOUR_US
from app.service.core import Core
from app.service.failures import actions, group, listing
from app.service.failures.asked import Sort, asked
from app.service.failures.notice import Failure, notice
from app.service.failures.states import shown
from app.service.failures.views import Group, GroupPage, Shown
from app.store import failure_cells, failure_groups
from app.web.shapes import moment
from tests.conftest import KINDS, database_url
from tests.support.attempt_rows import NOW_US, Listed, listed, populate
from tests.support.failure_rows import check, failed, plant
from tests.support.home import Home
from tests.support.service import start_worker
from tests.support.statements import plan, recorded

#: Windows as (how long before the end of the days they begin, and end), and how they are read.
WINDOWS = {
    "rows": (7 * HOUR_US + 1234, 90_000_000),
    "whole hours": (24 * HOUR_US, 0),
    "ragged hours": (31 * HOUR_US + 77, 5 * HOUR_US + 999_999),
    "three ragged days": (3 * DAY_US - 5, 1),
    "whole days": (40 * DAY_US, 0),
    "ragged days": (40 * DAY_US + 5, 1 * DAY_US + 3 * HOUR_US + 12),
}
WHERE: list[dict[str, str]] = [{}, {"worker": "w1"}, {"engine": "volc", "voice": ""}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """Attempts, their groups, and the service that tells of them."""

    core: Core
    rows: list[Listed]
    groups: list[FailureGroupRecord]

    def list(self, **given: str) -> GroupPage:
        """A page of the list."""
        limit = int(given.pop("limit", "50"))
        return listing.groups(self.core, asked(_named(given), limit=limit))


def _named(given: dict[str, str]) -> dict[str, str]:
    return {name.replace("start", "from").replace("end", "to"): v for name, v in given.items()}


@pytest.fixture(params=KINDS, scope="module")
def planted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Planted]:
    """Planted attempts of three days, with four groups, on each database."""
    path = tmp_path_factory.mktemp("groups")
    with Home.make(path / "home", database_url(request.param, path)) as home:
        with home.core.database.write() as conn:
            populate(conn, count=400, seed=11)
            rows = list(listed(conn))
            groups = plant(conn, rows)
        yield Planted(core=home.core, rows=rows, groups=groups)


def _window(name: str) -> tuple[int, int]:
    before, until = WINDOWS[name]
    return NOW_US - before, NOW_US - until


@pytest.mark.parametrize("where", WHERE, ids=lambda where: ",".join(where) or "all")
@pytest.mark.parametrize("name", WINDOWS)
def test_list_counts_what_the_rows_say(planted: Planted, name: str, where: dict[str, str]) -> None:
    """In every kind of window, with every kind of filter: attempts, repeats, parts, bins."""
    start, end = _window(name)
    page = planted.list(start=str(moment(start)), end=str(moment(end)), **where)
    assert (page.window.start, page.window.end) == (start, end)
    assert not page.window.is_whole_hours
    expected = {one.fingerprint: failed(planted.rows, one.fingerprint, start, end, where)
                for one in planted.groups}  # fmt: skip
    found = {one.group.fingerprint: one.counts for one in page.groups}
    assert set(found) == {key for key, own in expected.items() if own or not where}
    for key, counts in found.items():
        check(counts, expected[key])
        for number, n in enumerate(counts.bins):
            low = page.window.bins_at + number * page.window.bin_us
            own = expected[key]
            assert n == sum(low <= one.ended_at < low + page.window.bin_us for one in own)
    assert page.failed == sum(len(own) for own in expected.values())
    assert page.failed_groups == sum(bool(own) for own in expected.values())
    assert all(1 <= len(counts.bins) <= 25 for counts in found.values())


@pytest.mark.parametrize("name", WINDOWS)
def test_group_counts_what_the_rows_say(planted: Planted, name: str) -> None:
    """One group tells the same of all dimensions, of the window and of all time."""
    start, end = _window(name)
    key = planted.groups[0].fingerprint
    given = {"from": str(moment(start)), "to": str(moment(end))}
    view = group.group(planted.core, key, asked(given))
    check(view.in_window, failed(planted.rows, key, start, end, {}))
    assert set(view.in_window.parts) == set(DIMENSIONS)
    own = failed(planted.rows, key, 0, NOW_US + 1, {})
    assert (view.all_time.count, view.text_count) == (
        len(own), sum(not one.row.is_repeat for one in own),
    )  # fmt: skip
    assert view.kept_count == len(own)
    assert view.task_count == len({one.row.task_id for one in own})
    assert view.group.last_at == max(one.ended_at for one in own)
    by_end = sorted(own, key=lambda one: one.key)
    exemplars = {one.which: one for one in view.exemplars}
    assert exemplars["newest"].at == by_end[-1].ended_at
    assert exemplars["first"].at == by_end[0].ended_at
    assert exemplars["slowest"].dur_us == max(one.ended_at - one.row.claimed_at for one in own)


def test_list_is_filtered_by_state_type_and_words(planted: Planted) -> None:
    """Each filter leaves what fits; states are counted whatever state is asked for."""
    wide = {"start": "2026-01-01"}
    every = planted.list(**wide)
    by_state = {
        state: sum(shown(one, every.now) is state for one in planted.groups) for state in Shown
    }
    assert every.states == by_state
    muted = planted.list(state="muted,resolved", **wide)
    assert {one.group.shown for one in muted.groups} == {Shown.MUTED, Shown.RESOLVED}
    assert muted.states == by_state
    one = planted.groups[2]
    assert [o.group.fingerprint for o in planted.list(text="OF 第2", **wide).groups] == [
        one.fingerprint
    ]
    typed = planted.list(error_type=one.error_type, **wide)
    assert {o.group.error_type for o in typed.groups} == {one.error_type}
    assert planted.list(seen="window", start="1h").total == 0
    assert planted.list(start="1h").total == 4


@pytest.mark.parametrize("sort", Sort)
def test_pages_hold_each_group_once_in_order(planted: Planted, sort: Sort) -> None:
    """Forwards and backwards: the same groups in the same order, none twice, none left out."""
    given = {"start": str(moment(NOW_US - 2 * DAY_US)), "end": str(moment(NOW_US)), "sort": sort}
    whole = [one.group.fingerprint for one in planted.list(**given).groups]
    first = planted.list(limit="2", **given)
    second = planted.list(limit="2", cursor=str(first.next), **given)
    back = planted.list(limit="2", cursor=str(second.previous), **given)
    keys = [[one.group.fingerprint for one in page.groups] for page in (first, second, back)]
    assert keys[0] + keys[1] == whole
    assert keys[2] == keys[0]
    assert (first.previous, second.next) == (None, None)
    values = [
        {
            Sort.LAST: one.group.last_at or 0,
            Sort.FIRST: one.group.first_at,
            Sort.COUNT: one.counts.count,
            Sort.TREND: one.counts.trend,
        }[sort]
        for one in (*first.groups, *second.groups)
    ]
    assert values == sorted(values, reverse=True)


def test_what_is_read_goes_by_its_index(planted: Planted) -> None:
    """Neither list nor group walks through attempts or tasks."""
    core, key = planted.core, planted.groups[0].fingerprint
    with core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        for start in ("2h", "3d", "2026-01-01"):
            listing.groups(core, asked({"from": start}))
            group.group(core, key, asked({"from": start}))
        with core.database.read() as conn:
            failure_cells.last_hour(conn, key)
    wanted = [one for one in statements if one[0].lstrip().startswith("SELECT")]
    with core.database.read() as conn:
        if conn.dialect.name == "postgresql":
            conn.execute(text("SET LOCAL enable_seqscan = off"))
        plans = {sql: "\n".join(plan(conn, sql, values)) for sql, values in wanted}
    walks = {
        sql: told
        for sql, told in plans.items()
        if any(
            f"{word} {table}" in told.replace("on ", "")
            for word in ("SCAN", "Seq Scan")
            for table in ("task_attempt", "task ", "stat_attempt")
        )
    }
    assert not walks
    joined = "\n".join(plans.values())
    assert "ix_task_attempt_fingerprint" in joined
    if core.database.is_sqlite:  # the other has statistics, and takes what is cheap among few
        assert joined.count("ix_stat_attempt_profile (profile_id=? AND grain=?") >= 2


ACTIONS: list[tuple[str, dict[str, str], Shown, list[str]]] = [
    ("resolve", {}, Shown.RESOLVED, ["resolved"]),
    ("resolve", {}, Shown.RESOLVED, []),
    ("unmute", {}, Shown.RESOLVED, []),
    ("reopen", {}, Shown.ONGOING, ["reopened"]),
    ("mute", {}, Shown.MUTED, ["muted"]),
    ("assign", {"assignee": " 李雷 "}, Shown.MUTED, ["assigned"]),
    ("assign", {"assignee": "李雷"}, Shown.MUTED, []),
    ("unmute", {}, Shown.ONGOING, ["unmuted"]),
    ("note", {"note": "see #12\nand the log"}, Shown.ONGOING, ["noted"]),
    ("note", {"note": ""}, Shown.ONGOING, ["noted"]),
]


def test_actions_change_the_group_and_are_written_down(planted: Planted) -> None:
    """Each leads to its state with one event that says who; what is so already writes nothing."""
    core, key = planted.core, planted.groups[0].fingerprint
    start_worker(core, name="w9")
    for action, fields, state, kinds in ACTIONS:
        before = _events(core, key)
        changed = actions.act(core, key, actions.done(action, fields, by="ann"))
        assert changed.shown is state, action
        new = _events(core, key)[: len(_events(core, key)) - len(before)]
        assert [one.kind for one in new] == kinds, action
        assert all(one.by == f"ann ({core.actor})" for one in new)
    row = _row(core, key)
    assert (row.assignee, row.note) == ("李雷", None)
    assert (row.state_at, row.state_by, row.resolved_release) == (None, None, None)
    with pytest.raises(NotFoundError, match="'v2:nothing' does not exist"):
        actions.act(core, "v2:nothing", actions.done("resolve", {}))


def _seen(core: Core, key: str, release: str) -> None:
    """A failure of a group, now."""
    cause = Cause(fingerprint=key, template="no <n>", frames="")
    failure = Failure(
        cause=cause, error_type="x", error_kind=None, error_code=None, release=release
    )
    with core.database.write() as conn:
        notice(core, conn, failure, core.database.now_us(conn))


def _do(core: Core, key: str, *names: str) -> Group:
    return [actions.act(core, key, actions.done(name, {}, by="ann")) for name in names][-1]


@pytest.mark.parametrize(("there", "back"), [("resolve", "reopen"), ("mute", "unmute")])
def test_a_decision_that_is_taken_back_leaves_what_was_before(
    any_home: Home, there: str, back: str
) -> None:
    """A new group is new again, one that was back is: with release and resolution, in all it says.

    While it is resolved it was not seen again; open it tells of no decision.
    """
    core, key = any_home.core, "v2:1"
    start_worker(core, name="w9")
    view = partial(group.group, core, key, asked({}))
    _seen(core, key, "1.4.1")
    new = view().group
    assert (new.shown, new.state_at, new.resolved_release) == (Shown.NEW, None, None)
    _do(core, key, there)
    assert _do(core, key, back) == new == view().group
    resolved = _do(core, key, "resolve")
    _seen(core, key, "1.4.3")
    again = view().group
    assert (again.shown, again.regressed_release) == (Shown.REGRESSED, "1.4.3")
    assert (again.state_at, again.state_by) == (resolved.state_at, resolved.state_by)
    assert again.resolved_release == core.settings.release
    decided = _do(core, key, there)
    if there == "resolve":
        assert (decided.shown, decided.regressed_at) == (Shown.RESOLVED, None)
        assert decided.regressed_release is None
    assert _do(core, key, back) == again == view().group
    assert _do(core, key, there, back, there, back) == again


def _row(core: Core, key: str) -> FailureGroupRecord:
    with core.database.read() as conn:
        row = failure_groups.get(conn, key)
    assert row is not None
    return row


def _events(core: Core, key: str) -> list[Any]:
    with core.database.read() as conn:
        return failure_groups.events_of(conn, key, 99)


@pytest.mark.parametrize(
    ("action", "fields", "words"),
    [
        ("close", {}, "action must be one of resolve, reopen, mute, unmute, assign, note, got"),
        ("assign", {}, "action 'assign' needs the field 'assignee'"),
        ("note", {"assignee": "x"}, "action 'note' takes no field 'assignee'"),
        ("resolve", {"note": "x"}, "action 'resolve' takes no field 'note'"),
        ("assign", {"assignee": "x" * 161}, "assignee must have at most 160 characters, got 161"),
        ("note", {"note": "a\0b"}, "note must have no control characters"),
    ],
)
def test_wrong_actions_say_what_is_allowed(action: str, fields: dict[str, str], words: str) -> None:
    """An action that cannot be done is refused with what was got and what is allowed."""
    with pytest.raises(AskedError, match=words):
        actions.done(action, fields)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"state": "old"}, "state must be one of new, ongoing, regressed, resolved, muted, got"),
        ({"sort": "name"}, "sort must be one of last, first, count, trend, got 'name'"),
        ({"seen": "yes"}, "seen must be one of any, window, got 'yes'"),
        ({"cursor": "abc"}, "cursor 'abc' was given by no page of this list"),
        ({"from": "yesterday"}, "from must be so long ago"),
        ({"from": "1h", "to": "2h"}, "the window is empty"),
        ({"from": "2999-01-01"}, "from is in the future"),
        ({"worker": "w\0"}, "worker must have no control characters"),
        ({"voice": "\ud800"}, "voice must have no control characters"),
    ],
)
def test_wrong_lists_say_what_is_allowed(
    planted: Planted, given: dict[str, str], words: str
) -> None:
    """A list that cannot be made is refused with what was got and what is allowed."""
    with pytest.raises(AskedError, match=words):
        listing.groups(planted.core, asked(given))


@pytest.mark.parametrize("key", ["v2:\0", "\ud800", "", "x" * 3000])
def test_no_group_has_a_key_that_is_none(planted: Planted, key: str) -> None:
    """What no database could hold is not found, on both of them."""
    with pytest.raises(NotFoundError):
        group.group(planted.core, key, asked({}))
    with pytest.raises(NotFoundError):
        actions.act(planted.core, key, actions.done("mute", {}))


def test_window_from_before_all_time_is_all_time(planted: Planted) -> None:
    """So long ago that no year would have it: since 1970, everything counts."""
    page = planted.list(start="9999999d", end=str(moment(NOW_US)))
    assert page.window.start == 0
    assert page.failed == sum(
        len(failed(planted.rows, one.fingerprint, 0, NOW_US, {})) for one in planted.groups
    )


def test_a_new_group_is_new_for_a_day_unless_touched() -> None:
    """First seen within a day, nobody's, without a note: new; else ongoing, or as was decided."""
    row = {
        "fingerprint": "v2:1", "error_type": "x", "error_kind": None, "error_code": None,
        "template": "", "frames": "", "first_at": 0, "state": "open", "state_at": None,
        "state_by": None, "resolved_release": None, "regressed_at": None,
        "regressed_release": None, "assignee": None, "note": None,
    }  # fmt: skip

    def state(now: int, **changed: object) -> Shown:
        return shown(FailureGroupRecord(**(row | changed)), now)  # type: ignore[arg-type]

    assert state(DAY_US - 1) is Shown.NEW
    assert state(DAY_US) is Shown.ONGOING
    assert state(1, assignee="ann") is state(1, note="n") is Shown.ONGOING
    assert state(1, regressed_at=1, state_at=1) is Shown.REGRESSED
    assert state(1, state="muted", regressed_at=1) is Shown.MUTED
    assert state(1, state="resolved") is Shown.RESOLVED


def test_what_retention_removed_is_counted_on(any_home: Home) -> None:
    """With its rows gone a group keeps its counts, its last hour, and says whole hours."""
    core = any_home.core
    with core.database.write() as conn:
        populate(conn, count=60, seed=3)
        rows = list(listed(conn))
        plant(conn, rows)
        conn.execute(text("DELETE FROM task_attempt"))
    ends = sorted(row.ended_at for row in rows)
    first, last = ends[-12], ends[-3]
    start, end = first - 1, last + 1
    given = {"from": str(moment(start)), "to": str(moment(end))}
    page = listing.groups(core, asked(given))
    low, high = start - start % HOUR_US, end - end % HOUR_US + HOUR_US
    assert (page.window.start, page.window.end) == (low, high)
    assert page.window.is_whole_hours
    for one in page.groups:
        key = one.group.fingerprint
        check(one.counts, failed(rows, key, low, high, {}))
        own = [row.ended_at for row in failed(rows, key, 0, NOW_US + 1, {})]
        assert one.group.last_at == max(own) - max(own) % HOUR_US
        view = group.group(core, key, asked(given))
        assert (view.all_time.count, view.kept_count, view.exemplars) == (len(own), 0, ())

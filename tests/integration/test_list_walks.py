"""Walks through lists while tasks come, move and end: nothing is lost, nothing shown twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.service import task_list
from app.service.core import Core
from app.service.task_list import TaskPage
from tests.conftest import KINDS, database_url
from tests.support.home import Home
from tests.support.listed_rows import listed, populate

_COPIED = (
    "text_id, status, engine, engine_version, voice, format, source, char_count, timeout_us,"
    " max_attempts, give_up_at, queued_at, not_before, trace_id, span_id"
)
_COME = (
    f"INSERT INTO task ({_COPIED}, content_key, submitted_at)"  # noqa: S608 - our own names
    f" SELECT {_COPIED}, 'new ' || (SELECT max(id) FROM task), :now FROM task"
    " WHERE status = 'pending' LIMIT 1 RETURNING id"
)
_END = (
    "UPDATE task SET status = 'cancelled', finished_at = :now WHERE id = :id"
    " AND finished_at IS NULL RETURNING id"
)


@dataclass(slots=True, kw_only=True)
class Scene:
    """A database in which tasks come and end while somebody reads a list of them."""

    core: Core
    came: list[int] = field(default_factory=list)

    def come(self) -> None:
        """A task is submitted."""
        self.came.append(self._write(_COME))

    def end(self, task_id: int, *, ago_us: int = 0) -> None:
        """A task ends, if it has not; what ended a moment `ago_us` is seen only now."""
        self._write(_END, task_id, ago_us)

    def _write(self, statement: str, task_id: int = 0, ago_us: int = 0) -> int:
        with self.core.database.write() as conn:
            values = {"now": self.core.database.now_us(conn) - ago_us, "id": task_id}
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            return conn.execute(text(statement), used).scalar() or 0

    def live(self) -> list[int]:
        """Tasks that wait or run, in the order of their submission."""
        with self.core.database.read() as conn:
            rows = [one.task for one in listed(conn) if one.task.finished_at is None]
        return [task.id for task in sorted(rows, key=lambda task: (task.submitted_at, task.id))]


@pytest.fixture(scope="module", params=KINDS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home on each database."""
    path = tmp_path_factory.mktemp("walks")
    with Home.make(path / "home", database_url(request.param, path)) as home:
        yield home


@pytest.fixture
def scene(place: Home) -> Scene:
    """New tasks in that home, a third of them alive."""
    return _scene(place)


def _scene(place: Home) -> Scene:
    with place.core.database.write() as conn:
        for table in ("submission", "task", "text"):
            conn.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
        populate(conn, count=40, seed=2)
        conn.execute(
            text(
                "UPDATE task SET status = 'pending', finished_at = NULL, source = 'api'"
                " WHERE id % 3 = 0"
            )
        )
    return Scene(core=place.core)


def _ids(page: TaskPage) -> list[int]:
    return [one.task.id for one in page.tasks]


def test_task_that_ends_is_not_shown_again(scene: Scene) -> None:
    """What was shown as living is not shown once more where it has ended since."""
    living = scene.live()
    first = task_list.page(scene.core, sort="ended", limit=2)
    assert _ids(first) == living[:-3:-1]
    for number, task_id in enumerate(living):
        scene.end(task_id, ago_us=number % 2 * 2_000_000)
    second = task_list.page(scene.core, cursor=str(first.next), limit=2)
    assert _ids(second) == living[-3:-5:-1]
    fresh = task_list.page(scene.core, sort="ended", limit=1000)
    back = task_list.page(scene.core, cursor=str(second.previous), limit=1000)
    assert (_ids(back), len(fresh.tasks)) == (_ids(first), len(set(_ids(fresh))))


_STEPS = st.lists(
    st.lists(
        st.one_of(
            st.just(("come", 0, 0)),
            st.tuples(st.just("end"), st.integers(0, 20), st.sampled_from((0, 0, 3_000_000))),
        ),
        max_size=4,
    ),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=_STEPS,
    sort=st.sampled_from(("ended", "ended-asc", "submitted", "submitted-asc")),
    limit=st.integers(1, 15),
    is_far=st.booleans(),
    query=st.sampled_from(("", "", "ended:>=2026-01-01", "-engine:tone")),
)
def test_walk_shows_each_task_once_while_tasks_come_and_end(
    place: Home,
    *,
    steps: list[list[tuple[str, int, int]]],
    sort: str,
    limit: int,
    is_far: bool,
    query: str,
) -> None:
    """Forwards each task that was there is shown once, and backwards once, with those that came."""
    with pytest.MonkeyPatch.context() as patch:
        if is_far:
            patch.setattr("app.service.task_ends.MAX_SORTED", 0)
        scene = _scene(place)
        there = _ids(task_list.page(scene.core, query, sort=sort, limit=1000))
        moves = iter(steps)
        pages = _walk(scene, query, sort, limit, moves)
        shown = [task_id for page in pages for task_id in _ids(page)]
        assert len(shown) == len(set(shown))
        assert [one for one in shown if one not in scene.came] == there
        _check_back(scene, pages, query, limit, moves)


def _walk(
    scene: Scene,
    query: str,
    sort: str | None,
    limit: int,
    moves: Iterator[list[tuple[str, int, int]]],
) -> list[TaskPage]:
    """All pages from the first on, with moves between them."""
    pages = [task_list.page(scene.core, query, sort=sort, limit=limit, examined=20)]
    while (cursor := pages[-1].next) is not None:
        _move(scene, next(moves, []))
        pages.append(
            task_list.page(scene.core, query, cursor=str(cursor), limit=limit, examined=20)
        )
    return pages


def _move(scene: Scene, moves: list[tuple[str, int, int]]) -> None:
    for what, number, ago_us in moves:
        living = scene.live()
        if what == "come":
            scene.come()
        elif living:
            scene.end(living[number % len(living)], ago_us=ago_us)


def _check_back(
    scene: Scene,
    pages: list[TaskPage],
    query: str,
    limit: int,
    moves: Iterator[list[tuple[str, int, int]]],
) -> None:
    """From the last page back to the first, and on to what came."""
    found = _ids(pages[-1])
    cursor = pages[-1].previous
    while True:
        _move(scene, next(moves, []))
        page = task_list.page(scene.core, query, cursor=str(cursor), limit=limit, examined=20)
        found = _ids(page) + found
        cursor = page.previous
        if not page.tasks and page.searched_to is None:
            break
    assert len(found) == len(set(found))
    shown = {task_id for one in pages for task_id in _ids(one)}
    assert shown <= set(found)
    assert set(found) - shown <= set(scene.came)


def test_previous_goes_on_for_ever(scene: Scene) -> None:
    """Each newest page, and each empty one, leads to what is newer later, and back again."""
    core = scene.core
    newest = task_list.page(core, limit=3)
    cursor = newest.previous
    for _ in range(2):
        empty = task_list.page(core, cursor=str(cursor), limit=3)
        assert (empty.tasks, empty.is_first) == ((), True)
        assert _ids(task_list.page(core, cursor=str(empty.next), limit=3)) == _ids(newest)
        cursor = empty.previous
    for _ in range(5):
        scene.come()
    first = task_list.page(core, cursor=str(cursor), limit=3)
    assert (_ids(first), first.is_first) == (scene.came[2::-1], False)
    second = task_list.page(core, cursor=str(first.previous), limit=3)
    assert (_ids(second), second.is_first) == (scene.came[:2:-1], True)
    assert _ids(task_list.page(core, cursor=str(second.next), limit=3)) == _ids(first)
    assert task_list.page(core, cursor=str(second.previous), limit=3).tasks == ()


@pytest.mark.parametrize("sort", ["submitted", "submitted-asc", "ended", "ended-asc", "dur-asc"])
def test_empty_list_leads_to_what_comes(scene: Scene, sort: str) -> None:
    """The cursors of a list without tasks are cursors like others."""
    query = "voice:nobody"
    page = task_list.page(scene.core, query, sort=sort)
    assert (page.tasks, page.next, page.is_first) == ((), None, True)
    again = task_list.page(scene.core, query, cursor=str(page.previous))
    assert again.tasks == ()
    everything = task_list.page(scene.core, cursor=str(page.previous), limit=1000)
    assert set(_ids(everything)) == set(_ids(task_list.page(scene.core, sort=sort, limit=1000)))
    following = task_list.page(scene.core, cursor=str(everything.next), limit=1000)
    assert following.tasks == ()
    assert _ids(task_list.page(scene.core, cursor=str(following.previous), limit=1000)) == _ids(
        everything
    )

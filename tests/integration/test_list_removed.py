"""What retention removed and a list would have: how many it was, where counters know."""

import pytest

from app.service import cancel, task_list
from app.service.core import Core
from app.service.task_count import Count
from tests.support.documented import web_client
from tests.support.home import Home
from tests.support.service import submitted
from tests.support.worked import erase


def _three_cancelled(core: Core) -> None:
    """Five tasks: three are cancelled, and two of these removed."""
    made = [submitted(core, f"Number {number}.").task.id for number in range(5)]
    for task_id in made[:3]:
        cancel.cancel_task(core, task_id)
    for task_id in made[:2]:
        erase(core, task_id)


@pytest.mark.parametrize(
    ("query", "sort", "count"),
    [
        ("", None, Count(n=3, is_exact=True, removed=2)),
        ("status:cancelled", None, Count(n=1, is_exact=True, removed=2)),
        ("-status:pending", "total", Count(n=1, is_exact=True, removed=2)),
        ("status:pending", None, Count(n=2, is_exact=True, removed=0)),
        ("engine:tone", None, Count(n=3, is_exact=True, removed=None)),
        ("status:cancelled since:1h", None, Count(n=1, is_exact=True, removed=None)),
    ],
)
def test_count_says_what_was_removed_where_counters_know(
    any_home: Home, query: str, sort: str | None, count: Count
) -> None:
    """Of all tasks, and of statuses, a list says how many were removed; else nobody knows."""
    _three_cancelled(any_home.core)
    for limit in (1, 100):
        page = task_list.page(any_home.core, query, sort=sort, limit=limit, with_count=True)
        assert page.count == count


def test_page_and_api_say_what_was_removed(home: Home) -> None:
    """The list that a number opens says what of the number it cannot show."""
    _three_cancelled(home.core)
    with web_client(home.settings) as client:
        told = client.get("/api/v1/tasks?status=cancelled&count=1").json or {}
        assert told["count"] == {"n": 1, "is_exact": True, "removed": 2}

        def page(path: str) -> str:
            return client.get(path).text

        assert "1 task" in page("/tasks?status=cancelled")
        assert "2 more were removed by retention" in page("/tasks?status=cancelled")
        assert "另有 2 个已按保留期限删除" in page("/tasks?lang=zh")
        assert "removed by retention" not in page("/tasks?status=pending&lang=en")
        assert "removed by retention" not in page("/tasks?query=engine%3Atone&lang=en")
    assert "2 more were removed by retention" in home.run("tasks", "--count").stdout

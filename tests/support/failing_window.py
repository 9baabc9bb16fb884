"""A window in which one worker fails with one voice after a release, and a page's links into it."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from sqlalchemy import update

from app.service import attempt_list
from app.service.core import Core
from app.store import failure_groups, system_events
from app.store.tables import task_table
from app.web import state
from tests.support import recent
from tests.support.recent import MINUTE_US, SECOND_US, now_us, traffic

#: What fails here, and what failed now and then before.
GROUP, OTHER = "v2:00000000000000aa", "v2:00000000000000bb"
HOUR_US = 60 * MINUTE_US
#: A number that opens its rows: `<a … href="/attempts?…">34</a>`, words may follow it.
_COUNTED = re.compile(r'<a[^>]*href="(/attempts\?[^"]+)"[^>]*>\s*([\d\u202f]+)[^<]*</a>')


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingWindow:
    """Moments in microseconds: the window, and when it began to fail in it."""

    start: int
    end: int
    began: int


def fill(core: Core) -> FailingWindow:
    """Two days with few failures; an hour in whose last third w3 fails with amy, some repeated."""
    recent.begin(core)
    end = now_us(core) - MINUTE_US
    start, began = end - HOUR_US, end - 20 * MINUTE_US
    past = traffic(start - 48 * HOUR_US, start, every_us=4 * MINUTE_US)
    for place in range(0, len(past), 50):
        past[place] |= {"failed": OTHER}
    calm = traffic(start, began, every_us=15 * SECOND_US)
    calm[7] |= {"failed": OTHER}
    failing = traffic(began, end, every_us=6 * SECOND_US, failed=GROUP, worker="w3", voice="amy")
    for one in [row for row in failing if row.get("failed")][-3:]:
        one["is_repeat"] = True
    recent.put(core, [*past, *calm, *failing])
    with core.database.write() as conn:
        system_events.add(conn, _release(began - 90 * SECOND_US))
        for group, at in ((OTHER, start - 47 * HOUR_US), (GROUP, began)):
            failure_groups.insert_new(conn, _group(group, at))
        conn.execute(update(task_table).values(status="cancelled", finished_at=end))
    return FailingWindow(start=start, end=end, began=began)


def _group(fingerprint: str, at: int) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint,
        "error_type": "engine_error",
        "error_kind": "retryable",
        "template": f"no voice of <name> in {fingerprint[-2:]}",
        "frames": "app.speech.scripted:speak",
        "first_at": at,
    }


def _release(at: int) -> dict[str, Any]:
    return {
        "at": at,
        "kind": "release",
        "worker": "w3",
        "host": "h1",
        "release": "1.4.2",
        "before": "1.4.1",
        "by": "worker w3",
    }


def numbers(page: str) -> list[tuple[str, int]]:
    """Each number of a page that opens attempts: their filter, and the number."""
    found = []
    for path, text in _COUNTED.findall(page):
        query = parse_qs(urlsplit(unescape(path)).query)
        found.append((query["q"][0], int(text.replace("\u202f", ""))))
    return found


def listed(client: FlaskClient, query: str) -> int:
    """How many attempts a filter lists, each page of them read."""
    core, total = state.of(client.application).core, 0
    cursor: str | None = None
    while True:
        page = attempt_list.page(core, query, cursor=cursor, limit=attempt_list.MAX_LIMIT)
        total += len(page.attempts)
        if page.next is None:
            return total
        cursor = str(page.next)

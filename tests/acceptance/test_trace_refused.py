"""No span is refused: whatever a request says, however old a row is, whichever clock is wrong.

One collector and one Jaeger for all tests; the collector counts what it refuses.
"""

import json
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from app import clock
from app.service import task_list
from telemetry import names, outbox
from tests.conftest import KINDS, database_url, empty_database_url
from tests.integration.test_state_machine import recount
from tests.support import first_release, skewed_clock
from tests.support.backends import Collector, Jaeger, Pair
from tests.support.home import Home
from tests.support.jaeger_trace import whole_trace
from tests.support.otlp_spans import ReceivedSpan
from tests.support.running import PATIENCE_S, Json, running_up
from tests.support.service import submitted
from tests.support.traced_tasks import kill_process, traced_home, until_made, until_over
from tests.support.wait import wait_until
from tests.support.whole_trace import rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

#: Counters of the collector that stay 0 where all is taken and handed on.
_REFUSALS = (
    "otelcol_receiver_refused_spans",
    "otelcol_receiver_failed_spans",
    "otelcol_exporter_send_failed_spans",
    "otelcol_exporter_enqueue_failed_spans",
)
_BOOK_CHARS = 5_000_000
_PIECES = 300


def _check_taken(home: Home, collector: Collector, task_count: int) -> None:
    """Every task's trace is whole and equal, and nothing was refused anywhere on the way."""
    done = home.run("verify", "--json")
    told = json.loads(done.stdout)
    assert (told["tasks"], told["equal"]) == (task_count, task_count), told["differences"][:20]
    with home.core.database.read() as conn:
        state = outbox.measure(conn)
    assert (state.pending, state.poison, state.lost_rows) == (0, 0, 0)
    assert {name: collector.count(name) for name in _REFUSALS} == dict.fromkeys(_REFUSALS, 0)


# Texts and names ---------------------------------------------------------------------------------


def test_spans_of_a_text_of_five_million_characters_are_taken(pair: Pair, tmp_path: Path) -> None:
    """A book is cancelled after some hundred of its segments; each of them has its span."""
    words = "Every word of this long book is spoken by a tone, and there are many of them. "
    book = (words * (_BOOK_CHARS // len(words) + 1))[:_BOOK_CHARS]
    with traced_home(pair, tmp_path) as home:
        home.start_duties()
        home.start_worker()
        task = submitted(home.core, book).task
        wait_until(
            lambda: task_list.get(home.core, task.id).segments_done >= _PIECES,
            PATIENCE_S,
            what=f"{_PIECES} segments are spoken",
        )
        assert home.run("cancel", str(task.id)).returncode == 0
        until_over(home, [task.id])
        _check_taken(home, pair.collector, 1)
        rows = rows_of(home, task.id)
        spans = whole_trace(home, pair.jaeger, rows)
    pieces = {span.span_id for span in spans if span.name == names.SPAN_SEGMENT}
    made = {piece.span_id for piece in rows.segments if piece.span_id}
    assert (rows.task.char_count, rows.task.status) == (_BOOK_CHARS, "cancelled")
    assert len(rows.segments) > 10_000
    assert len(made) >= _PIECES
    assert pieces == made


#: Text that somebody somewhere trips over.
_ODD = {
    "emoji": "👩‍🚀🏳️‍🌈",
    "right to left": "שלום \u202eabc\u202c",
    "stacked marks": "Z̷͑͝a" * 20,
    "high surrogate": "a\ud83d",
    "low surrogate": "\udc00b",
    "NUL": "a\0b",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "byte order mark": "\ufeffx",
    "200 characters": "长" * 200,
    "separators": "a\u2028b\u2029c",
    "private use": "\ue000",
    "8 kB": "é" * 4000,
}


@pytest.mark.parametrize("kind", KINDS)
def test_spans_of_any_unicode_are_taken(pair: Pair, tmp_path: Path, kind: str) -> None:
    """Each odd value as title, text, message of a failure, file name, key and header.

    What the API takes becomes a whole trace; what it does not take it refuses in words (4xx), and
    those requests' spans are taken, too. The page of the span metrics stays text.
    """
    odd_resource = {"OTEL_RESOURCE_ATTRIBUTES": "team=%F0%9F%91%A9%00%7f,long=" + "x" * 3000}
    database = database_url(kind, tmp_path)
    with traced_home(pair, tmp_path, database, **odd_resource) as home, running_up(home):
        answers = [answer for name, odd in _ODD.items() for answer in _send_odd(home, name, odd)]
        assert {answer.status_code for answer in answers} <= {200, 201, 202, 400, 413}
        taken = [answer.json() for answer in answers if answer.ok]
        ids = {_task_id(body) for body in taken}
        assert len(ids) == len(taken) > 3 * len(_ODD)
        until_over(home, sorted(ids))
        _check_taken(home, pair.collector, len(ids))
    page = requests.get(pair.collector.spanmetrics_url, timeout=10).content.decode()
    assert not [char for char in page if unicodedata.category(char) == "Cc" and char != "\n"]


def _task_id(body: Json) -> int:
    return int(body["task_id"] if "task_id" in body else body["task"]["id"])


def _send_odd(home: Home, name: str, odd: str) -> Iterator[requests.Response]:
    raw = odd.encode("utf-8", "surrogatepass")
    trace = f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"
    # no client can send a header with a control character
    headers: dict[str, str | bytes] = {"User-Agent": raw, "Idempotency-Key": raw[:100]}
    headers |= {"traceparent": trace, "tracestate": b"a=" + raw, "baggage": b"b=" + raw}
    bodies: list[tuple[Json, Mapping[str, str | bytes]]] = [
        ({"content": f"Titled {name}.", "title": odd}, {}),
        ({"content": f"Spoken {name} {odd} to its end."}, {}),
        ({"content": f"@fail permanent {odd}\nRefused {name}."}, {}),
        ({"content": f"Sent {name}."}, {} if any(char < " " for char in odd) else headers),
    ]
    for body, extra in bodies:
        yield requests.post(
            f"{home.url}/api/v1/texts",
            data=json.dumps({"engine": "scripted", **body}),
            headers={"Content-Type": "application/json", **extra},
            timeout=PATIENCE_S,
        )
    yield requests.post(
        f"{home.url}/upload",
        files={
            "file": (odd.encode("utf-8", "replace").decode() + ".txt", b"File " + name.encode())
        },
        data={"engine": "scripted"},
        timeout=PATIENCE_S,
    )


# Rows of an older release ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_tasks_of_the_first_release_get_their_spans(
    collector: Collector, jaeger: Jaeger, tmp_path: Path, kind: str
) -> None:
    """A database that the first release left, tasks in each state, is upgraded and goes on.

    What had ended is sent as it was; what ran is rescued; what waited runs. Each task has a whole
    trace, equal to its row, and the totals are right.
    """
    pair = Pair(collector=collector, jaeger=jaeger)
    database = empty_database_url(kind, tmp_path)
    count = first_release.write(database)
    with traced_home(pair, tmp_path, database) as home:
        before = {one.task.id: one.task.status for one in task_list.page(home.core).tasks}
        ended = {"completed": 2, "failed": 1, "timeout": 1, "cancelled": 1}
        assert Counter(before.values()) == ended | {"pending": 2, "processing": 1}
        home.start_duties()
        home.start_worker("w9")
        until_over(home, list(before))
        _check_taken(home, collector, count)
        recount(home.core)
        after = {task_id: task_list.get(home.core, task_id) for task_id in before}
    for task_id, status in before.items():
        assert after[task_id].status == (status if status in ended else "completed")
        assert after[task_id].rescued_at is not None or status != "processing"


# Wrong clocks ------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.parametrize("hours", [1, -1])
def test_spans_lie_inside_each_other_when_clocks_are_wrong(
    pair: Pair, tmp_path: Path, hours: int
) -> None:
    """The worker's host is an hour off, and the host of the duties by as much to the other side.

    All times are the database's: what an attempt did lies within it, and all within the task; a
    deadline is where it was; a killed attempt is rebuilt where it was.
    """
    contents = [
        "Made at once.\n\n@sleep 0.3\nMade a little later.",
        "@fail-until-attempt 2 retryable\nSpoken at the second try.",
        "Made before the kill.\n\n@sleep 1\nMade after it.",
    ]
    database = database_url("postgres", tmp_path)
    with traced_home(pair, tmp_path, database) as home:
        home.start_duties(**skewed_clock.environ_of(-hours))
        home.start_worker("w1", **skewed_clock.environ_of(hours))
        before_us = clock.now_us()
        tasks = [submitted(home.core, content, engine="scripted").task for content in contents]
        late = submitted(home.core, "@subprocess 60", engine="scripted", timeout_s=1.0).task
        tasks.append(late)
        kill_process(until_made(home, tasks[2].id))
        until_over(home, [task.id for task in tasks])
        after_us = clock.now_us()
        _check_taken(home, pair.collector, len(tasks))
        for task in tasks:
            rows = rows_of(home, task.id)
            assert before_us < rows.task.submitted_at < (rows.task.finished_at or 0) < after_us
            assert rows.task.status == ("timeout" if task.id == late.id else "completed")
            spans = whole_trace(home, pair.jaeger, rows)
            _check_nested(spans)
            if task is tasks[0]:
                pieces = [span for span in spans if span.name == names.SPAN_SEGMENT]
                assert max(span.end_ns - span.start_ns for span in pieces) >= 300_000_000


def _check_nested(spans: list[ReceivedSpan]) -> None:
    """Each span lies within its parent, and its events within it."""
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        parent = by_id.get(span.parent_span_id, span)
        assert parent.start_ns <= span.start_ns <= span.end_ns <= parent.end_ns, (
            f"{span.name} {span.start_ns - parent.start_ns} ns after the start and"
            f" {parent.end_ns - span.end_ns} ns before the end of {parent.name}"
        )
        assert all(span.start_ns <= at_ns <= span.end_ns for _, at_ns, _ in span.events)

"""A canary is in no list and no number: every GET route, walked beside one at each stage."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import clock
from app.service import measures
from app.service.canaries import canary
from app.service.canaries.canary import Watch
from app.service.core import Core
from app.service.correlate.question import SETTLE_US
from app.store import workers
from app.web import state
from app.web.factory import create_app
from tests.support.home import Home
from tests.support.service import claimed, run, start_worker, submitted
from tests.support.wait import wait_until

#: What differs between two looks without a canary: moments, ages, measures of the process.
VOLATILE = frozenset(
    {
        "as_of",
        "now",
        "timestamp",
        "heartbeat_at",
        "seen_at",
        "since",
        "took_ms",
        "free_bytes",
        "disk",
        "wal",
        "oldest_waiting_s",
        "oldest_s",
        "apart_ms",
        # what happens in an hour of a window that grows
        "per_hour",
        "characters_per_hour",
        "held_threads",
        "last_event_id",
        # where a task that waits has its present end
        "waterfall",
        "spans",
        "spent_s",
        # the spans of canaries wait and are sent like all others
        "outbox",
        # the end of a window that reaches now
        "to",
    }
)
#: Routes that tell of canaries on purpose, those that never end, those of which nothing is there,
#: and those that must be asked something (below; the page draws what the API answers).
OWN = frozenset(
    {
        "/system",
        "/metrics",
        "/api/v1/findings/1",
        "/api/v1/correlate/analyses/1",
        "/correlate",
        "/correlate/compare",
        "/api/v1/correlate",
        "/api/v1/correlate/compare",
    }
)
FIELDS = {
    "text_id": "1",
    "task_id": "1",
    "audio_id": "1",
    "fmt": "srt",
    "finding_id": "1",
    "analysis_id": "1",
}


@pytest.fixture
def client(any_home: Home) -> Iterator[FlaskClient]:
    """A client of an application on the home."""
    app = create_app(any_home.settings, any_home.core)
    with app.test_client() as made:
        yield made
    state.end(state.of(app))


def _paths(client: FlaskClient, fingerprint: str) -> list[str]:
    """Every GET route, on the first text, task, audio and failure; lists with filters, too."""
    rules = client.application.url_map.iter_rules()
    fields = FIELDS | {"fingerprint": fingerprint}
    since = clock.now_us() // 1_000_000 - 3600
    asked = f"from={since}&to={since + 7200}"
    paths = {
        re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda found: fields[found[1]], rule.rule)
        for rule in rules
        if "GET" in (rule.methods or set())
        and "stream" not in rule.rule
        and rule.endpoint != "static"
    }
    lists = {
        "/?q=canary",
        "/audios?q=canary",
        "/tasks?status=completed",
        "/tasks?status=pending",
        "/tasks?status=processing",
        "/api/v1/texts?q=canary",
        "/api/v1/texts?audio_filter=generated",
        "/api/v1/texts?status=completed,pending,processing",
        "/api/v1/tasks?status=completed",
        "/api/v1/tasks?status=pending",
        "/api/v1/tasks?status=processing",
        "/api/v1/tasks/3",
        "/healthz?full=1",
        f"/api/v1/correlate?{asked}",
        f"/api/v1/correlate?{asked}&query=outcome:completed",
        "/correlate/compare?left=1.1&right=2.1",
        "/api/v1/correlate/compare?left=1.1&right=2.1",
    }
    return sorted((paths | lists) - OWN)


def _told(client: FlaskClient, path: str) -> Any:
    """What a route answers, without what moves by itself."""
    answer = client.get(path, headers={"Accept": "text/html"}, buffered=True)
    assert answer.status_code < 400 or answer.status_code == 503, (path, answer.status_code)
    if answer.is_json:
        return _still(answer.json)
    if not (answer.mimetype or "").startswith("text/html"):
        return answer.data
    return _still_page(answer.text)


def _still(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _still_one(key, one) for key, one in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [_still(one) for one in value]
    return _without_ages(value) if isinstance(value, str) else value


def _still_one(key: str, value: Any) -> Any:
    """Addresses without the end of their window; of a strip of time all bins together."""
    if key == "strip" and isinstance(value.get("bins"), list):
        return [sum(one[name] for one in value["bins"]) for name in ("n", "selected")]
    is_address = key.endswith("_url") and isinstance(value, str)
    return re.sub(r"\.\.[^&]*", "", value) if is_address else _still(value)


def _still_page(page: str) -> str:
    """The page without moments, ages, places in time, an hour's work, the line about the outbox."""
    page = re.sub(r"\d{4}-\d{2}-\d{2}T[\d%A:.]+Z", "MOMENT", page)
    page = re.sub(r'id="rate">[^<]*<', "RATE", page)
    # names the look; the monitor's own parts move with a canary
    page = re.sub(r'data-seen="[\d.@]+"', "SEEN", page)
    page = re.sub(r"<time[^>]*>[^<]*</time>", "TIME", page)
    # charts of a window that reaches now move on with it
    page = re.sub(r' (x|width)="[\d.]+%"', " PLACE", page)
    page = re.sub(r"<footer>.*?</footer>", "", page, flags=re.DOTALL)
    return _without_ages(page)


def _without_ages(told: str) -> str:
    return re.sub(r"\d+(?:\.\d+)? (?:ms|s|min|毫秒|秒|分)(?![\w])", "AGE", told)


def _beat(core: Core, worker: str) -> None:
    with core.database.write() as conn:
        workers.beat(conn, worker, core.database.now_us(conn))


def _stages(core: Core, worker: str) -> Iterator[str]:
    """A canary at each stage of its life."""
    watch = Watch(exports=False, jaeger=None)
    canary.begin(core)
    yield "waits"
    claim = claimed(core, worker)
    yield "runs"
    run(core, claim)
    yield "is done, and not yet put away"
    row, _ = canary.newest(core)
    assert row is not None
    canary.look(core, row, watch)
    row, _ = canary.newest(core)
    assert row is not None
    canary.look(core, row, watch)
    yield "is put away"


def test_no_route_shows_a_canary(any_home: Home, client: FlaskClient) -> None:
    """Each answer beside a canary is what it was without: no row more, no number more."""
    core = any_home.core
    worker = start_worker(core)
    submitted(core, "A text of a user.", title="Spoken")
    run(core, claimed(core, worker))
    submitted(core, "@fail permanent no such voice", engine="scripted", title="Refused")
    failed = run(core, claimed(core, worker))
    submitted(core, "Another one that waits.", title="Waits")
    settled_at = (failed.finished_at or 0) + SETTLE_US
    wait_until(lambda: clock.now_us() > settled_at, 10, what="its end is old enough for a window")
    paths = _paths(client, failed.fingerprint or "")
    assert {"/", "/tasks", "/monitor", "/api/v1/monitor", "/api/monitor/stats"} <= set(paths)
    _beat(core, worker)
    before = {path: _told(client, path) for path in paths}
    for stage in _stages(core, worker):
        _beat(core, worker)
        for path in paths:
            told = _told(client, path)
            assert told == before[path], f"{path} while the canary {stage}"
            assert not re.search(r"[Cc]anary \d\d", str(told)), path


#: Families of measures that tell of tasks.
TOLD = re.compile(r"voxtrace\.(tasks?|queue|slots|engine|deadline|traces?)\b(?!.*age)")


def test_no_measure_counts_a_canary(any_home: Home) -> None:
    """What /metrics tells of tasks, queue, slots, calls and flags is the same beside a canary."""
    core = any_home.core
    worker = start_worker(core)
    submitted(core, "A text of a user.")
    run(core, claimed(core, worker))

    def told() -> list[str]:
        _beat(core, worker)
        samples = measures.read(core, None, exports=False)
        return sorted(str(one) for one in samples if TOLD.match(one.metric.name))

    before = told()
    assert any("voxtrace.engine" in line for line in before)
    for stage in _stages(core, worker):
        assert told() == before, stage


def test_titles_of_canaries_are_free(any_home: Home, client: FlaskClient) -> None:
    """A canary can be read by its id, and its title takes no name from anybody."""
    canary.begin(any_home.core)
    row, _ = canary.newest(any_home.core)
    assert row is not None
    shown = client.get(f"/api/v1/tasks/{row.task_id}").json or {}
    title = shown["text"]["title"]
    assert title.startswith("Canary ")
    told = client.get("/api/text/title_exists", query_string={"title": title}).json
    assert told == {"exists": False, "title": title}

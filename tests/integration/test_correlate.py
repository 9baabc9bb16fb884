"""GET /api/v1/correlate on a cause that is known: numbers, words, and the rows behind them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from app import clock
from app.domain.query.amounts import written_duration
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse
from app.service import attempt_list
from app.service.correlate import answering
from app.service.correlate.answer import Answer
from app.service.correlate.question import asked
from app.store.database import Connection
from telemetry import codec, names
from tests.conftest import KINDS, database_url
from tests.support import caused_failures
from tests.support.caused_failures import (
    CAUSE,
    DAY_US,
    HOUR_US,
    NOW_US,
    ONSET_US,
    RELEASED_US,
    SLOW,
    TEMPLATE,
)
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.wait import wait_until

if TYPE_CHECKING:
    from pathlib import Path

_WINDOW = {"from": clock.iso(NOW_US - DAY_US), "to": clock.iso(NOW_US)}


@pytest.fixture(scope="module", params=KINDS)
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A home with a cause among its attempts, on a database of each kind."""
    path: Path = tmp_path_factory.mktemp("correlate")
    with Home.make(path / "home", database_url(request.param, path)) as made:
        with made.core.database.write() as conn:
            caused_failures.fill(conn)
        yield made


@pytest.fixture(scope="module")
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of the application, whose answers are held against the OpenAPI document."""
    with web_client(home.settings) as made:
        yield made


def _get(client: DocumentedClient, **query: str) -> Any:
    answer = client.get("/api/v1/correlate", query_string=_WINDOW | query)
    assert answer.status_code == 200, answer.text
    return answer.json


def _listed(home: Home, url: str) -> int:
    """How many attempts the page of an address lists."""
    found = urlsplit(url)
    assert found.path == "/attempts"
    (query,) = parse_qs(found.query)["q"]
    assert str(parse(query, ATTEMPTS)) == query
    count = attempt_list.page(home.core, query, limit=1, with_count=True).count
    assert count is not None
    assert count.is_exact
    return count.n


def _is_cause(finding: Any) -> bool:
    """Whether a finding names the cause, or cannot tell it from what it names."""
    predicates = [finding["where"], *finding["indistinguishable"]]
    return any(
        where.get("engine") == "volc" and {"worker", "release"} & set(where) for where in predicates
    )


def test_finding_names_the_cause_with_all_that_is_known_of_it(
    home: Home, client: DocumentedClient
) -> None:
    """Predicate, group, numbers, onset, boundary, words, examples; every number opens its rows."""
    told = _get(client)
    (finding,) = told["findings"]
    assert _is_cause(finding)
    assert (finding["fingerprint"], finding["template"]) == (CAUSE, TEMPLATE)
    assert finding["observed"] == _listed(home, finding["attempts_url"])
    assert finding["n"] == _listed(home, finding["all_attempts_url"])
    assert finding["observed"] > 5 * finding["expected"]
    low, at, high = (finding["onset"][name] for name in ("low", "at", "high"))
    assert low <= at <= high
    assert low <= clock.iso(ONSET_US + HOUR_US // 4)
    assert high >= clock.iso(ONSET_US - HOUR_US // 4)
    boundary = finding["boundary"]
    assert (boundary["kind"], boundary["release"], boundary["before"]) == (
        "release",
        "1.4.2",
        "1.4.1",
    )
    assert boundary["at"] == clock.iso(RELEASED_US)
    assert "volc" in finding["words"]
    assert finding["words"] == finding["words_en"] != finding["words_zh"]
    assert 1 <= len(finding["exemplars"]) <= 5
    for example in finding["exemplars"]:
        assert example["success"] is not None


def test_numbers_of_the_window_are_those_of_its_lists(home: Home, client: DocumentedClient) -> None:
    """Attempts, repeats left out, bars of each dimension, and the strip are what lists count."""
    told = _get(client)
    window = f"ended:{_WINDOW['from']}..{_WINDOW['to']}"
    counted = {
        query: attempt_list.page(home.core, f"{window} {query}", limit=1, with_count=True).count
        for query in ("-is:repeat", "-is:repeat outcome:failure", "is:repeat")
    }
    assert [one and one.n for one in counted.values()] == [
        told["n"],
        told["selected"],
        told["repeats_left_out"],
    ]
    assert {one["name"] for one in told["dimensions"]} == {
        *("worker", "host", "engine", "voice", "language", "release", "length", "source"),
    }
    differences = [one["difference"] for one in told["dimensions"]]
    assert differences == sorted(differences, reverse=True)
    for dimension in told["dimensions"]:
        assert sum(one["selected"] for one in dimension["values"]) == told["selected"]
        assert sum(one["others"] for one in dimension["values"]) == told["n"] - told["selected"]
        assert sum(one["selected_share"] for one in dimension["values"]) == pytest.approx(1)
        for value in dimension["values"]:
            assert value["selected"] == _listed(home, value["attempts_url"])
            assert value["others"] == _listed(home, value["others_url"])
    bins = told["strip"]["bins"]
    assert sum(one["n"] for one in bins) == told["n"]
    assert sum(one["selected"] for one in bins) == told["selected"]
    assert [one["kind"] for one in told["strip"]["events"]] == ["release"]


def test_words_are_in_the_language_that_is_asked_for(client: DocumentedClient) -> None:
    """`lang` decides, else Accept-Language, else English; of the whole, the findings, the notes."""
    english, chinese = _get(client), _get(client, lang="zh")
    assert client.get_cookie("voxtrace_lang") is None  # pages stay in the visitor's language
    assert english["findings"][0]["words_zh"] == chinese["findings"][0]["words"]
    assert english["overall"]["words"] != chinese["overall"]["words"]
    assert all("left out" in note for note in english["notes"])
    assert all("未计入" in note for note in chinese["notes"])
    by_header = client.get(
        "/api/v1/correlate", query_string=_WINDOW, headers={"Accept-Language": "zh-CN,zh"}
    )
    assert by_header.json is not None
    assert by_header.json["overall"]["words"] == chinese["overall"]["words"]


def test_slow_ones_are_compared_with_the_rest(home: Home, client: DocumentedClient) -> None:
    """outcome=slow finds who became slow, by a duration that lists take; not who always was."""
    start = clock.iso(NOW_US - 2 * HOUR_US)
    told = _get(client, **{"from": start, "outcome": "slow", "quantile": "0.9"})
    question = told["question"]
    assert question["selection"] == "slow"
    assert question["query"] == f"dur:>={written_duration(question['slow_ms'])}"
    assert question["within"] == "outcome:completed"
    assert question["grain"] == "rows"
    assert told["selected"] >= 0.1 * told["n"]
    finding = told["findings"][0]
    assert finding["where"] == dict(zip(("worker", "engine"), SLOW, strict=True))
    assert finding["observed"] == _listed(home, finding["attempts_url"])
    assert finding["n"] == _listed(home, finding["all_attempts_url"])
    assert "is slow in" in finding["words"]
    for dimension in told["dimensions"][:2]:
        for value in dimension["values"]:
            assert value["selected"] == _listed(home, value["attempts_url"])
            assert value["others"] == _listed(home, value["others_url"])
    assert any("slowest 10 %" in note for note in told["notes"])


def test_any_selection_is_compared_with_the_rest(home: Home, client: DocumentedClient) -> None:
    """One group of failures, one worker, errors of a text; what selects is no explanation."""
    group = _get(client, query=f"fingerprint:{CAUSE}")
    assert {one["fingerprint"] for one in group["findings"]} == {CAUSE}
    assert _is_cause(group["findings"][0])
    assert group["selected"] == _listed(home, group["findings"][0]["attempts_url"])
    worker = _get(client, query="worker:w3")
    assert "worker" not in {one["name"] for one in worker["dimensions"]}
    assert worker["selected"] == sum(one["selected"] for one in worker["strip"]["bins"])
    assert any("worker" in note for note in worker["notes"])
    assert [one["where"] for one in worker["findings"]] == [{"release": "1.4.2"}]
    long = _get(client, query="chars:>=3000")
    assert "length" not in {one["name"] for one in long["dimensions"]}
    assert any("length" in note for note in long["notes"])
    rows = _get(client, query="outcome:lost error:quota")
    assert rows["question"]["grain"] == "rows"
    finding = rows["findings"][0]
    assert finding["observed"] == _listed(home, finding["attempts_url"])


def test_within_narrows_both_sides(home: Home, client: DocumentedClient) -> None:
    """Only attempts of the filter are looked at; nothing is found where nothing is."""
    told = _get(client, within="engine:tone,espeak")
    assert told["findings"] == []
    assert told["overall"]["kind"] == "none"
    engine = next(one for one in told["dimensions"] if one["name"] == "engine")
    assert {one["value"] for one in engine["values"]} == {"tone", "espeak"}
    for value in engine["values"]:
        assert value["selected"] == _listed(home, value["attempts_url"])


def test_nothing_is_told_of_nothing(client: DocumentedClient) -> None:
    """A window in which nothing ended, and one without a past, have an answer that says so."""
    empty = _get(client, **{"from": "2026-01-01", "to": "2026-01-02"})
    assert (empty["n"], empty["findings"], empty["strip"]["bins"]) == (0, [], [])
    assert empty["overall"]["words"] == "no attempt ended in this window"
    start = clock.iso(NOW_US - 9 * DAY_US)
    first = _get(client, **{"from": start, "to": clock.iso(NOW_US - 7 * DAY_US)})
    assert first["baseline_n"] == 0
    assert any("nothing ended before" in note for note in first["notes"])


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"from": "2026-02-02", "to": "2026-02-01"}, "from must be before to"),
        ({"from": "2999-01-01", "to": ""}, "from is in the future"),
        ({"from": "soon"}, "from must be so long ago"),
        ({"baseline": "2026-03-05"}, "the baseline must begin before the window"),
        ({"baseline": "0s"}, "the baseline must begin before the window"),
        ({"baseline": "long"}, "baseline must be so long ago"),
        ({"query": "format:mp3"}, "'format' is no filter"),
        ({"within": "planet:mars"}, "'planet' is no filter"),
        ({"query": "is:repeat"}, "is:repeat cannot be asked for"),
        ({"outcome": "fast"}, "outcome must be failure or slow, got 'fast'"),
        ({"outcome": "slow", "query": "worker:w1"}, "query must be empty"),
        ({"outcome": "slow", "quantile": "1"}, "quantile must be a number from 0.5 to 0.999"),
        ({"quantile": "0.9"}, "quantile is of outcome=slow"),
        ({"lang": "de"}, "lang must be one of en, zh"),
        ({"limit": "3"}, "parameter 'limit' is not known"),
    ],
)
def test_wrong_question_is_refused_with_what_is_allowed(
    client: DocumentedClient, query: dict[str, str], says: str
) -> None:
    """400 names what was wrong, what was got, what is allowed."""
    answer = client.get("/api/v1/correlate", query_string=_WINDOW | query)
    assert answer.status_code == 400
    assert answer.json is not None
    assert says in answer.json["detail"]


def _look(home: Home, conn: Connection, **given: str) -> Answer:
    question = asked(_WINDOW | given).at(NOW_US)
    return answering.look(home.core, conn, question, NOW_US)


class _UndoneError(Exception):
    """Takes a transaction back."""


@contextmanager
def _undone(home: Home) -> Iterator[Connection]:
    """A transaction of which nothing stays."""
    with suppress(_UndoneError), home.core.database.write() as conn:
        yield conn
        raise _UndoneError


def test_whole_hours_are_told_where_rows_are_gone(home: Home) -> None:
    """After retention the answer is of the whole hours, counts what is gone, and says so."""
    hour = NOW_US - 2 * DAY_US
    given = {"from": clock.iso(NOW_US - 3 * HOUR_US), "baseline": clock.iso(hour)}
    floor = hour - hour % HOUR_US
    with home.core.database.read() as conn:
        whole = _look(home, conn, **given | {"baseline": clock.iso(floor)})
        before = _look(home, conn, **given)
    with _undone(home) as conn:
        conn.execute(
            text("DELETE FROM task_attempt WHERE finished_at >= :a AND finished_at < :b"),
            {"a": floor, "b": floor + HOUR_US},
        )
        after = _look(home, conn, **given)
    assert (before.is_whole_hours, after.is_whole_hours) == (False, True)
    assert after.question.baseline_start == floor
    assert after.baseline_n == whole.baseline_n >= before.baseline_n
    assert [one.found for one in after.findings] == [one.found for one in whole.findings]
    assert any(note.reason == "whole_hours" for note in after.notes)


def test_onset_is_not_told_from_half_of_the_rows(home: Home) -> None:
    """Where rows of the window are gone, what is found stays, and since when is left open."""
    with home.core.database.read() as conn:
        before = _look(home, conn)
    with _undone(home) as conn:
        conn.execute(
            text(
                "DELETE FROM task_attempt WHERE outcome = 'completed' AND finished_at >= :a"
                " AND finished_at < :b"
            ),
            {"a": NOW_US - 20 * HOUR_US, "b": NOW_US - 10 * HOUR_US},
        )
        after = _look(home, conn)
    assert (after.n, after.selected, after.overall) == (before.n, before.selected, before.overall)
    assert after.findings[0].found.observed == before.findings[0].found.observed
    assert before.findings[0].onset is not None
    assert after.findings[0].onset is None
    assert any(note.reason == "no_rows" for note in after.notes)


def test_answer_is_a_span_linked_to_its_examples(home: Home, client: DocumentedClient) -> None:
    """Each answer over the API leaves a span with its numbers in the trace of who asked."""
    trace_id = f"{0xC0FFEE:032x}"
    answer = client.get(
        "/api/v1/correlate",
        query_string=_WINDOW,
        headers={"traceparent": f"00-{trace_id}-{1:016x}-01"},
    )
    assert answer.status_code == 200
    told: Any = answer.json

    def span() -> Any:
        with home.core.database.read() as conn:
            rows = conn.execute(text("SELECT payload FROM span_outbox ORDER BY id")).scalars().all()
        spans = [one for row in rows for one in codec.decode(bytes(row))]
        return next((one for one in spans if one.trace_id == trace_id), None)

    found = wait_until(span, 5, what="the span of the answer")
    assert found.name == names.SPAN_CORRELATE
    assert found.parent_span_id
    assert found.attributes[names.CORRELATE_ATTEMPTS] == told["n"]
    assert found.attributes[names.CORRELATE_SELECTED] == told["selected"]
    assert found.attributes[names.CORRELATE_BASELINE] == told["baseline_n"]
    assert found.attributes[names.CORRELATE_FINDINGS] == len(told["findings"]) > 0
    assert found.attributes[names.CORRELATE_TESTS] == told["tests"]
    assert {(link.trace_id, link.span_id) for link in found.links} == {
        (one["trace_id"], one["span_id"])
        for finding in told["findings"]
        for one in finding["exemplars"]
    }

"""What is said of every part of the service, from the facts alone."""

from dataclasses import replace

import pytest

from app.domain.drift import ACCEPTED, Drift
from app.service.checks.check import REQUIRED, Check, Said, needing
from app.service.checks.check_recount import beside
from app.service.checks.check_watch import CAUSES_ZH
from app.service.checks.checks import AREAS, OF_ROWS, row_checks
from app.service.checks.facts import Facts
from app.service.findings.deliveries import Deliveries
from app.service.retention.archived import Archived
from tests.support.facts import (
    DUTIES,
    NOW,
    OUTBOX,
    away,
    canary,
    delivery,
    duty,
    facts,
    finding,
    neighbour,
    neighbours,
    recounted,
)
from tests.support.rows import SECOND, T0, worker

FAILED = canary(
    9, is_ok=False, stage="queue", cause="no_worker", detail="queued for 60 s: no worker lives"
)
HELD = canary(9, is_ok=None, stage="queue", cause="busy", detail="other work holds every slot")
HOUR = 3_600 * SECOND
DRIFT = Drift(start=None, place="stat_total", name="all time failed n", expected=4, got=5)
OF_REMOVED = replace(DRIFT, name="all time removed failed n")


def _check(found: Facts, name: str) -> Check:
    return next(one for one in row_checks(found) if one.name == name)


def test_nothing_needs_a_person_while_all_is_well() -> None:
    """Each part is ok, none is left out, and no alert is made."""
    checks = row_checks(facts())
    assert {one.name: one.level for one in checks} == dict.fromkeys(OF_ROWS, "ok")
    assert needing(checks) == ()
    assert {name for names in AREAS.values() for name in names} > REQUIRED


@pytest.mark.parametrize(
    ("found", "name", "level", "words"),
    [
        (facts(workers=(worker(heartbeat_at=T0 - 60 * SECOND),)), "workers", "bad", "no worker"),
        (facts(workers=(worker(state="dead"),)), "workers", "bad", "no worker lives: 3 tasks"),
        (facts(workers=(worker(state="draining"),)), "workers", "bad", "every worker is draining"),
        (facts(workers=()), "workers", "bad", "no worker has started yet"),
        (facts(held_by_dead=1), "slots", "bad", "no sign of life"),
        (facts(configured=0), "slots", "warn", "the limit of tasks at once is 0"),
        (facts(usable=1), "slots", "warn", "1 of 2 configured"),
        (facts(late=1), "deadlines", "warn", "1 task is past its limit and is"),
        (facts(duty("reaper", ticked_at=T0 - 60 * SECOND)), "reaper", "bad", "silent for 1 min"),
        (facts(duty("reaper", failure_count=3, last_error="x")), "reaper", "bad", "failed 3 times"),
        (facts(without=("reaper",)), "reaper", "bad", "has not begun"),
        (facts(duty("janitor", ticked_at=T0 - HOUR)), "janitor", "warn", "silent for 1 h"),
        (facts(duty("window", ticked_at=T0 - HOUR)), "window", "warn", "silent for 1 h"),
        (facts(duty("sweeper", ticked_at=T0 - HOUR)), "sweeper", "warn", "silent for 1 h"),
        (facts(duty("retention", ticked_at=T0 - HOUR)), "retention", "warn", "silent for 1 h"),
        (facts(duty("retention", failure_count=2, last_error="x")), "retention", "warn", "failed"),
        (
            facts(recount=recounted(state="drift", drift_count=3, drifts=(DRIFT,))),
            "recount",
            "bad",
            "first stat_total, all time failed n: 4 expected, 5 counted",
        ),
        (
            facts(recount=recounted(state="drift", drift_count=3, drifts=(OF_REMOVED,))),
            "recount",
            "bad",
            "not what other counters of removed tasks say; first stat_total",
        ),
        (
            facts(recount=recounted(state="stale", age_us=HOUR)),
            "recount",
            "warn",
            "nothing was counted anew for 1 h",
        ),
        (facts(duty("recount", ticked_at=T0 - HOUR)), "recount", "warn", "silent for 1 h"),
        (facts(duty("forwarder", ticked_at=T0 - 60 * SECOND)), "forwarder", "bad", "silent"),
        (facts(without=("forwarder",)), "forwarder", "bad", "has not begun"),
        (
            facts(duty("forwarder", {"endpoint": "http://c", "configuration_trouble": "401"})),
            "forwarder",
            "bad",
            "as it is set: 401",
        ),
        (facts(outbox=replace(OUTBOX, poison=2)), "forwarder", "warn", "refused 2 span batches"),
        (
            facts(duty("forwarder", {"rejected_spans": 4, "partial_message": "too old"})),
            "forwarder",
            "warn",
            "without 4 of their spans: too old",
        ),
        (
            facts(duty("forwarder", {"failures": 2, "last_error": "no answer"})),
            "forwarder",
            "warn",
            "spans wait",
        ),
        (
            facts(outbox=replace(OUTBOX, pending=4, oldest_pending_us=T0 - 90 * SECOND)),
            "outbox",
            "warn",
            "the oldest for 1 min 32 s",
        ),
        (
            facts(outbox=replace(OUTBOX, pending=9, pending_bytes=460_000_000)),
            "outbox",
            "bad",
            "92% of the room",
        ),
        (
            facts(outbox=replace(OUTBOX, lost_spans=7, last_lost_us=T0 - HOUR)),
            "outbox",
            "bad",
            "7 spans were dropped",
        ),
        (facts(neighbours(web=away("http://web"))), "web", "bad", "for 1 min: connection refused"),
        (
            facts(neighbours(collector=away("http://c", failures=1))),
            "collector",
            "warn",
            "http://c",
        ),
        (facts(neighbours(collector=away("http://c"))), "collector", "bad", "for 1 min"),
        (facts(neighbours(jaeger=away("http://j"))), "jaeger", "bad", "for 1 min"),
        (facts(duty("neighbours", ticked_at=T0 - 60 * SECOND)), "neighbours", "warn", "silent"),
        (facts(duty("look-up", {"seen": 1, "given_up": 2})), "look-up", "warn", "2 given up"),
        (facts(duty("look-up", failure_count=2, last_error="x")), "look-up", "warn", "failed 2"),
        (
            facts(duty("metrics", {"failures": 2, "last_error": "404"})),
            "metrics",
            "warn",
            "does not take them: 404",
        ),
        (facts(canaries=(FAILED,)), "canary", "bad", "queued for 60 s: no worker lives"),
        (facts(canaries=(HELD, FAILED)), "canary", "bad", "stage queue"),
        (facts(duty("canary", ticked_at=T0 - HOUR)), "canary", "bad", "its duty is silent"),
        (facts(canaries=(canary(1, finished_at=NOW - HOUR),)), "canary", "warn", "for 1 h"),
        (
            facts(canaries=(HELD, canary(1, finished_at=NOW - HOUR))),
            "canary",
            "warn",
            "other work holds every slot",
        ),
        (
            facts(duty("ping", {"is_set": True, "accepted_at": NOW - HOUR, "error": "404"})),
            "ping",
            "bad",
            "the call fails: 404",
        ),
        (
            facts(duty("ping", {"is_set": True, "accepted_at": NOW - SECOND, "error": "404"})),
            "ping",
            "warn",
            "the call fails: 404",
        ),
        (facts(duty("watch", ticked_at=T0 - HOUR)), "watch", "warn", "silent for 1 h"),
        (facts(duty("watch", failure_count=2, last_error="x")), "watch", "warn", "failed 2 times"),
        (
            facts(duty("watch", {"scanned_at": NOW - HOUR})),
            "watch",
            "warn",
            "failures were not compared for 1 h",
        ),
        (facts(findings=(finding(), finding())), "findings", "warn", "2 findings are open"),
        (
            facts(findings=(finding(), finding(is_muted=True))),
            "findings",
            "warn",
            "1 finding is open",
        ),
        (facts(duty("webhook", ticked_at=T0 - HOUR)), "webhook", "warn", "silent for 1 h"),
        (
            facts(
                deliveries=Deliveries(
                    is_set=True,
                    waiting=2,
                    first=delivery(tries=3, created_at=NOW - HOUR, last_error="404 Not Found"),
                )
            ),
            "webhook",
            "warn",
            "2 calls wait, the first for 1 h: 404 Not Found",
        ),
        (
            facts(
                deliveries=Deliveries(
                    is_set=True, ended=delivery(state="given_up", last_error="no answer: refused")
                )
            ),
            "webhook",
            "warn",
            "given up after a day: no answer: refused",
        ),
    ],
)
def test_what_is_wrong_is_said(found: Facts, name: str, level: str, words: str) -> None:
    """Each fault has one part that names it, with words, what to do, and both languages."""
    told = [one for one in row_checks(found) if one.needs_you]
    assert [(one.name, one.level) for one in told] == [(name, level)]
    assert words in told[0].said.en
    assert told[0].said.zh
    assert bool(told[0].fix.en) == bool(told[0].fix.zh)
    assert told[0].fix.en or told[0].level != "bad", "what is bad says what to do"
    alert = needing(row_checks(found))[0]
    assert (alert.name, alert.level) == (name, level)
    assert alert.sentence("en").endswith(".")
    assert alert.sentence("zh").endswith("。")


@pytest.mark.parametrize(
    ("found", "name", "level"),
    [
        (facts(neighbours(collector=None)), "collector", "off"),
        (facts(neighbours(collector=None)), "forwarder", "off"),
        (facts(neighbours(collector=None), without=("forwarder",)), "forwarder", "off"),
        (facts(neighbours(jaeger=None)), "jaeger", "off"),
        (facts(neighbours(jaeger=None), without=("look-up",)), "look-up", "off"),
        (facts(neighbours(jaeger=away("http://j"))), "look-up", "unknown"),
        (facts(neighbours(web=away("http://web", answered_at=None))), "web", "off"),
        (facts(without=("metrics",)), "metrics", "off"),
        (facts(duty("metrics", ticked_at=T0 - HOUR)), "metrics", "off"),
        (facts(canary_period_us=0), "canary", "off"),
        (facts(canaries=()), "canary", "unknown"),
        (facts(duty("ping", {"is_set": False})), "ping", "off"),
        (facts(duty("ping", {"is_set": True, "held_by": ["workers"]})), "ping", "off"),
        (facts(outbox=None), "outbox", "unknown"),
        (facts(watch_period_us=0), "watch", "off"),
        (facts(watch_period_us=0), "findings", "off"),
        (facts(findings=(finding(is_muted=True),)), "findings", "ok"),
        (facts(duty("watch")), "watch", "unknown"),
        (facts(deliveries=Deliveries()), "webhook", "off"),
        (facts(deliveries=Deliveries(is_set=True, waiting=1, first=delivery())), "webhook", "ok"),
        (facts(deliveries=Deliveries(is_set=True, ended=delivery())), "webhook", "ok"),
        (
            facts(recount=recounted(state="pending", last_checked_at=None, age_us=None)),
            "recount",
            "unknown",
        ),
        (facts(recount=recounted(state="pending", waiting_count=7)), "recount", "ok"),
    ],
)
def test_what_is_not_set_up_is_no_fault(found: Facts, name: str, level: str) -> None:
    """A part that is off, or cannot be told, asks for nobody."""
    assert _check(found, name).level == level


@pytest.mark.parametrize("has_leader", [True, False])
def test_tracing_that_is_turned_off_is_the_cause(*, has_leader: bool) -> None:
    """An endpoint may well be set then: what is said is the switch; the duties know best."""
    said_by_row = duty("neighbours", {"host": "h", "web": None, "is_traced": False})
    found = (
        facts(said_by_row, is_traced=True)
        if has_leader
        else facts(without=("leader",), exports=False, is_traced=False)
    )
    for name in ("collector", "forwarder"):
        check = _check(found, name)
        assert check.level == "off"
        assert check.said.en == "tracing is turned off: OTEL_SDK_DISABLED"
        assert "OTEL_SDK_DISABLED" in check.said.zh


def test_only_the_cause_is_red_while_no_duties_run() -> None:
    """What only the duties can tell is not known then, and not said to be well."""
    late = NOW - 40 * SECOND
    gone = [replace(one, ticked_at=late, succeeded_at=late) for one in DUTIES.values()]
    found = {one.name: one for one in row_checks(facts(*gone))}
    assert {name for name, one in found.items() if one.level == "bad"} == {
        "duties",
        "reaper",
        "forwarder",
    }
    assert {name for name, one in found.items() if one.level == "unknown"} == {
        "web",
        "janitor",
        "window",
        "sweeper",
        "recount",
        "retention",
        "neighbours",
        "collector",
        "jaeger",
        "look-up",
        "metrics",
        "canary",
        "ping",
        "watch",
        "webhook",
    }
    assert "voxtrace duties" in found["reaper"].fix.en
    assert found["duties"].since == late


@pytest.mark.parametrize("name", ["web", "collector", "jaeger"])
def test_an_old_answer_of_a_neighbour_proves_nothing(name: str) -> None:
    """What was not asked lately is not known, whatever it answered then; its duty is named."""
    asked_at = NOW - 94 * SECOND
    old = neighbour("http://x", at=asked_at, answered_at=asked_at)
    check = _check(facts(neighbours(**{name: old})), name)
    assert check.level == "unknown"
    assert check.said.en == "not asked for 1 min 34 s: see the duty neighbours"
    assert (check.since, check.seen_at) == (asked_at, asked_at)
    away_then = away("http://x", at=asked_at)
    assert _check(facts(neighbours(**{name: away_then})), name).level == "unknown"


def test_a_forwarder_that_waits_is_not_silent() -> None:
    """A collector may ask for a wait of minutes: a duty is late after the moment it announced."""
    waits = duty(
        "forwarder",
        {"failures": 3, "last_error": "503", "retry_at_us": NOW + 300 * SECOND},
        ticked_at=NOW - 200 * SECOND,
    )
    check = _check(facts(waits), "forwarder")
    assert (check.level, "tries again in 5 min" in check.said.en) == ("warn", True)


def test_canary_fails_since_the_first_of_the_row() -> None:
    """The moment told is the end of the first that failed after the last that came through."""
    found = facts(
        canaries=(
            replace(FAILED, id=4),
            replace(HELD, id=3),
            replace(FAILED, id=2, finished_at=NOW - HOUR),
            canary(1),
        )
    )
    check = _check(found, "canary")
    assert check.since == NOW - HOUR
    assert "voxtrace show 109" in check.fix.en


def test_canary_causes_have_chinese_words() -> None:
    """Every cause that a canary's code can end with has words on a Chinese page."""
    from pathlib import Path
    from re import findall

    from app.service.canaries import canary as service

    folder = Path(service.__file__).parent
    codes = {
        code
        for path in folder.glob("canary*.py")
        for code in findall(r'(?:code=|_found\(|_missing\()"(\w+)"', path.read_text())
    }
    assert codes <= set(CAUSES_ZH)
    assert {"failed", "timeout", "cancelled"} <= set(CAUSES_ZH)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "1\u202f200 tasks removed in all, the last 1 h ago"),
        ({"archived": 0}, "1\u202f200 tasks removed in all, the last 1 h ago"),
        ({"walks": True, "tasks": 2}, "a round goes on: 2 tasks removed so far"),
        ({"held": {"wanted": 2, "unchecked": 1}}, "; 3 have had their time and stay for now"),
        ({"is_off": True}, "every task is kept for ever, as VOXTRACE_KEEP_…_D say"),
    ],
)
def test_retention_says_what_went_and_what_stays(state: dict[str, object], words: str) -> None:
    """The ledger and the row of its duty in words; nothing of it needs a person."""
    gone = Archived(tasks=1200, last_at=NOW - HOUR)
    check = _check(facts(duty("retention", state), archived=gone), "retention")
    assert check.level == "ok"
    assert words in check.said.en


def test_what_was_accepted_is_told_though_all_is_well() -> None:
    """Nobody takes numbers that contradict each other for right ones."""
    found = _check(
        facts(recount=recounted(notes=(replace(OF_REMOVED, place=ACCEPTED),))), "recount"
    )
    assert (found.level, "accepted as they are: 1" in found.said.en) == ("ok", True)
    assert "已接受 1 个" in found.said.zh


def test_recount_is_not_sure_beside_a_trigger_that_does_not_count() -> None:
    """Agreement that was seen before says nothing then; drift that is known stays told."""
    restore = Said(en="`voxtrace reconcile --rebuild`", zh="x")
    said = Said(en="tr_task_end (missing)", zh="x")
    schema = Check(name="schema", level="bad", said=said, fix=restore, facts={"counts": False})
    found = beside(_check(facts(), "recount"), schema)
    assert (found.level, found.fix) == ("bad", restore)
    assert "nobody knows whether counters and rows agree" in found.said.en
    drift = facts(recount=recounted(state="drift", drift_count=3, drifts=(DRIFT,)))
    assert beside(_check(drift, "recount"), schema) == _check(drift, "recount")
    well = Check(name="schema", level="ok", said=said)
    assert beside(_check(facts(), "recount"), well) == _check(facts(), "recount")

"""A release that breaks one worker for one voice: found, told, traced, and over after the fix.

Four workers, the duties, a collector and a Jaeger, a webhook: all real. With VOXTRACE_TEST_SHOTS
naming a folder, the pages are left there as pictures.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from app import clock
from app.domain.finding import FindingRecord
from app.domain.records import AttemptRecord
from app.service.correlate.links import correlate_url
from app.store import findings
from telemetry import names
from tests.support.backends import Pair
from tests.support.home import Home, Program, live_workers, terminate
from tests.support.hook_place import Call, HookPlace
from tests.support.jaeger_trace import wait_for
from tests.support.service import submitted
from tests.support.traced_tasks import SOON_S, attempts_of, traced_home, until_over
from tests.support.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SECRET: Final = "0123456789abcdef-secret"  # noqa: S105 - of this test
EVERY_S: Final = 10
WORKERS: Final = ("w1", "w2", "w3", "w4")
VOICES: Final = ("scripted-a", "scripted-b", "scripted-a", "scripted-c")
#: What runs first, what breaks, what mends it.
GOOD, BAD, FIXED = "1.4.1", "1.4.2", "1.4.3"
WHERE: Final = {"worker": "w3", "voice": "scripted-a"}
_FAILS: Final = (
    f"@fail-where worker=w3,voice=scripted-a,release={BAD} permanent the account's quota is used up"
)


@dataclass(slots=True)
class Site:
    """The running whole."""

    home: Home
    pair: Pair
    hook: HookPlace
    workers: dict[str, Program]
    said: int = 0

    def restart(self, name: str, release: str) -> None:
        """Stops a worker in good order, and starts it with another release."""
        assert terminate(self.workers[name]) == 0
        self.workers[name] = self.home.start_worker(name, VOXTRACE_RELEASE=release)

    def speak_until(self, outcome: str, release: str, count: int) -> list[AttemptRecord]:
        """New texts of all voices, spoken by whoever takes them, until w3 has ended so many so.

        Returns:
            Attempts of the voice on w3, of that release.
        """
        found: list[AttemptRecord] = []
        while sum(row.outcome == outcome for row in found) < count:
            ids = [self._submit() for _ in range(24)]
            until_over(self.home, ids)
            found += [
                row
                for one in ids
                for row in attempts_of(self.home, one)
                if (row.worker_name, row.voice, row.release) == (*WHERE.values(), release)
            ]
        return found

    def _submit(self) -> int:
        self.said += 1
        voice = VOICES[self.said % len(VOICES)]
        text = f"{_FAILS}\nNumber {self.said}."
        made = submitted(self.home.core, text, engine="scripted", voice=voice, format="wav")
        return made.task.id

    def rows(self) -> list[FindingRecord]:
        """All findings, the newest first."""
        with self.home.core.database.read() as conn:
            return findings.page(conn, state=None, start=None, end=None, before_id=None, limit=100)


@pytest.fixture
def site(pair: Pair, tmp_path: Path) -> Iterator[Site]:
    """Four workers of the good release, and duties that watch every ten seconds."""
    with HookPlace() as hook:
        watches = {
            "VOXTRACE_WATCH_EVERY_S": str(EVERY_S),
            "VOXTRACE_WEBHOOK_URL": hook.url,
            "VOXTRACE_WEBHOOK_SECRET": SECRET,
            "VOXTRACE_WORKER_CONCURRENCY": "2",
            "VOXTRACE_MAX_CONCURRENT": "8",
            "VOXTRACE_DRAIN_S": "0",
        }
        with traced_home(pair, tmp_path, **watches) as home:
            home.start_duties(VOXTRACE_RELEASE=GOOD)
            started = {name: _start(home, name) for name in WORKERS}
            wait_until(lambda: len(live_workers(home.core)) == len(WORKERS), SOON_S)
            yield Site(home=home, pair=pair, hook=hook, workers=started)


def _start(home: Home, name: str) -> Program:
    """A worker of the good release; who starts several waits for all of them at once."""
    environ = {"VOXTRACE_WORKER_NAME": name, "VOXTRACE_RELEASE": GOOD}
    return home.start("worker", "--without-duties", **environ)


def test_a_bad_release_is_found_told_and_over_after_the_fix(site: Site) -> None:
    """One finding: it opens within one scan, names worker and voice, and the release at its onset.

    Its examples are in Jaeger, the scan's span links to them, the webhook is told of both ends.
    """
    site.speak_until("completed", GOOD, 6)
    assert site.rows() == []
    restarted_at = clock.now_us()
    site.restart("w3", BAD)
    began_at = clock.now_us()
    ran = site.speak_until("failed", BAD, 8)
    assert {row.outcome for row in ran} == {"failed"}
    over_at = max(row.finished_at or 0 for row in ran)

    def look() -> FindingRecord | None:
        rows = site.rows()
        return rows[0] if rows and rows[0].seen_at > over_at else None

    row = wait_until(look, SOON_S, what="a scan saw it", every_s=0.2)
    assert row is not None
    assert row.opened_at - over_at < (EVERY_S + 5) * 1_000_000
    _check_found(row, failed_count=len(ran), restarted_at=restarted_at, began_at=began_at)
    _check_traces(site, row)
    _shoot(site, "open")

    site.restart("w3", FIXED)
    fixed_at = clock.now_us()
    site.speak_until("completed", FIXED, 6)
    closed = wait_until(
        lambda: next((one for one in site.rows() if one.state == "closed"), None),
        SOON_S,
        what="the finding is closed",
        every_s=0.2,
    )
    assert closed is not None
    assert (closed.id, closed.closed_why) == (row.id, "stopped")
    print(f"closed {((closed.closed_at or 0) - fixed_at) / 1e6:.1f} s after the fix was up")
    assert [one.id for one in site.rows()] == [row.id], "one finding is one row"
    _check_told(site, row.id)
    _shoot(site, "closed")


def _check_found(
    row: FindingRecord, *, failed_count: int, restarted_at: int, began_at: int
) -> None:
    """The predicate, its numbers, since when it is so, and what changed then."""
    told = _answer(row)
    print(told["words_en"], told["words_zh"], sep="\n")
    assert row.where == WHERE | {"release": BAD}
    assert row.observed == failed_count
    assert told["share"] == 1.0
    boundary, onset = told["boundary"], told["onset"]
    assert (boundary["kind"], boundary["worker"]) == ("release", "w3")
    assert (boundary["release"], boundary["before"]) == (BAD, GOOD)
    assert restarted_at <= clock.from_iso(boundary["at"]) <= began_at
    assert clock.from_iso(onset["low"]) <= began_at + 5_000_000
    assert clock.from_iso(onset["high"]) >= restarted_at
    assert f"release {BAD} started there" in told["words_en"]


def _answer(row: FindingRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.answer)
    return found


def _check_traces(site: Site, row: FindingRecord) -> None:
    """Each example's span is in Jaeger, failed on that worker; so is the scan, linked to them."""
    shown = _answer(row)["exemplars"]
    assert len(shown) == 5
    jaeger = site.pair.jaeger
    for one in shown:
        found = wait_for(jaeger, one["trace_id"], [one["span_id"]])
        span = next(span for span in found if span.span_id == one["span_id"])
        assert span.name == names.SPAN_ATTEMPT
        assert span.attributes[names.WORKER_NAME] == "w3"
        assert span.attributes[names.VOICE] == "scripted-a"
        assert span.attributes[names.RELEASE] == BAD
        assert span.status == 2
    assert row.trace_id is not None
    assert row.span_id is not None
    [scan] = wait_for(jaeger, row.trace_id, [row.span_id])
    assert scan.name == names.SPAN_WATCH
    assert scan.attributes[names.FINDINGS_OPENED] == 1
    [opened] = [call for call in site.hook.until_called(1) if _event(call) == "finding.opened"]
    linked = {(one["trace_id"], one["span_id"]) for one in opened.told["finding"]["exemplars"]}
    assert set(scan.links) == linked


def _check_told(site: Site, finding_id: int) -> None:
    """The webhook got both, in order, signed as the page says."""
    calls = site.hook.until_called(2)
    assert [_event(call) for call in calls] == ["finding.opened", "finding.closed"]
    page = (Path(__file__).parents[2] / "docs" / "findings.md").read_text()
    [snippet] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    known: dict[str, Any] = {}
    exec(snippet, known)  # noqa: S102 - what the page tells people to run
    for call in calls:
        assert known["is_ours"](SECRET, call.headers["voxtrace-signature"], call.body)
        assert call.told["finding"]["id"] == finding_id
    assert calls[1].told["finding"]["closed_why"] == "stopped"


def _event(call: Call) -> str:
    event: str = call.told["event"]
    return event


def _shoot(site: Site, name: str) -> None:
    """Pictures of the pages, where a folder is named for them."""
    folder = os.environ.get("VOXTRACE_TEST_SHOTS")
    if not folder:
        return
    from tests.support import browser as browsers
    from tests.support.pages import wait_for_web

    web = site.home.start("web", VOXTRACE_RELEASE=GOOD)
    wait_for_web(site.home, web)
    asked = site.rows()[0]
    with (
        browsers.chromium() as chromium,
        browsers.visit(chromium, site.home.url) as visitor,
    ):
        for page, path in {
            "monitor-zh": "/monitor?lang=zh",
            "monitor": "/monitor?lang=en",
            "correlate": _answer_url(asked),
        }.items():
            visitor.page.goto(f"{site.home.url}{path}")
            visitor.page.screenshot(path=Path(folder) / f"{name}-{page}.png", full_page=True)
    terminate(web)


def _answer_url(row: FindingRecord) -> str:
    return correlate_url(_answer(row)["window"])

"""The mark of a live page: whether its stream and its reads come through, and since when not."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visiting
from tests.support.browser import Visit
from tests.support.home import Home
from tests.support.pages import Library, submit

_STREAM = "**/stream"
#: A stream opens again a second after the first failure, give or take a quarter.
_AGAIN_MS = 20_000
_LOST: dict[Literal["en", "zh"], str] = {
    "en": r"No connection since \d\d:\d\d:\d\d",
    "zh": r"\d\d:\d\d:\d\d 起没有连接",
}


def _word(lang: Literal["en", "zh"] = "en") -> re.Pattern[str]:
    return re.compile(_LOST[lang])


@pytest.mark.parametrize("path", ["/monitor", "/tasks"])
def test_page_says_that_its_stream_is_lost_and_opens_it_again(
    visitor: Visit, library: Library, path: str
) -> None:
    """Refused ("503 to its first call"), a stream is asked for again, and the page says so."""
    del library
    page = visitor.page
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) <= 2:
            route.fulfill(status=503, body="")
        else:
            route.continue_()

    page.route(_STREAM, refuse)
    page.goto(path)
    expect(page.locator("#live")).to_contain_text(_word())
    expect(page.locator("#live")).to_have_attribute("data-lost", "")
    expect(page.locator("#live [data-live-word]")).to_have_text("Live", timeout=_AGAIN_MS)
    expect(page.locator("#live")).not_to_have_attribute("data-lost", "")
    assert len(asked) == 3
    visitor.forgive("503")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_task_page_says_that_its_stream_is_lost(
    visiting: Visiting, service: Home, lang: Literal["en", "zh"]
) -> None:
    """A task that runs is watched again as soon as the network is there."""
    task_id = submit(service, "One.\n@sleep 60\nTwo.", engine="scripted")["task"]["id"]
    with visiting(lang=lang) as visit:
        page = visit.page
        page.route(_STREAM, lambda route: route.abort())
        page.goto(f"/tasks/{task_id}")
        expect(page.locator("#live")).to_contain_text(_word(lang))
        page.unroute(_STREAM)
        expect(page.locator("#live")).not_to_contain_text(_word(lang), timeout=_AGAIN_MS)
        visit.forgive("ERR_FAILED")
    service.run("cancel", str(task_id))


def test_silent_stream_is_lost(visitor: Visit, library: Library) -> None:
    """A stream that is open and says nothing for a quarter of a minute is opened anew."""
    del library
    page = visitor.page
    page.clock.install()
    page.goto("/monitor")
    expect(page.locator("#live")).to_contain_text("Live")
    with page.expect_request(_STREAM):
        page.clock.fast_forward(16_000)
        expect(page.locator("#live")).to_contain_text(_word())
        page.clock.fast_forward(2_000)
    expect(page.locator("#live")).to_contain_text("Live")


def test_monitor_is_read_again_where_something_moved_only(visitor: Visit, library: Library) -> None:
    """What it has seen, and that nothing moved, make no read; ages and its moment go on."""
    del library
    page = visitor.page
    read: list[str] = []
    told = ["1.1.0@1"]
    alive = (
        'event: alive\ndata: {"now": "2030-01-02T03:04:05Z", "seen": "1.1.0@1", '
        '"ages_s": {"duty:reaper": 125.4}}\n\n'
    )

    def tell(route: Route) -> None:
        body = f"retry: 1000\n\nid: {told[0]}\nevent: monitor\ndata: {{}}\n\n{alive}"
        route.fulfill(status=200, content_type="text/event-stream", body=body)

    def note(route: Route) -> None:
        read.append(route.request.headers.get("x-voxtrace-seen", ""))
        route.continue_()

    page.route(_STREAM, tell)
    page.goto("/monitor")
    page.route("**/monitor", note)
    expect(page.locator("#monitoring [data-age='duty:reaper']")).to_have_text("2 min ago")
    looked = page.evaluate("new Date('2030-01-02T03:04:05Z').toTimeString().slice(0, 8)")
    expect(page.locator("#live [data-as-of]")).to_have_text(f"as of {looked}")
    with page.expect_request(_STREAM):
        pass  # a second stream: more than the least time between two reads has passed
    assert read == []
    told[0] = "2.2.0@9000000000000000"
    with page.expect_response("**/monitor"):
        pass
    assert read == [told[0]]


def test_page_that_cannot_be_read_is_not_live(visitor: Visit, library: Library) -> None:
    """A stream that goes on while the page itself cannot be read anew is no live page."""
    del library
    page = visitor.page
    page.goto("/tasks")
    page.route("**/tasks", lambda route: route.fulfill(status=500, body=""))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#live")).to_contain_text(_word())
    page.unroute("**/tasks")
    expect(page.locator("#live [data-live-word]")).to_have_text("Live", timeout=_AGAIN_MS)
    visitor.forgive("500")

"""Where a task's trace is, as it is told: on its page, by `voxtrace show`, and over the API."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pytest
from sqlalchemy import update

from app import clock
from app.cli import show as command
from app.cli.when import shown
from app.domain.records import TaskRecord
from app.service.traces.trace_state import Where
from app.store.tables import task_table
from tests.support.documented import web_client
from tests.support.home import Home, free_port
from tests.support.jaeger_site import SPAN, JaegerSite, answer
from tests.support.service import spoken, submitted

#: Microseconds before now, within and beyond the time that Jaeger keeps traces.
_HOUR_US: Final = 3_600_000_000
_LONG_US: Final = 200 * _HOUR_US
_OPEN: Final = {"en": "Open in Jaeger", "zh": "在 Jaeger 中打开"}
_PROBLEM: Final = "Connection refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """How one case is told; `{at}` stands for the moment that the row has.

    Attributes:
        ago_us: Columns of the task's row to how long before now their moments are.
        row: Other columns of it.
        is_there: Whether Jaeger has a span of the trace: only then there is a link.
        asks: Whether the Jaeger of the test is asked.
    """

    where: Where
    en: str
    zh: str
    cli: str
    ago_us: dict[str, int] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)
    is_there: bool = False
    asks: bool = True


_CASES: Final = (
    _Told(
        where=Where.OFF,
        en="tracing is turned off",
        zh="未启用链路追踪",
        cli="tracing is turned off (OTEL_SDK_DISABLED)",
        asks=False,
    ),
    _Told(
        where=Where.NO_JAEGER,
        en="",
        zh="",
        cli="whether Jaeger has it is not known: VOXTRACE_JAEGER_URL is not set",
        asks=False,
    ),
    _Told(
        where=Where.RUNNING,
        en="running, spans leave as they end",
        zh="运行中，跨度结束后即发送",
        cli="the task runs; its spans leave as they end",
    ),
    _Told(
        where=Where.RUNNING,
        is_there=True,
        en="running, spans leave as they end, 1 span there",
        zh="运行中，跨度结束后即发送，那里有 1 个跨度",
        cli="the task runs; its spans leave as they end, 1 spans there",
    ),
    _Told(
        where=Where.ON_ITS_WAY,
        en="on its way to Jaeger",
        zh="正在发往 Jaeger",
        cli="on its way to Jaeger",
    ),
    _Told(
        where=Where.ON_ITS_WAY,
        is_there=True,
        en="on its way to Jaeger, 1 span there",
        zh="正在发往 Jaeger，那里有 1 个跨度",
        cli="on its way to Jaeger, 1 spans there",
    ),
    _Told(
        where=Where.SEEN,
        ago_us={"trace_seen_at": _HOUR_US},
        is_there=True,
        en="in Jaeger {at}",
        zh="已在 Jaeger 中 {at}",
        cli="seen in Jaeger at {at}, 1 spans there",
    ),
    _Told(
        where=Where.MISSING,
        ago_us={"trace_missing_at": _HOUR_US},
        row={"trace_resends": 2},
        en="was missing in Jaeger, sent again 2 times {at}",
        zh="Jaeger 中缺失，已重新发送 2 次 {at}",
        cli="was missing in Jaeger at {at}, sent again 2 times",
    ),
    _Told(
        where=Where.MISSING,
        ago_us={"trace_missing_at": _HOUR_US},
        row={"trace_resends": 1},
        is_there=True,
        en="was missing in Jaeger, sent again {at}, 1 span there",
        zh="Jaeger 中缺失，已重新发送 1 次 {at}，那里有 1 个跨度",
        cli="was missing in Jaeger at {at}, sent again 1 times, 1 spans there",
    ),
    _Told(
        where=Where.GONE,
        ago_us={"finished_at": _LONG_US, "submitted_at": _LONG_US + 1},
        en="Jaeger no longer has it",
        zh="Jaeger 已不再保留",
        cli="Jaeger no longer has it",
    ),
    _Told(
        where=Where.LOST,
        ago_us={"trace_seen_at": _HOUR_US},
        en="Jaeger lost it, it is sent again {at}",
        zh="Jaeger 丢失了它，正在重新发送 {at}",
        cli="Jaeger lost it; it is sent again",
    ),
    _Told(
        where=Where.UNREACHABLE,
        en="Jaeger does not answer",
        zh="Jaeger 没有响应",
        cli="{url} does not answer: NewConnectionError (Connection refused)",
        asks=False,
    ),
)


@pytest.fixture
def site() -> Iterator[JaegerSite]:
    """A Jaeger that has no trace yet."""
    with JaegerSite.running() as started:
        yield started


def test_every_place_has_a_case() -> None:
    """No state of a trace is left without words."""
    assert {case.where for case in _CASES} == set(Where)


@pytest.mark.parametrize(
    "case", _CASES, ids=lambda case: f"{case.where}{'_there' if case.is_there else ''}"
)
def test_place_is_told_in_words_everywhere(
    home: Home,
    site: JaegerSite,
    case: _Told,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Page (en, zh), `show` and API tell one state and its moment; a link only where it is there.

    Jaeger is not asked where tracing is turned off, nor where none is set.
    """
    task, at = _arrange(home, site, case)
    if case.where is Where.OFF:
        monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    url = f"{home.environ.get('VOXTRACE_JAEGER_URL')}/trace/{task.trace_id}"
    with web_client(home.settings) as client:
        told = client.get(f"/api/v1/tasks/{task.id}/trace").json or {}
        for lang, words in (("en", case.en), ("zh", case.zh)):
            fragment = client.get(f"/tasks/{task.id}/trace?lang={lang}").text
            link = [_OPEN[lang]] if case.is_there else []
            assert _words(fragment) == [word for word in (words, *link) if word]
            assert re.findall(r'href="(http[^"]+)"', fragment) == ([url] if case.is_there else [])
            assert _moments(fragment) == ([at] if "{at}" in words else [])
    assert (told["where"], told["trace_id"]) == (case.where, task.trace_id)
    assert (told["url"], told["spans"]) == ((url, 1) if case.is_there else (None, None))
    assert (_PROBLEM in (told["problem"] or "")) == (case.where is Where.UNREACHABLE)
    assert (_us(told["at"]) if told["at"] else None) == at
    line = case.cli.format(at=shown(at or 0), url=home.environ.get("VOXTRACE_JAEGER_URL"))
    assert command.show(home.settings, {"id": task.id, "json": False}) == 0
    place = capsys.readouterr().out.partition("trace, drawn from")[2].splitlines()[1]
    assert place == f"  {line}{f': {url}' if case.is_there else ''}"
    assert bool(site.asked) == case.asks


def _arrange(home: Home, site: JaegerSite, case: _Told) -> tuple[TaskRecord, int | None]:
    """A task whose trace is there, and the moment that is told of it."""
    core = home.core
    words = "Where is my trace?"
    task = submitted(core, words).task if case.where is Where.RUNNING else spoken(core, words)
    now = clock.now_us() // 1_000_000 * 1_000_000  # pages tell milliseconds
    moments = {name: now - ago_us for name, ago_us in case.ago_us.items()}
    if values := moments | case.row:
        with core.database.write() as conn:
            conn.execute(update(task_table).where(task_table.c.id == task.id).values(values))
    if case.is_there:
        site.status, site.body = 200, answer(SPAN | {"traceId": task.trace_id})
    if case.where is Where.UNREACHABLE:
        home.environ["VOXTRACE_JAEGER_URL"] = f"http://127.0.0.1:{free_port()}"
    elif case.where is not Where.NO_JAEGER:
        home.environ["VOXTRACE_JAEGER_URL"] = site.url
    told = [moments[name] for name in ("trace_seen_at", "trace_missing_at") if name in moments]
    return task, told[0] if told else None


def _words(fragment: str) -> list[str]:
    """What a reader sees: the state, and the words of the link where there is one."""
    timeless = re.sub(r"<time\b.*?</time>", "{at}", fragment)
    return [part for part in re.split(r"(?:<[^>]*>|\n)+", timeless) if part]


def _moments(fragment: str) -> list[int]:
    return [_us(found) for found in re.findall(r'<time datetime="([^"]+)"', fragment)]


def _us(moment: str) -> int:
    return clock.to_us(datetime.fromisoformat(moment))

"""Findings in sentences: a table of cases, each in English and in Chinese."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from app import clock
from app.domain.correlation.found import Found, Onset, Overall
from app.service.correlate import words
from app.service.correlate.boundary import Boundary
from app.service.correlate.words import About, Reader, Selection, Whole
from app.service.figures import LANGUAGES, Language

_TABLE: Final = json.loads(
    (Path(__file__).parents[1] / "data" / "correlate-sentences.json").read_text(encoding="utf-8")
)
SENTENCES: Final = _TABLE["findings"]
OVERALL: Final = _TABLE["windows"]
_S: Final = 1_000_000
_MIN: Final = 60 * _S
_NOW: Final = clock.to_us(datetime(2026, 3, 12, 14, 30, tzinfo=UTC))
_AT: Final = clock.to_us(datetime(2026, 3, 12, 14, 2, tzinfo=UTC))
_ONSET: Final = Onset(at=_AT, low=_AT - 40 * _S, high=_AT + 2 * _MIN)
_READER: Final = Reader(lang="en", now_us=_NOW)
_DAY: Final = 1440 * _MIN


def _onset(at: int, half: int) -> Onset:
    return Onset(at=at, low=at - half, high=at + half)


def _found(**changed: Any) -> Found:
    usual: dict[str, Any] = {
        "where": {"engine": "volc", "worker": "w3"},
        "fingerprint": None,
        "n": 52,
        "observed": 41,
        "expected": 1.3,
        "lift": 31.5,
        "p": 1e-40,
        "q": 1e-37,
        "share": 0.92,
        "baseline_n": 900,
        "baseline_failed": 18,
    }
    return Found(**(usual | changed))


def _change(kind: str, distance_us: int, **changed: Any) -> Boundary:
    usual: dict[str, Any] = {
        "kind": kind,
        "at": _AT - distance_us,
        "worker": "w3",
        "release": "1.4.2",
        "before": "1.4.1",
        "name": None,
        "value": None,
        "workers": 1,
        "distance_us": distance_us,
    }
    return Boundary(**(usual | changed))


def _limit(
    name: str, before: str | None, value: str | None, distance_us: int = 2 * _MIN
) -> Boundary:
    return _change(
        *("limit", distance_us),
        worker=None,
        release=None,
        workers=0,
        name=name,
        before=before,
        value=value,
    )


_DEPLOY: Final = _change("release", 3 * _MIN, worker=None, workers=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A finding and who reads of it."""

    name: str
    found: Found = field(default_factory=_found)
    about: About = field(default_factory=About)
    reader: Reader = _READER
    selection: Selection = "failures"


def _where(name: str, **where: str) -> Case:
    return Case(name=name, found=_found(where=where))


def _others(name: str, *others: dict[str, str], **where: str) -> Case:
    return Case(name=name, found=_found(where=where, indistinguishable=others))


def _since(name: str, onset: Onset, found: Boundary | None = None, **where: str) -> Case:
    case = Case(name=name, about=About(onset=onset, boundary=found))
    return replace(case, found=_found(where=where)) if where else case


def _after(name: str, n: int) -> Case:
    """Of 52 attempts so many ended since the onset, and with them all 41 that failed."""
    onset = replace(_ONSET, n=n, observed=41)
    return Case(name=name, about=About(onset=onset, boundary=_change("release", _MIN)))


def _template(name: str, template: str | None, error_type: str | None) -> Case:
    about = About(template=template, error_type=error_type)
    return Case(name=name, found=_found(fingerprint="v2:0123456789abcdef"), about=about)


CASES: Final = (
    _since("example of the issue", _ONSET, _change("release", _MIN)),
    _where("worker", worker="w3"),
    _where("host", host="h2"),
    _where("engine", engine="volc"),
    _where("voice", voice="amy"),
    _where("language", language="zh"),
    _where("release", release="1.4.2"),
    _where("length", length="500-1999"),
    _where("shortest texts", length="<100"),
    _where("longest texts", length=">=20000"),
    _where("source", source="api"),
    _where("hour", hour="14"),
    _where("last hour of the day", hour="23", engine="volc"),
    _where("no language", language=""),
    _where("no voice on a worker", voice="", worker="w3"),
    _where("everything"),
    _where("voice on worker", worker="w3", voice="amy"),
    _where("three of them", worker="w3", voice="amy", engine="volc"),
    _where("length of an engine", length="2000-4999", engine="volc"),
    _where("release on host", release="1.4.2", host="h2"),
    _where("language, source, release", language="en", source="cli", release="1.4.2"),
    _where("name with a space", worker="w 3", voice="a:b"),
    _others("worker or its host", {"host": "h2"}, worker="w3"),
    _others("part that differs", {"host": "h2", "voice": "amy"}, worker="w3", voice="amy"),
    _others("wider one", {"engine": "volc"}, engine="volc", voice="amy"),
    _others("narrower one", {"engine": "volc", "voice": "amy"}, engine="volc"),
    _others("four of them", {"host": "h2"}, {"release": "2"}, {"voice": "amy"}, worker="w3"),
    _template("with a template", "audio lasts <n> s", "audio_invalid"),
    _template("template in Chinese", "音频只有 <n> 秒", "audio_invalid"),
    _template("without a template its type", "", "worker_lost"),
    _template("without either its fingerprint", None, None),
    _template("long template", "x" * 300, "engine_error"),
    _template("template with ticks and lines", "no `key`\n  here", "engine_error"),
    Case(name="once", found=_found(n=1, observed=1, expected=0.02, share=1.0)),
    Case(name="many", found=_found(n=52_000, observed=41_000, expected=1234.5, share=0.004)),
    Case(name="nothing expected", found=_found(expected=0.0001, share=0.9951)),
    Case(name="slow", selection="slow"),
    Case(name="slow texts", found=_found(where={"length": "<100"}), selection="slow"),
    Case(name="what a filter says", selection="selected", found=_found(share=1.0)),
    _since("known to the second", _onset(_AT + 7 * _S, 20 * _S)),
    _since("known to hours", _onset(_AT, 200 * _MIN)),
    _since("known at once", _onset(_AT, 0)),
    _since("yesterday", _onset(_AT - _DAY, 2 * _MIN)),
    _since("last year", _onset(_AT - 100 * _DAY, 2 * _MIN)),
    Case(
        name="zone of the reader",
        about=About(onset=_ONSET),
        reader=replace(_READER, zone=ZoneInfo("Asia/Shanghai")),
    ),
    Case(
        name="another day in the zone of the reader",
        about=About(onset=_onset(_AT, 2 * _MIN)),
        reader=replace(_READER, zone=ZoneInfo("Asia/Tokyo"), now_us=_AT + 60 * _MIN),
    ),
    _since("deploy", _ONSET, _DEPLOY, engine="volc"),
    _after("some attempts before it", 42),
    _after("no attempt before it", 52),
    replace(_after("slow ones before it", 42), selection="slow"),
    replace(_after("selected ones before it", 42), selection="selected"),
    replace(
        _after("one way to fail before it", 42),
        found=_found(fingerprint="v2:0123456789abcdef"),
    ),
    Case(name="since its first attempt", about=About(first_at=_AT)),
    Case(
        name="since its first attempt in the zone of the reader",
        about=About(first_at=_AT - _DAY),
        reader=replace(_READER, zone=ZoneInfo("Asia/Shanghai")),
    ),
    _since("change before it, within its uncertainty", _ONSET, _change("release", 16 * _S)),
    _since("deploy to one worker", _ONSET, _change("release", 20 * _S), voice="amy"),
    _since("release on the host", _ONSET, _change("release", 50 * _S), host="h2"),
    _since("restart", _ONSET, _change("restart", 5 * _MIN)),
    _since("restart of several", _ONSET, _change("restart", 100 * _S, worker=None, workers=3)),
    _since("first start", _ONSET, _change("start", 10 * 60 * _MIN)),
    _since("change after it", _ONSET, _change("release", -3 * _MIN)),
    _since("change at once", _ONSET, _change("restart", -3 * _S)),
    _since("limit", _ONSET, _limit("max_concurrent", "4", "8")),
    _since("limit of an engine", _ONSET, _limit("engine:volc", "2", "8"), engine="volc"),
    _since("limit that is new", _ONSET, _limit("engine:volc", None, "8")),
    _since("limit that is gone", _ONSET, _limit("engine:volc", "2", None)),
    _since("limit after it", _ONSET, _limit("max_concurrent", "4", "8", distance_us=-_MIN)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallCase:
    """What became of a window."""

    name: str
    overall: Overall
    whole: Whole
    about: About = field(default_factory=About)
    selection: Selection = "failures"


def _none(name: str, observed: int, **changed: Any) -> OverallCase:
    whole: dict[str, Any] = {"n": 240, "baseline_n": 1680, "baseline_selected": 60}
    return OverallCase(
        name=name,
        overall=Overall(kind="none", dimension=None, observed=observed, expected=8.6),
        whole=Whole(**(whole | changed)),
    )


def _mixed(name: str, dimension: str | None, value: str | None, **changed: Any) -> OverallCase:
    case = _none(name, 31, value=value, **({"n": 336} | changed))
    return replace(
        case, overall=Overall(kind="mix_shift", dimension=dimension, observed=31, expected=30.0)
    )


_RISE: Final = Overall(kind="global_rise", dimension=None, observed=120, expected=8.13)
OVERALLS: Final = (
    _none("nothing stands out", 9),
    _none("one failure", 1),
    _none("no failure", 0),
    _none("one attempt", 0, n=1),
    _none("no attempt", 0, n=0),
    _none("no past", 9, baseline_n=0, baseline_selected=0),
    _none("one finding", 41, findings=1),
    _none("three findings", 1, findings=3),
    replace(_none("nothing slow stands out", 12), selection="slow"),
    _mixed("more traffic to an engine", "engine", "volc"),
    _mixed("more long texts", "length", ">=20000"),
    _mixed("more of no language", "language", ""),
    _mixed("mix of an unknown value", "voice", None),
    _mixed("mix without a dimension", None, None),
    _mixed("mix without a past", "engine", "volc", baseline_n=0),
    _mixed("mix beside a finding", "engine", "volc", findings=1),
    replace(_none("all fails more", 120), overall=_RISE),
    replace(
        _none("all fails more since a deploy", 120),
        overall=_RISE,
        about=About(onset=_ONSET, boundary=_DEPLOY),
    ),
    replace(
        _none("all fails more than before a deploy", 120),
        overall=_RISE,
        about=About(onset=replace(_ONSET, n=130, observed=118), boundary=_DEPLOY),
    ),
    replace(
        _none("all is selected more", 120),
        overall=_RISE,
        about=About(onset=_ONSET),
        selection="selected",
    ),
)


def _said(case: Case, language: Language) -> str:
    reader = replace(case.reader, lang=language)
    return words.sentence(case.found, case.about, reader, selection=case.selection)


def _said_overall(case: OverallCase, language: Language) -> str:
    reader = replace(_READER, lang=language)
    return words.overall(case.overall, case.whole, case.about, reader, selection=case.selection)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_finding_is_told_in_a_sentence(case: Case, language: Language) -> None:
    """Each kind of predicate, onset, boundary and count reads as the table says."""
    assert _said(case, language) == SENTENCES[case.name][LANGUAGES.index(language)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", OVERALLS, ids=lambda case: case.name)
def test_window_is_told_in_a_sentence(case: OverallCase, language: Language) -> None:
    """A rise of everything, a shift of the mix, and nothing at all read as the table says."""
    assert _said_overall(case, language) == OVERALL[case.name][LANGUAGES.index(language)]


def test_table_has_no_case_twice() -> None:
    """The table has 40 findings at least, and a sentence for each case and no other."""
    assert len({case.name for case in CASES}) == len(CASES) >= 40
    assert set(SENTENCES) == {case.name for case in CASES}
    assert set(OVERALL) == {case.name for case in OVERALLS}

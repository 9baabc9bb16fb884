"""The system page's values: words for every part, commands apart, the strip of canaries."""

from dataclasses import replace
from typing import get_args

import pytest

from app.service.canaries.canary import KEPT
from app.service.checks.check import Level
from app.service.checks.checks import AREAS
from app.web.canary_strip import HEIGHT_PX, strip
from app.web.moments import Place
from app.web.system_page import _split
from app.web.visitor import Visitor
from app.web.words import words_of
from tests.support.facts import NOW, canary

READER = Visitor(
    t=words_of("en"), theme=None, place=Place(lang="en", zone=None, now_us=NOW + 60_000_000)
)


def test_every_part_and_level_has_words() -> None:
    """No check is shown by its raw name, in no state."""
    words = words_of("en")
    for area, names in AREAS.items():
        assert words.has(f"system.area_{area}")
        for name in names:
            assert words.has(f"part.{name}"), name
    for level in get_args(Level):
        assert words.has(f"level.{level}")


@pytest.mark.parametrize(
    ("fix", "words", "command"),
    [
        ("start one: `voxtrace worker`", "Start one", "voxtrace worker"),
        ("`voxtrace migrate`", "`voxtrace migrate`", ""),
        ("raise it with `voxtrace limit N`", "Raise it with", "voxtrace limit N"),
        ("start it: `a`, or `b`; nothing is lost", "Start it: `a`, or `b`; nothing is lost", ""),
        ("请运行 `voxtrace worker`", "请运行", "voxtrace worker"),
        ("", "", ""),
    ],
)
def test_one_command_at_the_end_stands_alone(fix: str, words: str, command: str) -> None:
    """It can be copied; where there are two, or words follow, the sentence stays whole."""
    assert _split(fix) == (words, command)


def test_strip_has_a_bar_for_each_that_ended() -> None:
    """Oldest first, within the drawing, stages stacked to the foot; a failure fills the height."""
    ended = [canary(number) for number in range(KEPT, 2, -1)]
    failed = replace(canary(2), is_ok=False, cause="no_worker", detail="no worker lives")
    held = replace(canary(1), is_ok=None, cause="busy", detail="busy", stage="queue")
    on_its_way = canary(KEPT + 1, finished_at=None, is_ok=None)
    made = strip([on_its_way, *ended, failed, held], READER)
    assert len(made.bars) == KEPT
    assert made.bars[0].x >= 0
    assert made.bars[-1].x + made.bars[-1].width <= 100
    assert [piece.kind for piece in made.bars[0].pieces] == ["track"]
    assert [(piece.kind, piece.height) for piece in made.bars[1].pieces] == [("failed", HEIGHT_PX)]
    pieces = made.bars[2].pieces
    assert [piece.kind for piece in pieces] == ["trace", "run", "queue"]
    assert pieces[-1].y + pieces[-1].height == pytest.approx(HEIGHT_PX, abs=0.1)
    assert made.bars[-1].path == f"/tasks/{100 + KEPT}"
    assert made.stages == [
        ("queue", "queue", "20 ms"),
        ("run", "speech", "0.9 s"),
        ("trace", "trace", "2.0 s"),
    ]
    assert made.label == f"The last {KEPT} canaries: {KEPT - 2} came through, 1 did not"


def test_strip_is_empty_before_the_first() -> None:
    """Nothing is drawn and nothing is said."""
    made = strip([], READER)
    assert (made.bars, made.stages, made.says) == ([], [], "")

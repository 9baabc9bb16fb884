"""Fingerprints: what is one cause is one group, what is another is another."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.causes.frames import own_frames
from app.domain.causes.rules import Rule
from app.domain.causes.template import MAX_TEMPLATE, RULES, template_of
from app.domain.errors import DatabaseBusyError, DeadlineExceededError, EngineRejectedError
from app.domain.fingerprint import cause_of, frames_of
from app.speech.engine import SegmentRequest
from app.speech.tone import ToneEngine, sound_of
from tests.bench.bench_fingerprint import BAR, by_fingerprint, by_hash, messages, score

_PAIRS = Path(__file__).with_name("fingerprint_pairs.txt")


def _key(
    error_type: str, message: str, *, code: str | None = None, frames: Sequence[str] = ()
) -> str:
    return cause_of(error_type, message, code=code, frames=frames).fingerprint


def _pairs() -> list[tuple[bool, str, str]]:
    lines = [line for line in _PAIRS.read_text().splitlines() if line and line[0] in "=!"]
    return [
        (line[0] == "=", *(part.replace("\\n", "\n").replace("\\t", "\t") for part in sides))  # type: ignore[misc]
        for line in lines
        for sides in (line[2:].split(" || "),)
    ]


@pytest.mark.parametrize(("is_one", "left", "right"), _pairs())
def test_a_pair_is_one_group_or_two_as_the_table_says(
    is_one: bool,  # noqa: FBT001 - a column of the table
    left: str,
    right: str,
) -> None:
    """Each line of the table of known-right and known-wrong pairs holds."""
    same = _key("engine_error", left) == _key("engine_error", right)
    assert same == is_one, (template_of(left), template_of(right))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_makes_its_example_its_template(rule: Rule) -> None:
    """Every rule's example becomes the template beside it, and the rule is what changes it."""
    assert template_of(rule.example) == rule.template
    assert rule.finds.search(rule.example) or rule.name in {
        "more of the same",
        "one or many",
        "string in other quotes",
    }


def test_messages_of_known_causes_are_grouped_by_cause() -> None:
    """Of 3 000 messages of the bench, pair precision and recall are above the bar; a hash's not."""
    found = messages(3_000, seed=17)
    own, raw = score("fingerprint", found, by_fingerprint), score("raw", found, by_hash)
    assert min(own.precision, own.recall) >= BAR, own
    assert raw.recall < 0.1


def test_a_fingerprint_stays_what_it_is() -> None:
    """Keys are for ever: a change of the rules that changes these needs a new version."""
    assert _key("engine_error", "code=45000292 quota, reqid=8f3a91c20b7d") == (
        "v2:" + cause_of("engine_error", "code=45000292 quota, reqid=77").fingerprint[3:]
    )
    assert _key("worker_lost", "its process ended with signal 9") == "v2:b1c7ed939acf1804"
    assert _key("audio_truncated", "音频只有 12 秒", frames=("app.x:f",)) == "v2:cef9a88b936570c5"


def test_type_code_and_frames_tell_causes_apart() -> None:
    """The same words of another type, with another code or from another place are another cause."""
    keys = {
        _key("engine_error", "no"),
        _key("engine_timeout", "no"),
        _key("engine_error", "no", code="3"),
        _key("engine_error", "no", frames=("app.speech.tone:f",)),
    }
    assert len(keys) == 4


def test_frames_are_own_functions_without_lines_and_without_borders() -> None:
    """The innermost own function comes first; files, lines and what is not ours are left out."""
    request = SegmentRequest(text="a", voice="nobody", language="", params={}, sample_rate=24_000)
    with pytest.raises(EngineRejectedError) as caught:
        sound_of(request, ToneEngine())
    frames = own_frames(caught.value)
    assert frames[0].startswith("app.speech.tone:")
    assert all(frame.startswith("app.") and ":" in frame for frame in frames)
    assert frames_of(cause_of("engine_rejected", "no", frames=frames).frames) == frames


@pytest.mark.parametrize("kind", [DeadlineExceededError, DatabaseBusyError])
def test_what_strikes_anywhere_has_no_frames(kind: type[DeadlineExceededError]) -> None:
    """A deadline, a busy database: where it was noticed is chance, and tells no cause."""
    message = "it passed"
    with pytest.raises(kind) as caught:
        raise kind(message)
    assert own_frames(caught.value) == ()


@given(st.text(max_size=400))
def test_a_template_is_short_one_line_and_the_same_each_time(message: str) -> None:
    """Whatever a message holds: no error, no new line, 500 characters at most, no private sign."""
    template = template_of(message)
    assert template == template_of(message)
    assert len(template) <= MAX_TEMPLATE
    assert len(template.splitlines()) <= 1
    assert not any("\ue000" <= char <= "\uf8ff" or char < " " for char in template)
    template.encode()


def test_what_is_quoted_is_never_in_a_template() -> None:
    """A text that a message quotes, in whatever quotes, leaves nothing of it in the template."""
    quoted = "The quick brown fox 第一章"
    for left, right in ("''", '""', "“”", "‘’", "「」", "『』", "《》", "``"):
        assert "fox" not in template_of(f"cannot speak {left}{quoted}{right}: too long")


@pytest.mark.parametrize(
    "message",
    ["a" * 9000, "/" * 9000, "'" * 9000, "1:" * 4000, "<" * 9000, "a." * 4000, "9 " * 4000,
     "a-1" * 3000, "\\x" * 4000, "第" * 9000, "x=" * 4000, "/a" * 4000, "a@" * 4000, "::" * 4000],
    ids=lambda message: message[:4],
)  # fmt: skip
def test_no_message_takes_long(message: str) -> None:
    """A message that repeats itself for ever is done in a moment: no pattern runs away."""
    began = time.perf_counter()
    template_of(message)
    assert time.perf_counter() - began < 1.0


#: What messages list, in turn.
_PIECES = ("'a' ", "1s ", "2 MB ", "3 ", "3, ", "1:", "第1", "a_1", "0x1f ", "/a/b ", "id=7 ",
           "x.y ", "<n> ", "code=4 ", "ab:cd:", "a" * 50 + ". ", '"')  # fmt: skip


@pytest.mark.parametrize("piece", _PIECES)
def test_no_list_of_two_kinds_takes_long(piece: str) -> None:
    """Things of two kinds in turn, many of them: each pattern gives up at once."""
    for other in _PIECES:
        began = time.process_time()
        template_of(((piece + other) * 60)[:100])
        assert time.process_time() - began < 0.5, other

"""Audio values: formats, the import rule, spoken units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.audio import (
    FORMATS,
    AudioCheck,
    SegmentCheck,
    audio_format,
    is_speakable,
    is_valid_import,
    spoken_units,
)
from app.domain.errors import RequestError


def test_import_rule_is_5000_bytes() -> None:
    """The old rule, for imported rows only."""
    assert not is_valid_import(4999)
    assert is_valid_import(5000)


def test_unknown_format_names_the_known_ones() -> None:
    """The message tells what is allowed."""
    assert audio_format("mp3") is FORMATS["mp3"]
    with pytest.raises(RequestError, match="mp3, opus, flac, wav, got 'm4a'"):
        audio_format("m4a")


@pytest.mark.parametrize(
    ("text", "units"),
    [("", 0), ("ab c", 4), ("天地", 5), ("天，a", 4.5), ("a \n\n b", 3), ("あ한", 5)],
)
def test_spoken_units(text: str, units: float) -> None:
    """A CJK character 2.5, white space after white space nothing, the rest 1."""
    assert spoken_units(text) == units


@given(st.text(), st.text())
def test_units_of_a_joined_text_are_the_sum(one: str, two: str) -> None:
    """For every cut: units add up, but for white space that meets at the cut."""
    joined = spoken_units(one + two)
    parts = spoken_units(one) + spoken_units(two)
    assert joined == parts or (one[-1:].isspace() and joined == parts - 1)


@pytest.mark.parametrize(
    ("text", "expected"), [("——……*", False), ("好", True), ("_5", True), ("_ 😀", False)]
)
def test_is_speakable_needs_a_letter_or_digit(text: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    """Signs alone are a pause."""
    assert is_speakable(text) is expected


def test_checks_become_json() -> None:
    """as_dict has every field as a plain value."""
    segment = SegmentCheck(
        duration_ms=1, shortest_ms=0, longest_ms=2, rms_dbfs=-20.0, peak=0.5, clipped_ratio=0.0
    )
    assert segment.as_dict()["rms_dbfs"] == -20.0
    audio = AudioCheck(
        is_valid=False, problem="audio_silent", bytes=1, duration_ms=1, expected_duration_ms=1,
        sample_rate=22050, channels=1, rms_dbfs=-90.0, peak=0.0, clipped_ratio=0.0,
    )  # fmt: skip
    assert audio.as_dict()["problem"] == "audio_silent"

"""Checks of audio: each kind of damage is found, and nothing that is good is refused."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.audio import FORMATS, FormatName, is_speakable, spoken_units
from app.domain.errors import AudioInvalidError
from app.speech.bands import bounds
from app.speech.joining import Part
from app.speech.tone import create
from app.speech.validation import check_file, check_segment
from tests.support.speech import SAMPLE_RATE, speak

TEXT = "The quick brown fox jumps over the lazy dog, 敏捷的棕色狐狸。"


def _check(pcm: bytes, text: str = TEXT) -> str:
    """The error type, or "" where the audio is good."""
    try:
        check_segment(pcm, text=text, engine="tone", sample_rate=SAMPLE_RATE)
    except AudioInvalidError as error:
        return error.error_type
    return ""


@pytest.fixture(scope="module")
def pcm() -> bytes:
    """Good audio of TEXT: five seconds."""
    return speak(create({}), TEXT).pcm


def test_good_segment_passes(pcm: bytes) -> None:
    """Its check has the numbers that a row keeps."""
    check = check_segment(pcm, text=TEXT, engine="tone", sample_rate=SAMPLE_RATE)
    assert check.shortest_ms < check.duration_ms < check.longest_ms
    assert check.as_dict()["duration_ms"] == pytest.approx(60 * spoken_units(TEXT), abs=10)
    assert -30 < check.rms_dbfs < -10
    assert 0.2 < check.peak < 0.3
    assert check.clipped_ratio == 0


def test_each_damage_has_its_error_type(pcm: bytes) -> None:
    """Truncated, too long, silent, clipped, and half a sample."""
    loud = np.where(np.arange(len(pcm) // 2) % 2 == 0, 32767, -32768).astype("<i2").tobytes()
    some = bytearray(pcm)
    some[: len(pcm) // 40 * 2] = loud[: len(pcm) // 40 * 2]
    assert _check(pcm) == ""
    assert _check(pcm[: len(pcm) // 20 * 2]) == "audio_truncated"
    assert _check(b"") == "audio_truncated"
    assert _check(pcm * 3) == "audio_too_long"
    assert _check(bytes(len(pcm))) == "audio_silent"
    assert _check(loud) == "audio_clipped"
    assert _check(bytes(some)) == "audio_clipped"
    assert _check(pcm + b"\0") == "audio_undecodable"


def test_few_samples_at_full_scale_are_no_clipping(pcm: bytes) -> None:
    """Up to one in a hundred is a loud voice."""
    samples = np.frombuffer(pcm, dtype="<i2").copy()
    samples[::200] = 32767
    assert _check(samples.tobytes()) == ""


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=160))
def test_tone_of_any_text_passes(text: str) -> None:
    """For every text that can be spoken: what the tone engine makes of it is good."""
    assume(is_speakable(text))
    assert _check(speak(create({}), text).pcm, text) == ""


@given(st.text(max_size=200), st.sampled_from(["espeak", "tone", "scripted", "other"]))
def test_bounds_leave_room(text: str, engine: str) -> None:
    """For every text: the least is below the most, and both below what speed 0.5 would allow."""
    shortest_ms, longest_ms = bounds(text, engine=engine)
    assert 0 <= shortest_ms < longest_ms
    slow = bounds(text, engine=engine, speed=0.5)
    assert slow.shortest_ms >= shortest_ms
    assert slow.longest_ms >= longest_ms


def test_text_without_a_voice_may_be_silent() -> None:
    """A script that no engine reads is no reason to fail a book."""
    assert _check(b"", "𐌰𐌱") == ""


def _file(path: Path, fmt: FormatName, pcm: bytes) -> int:
    """Encodes `pcm`; its duration in ms."""
    from app.speech.assembly import assemble

    part = Part(open=lambda: io.BytesIO(pcm), duration_ms=5000, boundary="sentence")
    return assemble([part], sample_rate=SAMPLE_RATE, out=path, fmt=fmt, title="好").duration_ms


@pytest.mark.parametrize("fmt", ["mp3", "opus", "flac", "wav"])
def test_good_file_passes(tmp_path: Path, pcm: bytes, fmt: FormatName) -> None:
    """What was encoded decodes to the same length, also where it takes several reads."""
    path = tmp_path / f"a{FORMATS[fmt].extension}"
    expected_ms = _file(path, fmt, pcm * 3)
    check = check_file(path, fmt, expected_ms)
    assert (check.is_valid, check.problem) == (True, None)
    assert check.duration_ms == pytest.approx(expected_ms, abs=60)
    assert check.bytes == path.stat().st_size
    assert check.as_dict()["channels"] == 1


def test_bad_files_are_found(tmp_path: Path, pcm: bytes) -> None:
    """Missing, empty, garbage, cut, of another format, of another length."""
    path = tmp_path / "a.mp3"
    assert check_file(path, "mp3", 5000).problem == "audio_undecodable"
    path.write_bytes(b"")
    assert check_file(path, "mp3", 5000).problem == "audio_undecodable"
    path.write_bytes(b"not audio at all " * 1000)
    assert check_file(path, "mp3", 5000).is_valid is False
    expected_ms = _file(path, "mp3", pcm)
    assert check_file(path, "wav", expected_ms).problem == "audio_undecodable"
    assert check_file(path, "mp3", expected_ms + 2000).problem == "audio_truncated"
    assert check_file(path, "mp3", expected_ms - 2000).problem == "audio_too_long"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert check_file(path, "mp3", expected_ms).problem == "audio_truncated"


def test_silent_file_is_found(tmp_path: Path) -> None:
    """A file of zeros decodes well and is still wrong."""
    soundfile.write(tmp_path / "a.wav", np.zeros(22050, dtype="int16"), SAMPLE_RATE)
    assert check_file(tmp_path / "a.wav", "wav", 1000).problem == "audio_silent"


def test_joined_mp3_files_are_found(tmp_path: Path, pcm: bytes) -> None:
    """Encoded files glued together decode to the first of them: why they are never joined."""
    path = tmp_path / "a.mp3"
    expected_ms = _file(path, "mp3", pcm)
    path.write_bytes(path.read_bytes() * 2)
    assert check_file(path, "mp3", 2 * expected_ms).problem == "audio_truncated"


def test_reading_mp3_in_blocks_damages_nothing(tmp_path: Path, pcm: bytes) -> None:
    """The decoder is never made to seek: it says nothing on standard error.

    Where it seeks after each block, libmpg123 complains there and loses samples.
    """
    path = tmp_path / "a.mp3"
    expected_ms = _file(path, "mp3", pcm * 12)
    code = (
        "import sys; from pathlib import Path; from app.speech.validation import check_file\n"
        f"assert check_file(Path({str(path)!r}), 'mp3', {expected_ms}).is_valid\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")

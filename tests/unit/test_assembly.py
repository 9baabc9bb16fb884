"""Assembly: parts joined with the right pauses, evened in loudness, encoded once."""

import hashlib
import io
import math
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile

from app.domain.audio import FORMATS, FormatName
from app.domain.errors import AudioInvalidError, LeaseLostError, StorageError
from app.speech.assembly import Assembled, Phase, assemble
from app.speech.encoder import id3_title, output_rate
from app.speech.joining import EDGE_MS, Part
from app.speech.sentences import PAUSES_MS, Boundary
from app.speech.validation import check_file

RATE = 22_050


def _pcm(sound_ms: int, *, lead_ms: int = 0, tail_ms: int = 0, height: int = 8000) -> bytes:
    """A sine with silence around it."""
    sound = height * np.cos(np.arange(sound_ms * RATE // 1000) / 8)
    edges = [np.zeros(ms * RATE // 1000) for ms in (lead_ms, tail_ms)]
    return np.concatenate([edges[0], sound, edges[1]]).astype("<i2").tobytes()


def _part(pcm: bytes | None, boundary: Boundary = "sentence") -> Part:
    if pcm is None:
        return Part(open=None, duration_ms=0, boundary=boundary)
    return Part(
        open=partial(io.BytesIO, pcm), duration_ms=len(pcm) * 500 // RATE, boundary=boundary
    )


def _assemble(parts: list[Part], path: Path, fmt: FormatName = "wav") -> Assembled:
    return assemble(parts, sample_rate=RATE, out=path, fmt=fmt)


def _samples(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    samples, _ = soundfile.read(path)
    return np.asarray(samples)


def test_pauses_follow_the_boundaries(tmp_path: Path) -> None:
    """Edges cut to 20 ms, the pause of each kind between, none at the end."""
    kinds: list[Boundary] = ["clause", "sentence", "paragraph", "chapter", "chapter"]
    parts = [_part(_pcm(500, lead_ms=300, tail_ms=400), kind) for kind in kinds]
    made = _assemble(parts, tmp_path / "a.wav")
    pauses_ms = sum(PAUSES_MS[kind] for kind in kinds[:-1])
    assert made.duration_ms == pytest.approx(5 * (500 + 2 * EDGE_MS) + pauses_ms, abs=5)
    quiet_ms = np.diff(np.flatnonzero(np.abs(_samples(tmp_path / "a.wav")) > 0.01)) * 1000 / RATE
    found = sorted(round(ms / 10) * 10 for ms in quiet_ms if ms > 50)
    assert found == pytest.approx([PAUSES_MS[k] + 2 * EDGE_MS for k in kinds[:-1]], abs=10)


def test_offsets_carry_marks_into_the_file(tmp_path: Path) -> None:
    """A mark's moment in its segment plus the offset is the moment in the file."""
    parts = [_part(_pcm(500, lead_ms=lead), "clause") for lead in (0, 100, 300)]
    made = _assemble(parts, tmp_path / "a.wav")
    samples = np.abs(_samples(tmp_path / "a.wav"))
    for offset_ms, lead_ms in zip(made.offsets_ms, (0, 100, 300), strict=True):
        start = (offset_ms + lead_ms) * RATE // 1000
        assert samples[max(0, start - 200) : max(0, start - 50)].max(initial=0) < 0.01
        assert samples[start + 150 : start + 400].max() > 0.1


def test_pause_part_makes_its_pause(tmp_path: Path) -> None:
    """A piece without words adds the pause of its boundary, in the middle and at the start."""
    sound = _pcm(400)
    plain = _assemble([_part(sound), _part(sound)], tmp_path / "a.wav")
    parts = [_part(None, "clause"), _part(sound), _part(None, "chapter"), _part(sound)]
    paused = _assemble(parts, tmp_path / "b.wav")
    assert paused.duration_ms - plain.duration_ms == pytest.approx(120 + 1500, abs=2)
    assert paused.offsets_ms[0] == 0
    assert paused.offsets_ms[2] == pytest.approx(120 + 400 + 300, abs=30)


def test_pauses_at_the_end_are_left_out(tmp_path: Path) -> None:
    """The file ends with its last sound."""
    made = _assemble([_part(_pcm(400)), _part(None, "chapter"), _part(None)], tmp_path / "a.wav")
    assert made.duration_ms == pytest.approx(400, abs=EDGE_MS)
    assert len(made.offsets_ms) == 3


def test_cuts_are_faded(tmp_path: Path) -> None:
    """A sound that starts and ends at full height does so without a click."""
    _assemble([_part(_pcm(300)), _part(_pcm(300))], tmp_path / "a.wav")
    samples = np.abs(_samples(tmp_path / "a.wav"))
    assert samples[0] == 0
    assert samples[-1] == 0
    assert samples[: RATE // 1000].max() < 0.3 * samples.max()


@pytest.mark.parametrize("height", [300, 8000, 32767])
def test_loudness_reaches_the_target(tmp_path: Path, height: int) -> None:
    """Quiet and loud input end at -16 LUFS (or 30 dB louder), measured on the finished file."""
    from app.speech.loudness import LoudnessMeter

    made = _assemble([_part(_pcm(3000, height=height))], tmp_path / "a.wav")
    meter = LoudnessMeter(RATE)
    meter.feed(_samples(tmp_path / "a.wav").astype(np.float32))
    assert made.loudness_lufs == pytest.approx(-16.0, abs=0.05)
    assert meter.integrated_lufs() == pytest.approx(made.loudness_lufs, abs=0.1)


def test_peaks_stay_below_the_limit(tmp_path: Path) -> None:
    """A spike in quiet speech holds the gain down: no sample is above -1 dBFS."""
    samples = np.frombuffer(_pcm(3000, height=500), dtype="<i2").copy()
    samples[20_000:20_010] = 30_000
    made = _assemble([_part(samples.tobytes())], tmp_path / "a.wav")
    peak = np.abs(_samples(tmp_path / "a.wav")).max()
    assert 20 * math.log10(peak) == pytest.approx(-1.0, abs=0.01)
    assert made.loudness_lufs < -20


@pytest.mark.parametrize("fmt", ["mp3", "opus", "flac", "wav"])
def test_every_format_decodes_to_what_was_put_in(tmp_path: Path, fmt: FormatName) -> None:
    """Length, rate, size, hash and title of the file are those that are told."""
    path = tmp_path / f"a{FORMATS[fmt].extension}"
    parts = [_part(_pcm(1500)), _part(_pcm(700))]
    title = "西游记 第一回 灵根育孕源流出 心性修持大道生"
    made = assemble(parts, sample_rate=RATE, out=path, fmt=fmt, title=title)
    assert check_file(path, fmt, made.duration_ms).is_valid
    assert made.duration_ms == pytest.approx(1500 + 300 + 700, abs=5)
    assert made.sample_rate == (24_000 if fmt == "opus" else RATE)
    assert made.bytes == path.stat().st_size
    assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with soundfile.SoundFile(path) as file:
        assert file.title == title


def test_peaks_are_drawn_from_the_file(tmp_path: Path) -> None:
    """About 800 columns from 0 to 127 that follow the sound: loud, pause, loud."""
    parts = [_part(_pcm(2000), "chapter"), _part(_pcm(2000))]
    peaks = _assemble(parts, tmp_path / "a.wav").peaks
    assert 780 <= len(peaks) <= 800
    assert max(peaks[:270]) == max(peaks) > 20
    assert max(peaks[310:480]) == 0
    assert set(map(type, peaks)) == {int}
    assert len(_assemble([_part(_pcm(20))], tmp_path / "b.wav").peaks) <= 800


def test_progress_is_told_in_both_passes(tmp_path: Path) -> None:
    """From 0 to 1 in each, never going back; a long single part moves too."""
    told: list[tuple[float, Phase]] = []
    parts = [_part(_pcm(60_000)), _part(_pcm(60_000))]
    assemble(
        parts,
        sample_rate=RATE,
        out=tmp_path / "a.mp3",
        fmt="mp3",
        on_progress=lambda done, phase: told.append((done, phase)),
    )
    for phase in ("measure", "encode"):
        done = [ratio for ratio, of_phase in told if of_phase == phase]
        assert (done[0], done[-1]) == (0.0, 1.0)
        assert done == sorted(done)
    assert any(0.0 < ratio < 1.0 for ratio, _ in told)


def test_progress_can_stop_it(tmp_path: Path) -> None:
    """What the callback raises comes through, in either pass, and files are closed."""

    def stop(_done: float, phase: Phase) -> None:
        if phase == "encode":
            message = "gone"
            raise LeaseLostError(message)

    with pytest.raises(LeaseLostError):
        assemble(
            [_part(_pcm(100))],
            sample_rate=RATE,
            out=tmp_path / "a.mp3",
            fmt="mp3",
            on_progress=stop,
        )


def test_parts_are_opened_one_at_a_time(tmp_path: Path) -> None:
    """However many parts: one file open, twice each."""
    opened: list[BinaryIO] = []
    sound = _pcm(50)

    def open_one() -> BinaryIO:
        assert all(file.closed for file in opened)
        opened.append(io.BytesIO(sound))
        return opened[-1]

    _assemble([Part(open=open_one, duration_ms=50, boundary="clause")] * 40, tmp_path / "a.wav")
    assert len(opened) == 80


@pytest.mark.parametrize("parts", [[], [_part(None)], [_part(bytes(20_000))]])
def test_nothing_to_hear_is_an_error(tmp_path: Path, parts: list[Part]) -> None:
    """No part with any sound makes no file."""
    with pytest.raises(AudioInvalidError) as caught:
        _assemble(parts, tmp_path / "a.wav")
    assert caught.value.error_type == "audio_silent"


def test_silent_part_between_others_is_only_its_pause(tmp_path: Path) -> None:
    """A segment that turned out quiet does not stop the book."""
    parts = [_part(_pcm(300)), _part(bytes(20_000), "clause"), _part(_pcm(300))]
    assert _assemble(parts, tmp_path / "a.wav").duration_ms == pytest.approx(1020, abs=30)


def test_part_that_is_no_pcm_is_an_error(tmp_path: Path) -> None:
    """Half a sample means that a file is torn."""
    with pytest.raises(AudioInvalidError) as caught:
        _assemble([_part(_pcm(100) + b"\0")], tmp_path / "a.wav")
    assert caught.value.error_type == "audio_undecodable"


@pytest.mark.parametrize("fmt", ["mp3", "opus", "flac", "wav"])
@pytest.mark.parametrize(("path", "words"), [("/dev/full", "No space"), ("/nowhere/a", "No such")])
def test_disk_that_fails_is_a_storage_error(path: str, words: str, fmt: FormatName) -> None:
    """A full disk and a missing folder: words, whatever the encoder makes of it."""
    with pytest.raises(StorageError, match=words):
        _assemble([_part(_pcm(2000))], Path(path), fmt)


@pytest.mark.parametrize(
    ("fmt", "rate", "expected"),
    [("opus", 22_050, 24_000), ("opus", 44_100, 48_000), ("mp3", 22_050, 22_050),
     ("mp3", 96_000, 48_000), ("wav", 12_345, 12_345)],
)  # fmt: skip
def test_output_rate_is_one_that_the_format_has(fmt: FormatName, rate: int, expected: int) -> None:
    """The next rate above, else the highest."""
    assert output_rate(fmt, rate) == expected


def test_id3_sizes_are_synchsafe() -> None:
    """A title of 200 characters has sizes whose bytes stay below 0x80 (ID3v2.4 section 6.2)."""
    tag = id3_title("天" * 200)
    assert tag[:4] == b"ID3\x04"
    assert max(tag[6:10]) < 0x80
    assert int(tag[8]) * 128 + tag[9] == len(tag) - 10

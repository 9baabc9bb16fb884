"""Frames between a process and its engine host, and the trimming of what comes through them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.speech.frames import AUDIO, DONE, Frame, FrameDecoder, encode
from app.speech.trimming import KEPT_MS, EdgeTrimmer


@given(
    st.lists(st.tuples(st.sampled_from([AUDIO, DONE]), st.binary(max_size=50)), max_size=8),
    st.integers(1, 20),
)
def test_frames_survive_any_cut(frames: list[tuple[bytes, bytes]], step: int) -> None:
    """For every way in which bytes arrive: the frames that were sent come out, in order."""
    data = b"".join(encode(kind, payload) for kind, payload in frames)
    decoder = FrameDecoder()
    found = [
        frame
        for start in range(0, len(data), step)
        for frame in decoder.feed(data[start : start + step])
    ]
    assert found == [Frame(kind, payload) for kind, payload in frames]


def test_absurd_length_is_refused() -> None:
    """Garbage does not make the reader wait for gigabytes."""
    with pytest.raises(ValueError, match="at most"):
        list(FrameDecoder().feed(b"A\xff\xff\xff\xff"))


@given(
    st.integers(0, 3000),
    st.lists(st.sampled_from([0, 50, 9000, -9000]), max_size=400),
    st.integers(0, 3000),
    st.integers(1, 700),
)
def test_trimmer_cuts_quiet_edges_only(lead: int, middle: list[int], tail: int, chunk: int) -> None:
    """For every sound and every way to cut it up: the inside stays, the edges keep 10 ms."""
    sound = [9000, *middle, 9000]
    samples = np.array([0] * lead + sound + [0] * tail, dtype="<i2")
    trimmer = EdgeTrimmer(8000)
    pieces = [trimmer.feed(samples[i : i + chunk].tobytes()) for i in range(0, len(samples), chunk)]
    found = np.frombuffer(b"".join([*pieces, trimmer.finish()]), dtype="<i2")
    kept = KEPT_MS * 8
    expected = [0] * min(lead, kept) + sound + [0] * min(tail, kept)
    assert found.tolist() == expected
    assert trimmer.cut_ms == max(0, lead - kept) / 8


def test_trimmer_of_silence_gives_nothing() -> None:
    """No sound, no samples."""
    trimmer = EdgeTrimmer(8000)
    assert trimmer.feed(bytes(20_000)) + trimmer.finish() == b""

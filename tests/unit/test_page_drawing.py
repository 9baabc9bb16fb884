"""Drawings of the pages as numbers: waveforms, progress, shares, axes."""

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from app.web import drawing

PEAKS = st.lists(st.integers(min_value=0, max_value=127), max_size=900)


@given(PEAKS, st.integers(min_value=1, max_value=300), st.integers(min_value=10, max_value=104))
def test_wave_has_every_bar_inside(peaks: list[int], count: int, height_px: int) -> None:
    """For every list of peaks: as many bars as asked for (without peaks none), each in place."""
    wave = drawing.wave(peaks, count=count, height_px=height_px)
    bars = re.findall(r"M([\d.]+) ([\d.]+)v([\d.]+)", wave.path)
    assert len(bars) == (count if peaks else 0) == wave.count
    for index, (x, top, tall) in enumerate(bars):
        assert float(x) == index + 0.5
        assert float(tall) >= drawing.MIN_BAR_PX
        assert float(top) >= 0
        assert float(top) + float(tall) <= height_px + 0.2


def test_wave_of_silence_is_a_thin_line() -> None:
    """Silence is seen as the lowest bars, not as nothing."""
    wave = drawing.wave([0, 0, 0], count=3, height_px=30)
    assert re.findall(r"v([\d.]+)", wave.path) == ["1.5", "1.5", "1.5"]


def test_wave_shows_the_louder_part_higher() -> None:
    """The louder half of the audio has the higher bars."""
    wave = drawing.wave([10] * 50 + [100] * 50, count=10, height_px=30)
    heights = [float(tall) for tall in re.findall(r"v([\d.]+)", wave.path)]
    assert max(heights[:5]) < min(heights[5:])


@given(st.integers(min_value=0, max_value=5000), st.integers(min_value=0, max_value=5000))
def test_progress_is_full_only_at_the_end(done: int, total: int) -> None:
    """For every progress: at most 24 blocks, all filled only when all is done, never over 100 %."""
    blocks = drawing.progress(done, total, "processing")
    filled = [block for block in blocks if block.kind == "processing"]
    assert 1 <= len(blocks) <= drawing.MAX_BLOCKS
    assert (len(filled) == len(blocks)) == (total > 0 and done >= total)
    assert blocks == sorted(blocks, key=lambda block: block.x)
    assert blocks[-1].x + blocks[-1].width <= 100.01


@given(st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=6))
def test_shares_fill_the_whole(amounts: list[int]) -> None:
    """For every division the parts lie side by side and fill the bar; nothing has no part."""
    blocks = drawing.shares([(f"part-{index}", amount) for index, amount in enumerate(amounts)])
    assert len(blocks) == sum(amount > 0 for amount in amounts)
    if blocks:
        assert abs(blocks[-1].x + blocks[-1].width - 100) < 0.05


@given(st.integers(min_value=0, max_value=30 * 86_400 * 10**6))
def test_axis_is_short_and_even(length_us: int) -> None:
    """For every length: from 0, evenly, at most eight marks, none beyond the end."""
    marks = drawing.axis(length_us)
    assert marks[0] == 0
    assert len(marks) <= 8
    assert len({after - before for before, after in itertools.pairwise(marks)}) <= 1
    assert marks[-1] <= max(0, length_us)


def test_place_is_clamped() -> None:
    """What lies outside is drawn at the edge."""
    assert drawing.place(-5, 100) == 0
    assert drawing.place(500, 100) == 100
    assert drawing.place(25, 100) == 25

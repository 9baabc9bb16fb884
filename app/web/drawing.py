"""Drawings as numbers: waveforms, progress blocks, meters, axes. Templates turn them into SVG.

Widths are percents of the drawing, heights are pixels, so that nothing is stretched but bars.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Progress is drawn in at most this many blocks.
MAX_BLOCKS = 24
#: Lowest bar of a waveform, in pixels: silence is seen too.
MIN_BAR_PX = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A waveform: `count` bars of a nested drawing `count` wide and `height_px` high."""

    count: int
    height_px: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a bar: where it starts and how wide it is, in percent; `kind` names its fill."""

    x: float
    width: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of an upright bar, in pixels from above; `kind` names its fill."""

    y: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An upright bar: its place in percent, its pieces, what it says, and where it leads."""

    x: float
    width: float
    pieces: Sequence[Piece]
    says: str
    path: str | None


def wave(peaks: Sequence[float], *, count: int, height_px: int) -> Wave:
    """A waveform of `count` bars from peaks of any scale; the loudest fills the height."""
    levels = resample(peaks, count)
    # Long audio is even: what all bars have in common is drawn shorter, so that they differ.
    floor = 0.6 * min(levels, default=0.0)
    range_ = (max(levels, default=0.0) - floor) or 1.0
    parts = []
    for index, level in enumerate(levels):
        bar_px = max(MIN_BAR_PX, (level - floor) / range_ * (height_px - 2))
        parts.append(f"M{index + 0.5:g} {_short((height_px - bar_px) / 2)}v{_short(bar_px)}")
    return Wave(count=len(levels), height_px=height_px, path="".join(parts))


def resample(peaks: Sequence[float], count: int) -> list[float]:
    """`count` levels, each the mean of its share of `peaks`; fewer peaks are repeated."""
    if not peaks:
        return []
    size = len(peaks)
    levels = []
    for index in range(count):
        first = index * size // count
        last = max(first + 1, (index + 1) * size // count)
        levels.append(sum(abs(peak) for peak in peaks[first:last]) / (last - first))
    return levels


def progress(done: int, total: int, kind: str) -> list[Block]:
    """Blocks of a progress bar: one for each of `total` segments, at most 24, `done` filled."""
    blocks = max(1, min(total, MAX_BLOCKS))
    filled = min(blocks, done * blocks // total) if total else 0
    pitch = 100 / blocks
    gap = min(pitch * 0.22, 1.3) if blocks > 1 else 0.0
    return [
        Block(x=_round(n * pitch), width=_round(pitch - gap), kind=kind if n < filled else "track")
        for n in range(blocks)
    ]


def shares(parts: Sequence[tuple[str, int]]) -> list[Block]:
    """Parts of a whole side by side: (kind, amount) each; parts of nothing are left out."""
    whole = sum(amount for _, amount in parts)
    blocks = []
    x = 0.0
    for kind, amount in parts:
        if amount > 0:
            width = amount * 100 / whole
            blocks.append(Block(x=_round(x), width=_round(width), kind=kind))
            x += width
    return blocks


#: Steps of a time axis in seconds, each readable.
_STEPS_S = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_STEP_DAY_S = 21_600


def axis(length_us: int, *, most: int = 7) -> list[int]:
    """Moments of a time axis over `length_us` in microseconds, from 0, at most `most` of them."""
    length_s = max(length_us, 1) / 1_000_000
    step_s = next((step for step in _STEPS_S if length_s / step <= most), None)
    if step_s is None:
        step_s = _STEP_DAY_S * math.ceil(length_s / most / _STEP_DAY_S)
    step_us = round(step_s * 1_000_000)
    # A mark in the last tenth would run into the end's own label.
    return [at for at in range(0, max(1, length_us), step_us) if at <= length_us * 0.93]


def place(at_us: int, length_us: int) -> float:
    """Where a moment is drawn, in percent of the length."""
    return _round(min(100.0, max(0.0, at_us * 100 / max(1, length_us))))


def _round(value: float) -> float:
    return round(value, 2)


def _short(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")

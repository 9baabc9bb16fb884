"""Measures engines on whole books: length per spoken unit, levels, words without a mark, speed.

    python -m tests.bench.bench_speech BOOK_EN BOOK_ZH

Each row is one engine and voice over one book, each segment checked as a task would check it. The
columns are what `app/speech/bands.py` cites. Times are ratios to the audio's length.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.clock import monotonic_s
from app.domain.audio import SegmentCheck
from app.domain.errors import AudioInvalidError
from app.speech.engine import Engine
from app.speech.marks import tokens
from app.speech.registry import load_engines
from app.speech.splitter import Piece, split
from app.speech.validation import check_segment
from tests.support.speech import SAMPLE_RATE, speak

#: Spoken units, below which a segment says little about the rate.
_LONG_UNITS = 30
RUNS = [("tone", ""), ("espeak", ""), ("espeak", "en-gb"), ("espeak", "yue")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One segment."""

    units: float
    check: SegmentCheck
    words: int
    unmarked: int


def measure(engine: Engine, voice: str, text: str, pieces: list[Piece]) -> Iterator[Row]:
    """Speaks and checks each piece; a refused one is printed."""
    for piece in pieces:
        words = text[piece.start : piece.end]
        made = speak(engine, words, voice=voice)
        try:
            check = check_segment(made.pcm, text=words, engine=engine.name, sample_rate=SAMPLE_RATE)
        except AudioInvalidError as error:
            print(f"REFUSED at {piece.start}: {error}")
            continue
        count = len(tokens(words))
        yield Row(units=piece.units, check=check, words=count, unmarked=count - len(made.marks))


def report(name: str, rows: list[Row], took_s: float) -> None:
    """One line."""
    rates = [row.check.duration_ms / row.units for row in rows if row.units >= _LONG_UNITS]
    quantiles = np.quantile(rates, [0, 0.01, 0.5, 0.99, 1])
    audio_s = sum(row.check.duration_ms for row in rows) / 1000
    loudness = [row.check.rms_dbfs for row in rows]
    print(
        f"{name:32} {len(rows):5} segments {audio_s / 3600:6.2f} h  took {took_s / audio_s:.5f}  "
        f"ms/unit {' '.join(f'{value:6.1f}' for value in quantiles)}  "
        f"rms {min(loudness):.1f}..{max(loudness):.1f} dBFS  "
        f"peak {max(row.check.peak for row in rows):.2f}  "
        f"clipped {max(row.check.clipped_ratio for row in rows):.4f}  "
        f"words {sum(row.words for row in rows)} unmarked {sum(row.unmarked for row in rows)}"
    )


def main(paths: list[str]) -> None:
    """Every run over every book."""
    engines = load_engines(sorted({name for name, _ in RUNS}))
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        pieces = [piece for piece in split(text) if piece.is_speakable]
        for name, voice in RUNS:
            began_s = monotonic_s()
            rows = list(measure(engines[name], voice, text, pieces))
            report(f"{name} {voice} {Path(path).name[:16]}", rows, monotonic_s() - began_s)
    for engine in engines.values():
        engine.close()


if __name__ == "__main__":
    main(sys.argv[1:])

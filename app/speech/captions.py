"""Captions of finished audio, as SubRip (SRT) and WebVTT: one cue a sentence, long ones cut."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from app.domain.audio import is_speakable, spoken_units
from app.speech.engine import Mark
from app.speech.sentences import sentences
from app.speech.splitter import split
from app.speech.wrapping import MAX_COLUMNS, wrap

CaptionFormat = Literal["srt", "vtt"]

#: Spoken units of one cue: two lines of Latin with some room at their ends, or 30 Han characters.
_CUE_UNITS = 1.8 * MAX_COLUMNS


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionSegment:
    """A spoken segment in the finished audio.

    Args:
        text: What was spoken.
        offset_ms: What to add to a mark's moment (`Assembled.offsets_ms`).
        duration_ms: Of the segment's PCM.
        marks: Of the engine; without word marks the time is shared out by spoken length.
    """

    text: str
    offset_ms: int
    duration_ms: int
    marks: Sequence[Mark] = ()


class Cue(NamedTuple):
    """One caption."""

    start_ms: int
    end_ms: int
    text: str


def captions(segments: Iterable[CaptionSegment], fmt: CaptionFormat) -> str:
    """The whole caption file; no two cues overlap, and times never go back."""
    cues = list(in_order(cue for segment in segments for cue in segment_cues(segment)))
    if fmt == "vtt":
        return "WEBVTT\n\n" + "\n".join(_vtt(cue) for cue in cues)
    return "\n".join(_srt(number, cue) for number, cue in enumerate(cues, start=1))


def segment_cues(segment: CaptionSegment) -> Iterator[Cue]:
    """A segment's cues, each until the next one starts."""
    spans = [span for span in _spans(segment.text) if is_speakable(segment.text, *span)]
    starts = [_moment(segment, start, end) for start, end in spans]
    ends = [*starts[1:], segment.duration_ms] if spans else []
    for (start, end), start_ms, end_ms in zip(spans, starts, ends, strict=True):
        yield Cue(
            segment.offset_ms + start_ms,
            segment.offset_ms + end_ms,
            wrap(segment.text[start:end]),
        )


def in_order(cues: Iterable[Cue]) -> Iterator[Cue]:
    """Cues that start at 0 or later, last at least a millisecond, and do not overlap."""
    held: Cue | None = None
    for cue in cues:
        start_ms = max(0, cue.start_ms, held.start_ms + 1 if held else 0)
        if held is not None:
            yield held._replace(end_ms=min(held.end_ms, start_ms))
        held = cue._replace(start_ms=start_ms, end_ms=max(cue.end_ms, start_ms + 1))
    if held is not None:
        yield held


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Sentences, and pieces of long ones."""
    for sentence in sentences(text):
        for piece in split(text[sentence.start : sentence.end], max_units=_CUE_UNITS):
            yield sentence.start + piece.start, sentence.start + piece.end


def _moment(segment: CaptionSegment, start: int, end: int) -> int:
    """When text[start:end] begins, in the segment: at its first word, else by its share."""
    words = [mark for mark in segment.marks if mark.kind == "word"]
    index = bisect_left(words, start, key=lambda mark: mark.start)
    if index < len(words) and words[index].start < end:
        return words[index].at_ms
    share = spoken_units(segment.text[:start]) / max(1.0, spoken_units(segment.text))
    return round(segment.duration_ms * share)


def _srt(number: int, cue: Cue) -> str:
    times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
    return f"{number}\n{times}\n{cue.text.replace('-->', '→')}\n"


def _vtt(cue: Cue) -> str:
    text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{text}\n"


def _clock(at_ms: int, point: str) -> str:
    seconds, milliseconds = divmod(at_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"

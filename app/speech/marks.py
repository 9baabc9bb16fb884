"""Word marks: where words are in a text, and when they are spoken, from an engine's raw events."""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from app.domain.audio import is_cjk, spoken_units
from app.speech.engine import Mark
from app.speech.scripts import script_of

#: Milliseconds per spoken unit. Between two events, less time than this means that a word there was
#: not spoken; espeak's fastest joined words ("of the") take over twice as long.
MIN_MS_PER_UNIT = 15.0


class Token(NamedTuple):
    """text[start:end] is a word, a number, or one Han or kana character."""

    start: int
    end: int


class Event(NamedTuple):
    """An engine says that it came to the character at `offset` at this moment."""

    offset: int
    at_ms: int


def tokens(text: str) -> list[Token]:
    """The words of `text`, in order. Signs and white space belong to none."""
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    start: int | None = None
    for index, char in enumerate(text):
        is_part = char.isalnum() or (start is not None and _continues(text, index))
        if start is not None and (not is_part or _stands_alone(char)):
            yield Token(start, index)
            start = None
        if is_part and _stands_alone(char):
            yield Token(index, index + 1)
        elif is_part and start is None:
            start = index
    if start is not None:
        yield Token(start, len(text))


def _stands_alone(char: str) -> bool:
    return is_cjk(char) and script_of(char) != "Hang"


def _continues(text: str, index: int) -> bool:
    """Combining marks; an apostrophe inside a word; a point, comma or colon inside a number."""
    char = text[index]
    before, after = text[index - 1], text[index + 1 : index + 2]
    if char in "'’":
        return before.isalpha() and after.isalpha()
    if char in ".,:":
        return before.isdigit() and after.isdigit()
    return not char.isascii() and unicodedata.category(char).startswith("M")


def moved(marks: Sequence[Mark], offset: int, at_ms: int) -> tuple[Mark, ...]:
    """`marks` of a part, in the text and the audio of the whole."""
    return tuple(
        replace(mark, start=mark.start + offset, end=mark.end + offset, at_ms=mark.at_ms + at_ms)
        for mark in marks
    )


def word_marks(text: str, events: Sequence[Event], end_ms: int) -> list[Mark]:
    """One mark for each word that was spoken, in the order of the text.

    Engines give several events inside one word (a number) and one event for several words that
    their dictionary joins ("of the", "接口"). The first event inside a word is its moment; a word
    without one gets its share of the time between the events around it, if there is enough time
    for it to have been spoken there. A word without a mark was not spoken.

    Args:
        text: What was spoken.
        events: In any order.
        end_ms: Length of the audio.
    """
    anchors = sorted({event for event in events if 0 <= event.offset < len(text)})
    offsets = [anchor.offset for anchor in anchors]
    found: list[Mark] = []
    for token in _tokens(text):
        index = bisect_left(offsets, token.start)
        if index < len(anchors) and offsets[index] < token.end:
            at_ms: int | None = anchors[index].at_ms
        else:
            at_ms = _shared_moment(text, token, anchors, Event(len(text), end_ms))
        if at_ms is not None:
            at_ms = max(at_ms, found[-1].at_ms if found else 0)
            found.append(Mark(kind="word", start=token.start, end=token.end, at_ms=at_ms))
    return found


def _shared_moment(text: str, token: Token, anchors: Sequence[Event], last: Event) -> int | None:
    """When a word without an event of its own was spoken; None if there is no time for it."""
    index = bisect_right(anchors, token.start, key=lambda anchor: anchor.offset)
    before = anchors[index - 1] if index > 0 else Event(0, 0)
    if not any(char.isspace() for char in text[before.offset : token.start]):
        # inside one of the engine's words, all of whose events may stand at its first character
        before = next((anchor for anchor in anchors if anchor.offset == before.offset), before)
    after = anchors[index] if index < len(anchors) else last
    units = spoken_units(text[before.offset : after.offset])
    span_ms = after.at_ms - before.at_ms
    if span_ms < units * MIN_MS_PER_UNIT:
        return None
    share = spoken_units(text[before.offset : token.start]) / units
    return before.at_ms + round(span_ms * share)

"""The text of a filter as raw terms: qualifiers, quotes, commas and stars, with their places."""

import re
from dataclasses import dataclass
from typing import Final

from app.domain.query.faults import Place, fault

_NAME: Final = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[:\uff1a]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawValue:
    """A value as it was written, quotes resolved.

    Attributes:
        parts: What stands between unquoted stars; one part: there is no star.
        is_quoted: Whether any of it stood in quotes.
        place: Where it stands; of one that is missing, what stands before it.
    """

    parts: tuple[str, ...]
    is_quoted: bool
    place: Place

    @property
    def text(self) -> str:
        """As one text, with its stars."""
        return "*".join(self.parts)

    @property
    def is_missing(self) -> bool:
        """Whether nothing stands there, not even quotes."""
        return not self.is_quoted and self.text == ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTerm:
    """A term as it was written; `name` is None of a bare word."""

    is_negated: bool
    name: str | None
    values: tuple[RawValue, ...]
    place: Place


def terms_of(text: str) -> list[RawTerm]:
    """The terms of a filter, in their order.

    Raises:
        QueryError: A quote is not closed, or a character is none of a text.
    """
    wrong = _CONTROL.search(text)
    if wrong is not None:
        raise fault(Place(wrong.start(), 1), "control", code=f"U+{ord(wrong.group()):04X}")
    found: list[RawTerm] = []
    at = _skip(text, 0)
    while at < len(text):
        term, at = _term(text, at)
        found.append(term)
        at = _skip(text, at)
    return found


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _term(text: str, start: int) -> tuple[RawTerm, int]:
    is_negated = text[start] == "-"
    at = start + 1 if is_negated else start
    if at == len(text) or text[at].isspace():
        raise fault(Place(start, 1), "lone_minus")
    if is_negated and text[at] == "-":
        word = text[start:].split(maxsplit=1)[0]
        raise fault(Place(start, len(word)), "two_minus", value=word)
    named = _NAME.match(text, at)
    values: list[RawValue] = []
    if named is None:
        value, at = _value(text, at, is_bare=True)
        values.append(value)
    else:
        before = Place(start, named.end() - start)
        value, at = _value(text, named.end(), before=before)
        values.append(value)
        while at < len(text) and text[at] == ",":
            value, at = _value(text, at + 1, before=Place(at, 1))
            values.append(value)
    name = named[1] if named is not None else None
    place = Place(start, at - start)
    return RawTerm(is_negated=is_negated, name=name, values=tuple(values), place=place), at


def _value(
    text: str, start: int, *, before: Place | None = None, is_bare: bool = False
) -> tuple[RawValue, int]:
    """A value up to white space or, where it is one of several, a comma.

    One that is not there stands at what is `before` it, which can be seen.
    """
    parts = [""]
    is_quoted = False
    at = start
    while at < len(text) and not text[at].isspace() and (is_bare or text[at] != ","):
        if text[at] == '"':
            part, at = _quoted(text, at)
            parts[-1] += part
            is_quoted = True
            continue
        if text[at] == "*":
            parts.append("")
        else:
            parts[-1] += text[at]
        at += 1
    place = before if before is not None and at == start else Place(start, at - start)
    return RawValue(parts=tuple(parts), is_quoted=is_quoted, place=place), at


def _quoted(text: str, start: int) -> tuple[str, int]:
    r"""What stands in quotes; `\` takes the special sense from the character after it."""
    found = ""
    at = start + 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        found += text[at]
        at += 1
    if at >= len(text):
        raise fault(Place(start, len(text) - start), "open_quote")
    return found, at + 1

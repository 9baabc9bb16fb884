"""Texts: what is accepted, how content is normalised, and the key that makes two texts the same."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.audio import is_speakable
from app.domain.errors import RequestError, TooLargeError

#: Longest title, in characters.
MAX_TITLE_CHARS = 200

_SURROGATE = re.compile("[\ud800-\udfff]")
_NEWLINES = re.compile(r"\r\n?|[\u2028\u2029\u0085]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def check_text(value: str, *, field: str) -> None:
    """Raises RequestError naming the offset of a NUL or a lone surrogate in `value`."""
    nul = value.find("\0")
    if nul >= 0:
        message = f"{field} has a NUL character at offset {nul}; remove it"
        raise RequestError(message)
    surrogate = _SURROGATE.search(value)
    if surrogate:
        code = ord(surrogate.group())
        message = (
            f"{field} has a lone surrogate U+{code:04X} at offset {surrogate.start()}; "
            "it is not a character of any text"
        )
        raise RequestError(message)


def check_content(content: str, *, max_chars: int) -> None:
    """Raises where `content` is too long (413), has nothing to speak, or what is no character."""
    if len(content) > max_chars:
        message = f"content has {len(content)} characters; at most {max_chars} are allowed"
        raise TooLargeError(message)
    check_text(content, field="content")
    if not content.strip():
        message = "content is empty; send at least one character to speak"
        raise RequestError(message)
    if not is_speakable(content):
        message = "content has no letter or digit, so there is nothing to speak in it"
        raise RequestError(message)


def clean_title(title: str | None, *, content: str, filename: str | None = None) -> str:
    """The title to show: the given one, else the file's name, else the text's first line."""
    check_text(title or "", field="title")
    check_text(filename or "", field="filename")
    stem = re.sub(r"\.(txt|md|markdown)$", "", filename or "", flags=re.IGNORECASE)
    first_line = next((line for line in content.splitlines() if line.strip()), "")
    for candidate in (title or "", stem, first_line):
        shown = " ".join(_CONTROL.sub(" ", candidate).split())
        if shown:
            return shown[:MAX_TITLE_CHARS]
    return "-"


def normalise(content: str) -> str:
    """The form in which two contents are compared: NFC, newlines as LF, no outer white space."""
    return unicodedata.normalize("NFC", _NEWLINES.sub("\n", content)).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything beside the content that decides how the audio sounds."""

    engine: str
    engine_version: str
    voice: str
    format: str
    params: Mapping[str, float]


def content_hash(content: str) -> str:
    """SHA-256 (hex) of the normalised content."""
    return hashlib.sha256(normalise(content).encode()).hexdigest()


def content_key(content: str, recipe: Recipe) -> str:
    """The key under which equal work is done once: content and recipe, not title or limits."""
    value = {
        "content": content_hash(content),
        "engine": recipe.engine,
        "engine_version": recipe.engine_version,
        "voice": recipe.voice,
        "format": recipe.format,
        "params": dict(sorted(recipe.params.items())),
    }
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

"""Words: every text of the pages in English and Chinese, and which of them a visitor gets."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Any, Final

from markupsafe import Markup, escape

from app.service.figures import LANGUAGES, Language
from app.web.format import number

#: Names of the languages in themselves, for the switch in the top bar.
NAMES: Final[Mapping[Language, str]] = MappingProxyType({"en": "English", "zh": "中文"})
#: What the `lang` attribute says.
TAGS: Final[Mapping[Language, str]] = MappingProxyType({"en": "en", "zh": "zh-CN"})

#: A text, or one for exactly one ("one") and one for any other number ("other").
Phrase = str | Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The texts of one language, by dotted key. Called with a key, it gives the text as markup."""

    lang: Language
    phrases: Mapping[str, Phrase]

    @property
    def tag(self) -> str:
        """The language as the `lang` attribute names it."""
        return TAGS[self.lang]

    def __call__(self, key: str, **values: object) -> Markup:
        """The text of `key` with its {placeholders} filled.

        Whole numbers get thousands apart; what is not markup is escaped. `n` chooses between "one"
        and "other".

        Raises:
            KeyError: No such text; a test holds every key of the templates against the files.
        """
        shown = {
            name: number(value) if type(value) is int else value for name, value in values.items()
        }
        phrase = self._pick(key, values.get("n"))
        pieces = _pieces(phrase)
        if pieces is None:
            return Markup(phrase).format(**shown)  # noqa: S704 - our own file
        return Markup(  # noqa: S704 - our own file; values are escaped
            "".join(text if name is None else escape(shown[name]) for text, name in pieces)
        )

    def has(self, key: str) -> bool:
        """Whether there is a text of this key."""
        return key in self.phrases

    def under(self, prefix: str) -> dict[str, Phrase]:
        """The texts below a key, for scripts; keys without the prefix."""
        return {
            key.removeprefix(f"{prefix}."): phrase
            for key, phrase in self.phrases.items()
            if key.startswith(f"{prefix}.")
        }

    def _pick(self, key: str, n: object) -> str:
        phrase = self.phrases[key]
        if isinstance(phrase, str):
            return phrase
        return phrase["one" if n == 1 and "one" in phrase else "other"]


@cache
def _pieces(phrase: str) -> tuple[tuple[str, str | None], ...] | None:
    """A phrase as texts (None) and names of placeholders; None where one asks for a format.

    A page has hundreds of phrases: to join the pieces takes a tenth of the time of a format.
    """
    found: list[tuple[str, str | None]] = []
    for text, name, form, conversion in Formatter().parse(phrase):
        found.append((text, None))
        if name is not None:
            if form or conversion or not name.isidentifier():
                return None
            found.append((name, name))
    return tuple(found)


@cache
def words_of(lang: Language) -> Words:
    """The texts of a language, read once."""
    path = Path(__file__).with_name("words") / f"{lang}.json"
    nested = json.loads(path.read_text(encoding="utf-8"))
    return Words(lang=lang, phrases=MappingProxyType(flatten(nested)))


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Phrase]:
    """Nested objects as dotted keys; an object with "other" is one phrase."""
    flat: dict[str, Phrase] = {}
    for name, value in nested.items():
        key = f"{prefix}{name}"
        if isinstance(value, str) or "other" in value:
            flat[key] = value
        else:
            flat |= flatten(value, f"{key}.")
    return flat


def choose(asked: str | None, remembered: str | None, accepted: str | None) -> Language:
    """The language of a visitor.

    Args:
        asked: `?lang=` of the address.
        remembered: The cookie that an earlier `?lang=` has set.
        accepted: The best of `LANGUAGES` that the browser accepts.
    """
    for wanted in (asked, remembered, accepted):
        for known in LANGUAGES:
            if wanted == known:
                return known
    return LANGUAGES[0]


_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")


def tag_of(text: str) -> str:
    """The `lang` attribute of a text by its script: what fonts and screen readers go by."""
    if _KANA.search(text):
        return "ja"
    if _HANGUL.search(text):
        return "ko"
    return "zh-CN" if _HAN.search(text) else "en"


def voice_name(voice: str, t: Words) -> str:
    """A voice as pages name it: in words where the language of the text chooses it."""
    return str(t("voice.auto")) if voice == "auto" else voice


def mono(text: str) -> Markup:
    """A name or a command, set as such."""
    return Markup('<span class="mono">{}</span>').format(text)


def code(text: str) -> Markup:
    """A sentence in which `backticks` set names and commands apart."""
    pieces = re.split(r"`([^`]*)`", text)
    return Markup("").join(
        mono(piece) if index % 2 else escape(piece) for index, piece in enumerate(pieces)
    )

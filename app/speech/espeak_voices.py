"""Voices of espeak, read from its data files; the library is not loaded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import espeakng_loader

from app.speech.engine import Voice

#: Id of the voice that is chosen by the language of the text; the default.
AUTO = "auto"

#: Scripts of languages that are not written in Latin letters, by primary tag.
_LANGUAGE_SCRIPTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **{tag: frozenset({"Hani"}) for tag in ("cmn", "yue", "zh")},
        "hak": frozenset({"Hani", "Latn"}),
        "ja": frozenset({"Kana", "Hani"}),
        "ko": frozenset({"Hang"}),
        **{
            tag: frozenset({"Cyrl"})
            for tag in ("ba", "be", "bg", "cv", "kk", "ky", "mk", "nog", "ru", "tt", "uk")
        },
        "sr": frozenset({"Cyrl", "Latn"}),
        "bs": frozenset({"Cyrl", "Latn"}),
        **{tag: frozenset({"Grek"}) for tag in ("el", "grc")},
        **{tag: frozenset({"Arab"}) for tag in ("ar", "fa", "sd", "ug", "ur")},
        **{tag: frozenset({"Deva"}) for tag in ("hi", "kok", "mr", "ne")},
        **{tag: frozenset({"Beng"}) for tag in ("as", "bn", "bpy")},
        **{tag: frozenset({"Ethi"}) for tag in ("am", "ti")},
        "gu": frozenset({"Gujr"}),
        "he": frozenset({"Hebr"}),
        "hy": frozenset({"Armn"}),
        "hyw": frozenset({"Armn"}),
        "ka": frozenset({"Geor"}),
        "kn": frozenset({"Knda"}),
        "ml": frozenset({"Mlym"}),
        "my": frozenset({"Mymr"}),
        "or": frozenset({"Orya"}),
        "pa": frozenset({"Guru"}),
        "shn": frozenset({"Mymr"}),
        "si": frozenset({"Sinh"}),
        "ta": frozenset({"Taml"}),
        "te": frozenset({"Telu"}),
        "th": frozenset({"Thai"}),
    }
)
_LATIN = frozenset({"Latn"})

#: Tags that no voice file has, or several have.
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "en": "en-us",
        "en-uk": "en-gb",
        "zh": "cmn",
        "zh-hk": "yue",
        "zh-hant-hk": "yue",
        "zh-mo": "yue",
    }
)

_FIELD = re.compile(r"^(name|language|gender)[ \t]+(.+?)[ \t\r]*$", re.MULTILINE)
_PRIORITY = re.compile(r"[ \t]+\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class EspeakVoice:
    """A voice file of espeak.

    Args:
        voice: As the engine's border shows it.
        file: Path below `lang/`, which is what the library is told.
        scripts: What it can read.
    """

    voice: Voice
    file: str
    scripts: frozenset[str]


def data_path() -> Path:
    """The folder of voices and dictionaries."""
    return Path(espeakng_loader.get_data_path())


@lru_cache(maxsize=4)
def read_voices(data: Path) -> Mapping[str, EspeakVoice]:
    """Every voice by its id, sorted by name. Reads 141 small files, once in a process."""
    files = [path for path in (data / "lang").rglob("*") if path.is_file()]
    voices = [_read_voice(path, data / "lang") for path in files]
    voices.sort(key=lambda voice: voice.voice.name)
    return MappingProxyType({voice.voice.id: voice for voice in voices})


def _read_voice(path: Path, folder: Path) -> EspeakVoice:
    """A voice file; its id is the file's name, but "en" is British and would mislead."""
    fields = _FIELD.findall(path.read_text(encoding="utf-8", errors="replace"))
    voice_id = "en-gb" if path.name == "en" else path.name.lower()
    first = dict(reversed(fields))
    gender = first.get("gender", "").partition(" ")[0]
    voice = Voice(
        id=voice_id,
        name=first.get("name", voice_id),
        languages=_tags(fields) or (voice_id,),
        gender="female" if gender == "female" else "male" if gender == "male" else None,
    )
    file = path.relative_to(folder).as_posix()
    return EspeakVoice(voice=voice, file=file, scripts=_scripts(voice_id))


def _tags(fields: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(_PRIORITY.sub("", value).lower() for name, value in fields if name == "language")


def _scripts(voice_id: str) -> frozenset[str]:
    scripts = _LANGUAGE_SCRIPTS.get(voice_id.partition("-")[0], _LATIN)
    return scripts | _LATIN if "-latn" in voice_id else scripts


def voice_of_language(language: str, voices: Mapping[str, EspeakVoice]) -> EspeakVoice | None:
    """The voice for a BCP 47 tag: its own, an alias's, or that of a shorter tag; None if none."""
    by_tag = {tag: voice for voice in voices.values() for tag in reversed(voice.voice.languages)}
    tag = language.lower().replace("_", "-")
    while tag:
        known = _ALIASES.get(tag, tag)
        found = voices.get(known) or by_tag.get(known)
        if found is not None:
            return found
        tag = tag.rpartition("-")[0]
    return None

"""Predicates in words, English and Chinese: what they are about, as the beginning of a sentence."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from app.domain.correlation.found import Where
from app.service.figures import Language

#: What a value is called that is not there.
_NONE: Final[Mapping[Language, str]] = MappingProxyType({"en": "(none)", "zh": "（无）"})
#: In the order in which they are told: as the subject, and as what narrows the one before.
_EN: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "engine": ("engine {}", "with engine {}"),
        "voice": ("voice {}", "with voice {}"),
        "language": ("language {}", "in language {}"),
        "length": ("texts of {} characters", "for texts of {} characters"),
        "source": ("source {}", "from source {}"),
        "release": ("release {}", "with release {}"),
        "worker": ("worker {}", "on worker {}"),
        "host": ("host {}", "on host {}"),
        "hour": ("work {}", "{}"),
    }
)
#: In the order in which they are told, the widest first: as what narrows, and as the subject.
_ZH: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "hour": ("{}的", "{}的任务"),
        "host": ("主机 {} 上的", "主机 {}"),
        "worker": ("合成进程 {} 上的", "合成进程 {}"),
        "release": ("版本 {} 的", "版本 {}"),
        "source": ("来源 {} 的", "来源 {}"),
        "engine": ("引擎 {} 的", "引擎 {}"),
        "language": ("语言 {} 的", "语言 {}"),
        "voice": ("声音 {} 的", "声音 {}"),
        "length": ("{} 字文本的", "{} 字的文本"),
    }
)
_EVERYTHING: Final[Mapping[Language, str]] = MappingProxyType(
    {"en": "everything", "zh": "全部任务"}
)
#: Other predicates that are named; of more it is said how many there are.
_NAMED: Final = 2


def subject(where: Where, language: Language) -> str:
    """What a predicate is about: `engine volc on worker w3`; without conditions, everything."""
    if not where:
        return _EVERYTHING[language]
    return _english(where) if language == "en" else _chinese(where)


def is_plural(where: Where) -> bool:
    """Whether the English subject is a plural: texts fail, an engine fails."""
    return next((name for name in _EN if name in where), "") == "length"


def with_others(where: Where, others: Sequence[Where], language: Language) -> str:
    """The subject, with the predicates that cannot be told from it."""
    said = subject(where, language)
    if not others:
        return said
    named = [_other(where, other, language) for other in others[:_NAMED]]
    left = len(others) - len(named)
    if language == "zh":
        more = joined("、".join(named), f"等 {len(others)} 个条件") if left else "、".join(named)
        return f"{said}（或{more}，无法区分）"
    if left:
        named.append(f"{left} other{'s' if left > 1 else ''}")
    return f"{said}, or {' or '.join(named)} (cannot be told apart),"


def _other(where: Where, other: Where, language: Language) -> str:
    """Another predicate: what it has that the first has not, else all of it."""
    rest = {name: value for name, value in other.items() if where.get(name) != value}
    if language == "zh":
        return _chinese(rest or other)
    is_whole = not rest or len(rest) == len(other)
    return _english(rest or other, is_whole=is_whole) + ("" if rest else " alone")


def _english(where: Where, *, is_whole: bool = True) -> str:
    names = [name for name in _EN if name in where]
    return " ".join(
        _EN[name][bool(place) or not is_whole].format(_value(name, where[name], "en"))
        for place, name in enumerate(names)
    )


def _chinese(where: Where) -> str:
    names = [name for name in _ZH if name in where]
    parts = [_ZH[name][name == names[-1]].format(_value(name, where[name], "zh")) for name in names]
    # one 的 is enough: 合成进程 w3 上引擎 volc 的声音 amy
    told = [
        part.removesuffix("的") if place < len(parts) - 2 else part
        for place, part in enumerate(parts)
    ]
    return _narrow("".join(told)).strip()


def joined(before: str, after: str) -> str:
    """Chinese after something else: a space stands after Latin letters and numbers alone."""
    return f"{before} {after}" if before[-1:].isascii() else f"{before}{after}"


def _narrow(text: str) -> str:
    """Without the spaces that stand beside full-width brackets."""
    return text.replace(" （", "（").replace("） ", "）")


def _value(name: str, value: str, language: Language) -> str:
    if name == "hour" and value:
        end = f"{(int(value) + 1) % 24:02}"
        if language == "zh":
            return f" {value}:00–{end}:00 UTC "
        return f"between {value}:00 and {end}:00 UTC"
    if name == "length" and value:
        return _length(value, language)
    return value or _NONE[language]


def _length(label: str, language: Language) -> str:
    """The label of a bucket in words: `500–1999`, `under 100`, `20000 and more`."""
    if label.startswith("<"):
        return f"under {label[1:]}" if language == "en" else f"不足 {label[1:]}"
    if label.startswith(">="):
        return f"{label[2:]} and more" if language == "en" else f"{label[2:]} 以上"
    return label.replace("-", "–")

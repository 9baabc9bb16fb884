"""Predicates in words, English and Chinese: what they are about, as the beginning of a sentence."""

from collections.abc import Mapping, Sequence
from functools import reduce
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
        "length": ("texts {}", "for texts {}"),
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
        "length": ("{}的文本的", "{}的文本"),
    }
)
#: What the values of a dimension are called.
NAMES_ZH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "worker": "合成进程",
        "host": "主机",
        "engine": "引擎",
        "voice": "声音",
        "language": "语言",
        "release": "版本",
        "length": "文本长度",
        "source": "来源",
        "hour": "钟点",
    }
)
_EVERYTHING: Final[Mapping[Language, str]] = MappingProxyType(
    {"en": "everything", "zh": "全部任务"}
)
#: Signs that bring their own space.
_FULL_WIDTH: Final = "（），、；："
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
    """The subject, with the predicates that cannot be told from it.

    That a release ran on the worker only is said by naming both.
    """
    said = subject(where, language)
    others = [other for other in others if not _lacks_its_worker(other, where)]
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


def _lacks_its_worker(other: Where, where: Where) -> bool:
    rest = {name: value for name, value in where.items() if name != "worker"}
    return "worker" in where and "release" in where and dict(other) == rest


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
        part.removesuffix("的").rstrip() if place < len(parts) - 2 else part
        for place, part in enumerate(parts)
    ]
    return _narrow(reduce(joined, told))


def joined(before: str, after: str) -> str:
    """Two parts of a Chinese sentence: a space stands where Latin or a number meets Chinese."""
    left, right = before[-1:], after[:1]
    if not left or not right or left in _FULL_WIDTH or right in _FULL_WIDTH:
        return f"{before}{after}"
    return f"{before} {after}" if left.isascii() or right.isascii() else f"{before}{after}"


def _narrow(text: str) -> str:
    """Without the spaces that stand beside full-width brackets."""
    return text.replace(" （", "（").replace("） ", "）")


def _value(name: str, value: str, language: Language) -> str:
    if name == "hour" and value:
        end = f"{(int(value) + 1) % 24:02}"
        if language == "zh":
            return f"{value}:00–{end}:00 UTC "
        return f"between {value}:00 and {end}:00 UTC"
    if name == "length" and value:
        return _length(value, language)
    return value or _NONE[language]


def _length(label: str, language: Language) -> str:
    """The label of a bucket in words: `of 500–1999 characters`, `under 100 characters`."""
    if label.startswith("<"):
        return f"under {label[1:]} characters" if language == "en" else f"不足 {label[1:]} 字"
    if label.startswith(">="):
        more = label[2:]
        return f"of {more} characters or more" if language == "en" else f"{more} 字以上"
    between = label.replace("-", "–")
    return f"of {between} characters" if language == "en" else f"{between} 字"

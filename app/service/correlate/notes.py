"""What an answer does not say, in words: what was left out, and what cannot be told."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.service.correlate.answer import Note
from app.service.correlate.subjects import NAMES_ZH
from app.service.figures import Language

#: Words by reason; of those that count: of one, and of any other number.
_WORDS: Final[Mapping[str, Mapping[Language, str]]] = MappingProxyType(
    {
        "repeats_one": {
            "en": "1 attempt was left out: the same text had failed so before",
            "zh": "未计入 1 次运行：同一文本此前已因同样原因失败",
        },
        "repeats": {
            "en": "{n} attempts were left out: the same texts had failed so before",
            "zh": "未计入 {n} 次运行：同一文本此前已因同样原因失败",
        },
        "whole_hours": {
            "en": "retention removed attempts of an hour at an end: the answer is of whole hours",
            "zh": "时间范围一端的小时内有运行已按保留期清除：结果按整小时计算",
        },
        "few": {
            "en": "few of them: below {least} nothing can be told from chance",
            "zh": "数量太少：少于 {least} 次时无法与偶然区分",
        },
        "no_baseline": {
            "en": "nothing ended before the window: it is compared with itself only, which is less"
            " sure",
            "zh": "时间范围之前没有运行：只能在其内部比较，结论不太可靠",
        },
        "no_rows": {
            "en": "retention removed attempts of this window: since when it is so cannot be told",
            "zh": "该时间范围内有运行已按保留期清除：无法判断从何时开始",
        },
        "rows_only": {
            "en": "retention removed attempts of this window or of its past: they are not in this"
            " answer",
            "zh": "该时间范围或其之前有运行已按保留期清除：未计入结果",
        },
        "hours": {
            "en": "hours of the day are left out: there are more than {most} attempts",
            "zh": "未比较一天中的各小时：运行超过 {most} 次",
        },
        "fixed": {
            "en": "left out, as the selection is by it: {names}",
            "zh": "所选条件已限定，未参与比较：{names}",
        },
        "slow": {
            "en": "slow: {ms} ms or more, the slowest {part} of those that completed",
            "zh": "偏慢：不少于 {ms} 毫秒，即已完成运行中最慢的 {part}",
        },
        "none_completed": {
            "en": "no attempt completed in this window: none is slow",
            "zh": "该时间范围内没有完成的运行：没有偏慢的",
        },
    }
)


def words(note: Note, language: Language) -> str:
    """A note as a sentence, without a full stop."""
    one = f"{note.reason}_one"
    reason = one if note.values.get("n") == 1 and one in _WORDS else note.reason
    return _WORDS[reason][language].format_map(_told(note.values, language))


def _told(values: Mapping[str, str | int], language: Language) -> Mapping[str, str | int]:
    """The values; names of dimensions as the language has them."""
    if language != "zh" or "names" not in values:
        return values
    names = str(values["names"]).split(", ")
    return {**values, "names": "、".join(NAMES_ZH.get(name, name) for name in names)}

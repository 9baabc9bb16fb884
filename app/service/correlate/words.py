"""Findings in words: one sentence each, English and Chinese, and one for the whole window."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from app.domain.correlation.found import Found, Onset, Overall, Where
from app.domain.correlation.rules import Rules
from app.service.correlate import subjects
from app.service.correlate.boundary import Boundary
from app.service.correlate.since import Reader, change, first_attempt, later, since
from app.service.figures import THIN, Language, count

__all__ = ["About", "Reader", "Whole", "overall", "sentence"]

#: What is selected: attempts that failed, the slowest, or what a filter says.
Selection = Literal["failures", "slow", "selected"]
#: Fewer than so many are never a finding.
_TELLING: Final = Rules().min_failures
#: Characters of a template at most.
_TEMPLATE: Final = 120
#: The selected attempts: one of them, several, and all that the share is of.
_NOUNS_EN: Final[Mapping[Selection, tuple[str, str, str]]] = MappingProxyType(
    {
        "failures": ("failure", "failures", "failures"),
        "slow": ("slow attempt", "slow attempts", "slow attempts"),
        "selected": ("selected attempt", "selected attempts", "selected attempts"),
    }
)
_NOUNS_ZH: Final[Mapping[Selection, str]] = MappingProxyType(
    {"failures": "失败", "slow": "偏慢运行", "selected": "所选运行"}
)
#: Verbs of a singular and of a plural subject, before "41 of 52".
_VERBS_EN: Final[Mapping[Selection, tuple[str, str]]] = MappingProxyType(
    {
        "failures": ("fails", "fail"),
        "slow": ("is slow in", "are slow in"),
        "selected": ("is selected in", "are selected in"),
    }
)
_VERBS_ZH: Final[Mapping[Selection, str]] = MappingProxyType(
    {"failures": "失败 {} 次", "slow": "其中 {} 次偏慢", "selected": "其中 {} 次属于所选"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is known of a finding beside its numbers.

    Attributes:
        first_at: Its first attempt, in microseconds, where there had been none before.
        template, error_type: Of its fingerprint, where it has one.
    """

    onset: Onset | None = None
    first_at: int | None = None
    boundary: Boundary | None = None
    template: str | None = None
    error_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The whole window.

    Attributes:
        n: Attempts of the window.
        baseline_n, baseline_selected: Attempts of the baseline, and the selected ones of them.
        findings: How many findings there are.
        value: Of a mix shift: the value of its dimension that more traffic goes to.
    """

    n: int
    baseline_n: int
    baseline_selected: int
    findings: int = 0
    value: str | None = None


def sentence(
    found: Found, about: About, reader: Reader, *, selection: Selection = "failures"
) -> str:
    """A finding in one sentence, without a full stop."""
    said = (_sentence_zh if reader.lang == "zh" else _sentence_en)(found, about, selection)
    share = _share(found.share, selection, reader.lang)
    if reader.lang == "zh":
        verb = "其中 {} 次因此失败" if found.fingerprint is not None else _VERBS_ZH[selection]
        return (
            "，".join([said, *_since_zh(about, found.n, found.where, reader, verb)]) + f"；{share}"
        )
    return f"{said}{_since_en(about, found.n, found.where, reader)}; {share}"


def overall(
    found: Overall,
    whole: Whole,
    about: About,
    reader: Reader,
    *,
    selection: Selection = "failures",
) -> str:
    """What became of the whole window, in one sentence, without a full stop."""
    tells = _overall_zh if reader.lang == "zh" else _overall_en
    said = tells(found, whole, selection)
    if found.kind != "global_rise":
        return said
    if reader.lang == "zh":
        return "，".join([said, *_since_zh(about, whole.n, {}, reader, _VERBS_ZH[selection])])
    return said + _since_en(about, whole.n, {}, reader)


def amount(value: float) -> str:
    """A number that need not be whole, in digits that tell something: <0.01, 0.31, 1.3, 52."""
    if value >= 99.5:
        return count(round(value))
    return f"{value:.2g}" if value == 0 or value >= 0.005 else "<0.01"


def _since_en(about: About, n: int, where: Where, reader: Reader) -> str:
    """Since when, how many of the `n` attempts ended since, and what changed then."""
    onset = about.onset
    if onset is None:
        if about.first_at is None:
            return ""
        return f" {first_attempt(about.first_at, reader, is_plural=subjects.is_plural(where))}"
    after = later(onset, n)
    counted = f", {count(after[1])} of {count(after[0])}" if after else ""
    said = f"{counted} {since(onset, reader)}"
    if about.boundary is None:
        return said
    return f"{said}, {change(about.boundary, onset, where, 'en')}"


def _since_zh(about: About, n: int, where: Where, reader: Reader, verb: str) -> list[str]:
    """The same, as parts of the sentence; the verb is of those that ended since."""
    onset = about.onset
    if onset is None:
        return [] if about.first_at is None else [first_attempt(about.first_at, reader)]
    said = [since(onset, reader)]
    if about.boundary is not None:
        said.append(change(about.boundary, onset, where, "zh"))
    after = later(onset, n)
    if after:
        said += [f"此后运行 {count(after[0])} 次", verb.format(count(after[1]))]
    return said


def _sentence_en(found: Found, about: About, selection: Selection) -> str:
    subject = subjects.with_others(found.where, found.indistinguishable, "en")
    verb = _VERBS_EN[selection][subjects.is_plural(found.where)]
    reason = _reason(found, about)
    how = f" with {reason} in" if reason else ""
    times = f"{count(found.observed)} of {count(found.n)}"
    return f"{subject} {verb}{how} {times} (expected {amount(found.expected)})"


def _sentence_zh(found: Found, about: About, selection: Selection) -> str:
    subject = subjects.with_others(found.where, found.indistinguishable, "zh")
    reason = _reason(found, about)
    observed = count(found.observed)
    how = f"其中 {observed} 次因 {reason} 失败" if reason else _VERBS_ZH[selection].format(observed)
    ran = subjects.joined(subject, f"运行 {count(found.n)} 次")
    return f"{ran}，{how}（预期 {amount(found.expected)} 次）"


def _reason(found: Found, about: About) -> str:
    """How it fails, where the finding is about one way of failing."""
    if found.fingerprint is None:
        return ""
    told = about.template or about.error_type or found.fingerprint
    told = " ".join(told.replace("`", "'").split())
    return f"`{told if len(told) <= _TEMPLATE else told[: _TEMPLATE - 1] + '…'}`"


def _share(share: float, selection: Selection, language: Language) -> str:
    is_all = share >= 0.995
    is_little = share < 0.005
    part = f"{max(1, round(share * 100))}{THIN}%"
    if language == "zh":
        whole = f"此时段全部{_NOUNS_ZH[selection]}"
        if is_all:
            return f"{whole}都在其中"
        return f"占{whole}的{'不到' if is_little else ''} {part}"
    whole = f"all {_NOUNS_EN[selection][2]} of this window"
    if is_all:
        return f"these are {whole}"
    return f"{'less than ' if is_little else ''}{part} of {whole}"


def _counted(number: int, selection: Selection) -> str:
    one, several, _ = _NOUNS_EN[selection]
    return f"{count(number)} {one if number == 1 else several}"


def _overall_en(found: Overall, whole: Whole, selection: Selection) -> str:
    several = _NOUNS_EN[selection][1]
    if whole.n == 0:
        return "no attempt ended in this window"
    if found.kind == "global_rise":
        numbers = f"{count(found.observed)} of {count(whole.n)}"
        return f"{several} rose everywhere: {numbers} (expected {amount(found.expected)})"
    told = _counted(found.observed, selection) if found.observed else f"no {several}"
    has_shifted = found.kind == "mix_shift"
    if whole.findings:
        things = "1 thing stands" if whole.findings == 1 else f"{whole.findings} things stand"
        besides = f"; besides, {_mix_en(found, whole)}" if has_shifted else ""
        return f"{things} out: {told} in {_attempts_en(whole.n)}{besides}"
    if has_shifted:
        return f"{several} {_rose_en(found, whole)} because {_mix_en(found, whole)}; nothing broke"
    if found.observed == 0:
        return f"nothing stands out: {told} in {_attempts_en(whole.n)}"
    spread = "spread as before" if whole.baseline_n else "and no past to compare with"
    if found.observed < _TELLING:
        spread = "too few to tell from chance"
    return f"nothing stands out: {told}, {spread}"


def _mix_en(found: Overall, whole: Whole) -> str:
    if found.dimension is None:
        return "the mix of the traffic changed"
    if whole.value is None:
        return f"the mix of the traffic by {found.dimension} changed"
    return f"more traffic goes to {subjects.subject({found.dimension: whole.value}, 'en')}"


def _attempts_en(number: int) -> str:
    return f"{count(number)} attempt{'' if number == 1 else 's'}"


def _usual(whole: Whole) -> float | None:
    """Selected attempts that the window would have by the baseline's rate of all."""
    if not whole.baseline_n:
        return None
    return whole.n * whole.baseline_selected / whole.baseline_n


def _rose_en(found: Overall, whole: Whole) -> str:
    usual = _usual(whole)
    if usual is None:
        return f"rose to {count(found.observed)}"
    return f"rose from {count(round(usual))} to {count(found.observed)}"


def _overall_zh(found: Overall, whole: Whole, selection: Selection) -> str:
    noun = _NOUNS_ZH[selection]
    observed = count(found.observed)
    if whole.n == 0:
        return "此时段没有运行结束"
    if found.kind == "global_rise":
        expected = amount(found.expected)
        many = f"{count(whole.n)} 次运行中有 {observed} 次{noun}"
        return f"{noun}全面增多：{many}（预期 {expected} 次）"
    if whole.findings:
        besides = f"；此外{_mix_zh(found, whole)}" if found.kind == "mix_shift" else ""
        return (
            f"有 {whole.findings} 处异常：{count(whole.n)} 次运行中有 {observed} 次{noun}{besides}"
        )
    if found.kind == "mix_shift":
        usual = _usual(whole)
        grew = "" if usual is None else f"由 {count(round(usual))} 次"
        why = _mix_zh(found, whole)
        return f"{noun}{grew}增至 {observed} 次，是因为{why}；并没有出现新故障"
    if found.observed == 0:
        return f"没有异常：{count(whole.n)} 次运行中没有{noun}"
    spread = "分布与以往一致" if whole.baseline_n else "没有以往的数据可比"
    if found.observed < _TELLING:
        spread = "太少，看不出是否偶然"
    return f"没有异常：{observed} 次{noun}，{spread}"


def _mix_zh(found: Overall, whole: Whole) -> str:
    if found.dimension is None:
        return "任务的构成变了"
    if whole.value is None:
        return f"任务在各{subjects.NAMES_ZH[found.dimension]}间的占比变了"
    return subjects.joined("更多任务用到", subjects.subject({found.dimension: whole.value}, "zh"))

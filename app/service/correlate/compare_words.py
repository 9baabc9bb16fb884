"""What a comparison comes to, in one sentence, English and Chinese."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.service.correlate.compare import Compared, Comparison, Parting
from app.service.correlate.spans_aligned import Line
from app.service.correlate.subjects import joined
from app.service.figures import Language, duration
from telemetry import names

_SPANS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        names.SPAN_QUEUE_WAIT: ("the wait in the queue", "排队等待"),
        names.SPAN_ATTEMPT: ("the attempt itself", "运行本身"),
        names.SPAN_SPLIT: ("splitting the text", "分段"),
        names.SPAN_ENCODE: ("joining and encoding", "拼接与编码"),
        names.SPAN_STORE: ("storing the audio", "保存音频"),
        names.SPAN_DEADLINE_EXCEEDED: ("the deadline", "截止时间"),
    }
)


def says(found: Comparison, language: Language) -> str:
    """Where the two part: `the same until segment 3, which failed in attempt 1 of task 12`."""
    parting = found.parting
    if parting is None:
        return "两次运行的过程相同" if language == "zh" else "both went the same way"
    line = found.lines[parting.place]
    side = found.left if parting.side == "left" else found.right
    return (_chinese if language == "zh" else _english)(parting, line, side)


def span_name(line: Line, language: Language) -> str:
    """What a span is called in a sentence."""
    is_zh = language == "zh"
    if line.name == names.SPAN_SEGMENT and line.segment is not None:
        return f"第 {line.segment + 1} 段" if is_zh else f"segment {line.segment + 1}"
    if line.name == names.ENGINE_OPERATION:
        if line.segment is None:
            return "引擎调用" if is_zh else "a call of the engine"
        number = line.segment + 1
        return f"第 {number} 段的引擎调用" if is_zh else f"the engine's call for segment {number}"
    told = _SPANS.get(line.name, (line.name, line.name))
    return told[is_zh]


def _english(parting: Parting, line: Line, side: Compared) -> str:
    name, who = span_name(line, "en"), f"attempt {side.record.attempt} of task {side.task.id}"
    why = f" ({side.record.error_type})" if side.record.error_type else ""
    match parting.reason:
        case "failed" if line.level == 0:
            return f"the same spans, but {who} failed{why}"
        case "failed":
            return f"the same until {name}, which failed in {who}{why}"
        case "not_reached":
            return f"the same until {name}, which {who} did not reach{why}"
        case "only":
            return f"the same until {name}, which only {who} has"
        case "slower":
            slow, fast = _times(line, "en")
            return f"the same spans; the largest difference is {name}: {slow} in {who}, else {fast}"


def _chinese(parting: Parting, line: Line, side: Compared) -> str:
    name, who = span_name(line, "zh"), f"任务 {side.task.id} 的第 {side.record.attempt} 次运行"
    why = f"（{side.record.error_type}）" if side.record.error_type else ""
    before = f"{joined(name, '之前')}两者相同"
    match parting.reason:
        case "failed" if line.level == 0:
            return f"步骤相同，但{who}失败{why}"
        case "failed":
            return f"{before}；{who}在此失败{why}"
        case "not_reached":
            return f"{before}；{who}没有到达这一步{why}"
        case "only":
            return f"{before}；只有{who}有这一步"
        case "slower":
            slow, fast = _times(line, "zh")
            return f"步骤相同，差别最大的是{name}：{who}用时 {slow}，另一次 {fast}"


def _times(line: Line, language: Language) -> tuple[str, str]:
    took = sorted(side.took_us or 0 for side in (line.left, line.right) if side is not None)
    return duration(took[-1], language), duration(took[0], language)

"""Checks of what watches from outside: the canary, and the ping to a place that misses it."""

from collections.abc import Sequence
from typing import Final

from app.domain.records import CanaryRecord
from app.service.checks.check import NOTHING, Check, Fact, Said, off, unknown
from app.service.checks.check_duties import RESTART, not_told, since_of, trouble
from app.service.checks.facts import Facts
from app.service.duty_state import state_of
from app.service.figures import duration

#: Microseconds beyond two pauses after which a canary is overdue.
_OVERDUE_US: Final = 300_000_000
#: Microseconds without an accepted ping after which it is bad: the other side alarms about then.
_UNHEARD_US: Final = 180_000_000
#: Why a canary ended so, in Chinese; its row has the words in English.
CAUSES_ZH: Final = {
    "refused": "文本未被接受",
    "no_worker": "没有合成进程在线",
    "draining": "合成进程都在收尾",
    "paused": "并发上限为 0",
    "busy": "并发位都被其他任务占用",
    "capacity": "引擎的额度已满",
    "backoff": "在等待下一次尝试",
    "unclaimed": "有空闲并发位，但没有被领取",
    "slow": "开始后没有按时结束",
    "failed": "任务失败",
    "timeout": "任务超时",
    "cancelled": "被人取消",
    "no_audio": "音频无效或缺失",
    "unsent": "跨度还在等待收集器",
    "no_jaeger": "Jaeger 没有回应",
    "not_in_jaeger": "收集器收下了跨度，但 Jaeger 中没有",
    "gone": "任务已被移除",
    "kept": "未设置收集器，跨度保留在本地",
    "off": "链路追踪已关闭：`OTEL_SDK_DISABLED`",
    "sent": "跨度已发送到收集器",
    "found": "在 Jaeger 中找到了链路",
}
_STAGES_ZH: Final = {
    "submit": "提交",
    "queue": "排队",
    "run": "合成",
    "audio": "音频检查",
    "trace": "链路查找",
    "done": "完成",
}

#: What may hold the ping back.
_PARTS_ZH: Final = {
    "database": "数据库",
    "schema": "数据库结构",
    "storage": "音频存储",
    "workers": "合成进程",
    "duties": "值守进程",
    "reaper": "巡检",
    "canary": "探测任务",
}


def watch_checks(facts: Facts) -> list[Check]:
    """The canary and the ping."""
    return [_canary(facts), _ping(facts)]


def said_of(canary: CanaryRecord) -> Said:
    """How a canary that is over ended."""
    took_us = (canary.finished_at or canary.started_at) - canary.started_at
    why_zh = CAUSES_ZH.get(canary.cause or "", canary.cause or "")
    if canary.is_ok:
        return Said(
            en=f"came through in {duration(took_us, 'en')}: {canary.detail}",
            zh=f"用时 {duration(took_us, 'zh')}走完全程：{why_zh}",
        )
    stage_zh = _STAGES_ZH[canary.stage]
    if canary.is_ok is None:
        return Said(
            en=f"could not be tried: {canary.detail}",
            zh=f"无法进行：停在{stage_zh}，{why_zh}",
        )
    return Said(
        en=f"the canary, a short text of our own, did not come through: it ended in stage "
        f"{canary.stage}: {canary.detail}",
        zh=f"探测任务（我们自己的一篇短文本）没有走完全程，停在{stage_zh}：{why_zh}",
    )


def _canary(facts: Facts) -> Check:
    if not facts.canary_period_us:
        return off("canary", "off: VOXTRACE_CANARY_MIN is 0", "已关闭：VOXTRACE_CANARY_MIN 为 0")
    last = last_verdict(facts.canaries)
    if last is not None and last.is_ok is False:
        return _failed(facts, last)
    if not facts.has_leader:
        return not_told("canary")
    duty = facts.duty("canary")
    wrong = trouble(facts, duty) if duty is not None else None
    if wrong is not None:
        said = Said(en=f"its duty {wrong.en}", zh=f"探测值守{wrong.zh}")
        return Check(name="canary", level="bad", said=said, fix=RESTART, since=since_of(duty))
    return _came_through(facts, last)


def _came_through(facts: Facts, last: CanaryRecord | None) -> Check:
    if last is None or last.finished_at is None:
        return unknown("canary", "the first one is not back yet", "第一个探测任务尚未返回")
    age_us = facts.now - last.finished_at
    if age_us > 2 * facts.canary_period_us + _OVERDUE_US:
        return _overdue(facts, last, age_us)
    return Check(
        name="canary",
        level="ok",
        said=said_of(last),
        seen_at=last.finished_at,
        facts=_numbers(last, facts.now),
    )


def last_verdict(canaries: Sequence[CanaryRecord]) -> CanaryRecord | None:
    """The newest canary that proved something."""
    return next((one for one in canaries if one.is_ok is not None), None)


def _failed(facts: Facts, last: CanaryRecord) -> Check:
    """Since when: the end of the first that failed after the last that came through."""
    judged = [one for one in facts.canaries if one.is_ok is not None]
    first = last
    for one in judged:
        if one.is_ok:
            break
        first = one
    return Check(
        name="canary",
        level="bad",
        said=said_of(last),
        fix=Said(
            en="a text of yours would fare the same: see the other lines, and its task "
            f"(`voxtrace show {last.task_id}`)"
            if last.task_id
            else "see the other lines",
            zh=f"您的文本也会如此：请看其他各项，以及它的任务（`voxtrace show {last.task_id}`）"
            if last.task_id
            else "请看其他各项",
        ),
        since=first.finished_at,
        seen_at=last.finished_at,
        facts=_numbers(last, facts.now),
    )


def _overdue(facts: Facts, last: CanaryRecord, age_us: int) -> Check:
    newest = facts.canaries[0]
    held = said_of(newest) if newest.is_ok is None and newest.finished_at is not None else None
    return Check(
        name="canary",
        level="warn",
        said=Said(
            en=f"none has come through for {duration(age_us, 'en')}"
            + (f"; the last {held.en}" if held else ""),
            zh=f"已 {duration(age_us, 'zh')}没有探测任务走完全程"
            + (f"；最近一次{held.zh}" if held else ""),
        ),
        fix=NOTHING if held else RESTART,
        since=last.finished_at,
        facts=_numbers(last, facts.now),
    )


def _numbers(last: CanaryRecord, now: int) -> dict[str, Fact]:
    def seconds(us: int | None) -> float | None:
        return None if us is None else round(us / 1e6, 3)

    return {
        "age_s": seconds(now - (last.finished_at or now)),
        "stage": last.stage,
        "task_id": last.task_id,
        "queue_s": seconds(last.queue_us),
        "run_s": seconds(last.run_us),
        "trace_s": seconds(last.trace_us),
    }


def _ping(facts: Facts) -> Check:
    state = state_of(facts.duty("ping"))
    if not facts.has_leader:
        return not_told("ping")
    if not state.get("is_set"):
        return off("ping", "off: VOXTRACE_PING_URL is not set", "已关闭：未设置 VOXTRACE_PING_URL")
    accepted_at = state.get("accepted_at")
    wrong = trouble(facts, facts.duty("ping"))
    if wrong is not None:
        said = Said(en=f"its duty {wrong.en}", zh=f"心跳值守{wrong.zh}")
        return Check(name="ping", level="warn", said=said, fix=RESTART, since=accepted_at)
    held_by = state.get("held_by") or []
    if held_by:
        names = ", ".join(held_by)
        names_zh = "、".join(_PARTS_ZH.get(name, name) for name in held_by)
        return off(
            "ping",
            f"held back, so that the other side notices: {names}",
            f"已暂停发送，让对方察觉：{names_zh}",
        )
    return _pinged(facts, accepted_at, state.get("error"))


def _pinged(facts: Facts, accepted_at: int | None, error: str | None) -> Check:
    ago_us = facts.now - accepted_at if accepted_at is not None else None
    if error is None:
        said = Said(en="the last call was accepted", zh="最近一次调用已被接受")
        if ago_us is None:
            return unknown("ping", "the first call is about to be made", "即将进行第一次调用")
        return Check(name="ping", level="ok", said=said, seen_at=accepted_at)
    return Check(
        name="ping",
        level="bad" if ago_us is None or ago_us > _UNHEARD_US else "warn",
        said=Said(
            en=f"the call fails: {error}; none was accepted "
            + (f"for {duration(ago_us, 'en')}" if ago_us is not None else "yet"),
            zh=f"调用失败：`{error}`；"
            + (
                f"已 {duration(ago_us, 'zh')}没有被接受" if ago_us is not None else "尚无一次被接受"
            ),
        ),
        fix=Said(
            en="see VOXTRACE_PING_URL, and whether this host reaches it",
            zh="请检查 VOXTRACE_PING_URL，以及本机能否访问它",
        ),
        since=accepted_at,
    )

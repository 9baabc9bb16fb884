"""Checks of the duties: whether one leads, whether each ticks and succeeds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.domain.records import DutyRecord
from app.service.checks.check import NOTHING, Check, Said, unknown
from app.service.checks.facts import Facts
from app.service.duty_state import state_of
from app.service.figures import count, counted, duration
from app.service.leader import LEADER

#: Microseconds that a duty may be silent beyond the moment that it has announced. The pause
#: between its rounds is in it: the sweeper's is ten minutes.
SILENT_US: Final[Mapping[str, int]] = MappingProxyType(
    {
        "reaper": 15_000_000,
        "forwarder": 20_000_000,
        "neighbours": 30_000_000,
        "look-up": 30_000_000,
        "janitor": 30_000_000,
        "canary": 60_000_000,
        "webhook": 120_000_000,
        "ping": 180_000_000,
        "watch": 180_000_000,
        "recount": 300_000_000,
        "window": 300_000_000,
        "retention": 300_000_000,
        "sweeper": 2_400_000_000,
    }
)
#: Failures in a row from which a duty is said to fail; one alone is a lock that took too long.
FAILING: Final = 2
_START: Final = Said(
    en="start them: `voxtrace duties` (`voxtrace worker` keeps them running too)",
    zh="请运行 `voxtrace duties`（`voxtrace worker` 也会保持它们运行）",
)
RESTART: Final = Said(
    en="look at the log of the duties process and start it again",
    zh="请查看值守进程的日志，然后重新启动它",
)


def duty_checks(facts: Facts) -> list[Check]:
    """The leader, the reaper, those that tidy up, and who asks the neighbours."""
    return [
        _leads(facts),
        _reaper(facts),
        *(_plain(facts, one) for one in (_JANITOR, _WINDOW, _SWEEPER, _ASKER)),
    ]


def is_silent(duty: DutyRecord, now: int) -> bool:
    """Whether a duty that must tick has not, for longer than it may."""
    limit_us = SILENT_US.get(duty.name)
    if limit_us is None:
        return False
    announced_at = state_of(duty).get("retry_at_us")
    expected_at = announced_at if isinstance(announced_at, int) else 0
    return now - max(duty.ticked_at, expected_at) > limit_us


def trouble(facts: Facts, duty: DutyRecord | None) -> Said | None:
    """What is wrong with a duty as such: never begun, silent, failing; None where nothing is."""
    if duty is None or not duty.ticked_at:
        return Said(en="has not begun", zh="还没有开始")
    if is_silent(duty, facts.now):
        silent_us = facts.now - duty.ticked_at
        return Said(
            en=f"is silent for {duration(silent_us, 'en')}",
            zh=f"已 {duration(silent_us, 'zh')}没有动静",
        )
    if duty.failure_count >= FAILING:
        error = duty.last_error or ""
        return Said(
            en=f"failed {duty.failure_count} times in a row: {error}",
            zh=f"连续失败 {duty.failure_count} 次：`{error}`",
        )
    return None


def since_of(duty: DutyRecord | None) -> int | None:
    """The moment of a duty's last success, which its trouble began after."""
    return (duty.succeeded_at or duty.ticked_at or None) if duty is not None else None


def not_told(name: str) -> Check:
    """A check that only the duties can tell, while none leads."""
    return unknown(name, "not known while no duties process runs", "值守进程没有运行，无法得知")


def _leads(facts: Facts) -> Check:
    leader = facts.duty(LEADER)
    if leader is not None and facts.has_leader:
        host = leader.holder.partition("/")[0]
        said = Said(en=f"led by {host}", zh=f"由 {host} 领班")
        return Check(name="duties", level="ok", said=said, seen_at=leader.ticked_at)
    if leader is None:
        en, zh = "they have never started", "从未启动"
    else:
        silent_us = facts.now - leader.ticked_at
        en = f"they are silent for {duration(silent_us, 'en')}"
        zh = f"已 {duration(silent_us, 'zh')}没有动静"
    return Check(
        name="duties",
        level="bad",
        said=Said(
            en=f"no duties process runs, {en}: lost workers and late tasks are not noticed",
            zh=f"没有值守进程在运行，{zh}：失联的合成进程和超时任务不会被发现",
        ),
        fix=_START,
        since=leader.ticked_at if leader is not None else None,
    )


def _reaper(facts: Facts) -> Check:
    duty = facts.duty("reaper")
    wrong = trouble(facts, duty)
    if wrong is not None:
        return Check(
            name="reaper",
            level="bad",
            said=Said(en=f"the reaper {wrong.en}", zh=f"巡检任务{wrong.zh}"),
            fix=RESTART if facts.has_leader else _START,
            since=since_of(duty),
        )
    state, ticked_at = state_of(duty), duty.ticked_at if duty is not None else facts.now
    rescued = state.get("rescued", 0)
    facts_of = {"silent_s": round((facts.now - ticked_at) / 1e6, 1), "rescued": rescued}
    if state.get("is_holding"):
        said = Said(
            en="stood still with its machine a moment ago: it judges nobody for 10 s",
            zh="刚才随机器暂停过：10 秒内不作判断",
        )
        return Check(name="reaper", level="ok", said=said, seen_at=ticked_at, facts=facts_of)
    said = Said(
        en=f"{counted(rescued, 'task', 'tasks')} rescued", zh=f"救回 {count(rescued)} 个任务"
    )
    return Check(name="reaper", level="ok", said=said, seen_at=ticked_at, facts=facts_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """A duty that does its rounds: its name, the number it tells, and the words around it."""

    name: str
    fact: str
    en: str
    zh: str


# what a duty counts begins anew with its process
_JANITOR = _Plain(
    name="janitor",
    fact="killed",
    en="leftovers killed since the duties began: {n}",
    zh="值守进程启动以来清除残留进程：{n}",
)
_WINDOW = _Plain(
    name="window",
    fact="removed",
    en="old spans removed since the duties began: {n}",
    zh="值守进程启动以来移除旧跨度：{n}",
)
_SWEEPER = _Plain(
    name="sweeper",
    fact="removed",
    en="files removed since the duties began: {n}",
    zh="值守进程启动以来移除文件：{n}",
)
_ASKER = _Plain(name="neighbours", fact="rounds", en="rounds of asking: {n}", zh="已询问：{n} 轮")


def _plain(facts: Facts, plain: _Plain) -> Check:
    if not facts.has_leader:
        return not_told(plain.name)
    return duty_check(facts, plain.name, lambda duty: _rounds(duty, plain))


def duty_check(facts: Facts, name: str, tell: Callable[[DutyRecord], Check]) -> Check:
    """What is wrong with a duty as such; where nothing is, what `tell` makes of its row."""
    duty = facts.duty(name)
    wrong = trouble(facts, duty)
    if duty is None:
        return Check(name=name, level="unknown", said=wrong or NOTHING)
    if wrong is not None:
        return Check(name=name, level="warn", said=wrong, fix=RESTART, since=since_of(duty))
    return tell(duty)


def _rounds(duty: DutyRecord, plain: _Plain) -> Check:
    number = state_of(duty).get(plain.fact, 0)
    said = Said(en=plain.en.format(n=number), zh=plain.zh.format(n=number))
    return Check(
        name=plain.name,
        level="ok",
        said=said,
        seen_at=duty.ticked_at,
        facts={plain.fact: number},
    )

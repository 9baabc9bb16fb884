"""Alerts: what needs a person now, in words, English and Chinese. None means that all is well."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from app.domain.records import DutyRecord, WorkerRecord
from app.domain.task import LEASE_US
from app.service.figures import Language, count, duration
from app.service.leader import LEADER
from telemetry.outbox import OutboxState

#: Microseconds without a tick after which a duty is late; others may rest for longer.
DUTY_LATE_US: Final = {"leader": 10_000_000, "reaper": 15_000_000, "forwarder": 60_000_000}
#: Age of the oldest unsent span above which the collector is behind.
_BEHIND_US: Final = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that needs a person: `bad` is broken or lost, `warn` needs a look."""

    code: str
    level: Literal["bad", "warn"]
    en: str
    zh: str

    def of(self, language: Language) -> str:
        """The words in a language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What alerts are made from; see `report.MonitorView`."""

    now: int
    waiting: int
    oldest_waiting_at: int | None
    configured: int
    usable: int
    held_by_dead: int
    late: int
    workers: tuple[WorkerRecord, ...]
    duties: tuple[DutyRecord, ...]
    outbox: OutboxState | None
    exports: bool


def alerts_of(facts: Facts) -> tuple[Alert, ...]:
    """Every alert, the worst first."""
    found = [*_of_workers(facts), *_of_slots(facts), *_of_duties(facts), *_of_outbox(facts)]
    return tuple(sorted(found, key=lambda alert: alert.level != "bad"))


def is_late(duty: DutyRecord, now: int) -> bool:
    """Whether a duty that must tick often has not."""
    limit_us = DUTY_LATE_US.get(duty.name)
    return limit_us is not None and now - duty.ticked_at > limit_us


def _of_workers(facts: Facts) -> Iterator[Alert]:
    living = [
        worker
        for worker in facts.workers
        if worker.state in {"up", "draining"} and worker.heartbeat_at >= facts.now - LEASE_US
    ]
    if living:
        return
    waiting = count(facts.waiting)
    known = bool(facts.workers)
    yield Alert(
        code="no_workers",
        level="bad",
        en=f"{'All workers are dead' if known else 'No worker has started yet'}: {waiting} tasks "
        "wait and nothing begins. Start one with `voxtrace worker`.",
        zh=f"{'所有合成进程都已停止' if known else '还没有合成进程启动过'}："
        f"{waiting} 个任务在等待，无法开始。请运行 `voxtrace worker`。",
    )


def _of_slots(facts: Facts) -> Iterator[Alert]:
    if facts.held_by_dead:
        held = count(facts.held_by_dead)
        yield Alert(
            code="slots_held",
            level="bad",
            en=f"{held} slots are held by workers that give no sign of life; they are freed soon.",
            zh=f"{held} 个并发位被失联的合成进程占用，即将释放。",
        )
    if facts.late:
        late = count(facts.late)
        yield Alert(
            code="late",
            level="warn",
            en=f"{late} tasks are past their limit and are being stopped.",
            zh=f"{late} 个任务超过时限，正在停止。",
        )
    if facts.configured == 0:
        yield Alert(
            code="limit_zero",
            level="warn",
            en="The limit of tasks at once is 0: nothing is begun. Raise it with "
            "`voxtrace limit N`.",
            zh="并发上限为 0，不会开始任何任务。可用 `voxtrace limit N` 调高。",
        )
    elif 0 < facts.usable < facts.configured:
        yield Alert(
            code="few_slots",
            level="warn",
            en=f"{facts.usable} of {facts.configured} configured slots are usable: the living "
            "workers offer no more.",
            zh=f"配置了 {facts.configured} 个并发位，可用 {facts.usable} 个：在线的合成进程不足。",
        )


def _of_duties(facts: Facts) -> Iterator[Alert]:
    leader = next((duty for duty in facts.duties if duty.name == LEADER), None)
    if leader is None or leader.lease_until < facts.now - DUTY_LATE_US[LEADER]:
        since = None if leader is None else facts.now - leader.ticked_at
        en = "never started" if since is None else f"are silent for {duration(since, 'en')}"
        zh = "从未启动" if since is None else f"已 {duration(since, 'zh')}没有动静"
        yield Alert(
            code="no_duties",
            level="bad",
            en=f"The duties {en}: lost workers and late tasks are not noticed. Start them "
            "with `voxtrace duties`.",
            zh=f"后台值守{zh}：失联的合成进程和超时任务不会被发现。请运行 `voxtrace duties`。",
        )
        return
    for duty in facts.duties:
        if duty.name != LEADER and (duty.failure_count or is_late(duty, facts.now)):
            yield _failing(duty, facts.now)


def _failing(duty: DutyRecord, now: int) -> Alert:
    since = now - (duty.succeeded_at or duty.ticked_at)
    times = count(duty.failure_count)
    return Alert(
        code=f"duty_{duty.name}",
        level="bad" if duty.name == "reaper" else "warn",
        en=f"The duty {duty.name} has not succeeded for {duration(since, 'en')} "
        f"({times} failures in a row).",
        zh=f"值守任务 {duty.name} 已 {duration(since, 'zh')}没有成功（连续失败 {times} 次）。",
    )


def _of_outbox(facts: Facts) -> Iterator[Alert]:
    state = facts.outbox
    if state is None:
        return
    oldest = state.oldest_pending_us
    if facts.exports and oldest is not None and facts.now - oldest > _BEHIND_US:
        age = facts.now - oldest
        yield Alert(
            code="outbox_behind",
            level="warn",
            en=f"{count(state.pending)} span batches wait for the collector, the oldest for "
            f"{duration(age, 'en')}. Nothing is lost.",
            zh=f"{count(state.pending)} 批跨度在等待收集器，"
            f"最早的已等 {duration(age, 'zh')}。没有丢失。",
        )
    if state.poison:
        yield Alert(
            code="outbox_refused",
            level="warn",
            en=f"The collector refused {count(state.poison)} span batches; they are kept aside.",
            zh=f"收集器拒绝了 {count(state.poison)} 批跨度，已另外保留。",
        )

"""Checks of the work: who makes it, how much at once, what takes too long."""

from app.service.checks.check import Check, Said, unknown
from app.service.checks.facts import Facts
from app.service.figures import count, counted, duration
from app.service.task_view import is_alive

_START_WORKER = Said(en="start one: `voxtrace worker`", zh="请运行 `voxtrace worker`")


def work_checks(facts: Facts) -> list[Check]:
    """Workers, slots, deadlines."""
    return [_workers(facts), _slots(facts), _deadlines(facts)]


def _workers(facts: Facts) -> Check:
    living = [worker for worker in facts.workers if is_alive(worker, facts.now)]
    up = [worker for worker in living if worker.state == "up"]
    slots = sum(worker.concurrency for worker in up)
    numbers = {"workers": len(up), "slots": slots, "waiting": facts.waiting}
    last_at = max((worker.heartbeat_at for worker in facts.workers), default=None)
    if up:
        en = f"{len(up)} live, {counted(slots, 'slot', 'slots')}"
        zh = f"{len(up)} 个在线，{slots} 个并发位"
        return Check(
            name="workers", level="ok", said=Said(en=en, zh=zh), seen_at=last_at, facts=numbers
        )
    return Check(
        name="workers",
        level="bad",
        said=_why_none(facts, has_draining=bool(living)),
        fix=_START_WORKER,
        since=last_at,
        facts=numbers,
    )


def _why_none(facts: Facts, *, has_draining: bool) -> Said:
    if has_draining:
        en, zh = "every worker is draining", "合成进程都在收尾"
    elif facts.workers:
        en, zh = "no worker lives", "合成进程都已停止"
    else:
        en, zh = "no worker has started yet", "还没有合成进程启动过"
    return Said(
        en=f"{en}: {counted(facts.waiting, 'task waits', 'tasks wait')} and nothing begins",
        zh=f"{zh}：{count(facts.waiting)} 个任务在等待，无法开始",
    )


def _slots(facts: Facts) -> Check:
    numbers = {
        "configured": facts.configured,
        "usable": facts.usable,
        "held_by_dead": facts.held_by_dead,
    }
    usable, configured = count(facts.usable), count(facts.configured)
    held = facts.held_by_dead
    if held:
        said = Said(
            en=f"{counted(held, 'slot is', 'slots are')} held by workers that give no sign of life",
            zh=f"{count(held)} 个并发位被失联的合成进程占用",
        )
        fix = Said(
            en="they are freed within seconds, where the reaper runs",
            zh="巡检任务会在几秒内释放它们",
        )
        return Check(name="slots", level="bad", said=said, fix=fix, facts=numbers)
    if facts.configured == 0:
        said = Said(
            en="the limit of tasks at once is 0: nothing is begun",
            zh="并发上限为 0，不会开始任何任务",
        )
        fix = Said(en="raise it with `voxtrace limit N`", zh="可用 `voxtrace limit N` 调高")
        return Check(name="slots", level="warn", said=said, fix=fix, facts=numbers)
    if 0 < facts.usable < facts.configured:
        said = Said(
            en=f"{usable} of {configured} configured slots are usable: the living workers offer "
            "no more",
            zh=f"配置了 {configured} 个并发位，可用 {usable} 个：在线的合成进程不足",
        )
        fix = Said(
            en=f"start another worker, or say `voxtrace limit {facts.usable}`",
            zh=f"请再启动一个合成进程，或运行 `voxtrace limit {facts.usable}`",
        )
        return Check(name="slots", level="warn", said=said, fix=fix, facts=numbers)
    if facts.usable == 0:
        en, zh = "none is usable while no worker lives", "没有合成进程在线，无可用并发位"
        return unknown("slots", en, zh)
    said = Said(
        en=f"{usable} of {configured} usable", zh=f"{configured} 个并发位中 {usable} 个可用"
    )
    return Check(name="slots", level="ok", said=said, seen_at=facts.now, facts=numbers)


def _deadlines(facts: Facts) -> Check:
    if not facts.late:
        said = Said(en="no running task is past its limit", zh="没有运行中的任务超过时限")
        return Check(name="deadlines", level="ok", said=said, seen_at=facts.now, facts={"late": 0})
    late = counted(
        facts.late,
        "task is past its limit and is being stopped",
        "tasks are past their limit and are being stopped",
    )
    grace = 10_000_000
    return Check(
        name="deadlines",
        level="warn",
        said=Said(
            en=late,
            zh=f"{count(facts.late)} 个任务超过时限，正在停止",
        ),
        fix=Said(
            en=f"where this stays for more than {duration(grace, 'en')}, look at the worker's log",
            zh=f"如果超过 {duration(grace, 'zh')}仍未停止，请查看合成进程的日志",
        ),
        facts={"late": facts.late},
    )

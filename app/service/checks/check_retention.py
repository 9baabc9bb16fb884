"""The check of retention: what went, what stays though it had its time, when the next round is."""

from collections.abc import Mapping
from typing import Any

from app.domain.records import DutyRecord
from app.service.checks.check import Check, Said
from app.service.checks.check_duties import duty_check, not_told
from app.service.checks.facts import Facts
from app.service.duty_state import state_of
from app.service.figures import count, duration


def retention_check(facts: Facts) -> Check:
    """Whether retention does its rounds, and what they did."""
    if not facts.has_leader:
        return not_told("retention")
    return duty_check(facts, "retention", lambda duty: _rounds(duty, facts))


def _rounds(duty: DutyRecord, facts: Facts) -> Check:
    state = state_of(duty)
    held = sum(_held(state).values())
    return Check(
        name="retention",
        level="ok",
        said=_said(state, held, facts),
        seen_at=duty.ticked_at,
        facts={
            "tasks": state.get("tasks", 0),
            "texts": state.get("texts", 0),
            "keys": state.get("keys", 0),
            "held": held,
            "archived": facts.archived.tasks,
            "next_s": _seconds_until(state.get("next_at"), facts.now),
        },
    )


def _held(state: Mapping[str, Any]) -> Mapping[str, int]:
    held = state.get("held")
    return held if isinstance(held, dict) else {}


def _said(state: Mapping[str, Any], held: int, facts: Facts) -> Said:
    if state.get("is_off"):
        return Said(
            en="every task is kept for ever, as VOXTRACE_KEEP_…_D say",
            zh="按 VOXTRACE_KEEP_…_D 的设置，所有任务永久保留",
        )
    tasks, archived = count(state.get("tasks", 0)), count(facts.archived.tasks)
    en, zh = f"{archived} tasks removed in all", f"共移除 {archived} 个任务"
    if state.get("walks"):
        en, zh = (
            f"a round goes on: {tasks} tasks removed so far",
            f"正在清理：已移除 {tasks} 个任务",
        )
    elif (last_at := facts.archived.last_at) is not None:
        ago_us = max(0, facts.now - last_at)
        en += f", the last {duration(ago_us, 'en')} ago"
        zh += f"，最近一次在 {duration(ago_us, 'zh')}前"
    if held:
        en += f"; {count(held)} have had their time and stay for now"
        zh += f"；{count(held)} 个已到期，暂时保留"
    return Said(en=en, zh=zh)


def _seconds_until(at: object, now: int) -> float | None:
    return round(max(0, at - now) / 1e6, 1) if isinstance(at, int) else None

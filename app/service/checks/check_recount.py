"""The check of the statistics: whether counters say what the rows say, and when that was seen."""

from dataclasses import replace

from app.domain.drift import ACCEPTED
from app.service.checks.check import Check, Fact, Said, unknown
from app.service.checks.check_duties import RESTART, not_told, since_of, trouble
from app.service.checks.facts import Facts
from app.service.figures import count, duration
from app.service.recounts.verdict import Verdict
from app.service.recounts.words import is_of_removed

NAME = "recount"
_FIX = Said(
    en="name them with `voxtrace reconcile`, mend them with `voxtrace reconcile --rebuild`",
    zh="用 `voxtrace reconcile` 查看，用 `voxtrace reconcile --rebuild` 修复",
)

_FIX_REMOVED = Said(
    en="`voxtrace reconcile --rebuild` mends what two counters agree on; what it leaves comes back"
    " with a backup, or is let be by `voxtrace reconcile --rebuild --accept`",
    zh="`voxtrace reconcile --rebuild` 会修复有两处统计互相印证的数字；其余只能从备份恢复，"
    "或用 `voxtrace reconcile --rebuild --accept` 接受现状",
)


def recount_check(facts: Facts) -> Check:
    """What the recounts say, and whether there are any."""
    told, duty = facts.recount, facts.duty(NAME)
    if told.state == "drift":
        return _drift(told)
    if not facts.has_leader:
        return not_told(NAME)
    wrong = trouble(facts, duty)
    if wrong is not None:
        return _warn(told, wrong, since_of(duty))
    if told.state == "stale":
        age_us = told.age_us or 0
        said = Said(
            en=f"nothing was counted anew for {duration(age_us, 'en')}",
            zh=f"已 {duration(age_us, 'zh')}没有重新统计",
        )
        return _warn(told, said, told.last_checked_at)
    if told.last_checked_at is None:
        return unknown(NAME, "nothing is counted anew yet", "尚未重新统计")
    return _agrees(told)


def beside(recount: Check, schema: Check) -> Check:
    """What the recounts say, where triggers are not as they must be: nothing is sure from then on.

    Args:
        recount: From `recount_check`.
        schema: From `check_host.schema_of`.
    """
    if schema.facts.get("counts", True) or recount.level == "bad":
        return recount
    said = Said(
        en="nobody knows whether counters and rows agree: a trigger does not count (see schema)",
        zh="无法得知统计与记录是否一致：有触发器未在计数（见 schema 一项）",
    )
    return replace(recount, level="bad", said=said, fix=schema.fix)


def _drift(told: Verdict) -> Check:
    first = told.drifts[0] if told.drifts else None
    where = "" if first is None else f"{first.place}, {first.name}"
    values = "" if first is None else f"{first.expected} expected, {first.got} counted"
    values_zh = "" if first is None else f"应为 {first.expected}，实为 {first.got}"
    n, is_one = count(told.drift_count), told.drift_count == 1
    numbers = "number of the statistics is" if is_one else "numbers of the statistics are"
    is_removed = bool(told.drifts) and all(is_of_removed(one.name) for one in told.drifts)
    say, say_zh = "what the rows say", "与记录不符"
    if is_removed:
        say, say_zh = "what other counters of removed tasks say", "（已移除任务）互相矛盾"
    return Check(
        name=NAME,
        level="bad",
        said=Said(
            en=f"{n} {numbers} not {say}; first {where}: {values}",
            zh=f"{n} 个统计数字{say_zh}；首个：`{where}`，{values_zh}",
        ),
        fix=_FIX_REMOVED if is_removed else _FIX,
        seen_at=told.last_checked_at,
        facts=_numbers(told),
    )


def _warn(told: Verdict, said: Said, since: int | None) -> Check:
    return Check(name=NAME, level="warn", said=said, fix=RESTART, since=since, facts=_numbers(told))


def _agrees(told: Verdict) -> Check:
    checked, waiting = count(told.checked_count), count(told.waiting_count)
    en = f"counters and rows agree; hours counted anew: {checked}"
    zh = f"统计与记录一致；已复核 {checked} 个小时"
    if accepted := sum(one.place == ACCEPTED for one in told.notes):
        en, zh = f"{en}, accepted as they are: {accepted}", f"{zh}，已接受 {accepted} 个"
    if told.waiting_count:
        en, zh = f"{en}, waiting: {waiting}", f"{zh}，待复核 {waiting} 个小时"
    return Check(
        name=NAME,
        level="ok",
        said=Said(en=en, zh=zh),
        seen_at=told.last_checked_at,
        facts=_numbers(told),
    )


def _numbers(told: Verdict) -> dict[str, Fact]:
    return {
        "checked": told.checked_count,
        "waiting": told.waiting_count,
        "drift": told.drift_count,
        "age_s": None if told.age_us is None else round(told.age_us / 1e6, 1),
    }

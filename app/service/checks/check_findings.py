"""Checks of what watches over failures: the scans, what they found, and whom they tell of it."""

from typing import Final

from app.domain.finding import DeliveryRecord
from app.service.checks.check import NOTHING, Check, Said, off, unknown
from app.service.checks.check_duties import RESTART, not_told, since_of, trouble
from app.service.checks.facts import Facts
from app.service.duty_state import state_of
from app.service.figures import count, counted, duration

#: Scans that may be missing, and microseconds beyond them, before the last one is too old.
_MISSING: Final = 3
_LATE_US: Final = 60_000_000
#: Microseconds that something may wait for the webhook before a person should look.
_WAITS_US: Final = 300_000_000


def finding_checks(facts: Facts) -> list[Check]:
    """The watch, the findings that are open, the webhook."""
    return [_watch(facts), _findings(facts), _webhook(facts)]


def _watch(facts: Facts) -> Check:
    if not facts.watch_period_us:
        return off(
            "watch", "off: VOXTRACE_WATCH_EVERY_S is 0", "已关闭：VOXTRACE_WATCH_EVERY_S 为 0"
        )
    if not facts.has_leader:
        return not_told("watch")
    duty = facts.duty("watch")
    wrong = trouble(facts, duty)
    if wrong is not None:
        return Check(name="watch", level="warn", said=wrong, fix=RESTART, since=since_of(duty))
    state = state_of(duty)
    scanned_at = state.get("scanned_at")
    if not isinstance(scanned_at, int):
        return unknown("watch", "the first scan is about to be made", "即将进行第一次扫描")
    age_us = facts.now - scanned_at
    if age_us > _MISSING * facts.watch_period_us + _LATE_US:
        return Check(
            name="watch",
            level="warn",
            said=Said(
                en=f"failures were not compared for {duration(age_us, 'en')}",
                zh=f"已 {duration(age_us, 'zh')}没有比对失败",
            ),
            fix=RESTART,
            since=scanned_at,
        )
    took_ms, n, failed = (state.get(name) or 0 for name in ("took_ms", "attempts", "selected"))
    return Check(
        name="watch",
        level="ok",
        said=Said(
            en=f"{counted(failed, 'failure', 'failures')} of {count(n)} attempts of an hour "
            f"compared in {took_ms:g} ms",
            zh=f"已比对一小时内 {count(n)} 次运行中的 {count(failed)} 次失败，"
            f"用时 {took_ms:g} 毫秒",
        ),
        seen_at=scanned_at,
        facts={"took_ms": took_ms, "attempts": n, "failures": failed},
    )


def _findings(facts: Facts) -> Check:
    rows = [one for one in facts.findings if not one.is_muted]
    muted_n = len(facts.findings) - len(rows)
    if not rows:
        if muted_n:
            return _muted(muted_n)
        if not facts.watch_period_us:
            return off("findings", "nobody looks for any", "没有在查找")
        return Check(
            name="findings",
            level="ok",
            said=Said(en="none is open", zh="没有仍在持续的共同点"),
            facts={"open": 0},
        )
    return Check(
        name="findings",
        level="warn",
        said=Said(
            en=f"{counted(len(rows), 'finding is', 'findings are')} open: failures that have "
            "something in common",
            zh=f"失败之间有 {count(len(rows))} 处共同点，仍在持续",
        ),
        fix=Said(
            en="the page /monitor says what it is and since when; /correlate shows examples",
            zh="页面 /monitor 说明是什么、从何时开始；/correlate 给出示例",
        ),
        since=rows[0].opened_at,
        facts={"open": len(rows)},
    )


def _muted(n: int) -> Check:
    return Check(
        name="findings",
        level="ok",
        said=Said(
            en=f"{counted(n, 'finding is', 'findings are')} open, of failures that are muted",
            zh=f"仍在持续的 {count(n)} 处共同点都属于已静音的失败",
        ),
        facts={"open": 0, "muted": n},
    )


def _webhook(facts: Facts) -> Check:
    told = facts.deliveries
    if not told.is_set:
        return off(
            "webhook", "off: VOXTRACE_WEBHOOK_URL is not set", "已关闭：未设置 VOXTRACE_WEBHOOK_URL"
        )
    if not facts.has_leader:
        return not_told("webhook")
    duty = facts.duty("webhook")
    wrong = trouble(facts, duty)
    if wrong is not None:
        return Check(name="webhook", level="warn", said=wrong, fix=RESTART, since=since_of(duty))
    return _waits(facts) or _gave_up(told.ended) or _delivered(told.ended)


_LOOK: Final = Said(
    en="see VOXTRACE_WEBHOOK_URL, and whether this host reaches it",
    zh="请检查 VOXTRACE_WEBHOOK_URL，以及本机能否访问它",
)


def _waits(facts: Facts) -> Check | None:
    """Something waits: a person should look once it was refused for some minutes."""
    first, n = facts.deliveries.first, facts.deliveries.waiting
    if first is None:
        return None
    waited_us = max(0, facts.now - first.created_at)
    error = first.last_error or "it was not tried yet"
    needs_you = first.tries > 0 and waited_us > _WAITS_US
    return Check(
        name="webhook",
        level="warn" if needs_you else "ok",
        said=Said(
            en=f"{counted(n, 'call waits', 'calls wait')}, the first for "
            f"{duration(waited_us, 'en')}: {error}",
            zh=f"{count(n)} 次通知在等待，最早的已等 {duration(waited_us, 'zh')}：`{error}`",
        ),
        fix=_LOOK if needs_you else NOTHING,
        since=first.created_at if needs_you else None,
        facts={"waiting": n, "tries": first.tries},
    )


def _gave_up(last: DeliveryRecord | None) -> Check | None:
    if last is None or last.state != "given_up":
        return None
    error = last.last_error or ""
    return Check(
        name="webhook",
        level="warn",
        said=Said(
            en=f"the last call was given up after a day: {error}",
            zh=f"最近一次通知在一天后被放弃：`{error}`",
        ),
        fix=_LOOK,
        since=last.ended_at,
        facts={"waiting": 0},
    )


def _delivered(last: DeliveryRecord | None) -> Check:
    said = Said(en="nothing was to be told yet", zh="尚无需要通知的内容")
    if last is not None:
        said = Said(en="the last call was taken", zh="最近一次通知已被接收")
    return Check(
        name="webhook",
        level="ok",
        said=said,
        seen_at=last.ended_at if last is not None else None,
        facts={"waiting": 0},
    )

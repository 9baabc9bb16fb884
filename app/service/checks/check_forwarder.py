"""The check of the forwarder: whether spans leave, and what stands in the way."""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.records import DutyRecord
from app.service.checks.check import NOTHING, Check, Said, off
from app.service.checks.check_backends import Found, has_collector, turned_off
from app.service.checks.check_duties import RESTART, since_of, trouble
from app.service.checks.facts import Facts
from app.service.duty_state import state_of
from app.service.figures import count, counted, duration

_REFUSED: Final = Said(
    en="the collector's log names the span; then `voxtrace resend --poison` (docs/operate.md)",
    zh="收集器的日志会指出是哪个跨度；之后运行 `voxtrace resend --poison`（见 docs/operate.md）",
)


def forwarder_check(facts: Facts, found: Found) -> Check:
    """What stands in the way of the spans, the first of all that applies."""
    if not has_collector(facts, found):
        none, none_zh = "no collector is set: spans stay here", "未设置收集器：跨度保留在本地"
        return off("forwarder", none, none_zh) if found.is_traced else turned_off("forwarder")
    duty = facts.duty("forwarder")
    state = state_of(duty)
    wrong = trouble(facts, duty)
    if duty is None or wrong is not None:
        said = wrong or Said(en="has not begun", zh="还没有开始")
        return Check(
            name="forwarder",
            level="bad",
            said=Said(en=f"the forwarder {said.en}", zh=f"跨度转发{said.zh}"),
            fix=RESTART,
            since=since_of(duty),
        )
    return (
        _misconfigured(state)
        or _refused(facts)
        or _rejected(state)
        or _waiting(facts, state)
        or _forwards(facts, duty, state)
    )


def _misconfigured(state: Mapping[str, Any]) -> Check | None:
    words = state.get("configuration_trouble")
    if not words:
        return None
    address = state.get("endpoint", "")
    return Check(
        name="forwarder",
        level="bad",
        said=Said(
            en=f"{address} can never take the spans as it is set: {words}",
            zh=f"按现在的设置，`{address}` 无法接收跨度：`{words}`",
        ),
        fix=Said(
            en="set OTEL_EXPORTER_OTLP_ENDPOINT, its headers and certificates right, and start the "
            "duties again; nothing is lost meanwhile",
            zh="请更正 OTEL_EXPORTER_OTLP_ENDPOINT 及其请求头和证书，然后重新启动值守进程；"
            "其间不会丢失",
        ),
        since=_moment(state, "last_success_us"),
    )


def _refused(facts: Facts) -> Check | None:
    poison = facts.outbox.poison if facts.outbox is not None else 0
    if facts.outbox is None or not poison:
        return None
    answer = facts.outbox.poison_error or "–"
    return Check(
        name="forwarder",
        level="warn",
        said=Said(
            en=f"the collector refused {count(poison)} span batches, kept aside: {answer}",
            zh=f"收集器拒绝了 {count(poison)} 批跨度，已另外保留：`{answer}`",
        ),
        fix=_REFUSED,
        facts={"poison": poison, "poison_error": answer},
    )


def _rejected(state: Mapping[str, Any]) -> Check | None:
    rejected = state.get("rejected_spans") or 0
    if not rejected:
        return None
    message = state.get("partial_message") or ""
    return Check(
        name="forwarder",
        level="warn",
        said=Said(
            en=f"the collector took batches without {count(rejected)} of their spans: {message}",
            zh=f"收集器接收了批次，但其中 {count(rejected)} 个跨度未被接收：`{message}`",
        ),
        fix=Said(
            en="the collector's log says why; the count begins anew with the duties process",
            zh="原因见收集器的日志；值守进程重新启动后重新计数",
        ),
        facts={"rejected_spans": rejected},
    )


def _waiting(facts: Facts, state: Mapping[str, Any]) -> Check | None:
    if not state.get("failures"):
        return None
    words = state.get("last_error") or ""
    left_us = max(0, (_moment(state, "retry_at_us") or facts.now) - facts.now)
    return Check(
        name="forwarder",
        level="warn",
        said=Said(
            en=f"spans wait, tries again in {duration(left_us, 'en')}: {words}",
            zh=f"跨度在等待，{duration(left_us, 'zh')}后重试：`{words}`",
        ),
        fix=Said(en="see the collector below; nothing is lost", zh="请看下面的收集器；没有丢失"),
        since=_moment(state, "last_success_us"),
    )


def _forwards(facts: Facts, duty: DutyRecord, state: Mapping[str, Any]) -> Check:
    spans, again = state.get("sent_spans") or 0, _again(facts, state)
    said = Said(
        en=f"{counted(spans, 'span', 'spans')} sent{again.en}",
        zh=f"已发送 {count(spans)} 个跨度{again.zh}",
    )
    return Check(
        name="forwarder",
        level="ok",
        said=said,
        seen_at=duty.ticked_at,
        facts={"sent_spans": spans, "resent_rows": state.get("resent_rows") or 0},
    )


def _again(facts: Facts, state: Mapping[str, Any]) -> Said:
    """What was sent again because a collector was lost: how much, when, why; empty for nothing."""
    rows, at = state.get("resent_rows") or 0, _moment(state, "resent_at_us")
    if not rows or at is None:
        return NOTHING
    ago_us, why = max(0, facts.now - at), state.get("resent_why") or ""
    return Said(
        en=f"; {counted(rows, 'batch', 'batches')} again, last {duration(ago_us, 'en')} ago: {why}",
        zh=f"；重发 {count(rows)} 批，最近一次在 {duration(ago_us, 'zh')}前：`{why}`",
    )


def _moment(state: Mapping[str, Any], name: str) -> int | None:
    found = state.get(name)
    return found if isinstance(found, int) else None

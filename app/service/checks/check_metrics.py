"""The check of the metrics' way to the collector; what reads /metrics needs no duty."""

from typing import Final

from app.service.checks.check import Check, Said, off
from app.service.checks.check_duties import FAILING, not_told
from app.service.checks.facts import Facts
from app.service.duty_state import state_of
from app.service.figures import count, counted

#: Microseconds without a turn after which they are taken to be switched off.
_OFF_US: Final = 900_000_000


def metrics_check(facts: Facts) -> Check:
    """Whether the collector takes the numbers; one refusal alone is no news."""
    if not facts.has_leader:
        return not_told("metrics")
    duty = facts.duty("metrics")
    if duty is None or facts.now - duty.ticked_at > _OFF_US:
        return off("metrics", "they are sent nowhere", "没有发送到任何地方")
    state = state_of(duty)
    failures, error = state.get("failures") or 0, state.get("last_error") or duty.last_error or ""
    if failures >= FAILING or duty.failure_count >= FAILING:
        return Check(
            name="metrics",
            level="warn",
            said=Said(
                en=f"the collector does not take them: {error}",
                zh=f"收集器没有接收：`{error}`",
            ),
            fix=Said(
                en="see the collector, or set OTEL_METRICS_EXPORTER=none; /metrics has the same",
                zh="请看收集器，或设置 `OTEL_METRICS_EXPORTER=none`；`/metrics` 上有相同的数据",
            ),
            since=state.get("last_success_us"),
        )
    sent = state.get("sent") or 0
    said = Said(en=f"sent {counted(sent, 'time', 'times')}", zh=f"已发送 {count(sent)} 次")
    return Check(name="metrics", level="ok", said=said, seen_at=duty.ticked_at)

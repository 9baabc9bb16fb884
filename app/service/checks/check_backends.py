"""Checks of what lies behind: the collector, Jaeger, and the look-up that asks it for traces."""

from dataclasses import dataclass
from typing import Final

from app.domain.records import DutyRecord
from app.service.checks.check import NOTHING, Check, Said, off, unknown
from app.service.checks.check_duties import duty_check, not_told
from app.service.checks.facts import Facts
from app.service.duty_state import state_of
from app.service.figures import count, duration
from app.service.neighbours import DUTY, Neighbour, from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the duties last saw of the others.

    Attributes:
        is_told: False while they tell nothing.
        is_traced: Whether spans are made: the duties know best, else the process that asks.
    """

    is_told: bool
    is_traced: bool
    host: str
    web: Neighbour | None
    collector: Neighbour | None
    jaeger: Neighbour | None


def neighbours_of(facts: Facts) -> Found:
    """What the duties last saw."""
    state = state_of(facts.duty(DUTY))
    is_told = bool(state) and facts.has_leader
    return Found(
        is_told=is_told,
        is_traced=bool(state.get("is_traced", True)) if is_told else facts.is_traced,
        host=str(state.get("host", "")),
        web=from_json(state.get("web")),
        collector=from_json(state.get("collector")),
        jaeger=from_json(state.get("jaeger")),
    )


def has_collector(facts: Facts, found: Found) -> bool:
    """Whether a collector is set: the duties know best, else the process that asks."""
    return found.collector is not None if found.is_told else facts.exports


def turned_off(name: str) -> Check:
    """A check that has nothing to look at, since no span is made."""
    return off(
        name,
        "tracing is turned off: OTEL_SDK_DISABLED",
        "链路追踪已关闭：`OTEL_SDK_DISABLED`",
    )


#: Microseconds after which what a neighbour answered proves nothing: a round takes 14 s where none
#: of three answers, and the row may still say what was seen in the one before.
_OLD_US: Final = 25_000_000
#: Microseconds after its last answer from which a web is not expected on a host any more.
_FORGOTTEN_US: Final = 86_400_000_000


def web_check(facts: Facts, found: Found) -> Check:
    """Whether the web of the duties' host answers; a host need not have one."""
    if not found.is_told or found.web is None:
        return not_told("web")
    answered_at = found.web.answered_at
    if answered_at is None or facts.now - answered_at > _FORGOTTEN_US:
        return off("web", f"none was seen on {found.host}", f"在 {found.host} 上没有见到网页服务")
    fix = Said(en="start it: `voxtrace web`", zh="请运行 `voxtrace web`")
    return neighbour_check("web", found.web, facts.now, fix)


def backend_checks(facts: Facts, found: Found) -> list[Check]:
    """The collector, Jaeger, the look-up; what is not set up is said to be off."""
    return [_collector(facts, found), _jaeger(facts, found), _look_up(facts, found)]


def _collector(facts: Facts, found: Found) -> Check:
    if not has_collector(facts, found):
        none = "none is set: see OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_TRACES_EXPORTER"
        none_zh = "未设置：见 `OTEL_EXPORTER_OTLP_ENDPOINT` 与 `OTEL_TRACES_EXPORTER`"
        return off("collector", none, none_zh) if found.is_traced else turned_off("collector")
    if not found.is_told or found.collector is None:
        return not_told("collector")
    fix = Said(
        en="start it: `otelcol-contrib --config otel-collector.yaml`, or `docker compose up -d "
        "collector`; spans wait in the outbox, nothing is lost",
        zh="请启动收集器：`otelcol-contrib --config otel-collector.yaml` 或 "
        "`docker compose up -d collector`；跨度在发件箱等待，不会丢失",
    )
    return neighbour_check("collector", found.collector, facts.now, fix)


def _jaeger(facts: Facts, found: Found) -> Check:
    if not found.is_told:
        return not_told("jaeger")
    if found.jaeger is None:
        return off("jaeger", "none is set: VOXTRACE_JAEGER_URL", "未设置：VOXTRACE_JAEGER_URL")
    fix = Said(
        en="start it: `jaeger --config deploy/jaeger.yaml`, or `docker compose up -d jaeger`; the "
        "collector keeps the spans meanwhile",
        zh="请启动它：`jaeger --config deploy/jaeger.yaml` 或 `docker compose up -d jaeger`；"
        "其间跨度由收集器保留",
    )
    return neighbour_check("jaeger", found.jaeger, facts.now, fix)


def neighbour_check(name: str, one: Neighbour, now: int, fix: Said) -> Check:
    """How a neighbour is, from what the duty saw; not known where it saw nothing lately."""
    if now - one.at > _OLD_US:
        return _not_asked(name, one, now)
    numbers = {"address": one.address, "took_ms": one.took_ms, "failures": one.failures}
    if not one.failures:
        said = Said(
            en=f"answers in {one.took_ms or 0:g} ms ({one.address})",
            zh=f"{one.took_ms or 0:g} 毫秒内回应（`{one.address}`）",
        )
        return Check(name=name, level="ok", said=said, seen_at=one.at, facts=numbers)
    since = one.since or one.at
    silent_us = max(0, now - since)
    return Check(
        name=name,
        level="bad" if one.is_away else "warn",
        said=Said(
            en=f"no answer from {one.address} for {duration(silent_us, 'en')}: {one.words}",
            zh=f"`{one.address}` 已 {duration(silent_us, 'zh')}没有回应：`{one.words}`",
        ),
        fix=fix,
        since=since,
        seen_at=one.at,
        facts=numbers,
    )


def _not_asked(name: str, one: Neighbour, now: int) -> Check:
    old_us = now - one.at
    return Check(
        name=name,
        level="unknown",
        said=Said(
            en=f"not asked for {duration(old_us, 'en')}: see the duty neighbours",
            zh=f"已 {duration(old_us, 'zh')}没有询问：请看“邻居探询”",
        ),
        since=one.at,
        seen_at=one.at,
        facts={"address": one.address, "took_ms": None, "failures": one.failures},
    )


def _look_up(facts: Facts, found: Found) -> Check:
    if not found.is_told:
        return not_told("look-up")
    if found.jaeger is None:
        return off("look-up", "no Jaeger is set", "未设置 Jaeger")
    if found.jaeger.failures:
        return unknown("look-up", "waits for Jaeger", "在等待 Jaeger")
    return duty_check(facts, "look-up", _looks)


def _looks(duty: DutyRecord) -> Check:
    state = state_of(duty)
    seen, resent, given_up = (state.get(name) or 0 for name in ("seen", "resent", "given_up"))
    is_well = not given_up
    said = Said(
        en=f"{count(seen)} traces seen, {count(resent)} sent again, {count(given_up)} given up",
        zh=f"已见到 {count(seen)} 条链路，重新发送 {count(resent)} 条，放弃 {count(given_up)} 条",
    )
    fix = Said(
        en="see which: `voxtrace verify`; send them again: `voxtrace verify --repair`",
        zh="用 `voxtrace verify` 查看是哪些；用 `voxtrace verify --repair` 重新发送",
    )
    return Check(
        name="look-up",
        level="ok" if is_well else "warn",
        said=said,
        fix=NOTHING if is_well else fix,
        seen_at=duty.ticked_at,
        facts={"seen": seen, "resent": resent, "given_up": given_up},
    )

"""Failure groups as the v1 API shows them."""

from collections.abc import Mapping

from app.domain.correlation.found import Where
from app.domain.records import FailureEventRecord
from app.service.correlate import links
from app.service.failures.views import (
    Counts,
    Exemplar,
    Group,
    GroupPage,
    GroupView,
    ListedGroup,
    Part,
    Span,
)
from app.web.shapes import Json, moment, seconds


def page(found: GroupPage) -> Json:
    """GET /api/v1/failures."""
    return {
        "as_of": moment(found.now),
        "window": _window(found.window),
        "failures": [listed(one, found.window, found.where) for one in found.groups],
        "total": found.total,
        "states": dict(found.states),
        "failed": found.failed,
        "failed_groups": found.failed_groups,
        "is_capped": found.is_capped,
        "next": found.next,
        "previous": found.previous,
    }


def listed(one: ListedGroup, window: Span, where: Where) -> Json:
    """A group of the list: `count` and what follows it are of the window."""
    return group(one.group) | counted(one.counts, one.group, window, where)


def view(found: GroupView) -> Json:
    """GET /api/v1/failures/{fingerprint}."""
    return {
        "as_of": moment(found.now),
        "window": _window(found.window),
        **group(found.group),
        "in_window": counted(found.in_window, found.group, found.window, found.where),
        "all_time": {
            "count": found.all_time.count,
            "repeats": found.all_time.repeats,
            "texts": found.text_count,
            "kept": found.kept_count,
            "tasks": found.task_count,
            "tasks_ended": found.ended_count,
            "is_kept_capped": found.is_kept_count_capped,
            "parts": _parts(found.all_time.parts),
        },
        "exemplars": [exemplar(one) for one in found.exemplars],
        "events": [event(one) for one in found.events],
    }


def group(one: Group) -> Json:
    """What a group is, and what people decided."""
    return {
        "fingerprint": one.fingerprint,
        "error_type": one.error_type,
        "error_kind": one.error_kind,
        "error_code": one.error_code,
        "template": one.template,
        "frames": list(one.frames),
        "state": one.shown,
        "outcome": one.outcome,
        "first_at": moment(one.first_at),
        "last_at": moment(one.last_at),
        "state_at": moment(one.state_at),
        "state_by": one.state_by,
        "resolved_release": one.resolved_release,
        "regressed_at": moment(one.regressed_at),
        "regressed_release": one.regressed_release,
        "assignee": one.assignee,
        "note": one.note,
        "url": f"/failures/{one.fingerprint}",
    }


def _window(span: Span) -> Json:
    return {
        "from": moment(span.start),
        "to": moment(span.end),
        "is_whole_hours": span.is_whole_hours,
        "bins_from": moment(span.bins_at),
        "bin_s": seconds(span.bin_us),
    }


def counted(counts: Counts, of: Group, window: Span, where: Where) -> Json:
    """Failures of a group in a window, and where they are listed."""
    return {
        "count": counts.count,
        "repeats": counts.repeats,
        "texts": counts.texts,
        "bins": list(counts.bins),
        "trend": counts.trend,
        "parts": _parts(counts.parts),
        "attempts_url": links.attempts_url(
            start=window.start,
            end=window.end,
            where=where,
            fingerprint=of.fingerprint,
            with_repeats=True,
        ),
    }


def _parts(parts: Mapping[str, tuple[Part, ...]]) -> Json:
    return {
        name: [{"value": one.value, "count": one.count} for one in values]
        for name, values in parts.items()
    }


def exemplar(one: Exemplar) -> Json:
    """An attempt to look at."""
    return {
        "which": one.which,
        "task_id": one.task_id,
        "attempt": one.attempt,
        "text_id": one.text_id,
        "title": one.title,
        "at": moment(one.at),
        "dur_ms": one.dur_us / 1000,
        "outcome": one.outcome,
        "worker": one.worker,
        "engine": one.engine,
        "voice": one.voice,
        "release": one.release,
        "chars": one.char_count,
        "error_message": one.error_message,
        "trace_id": one.trace_id,
        "span_id": one.span_id,
        "url": one.url,
        "jaeger_url": one.jaeger_url,
    }


def event(one: FailureEventRecord) -> Json:
    """Something that happened to a group."""
    return {"at": moment(one.at), "kind": one.kind, "by": one.by, "detail": one.detail}

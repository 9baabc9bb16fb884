"""What the page of a failure group shows: facts, course, spreads, examples, reason, events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from app.domain.correlation.dimensions import DIMENSIONS
from app.domain.records import FailureEventRecord
from app.service.failures.surroundings import SystemEvent, Twin
from app.service.failures.views import Counts, Exemplar, Group, GroupView, Part, Shown, Span
from app.web import failure_drawing, moments
from app.web.failure_drawing import Bin, Timeline
from app.web.failure_words import GLYPHS, OLD, rows_path
from app.web.format import duration, number, percent
from app.web.task_page import actor
from app.web.visitor import Visitor
from app.web.words import Words, voice_name

#: Values of a dimension that are shown; the rest is one line.
_VALUES: Final = 6
#: What was decided last; what opened a group again that is back was a failure, nobody's decision.
_DECIDED: Final[Mapping[Shown, str]] = {
    Shown.RESOLVED: "resolved",
    Shown.REGRESSED: "resolved",
    Shown.MUTED: "muted",
}
#: How the sign of an event looks.
_EVENT_LEVELS: Final[Mapping[str, str]] = {
    "new": "bad",
    "regressed": "bad",
    "reopened": "warn",
    "resolved": "ok",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadRow:
    """A value of a dimension: its failures, as a share of all in percent, and where they are."""

    name: str
    count: int
    x: float
    says: str
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the failures of a group spread over a dimension."""

    title: str
    rows: Sequence[SpreadRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleRow:
    """An attempt to look at; `which` is newest, first, slowest or twin (a success)."""

    which: str
    path: str
    title: str
    under: str
    char_count: int
    ran: str
    worker: str
    at: Markup
    glyph: str
    jaeger_url: str | None
    compare_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """What somebody, or a failure after a resolution, did to the group; `note` is in any tongue."""

    at: Markup
    level: str
    says: str
    note: str | None
    who: str


def course(view: GroupView, releases: Sequence[SystemEvent], reader: Visitor) -> Timeline:
    """The failures of the window, with the releases that started in it and what was decided."""
    span = view.window
    return failure_drawing.timeline(
        _bins(view, reader),
        (span.start, span.end),
        reader.place,
        label=str(reader.t("failure.course_says", n=view.in_window.count)),
        marks=[*_release_marks(releases, reader), *_event_marks(view.events, reader)],
    )


def _bins(view: GroupView, reader: Visitor) -> list[Bin]:
    kind = GLYPHS.get(view.group.outcome, "failed")
    parts = _parts_of(view.window, len(view.in_window.bins))
    return [
        Bin(
            at=part.start,
            end=part.end,
            parts={kind: count},
            says=f"{moments.short(reader.place, part.start)}{reader.t('colon')}{number(count)}",
            path=rows_path(view.group, part),
        )
        for part, count in zip(parts, view.in_window.bins, strict=True)
    ]


def _parts_of(span: Span, count: int) -> list[Span]:
    """The parts of a window, cut by its ends."""
    edges = [
        min(max(span.bins_at + place * span.bin_us, span.start), span.end)
        for place in range(count + 1)
    ]
    return [replace(span, start=low, end=high) for low, high in pairwise(edges)]


def _release_marks(found: Sequence[SystemEvent], reader: Visitor) -> list[tuple[int, str, str]]:
    """The first start of each release, and on how many workers it has started since."""
    workers: dict[str, list[SystemEvent]] = {}
    for event in found:
        workers.setdefault(event.release or "", []).append(event)
    return [
        (
            events[0].at,
            release,
            reader.t(
                "failure.release_mark",
                release=release,
                worker=events[0].worker or "",
                when=moments.short(reader.place, events[0].at),
                n=len({event.worker for event in events}),
            ).unescape(),
        )
        for release, events in workers.items()
    ]


def _event_marks(
    events: Sequence[FailureEventRecord], reader: Visitor
) -> list[tuple[int, str, str]]:
    """Resolutions and regressions."""
    return [
        (event.at, str(reader.t(f"failure.mark_{event.kind}")), _event_says(event, reader.t))
        for event in events
        if event.kind in {"resolved", "regressed"}
    ]


def facts(view: GroupView, reader: Visitor) -> list[tuple[str, str | Markup]]:
    """When it was seen, and what was decided."""
    t, group = reader.t, view.group
    known: list[tuple[str, str | Markup | None]] = [
        ("first", moments.tag(reader.place, group.first_at)),
        ("last", moments.tag(reader.place, group.last_at, "ago") if group.last_at else None),
        ("first_release", _releases(view.all_time.parts.get("release", ()), t)),
        ("decided", _decided(group, reader)),
        ("regressed", _regressed(group, reader)),
    ]
    return [(str(t(f"failure.fact_{name}")), value) for name, value in known if value]


def _releases(parts: Sequence[Part], t: Words) -> str:
    told = [part.value or str(t("dimension.none")) for part in parts[:3]]
    return str(t("comma")).join(told)


def _decided(group: Group, reader: Visitor) -> Markup | None:
    if group.state_at is None or group.shown not in _DECIDED:
        return None
    when = moments.tag(reader.place, group.state_at)
    who = actor(group.state_by or "", reader.t)
    return reader.t(f"failure.decided_{_DECIDED[group.shown]}", when=when, who=who)


def _regressed(group: Group, reader: Visitor) -> Markup | None:
    if group.regressed_at is None:
        return None
    when = moments.tag(reader.place, group.regressed_at)
    if not group.regressed_release:
        return when
    return reader.t("failure.in_release", when=when, release=group.regressed_release)


def spreads(view: GroupView, t: Words) -> list[Spread]:
    """For each dimension the values with most failures; the others of it as one line."""
    counts = view.in_window
    return [
        Spread(
            title=str(t(f"dimension.title_{name}")),
            rows=[
                *(_value_row(view, name, part, t) for part in counts.parts[name][:_VALUES]),
                *_rest(counts.parts[name][_VALUES:], counts, t),
            ],
        )
        for name in DIMENSIONS
        if counts.parts.get(name)
    ]


def _value_row(view: GroupView, name: str, part: Part, t: Words) -> SpreadRow:
    path = rows_path(view.group, view.window, {name: part.value})
    return _spread_row(part, view.in_window, path, t)


def _rest(parts: Sequence[Part], counts: Counts, t: Words) -> list[SpreadRow]:
    if not parts:
        return []
    whole = Part(value=str(t("failure.others", n=len(parts))), count=sum(p.count for p in parts))
    return [_spread_row(whole, counts, None, t)]


def _spread_row(part: Part, counts: Counts, path: str | None, t: Words) -> SpreadRow:
    ratio = part.count / max(1, counts.count)
    return SpreadRow(
        name=part.value or str(t("dimension.none")),
        count=part.count,
        x=round(100 * ratio, 2),
        says=percent(ratio),
        path=path,
    )


def examples(view: GroupView, twin: Twin | None, reader: Visitor) -> list[ExampleRow]:
    """Attempts to look at, and the success most like the newest of them."""
    rows = [_example(one, reader) for one in view.exemplars]
    return [*rows, _twin(twin, reader)] if twin is not None else rows


def _example(one: Exemplar, reader: Visitor) -> ExampleRow:
    t = reader.t
    return ExampleRow(
        which=one.which,
        path=one.url,
        title=one.title or str(t("task.number", id=str(one.task_id))),
        under=f"{one.engine} · {voice_name(one.voice, t) or t('dimension.none')}",
        char_count=one.char_count,
        ran=duration(one.dur_us, t.lang),
        worker=one.worker or str(t("dimension.none")),
        at=moments.tag(reader.place, one.at),
        glyph=GLYPHS.get(one.outcome, "failed"),
        jaeger_url=one.jaeger_url,
        compare_path=None,
    )


def _twin(twin: Twin, reader: Visitor) -> ExampleRow:
    t, row = reader.t, twin.attempt.row.attempt
    names = [str(t(f"dimension.{name}")) for name in twin.differs]
    return ExampleRow(
        which="twin",
        path=twin.attempt.url,
        title=twin.attempt.row.title or str(t("task.number", id=str(row.task_id))),
        under=_differs(names, t),
        char_count=row.char_count,
        ran=duration(twin.attempt.dur_ms * 1000, t.lang),
        worker=row.worker_name or str(t("dimension.none")),
        at=moments.tag(reader.place, row.finished_at or row.claimed_at),
        glyph="completed",
        jaeger_url=twin.attempt.jaeger_url,
        compare_path=twin.compare_url,
    )


def _differs(names: Sequence[str], t: Words) -> str:
    if not names:
        return str(t("failure.differs_nowhere"))
    return str(t("failure.differs_in", names=str(t("comma")).join(names)))


def reason(group: Group) -> str:
    """What the group goes by: type and template, then the frames, one a line."""
    head = f"{group.error_type}: {group.template}" if group.template else group.error_type
    return "\n".join((head, *group.frames))


def why(group: Group, t: Words) -> str:
    """Why these are one group, in a sentence."""
    if group.fingerprint.startswith(OLD):
        return str(t("failure.why_old"))
    return str(t("failure.why_frames" if group.frames else "failure.why_message"))


def events(view: GroupView, reader: Visitor) -> list[EventLine]:
    """What happened to the group, the newest first."""
    return [
        EventLine(
            at=moments.tag(reader.place, event.at),
            level=_EVENT_LEVELS.get(event.kind, "unknown"),
            says=_event_says(event, reader.t),
            note=event.detail if event.kind == "noted" else None,
            who=actor(event.by, reader.t),
        )
        for event in view.events
    ]


def _event_says(event: FailureEventRecord, t: Words) -> str:
    key = f"failure.event_{event.kind}"
    if event.detail and t.has(f"{key}_detail"):
        return t(f"{key}_detail", detail=event.detail).unescape()
    return str(t(key))

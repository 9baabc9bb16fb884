"""What the task page shows beyond the service's view: sentences, drawings, lists of facts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.task import FINAL
from app.service.spent import PARTS, Spent
from app.service.task_path import Step
from app.service.task_view import TaskView
from app.web import drawing, moments
from app.web.drawing import Block
from app.web.format import duration, number, percent, position, size
from app.web.text_rows import progress_blocks, running_says, wave_of
from app.web.visitor import Visitor
from app.web.words import Words, voice_name

#: Bars of the big waveform, its height in pixels, and its segment ticks at most.
BARS: Final = 250
HEIGHT_PX: Final = 60
MAX_TICKS: Final = 400
_SPENT_CLASSES: Final = {
    "waiting": "f-pending",
    "quota": "sp-late",
    "engine": "sp-engine",
    "own": "sp-own",
    "lost": "sp-bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a whole: its class, its name, its microseconds."""

    kind: str
    name: str
    us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentPicture:
    """Where the time went."""

    total_us: int
    parts: Sequence[Part]
    blocks: Sequence[Block]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStep:
    """A state of the path as it is drawn."""

    status: str
    width: str
    why: str
    name: str
    took: str
    what: str
    flag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisMark:
    """A time under the waveform; `is_wide`: left out on narrow screens."""

    x: float
    anchor: str
    text: str
    is_wide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """The player's drawing."""

    duration_ms: int
    wave: drawing.Wave
    ticks: Sequence[float]
    axis: Sequence[AxisMark]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a live task is."""

    blocks: Sequence[Block]
    says: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLine:
    """One check of the audio."""

    name: str
    value: str
    is_ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Every check, and how many passed."""

    lines: Sequence[CheckLine]

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(line.is_ok for line in self.lines)

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.lines)


def spent_picture(spent: Spent, t: Words) -> SpentPicture:
    """Where the time went, the largest parts side by side in their fixed order."""
    amounts = [(part, getattr(spent, part)) for part in PARTS]
    shown = [
        Part(kind=_SPENT_CLASSES[part], name=str(t(f"spent.{part}")), us=us)
        for part, us in amounts
        if us > 0
    ]
    told = [f"{part.name} {duration(part.us, t.lang)}" for part in shown]
    return SpentPicture(
        total_us=spent.total_us,
        parts=shown,
        blocks=drawing.shares([(part.kind, part.us) for part in shown]),
        label=str(t("comma")).join(told),
    )


def path_steps(view: TaskView, visitor: Visitor) -> list[PathStep]:
    """The states the task was in, and what moved it on."""
    return [_path_step(step, index, view, visitor) for index, step in enumerate(view.path)]


def _path_step(step: Step, index: int, view: TaskView, visitor: Visitor) -> PathStep:
    t = visitor.t
    name = str(t(f"status.{step.status}"))
    if step.attempt is not None:
        name = str(t("path.attempt", status=name, n=step.attempt))
    is_final = step.status in FINAL
    until_us = step.until if step.until is not None else view.now
    took = duration(until_us - step.since, t.lang)
    return PathStep(
        status=step.status,
        width="last" if is_final else ("wide" if step.status == "processing" else "narrow"),
        why=str(t(f"path.why_{step.why}")) if index else "",
        name=name,
        took=_final_took(view, visitor) if is_final else took,
        what=_what(step, index, view, visitor),
        flag=_flag(step, view, visitor),
    )


def _final_took(view: TaskView, visitor: Visitor) -> str:
    """Of a final state: how long the audio is, else when it came."""
    length_ms = view.task.audio_duration_ms
    if view.task.status == "completed" and length_ms:
        return duration(length_ms * 1000, visitor.t.lang)
    at = view.task.finished_at or view.now
    return str(visitor.t("path.at", when=moments.short(visitor.place, at)))


def _what(step: Step, index: int, view: TaskView, visitor: Visitor) -> str:
    t = visitor.t
    when = moments.clock_time(visitor.place, step.since)
    if step.status == "completed":
        return str(t("path.of_audio", when=when))
    if step.status in FINAL:
        return str(t("path.decided_by", who=actor(step.by, t)))
    if step.status == "processing":
        made = _made(step, view)
        return str(t("path.on", worker=step.worker or "–", made=made, n=view.segments.total))
    return str(t("path.from", when=when)) if index == 0 else str(t("path.again", when=when))


def _made(step: Step, view: TaskView) -> int:
    return next(
        (one.segments_made for one in view.attempts if one.record.attempt == step.attempt), 0
    )


def _flag(step: Step, view: TaskView, visitor: Visitor) -> str:
    """The deadline of the last attempt, and how much of its time was used."""
    deadline = view.deadline
    if deadline is None or step.attempt != deadline.attempt:
        return ""
    when = moments.clock_time(visitor.place, deadline.deadline_at)
    if deadline.used_ratio >= 1:
        return str(visitor.t("path.deadline_passed", when=when))
    return str(visitor.t("path.deadline", when=when, used=percent(deadline.used_ratio)))


def not_taken(view: TaskView) -> list[str]:
    """Final states that the task did not reach; of a live one, those that it may."""
    order = ("completed", "failed", "timeout", "cancelled")
    return [status for status in order if status != view.task.status]


def listening(view: TaskView, starts_ms: Sequence[int], t: Words) -> Listening | None:
    """The player; None where there is nothing to hear."""
    wave = wave_of(view.audio, count=BARS, height_px=HEIGHT_PX)
    if wave is None or view.audio is None or not view.audio.duration_ms:
        return None
    length_ms = view.audio.duration_ms
    ticks = [drawing.place(at, length_ms) for at in starts_ms if at > 0]
    return Listening(
        duration_ms=length_ms,
        wave=wave,
        ticks=ticks if len(ticks) <= MAX_TICKS else [],
        axis=_wave_axis(length_ms),
        label=str(t("task.wave", length=duration(length_ms * 1000, t.lang), n=view.segments.total)),
    )


def _wave_axis(length_ms: int) -> list[AxisMark]:
    marks_us = drawing.axis(length_ms * 1000, most=6)
    inner = [at for at in marks_us if at > 0 and at % 1_000_000 == 0]
    marks = [AxisMark(x=0, anchor="start", text="0:00", is_wide=False)]
    marks += [
        AxisMark(
            x=drawing.place(at, length_ms * 1000),
            anchor="middle",
            text=position(at // 1000),
            is_wide=index % 2 == 0,
        )
        for index, at in enumerate(inner)
    ]
    return [*marks, AxisMark(x=100, anchor="end", text=position(length_ms), is_wide=False)]


def progress_of(view: TaskView, visitor: Visitor) -> Progress:
    """How far a live task is, in blocks and words."""
    t = visitor.t
    if view.task.status == "pending" and not view.segments.done:
        says = view.reason.of(t.lang).headline
    else:
        says = running_says(view.task, visitor)
    return Progress(
        blocks=progress_blocks(view.task),
        says=says,
        note=str(t("task.close_page")),
    )


def facts(view: TaskView, visitor: Visitor) -> list[tuple[str, str]]:
    """What is known of the task, by name; what is not known is left out."""
    t, task = visitor.t, view.task
    work = task.run_us / 1000 / task.audio_duration_ms if task.audio_duration_ms else None
    known: list[tuple[str, str | None]] = [
        ("engine", task.engine),
        ("voice", voice_name(task.voice, t)),
        ("characters", str(t("characters", n=task.char_count))),
        ("segments", number(view.segments.total) if view.segments.total else None),
        ("reused", number(view.segments.reused) if view.segments.reused else None),
        (
            "audio",
            duration(task.audio_duration_ms * 1000, t.lang) if task.audio_duration_ms else None,
        ),
        ("size", size(task.audio_bytes) if task.audio_bytes else None),
        ("work", f"{work:.2f} {t('unit_s')}" if work is not None else None),
        ("attempts", number(task.attempt) if task.attempt else None),
        (
            "tries",
            str(t("fact.of", done=task.tries_used, total=task.max_attempts))
            if task.tries_used
            else None,
        ),
        ("lost", number(task.lost_count) if task.lost_count else None),
        ("source", str(t(f"source.{task.source}"))),
        ("release", task.release),
    ]
    return [(str(t(f"fact.{name}")), value) for name, value in known if value is not None]


def checks_of(view: TaskView, t: Words) -> Checks | None:
    """What decoding the finished file has shown; None where there is none."""
    audio = view.audio
    found = json.loads(audio.checks) if audio is not None else {}
    if audio is None or not found:
        return None
    rate, length_ms = found.get("sample_rate") or 0, found.get("duration_ms") or 0
    values = {
        "undecodable": f"{audio.format.upper()}, {rate / 1000:g} kHz",
        "truncated": position(int(length_ms)),
        "silent": f"{found.get('rms_dbfs') or 0:.1f} dB".replace("-", "−"),
        "clipped": percent(found.get("clipped_ratio") or 0.0, 2),
    }
    lines = [
        CheckLine(
            name=str(t(f"check.{key}")), value=value, is_ok=found.get("problem") != f"audio_{key}"
        )
        for key, value in values.items()
    ]
    counted = str(t("fact.of", done=view.segments.done, total=view.segments.total))
    is_whole = view.segments.waiting == 0
    return Checks(
        lines=[*lines, CheckLine(name=str(t("check.segments")), value=counted, is_ok=is_whole)]
    )


def actor(name: str, t: Words) -> str:
    """Who did something, in the page's language: "worker w1", "reaper on host"."""
    kind, _, rest = name.partition(" ")
    if t.has(f"actor.{kind}"):
        return str(t(f"actor.{kind}", rest=rest.removeprefix("on ").strip()))
    return name

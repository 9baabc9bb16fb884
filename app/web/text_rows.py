"""Rows of the library and of the audio list: what a text is, where it stands, what can be done."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.records import AudioRecord, TaskRecord, TextRecord
from app.service.library import AudioItem, LibraryItem
from app.web import drawing, moments
from app.web.drawing import Block, Wave
from app.web.format import percent, rough
from app.web.visitor import Visitor

#: Bars of a waveform in a row, and its height in pixels.
ROW_BARS: Final = 72
ROW_HEIGHT_PX: Final = 30
#: Microseconds a task must have run, and segments it must have made, before an estimate is shown.
_SURE_US: Final = 2_000_000
_SURE_SEGMENTS: Final = 2
_WAITS_IN_LINE: Final = frozenset({"queued", "rescued", "handed_back"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRow:
    """A text as the library draws it.

    Attributes:
        says: Where it stands, in a listener's words.
        meta: Quiet facts under the title.
        wave: None where there is nothing to hear.
        blocks: Progress; empty where nothing runs.
    """

    text: TextRecord
    audio: AudioRecord | None
    path: str
    says: str
    meta: Sequence[str]
    wave: Wave | None
    blocks: Sequence[Block]
    can_cancel: bool
    can_retry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRow:
    """An audio as the audio list draws it."""

    audio: AudioRecord
    title: str
    meta: Sequence[str]
    wave: Wave | None


def text_row(item: LibraryItem, visitor: Visitor, *, has_workers: bool) -> TextRow:
    """The row of a text; a place in the line is told only where somebody serves it."""
    state = item.text.state
    task = item.task
    is_running = state == "processing" and task is not None
    return TextRow(
        text=item.text,
        audio=item.audio,
        path=f"/tasks/{task.id}" if task else f"/texts/{item.text.id}",
        says=_says(item, visitor, has_workers=has_workers),
        meta=_meta(item, visitor),
        wave=wave_of(item.audio) if state == "completed" else None,
        blocks=progress_blocks(task) if is_running and task else (),
        can_cancel=state in {"pending", "processing"},
        can_retry=state in {"failed", "timeout", "cancelled"},
    )


def audio_row(item: AudioItem, visitor: Visitor) -> AudioRow:
    """The row of an audio."""
    made = moments.tag(visitor.place, item.audio.created_at, "day")
    rate = item.audio.sample_rate
    khz = [f"{rate / 1000:g} kHz"] if rate else []
    return AudioRow(
        audio=item.audio,
        title=item.title,
        meta=[str(visitor.t("audios.number", id=str(item.audio.id))), made, *khz],
        wave=wave_of(item.audio) if item.audio.is_valid else None,
    )


def wave_of(
    audio: AudioRecord | None, *, count: int = ROW_BARS, height_px: int = ROW_HEIGHT_PX
) -> Wave | None:
    """The waveform of an audio; a flat one where its peaks are not known (an imported file)."""
    if audio is None or not audio.duration_ms:
        return None
    peaks = json.loads(audio.peaks) if audio.peaks else [0.0]
    return drawing.wave(peaks, count=count, height_px=height_px)


def progress_blocks(task: TaskRecord) -> Sequence[Block]:
    """The progress of a task in blocks, one for each of its segments, at most 24."""
    if not task.segment_count:
        return drawing.progress(0, drawing.MAX_BLOCKS, "processing")
    return drawing.progress(task.segments_done, task.segment_count, "processing")


def _says(item: LibraryItem, visitor: Visitor, *, has_workers: bool) -> str:
    """Where a text stands; a text may have lost what its task once made."""
    task, state = item.task, item.text.state
    if task is None or item.reason is None:
        return ""
    if state in {"timeout", "cancelled"}:
        return _stopped(task, visitor, f"library.{state}")
    if state == "processing":
        return running_says(task, visitor)
    if (state, task.status) == ("pending", "pending"):
        return _pending_says(item, visitor, has_workers=has_workers)
    if (state, task.status) == ("failed", "failed"):
        reason = item.reason.of(visitor.t.lang)
        return _sentences(visitor, reason.headline, reason.advice)
    return str(visitor.t("library.no_audio_now"))


def _sentences(visitor: Visitor, *sentences: str) -> str:
    """Sentences in one line, without the marks that set commands apart."""
    joint = str(visitor.t("sentence_joint"))
    return joint.join(sentence.replace("`", "") for sentence in sentences if sentence)


def _pending_says(item: LibraryItem, visitor: Visitor, *, has_workers: bool) -> str:
    t, task = visitor.t, item.task
    if item.reason is None or task is None:
        return ""
    is_due = task.wait_reason in _WAITS_IN_LINE and task.not_before <= visitor.place.now_us
    is_in_line = is_due and has_workers
    if item.queue_position is None or not is_in_line:
        reason = item.reason.of(t.lang)
        return _sentences(visitor, reason.headline, reason.detail)
    place = ordinal(item.queue_position) if t.lang == "en" else str(item.queue_position)
    return str(t("library.in_line", place=place))


def running_says(task: TaskRecord, visitor: Visitor) -> str:
    """Where a running task is, and about when it is ready where that can be told."""
    t = visitor.t
    if task.phase in {"encode", "store"}:
        return str(t(f"phase.{task.phase}"))
    if not task.segment_count:
        return str(t("phase.start"))
    counted = t("segments_of", done=task.segments_done, n=task.segment_count)
    left_us = remaining_us(task, visitor.place.now_us)
    if left_us is None:
        return str(counted)
    return str(t("library.ready_in", counted=counted, left=rough(left_us, t.lang)))


def remaining_us(task: TaskRecord, now_us: int) -> int | None:
    """About how long a running task still takes, from its own speed; None where nobody can tell.

    Kept segments of an earlier attempt make the guess too short; it is told as "about".
    """
    ran_us = now_us - (task.claimed_at or now_us)
    if ran_us < _SURE_US or task.segments_done < _SURE_SEGMENTS or not task.segment_count:
        return None
    return ran_us * (task.segment_count - task.segments_done) // task.segments_done


def _stopped(task: TaskRecord, visitor: Visitor, key: str) -> str:
    """What is kept of a task that was stopped."""
    if not task.segment_count or not task.segments_done:
        return str(visitor.t(f"{key}_nothing"))
    kept = percent(task.segments_done / task.segment_count)
    return str(visitor.t(key, kept=kept))


def _meta(item: LibraryItem, visitor: Visitor) -> Sequence[str]:
    t = visitor.t
    when_us = item.text.created_at
    key = "library.added"
    if item.task is not None and item.text.state == "processing" and item.task.claimed_at:
        when_us, key = item.task.claimed_at, "library.started"
    parts = [
        t("characters", n=item.text.char_count),
        t(key, when=moments.tag(visitor.place, when_us, "day")),
    ]
    if item.task is not None and item.task.text_id != item.text.id:
        parts.append(t("library.same_text"))
    return parts


def ordinal(number: int) -> str:
    """An English place in a line: 1st, 2nd, 3rd, 11th."""
    if number % 100 in {11, 12, 13}:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"

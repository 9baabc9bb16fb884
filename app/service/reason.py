"""Reasons: why a task stands where it stands, in sentences, English and Chinese.

Made from the row alone, so every web process and the command line say the same.
"""

from dataclasses import dataclass
from typing import Final

from app.domain.records import TaskRecord
from app.service.figures import Language, count, duration
from app.service.reason_words import EN, ERRORS_EN, ERRORS_ZH, ZH, Sentences

_WORDS: Final[dict[Language, dict[str, Sentences]]] = {"en": EN, "zh": ZH}
_ERRORS: Final[dict[Language, dict[str, str]]] = {"en": ERRORS_EN, "zh": ERRORS_ZH}
#: Kinds of error that one sentence tells for all.
_AUDIO: Final = "audio_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A reason in one language; `advice` is empty where there is nothing to do."""

    headline: str
    detail: str
    advice: str
    language: Language

    @property
    def text(self) -> str:
        """All sentences in one line."""
        joint = "" if self.language == "zh" else " "
        return joint.join(part for part in (self.headline, self.detail, self.advice) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a task stands where it stands."""

    en: Explanation
    zh: Explanation

    def of(self, language: Language) -> Explanation:
        """The reason in a language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a reason needs beyond the row.

    Attributes:
        now: The database's time.
        position: Place in the queue, from 1; None where it does not wait.
        has_workers: Whether any worker lives.
        is_worker_lost: Whether the worker that runs it gives no sign of life.
    """

    now: int
    position: int | None = None
    has_workers: bool = True
    is_worker_lost: bool = False


def explain(task: TaskRecord, around: Surroundings) -> Reason:
    """The reason of a task as it is now."""
    return _reason(_key(task, around), task, around)


def _reason(key: str, task: TaskRecord, around: Surroundings) -> Reason:
    return Reason(
        en=_explanation("en", key, task, around), zh=_explanation("zh", key, task, around)
    )


def explain_text(state: str, task: TaskRecord, around: Surroundings) -> Reason:
    """The reason of a text, whose own request or audio may have fared otherwise than its task."""
    key = _key(task, around)
    if state == "cancelled" and task.status != "cancelled":
        key = "text.cancelled"
    elif state == "failed" and task.status == "completed":
        key = "text.audio_gone"
    return _reason(key, task, around)


def error_words(error_type: str | None, language: Language) -> str:
    """What an `error_type` is called inside a sentence."""
    if error_type is None:
        return "出错" if language == "zh" else "an error"
    return _ERRORS[language].get(error_type, error_type)


def _key(task: TaskRecord, around: Surroundings) -> str:
    match task.status:
        case "pending":
            return _pending_key(task, around)
        case "processing":
            return _processing_key(task, around)
        case "completed":
            return _completed_key(task)
        case "failed":
            return _failed_key(task)
        case final:
            return final


def _pending_key(task: TaskRecord, around: Surroundings) -> str:
    is_held_back = task.not_before > around.now
    if not around.has_workers and not is_held_back:
        return "pending.no_worker"
    if task.wait_reason in {"rescued", "handed_back"}:
        return f"pending.{task.wait_reason}"
    if task.wait_reason in {"backoff", "capacity"} and is_held_back:
        return f"pending.{task.wait_reason}"
    return "pending.queued"


def _processing_key(task: TaskRecord, around: Surroundings) -> str:
    if around.is_worker_lost:
        return "processing.lost"
    if task.timed_out_at is not None:
        return "processing.late"
    key = f"processing.{task.phase or 'start'}"
    return key if key in EN else "processing.start"


def _completed_key(task: TaskRecord) -> str:
    if task.timed_out_at is not None:
        return "completed.timed_out"
    if task.rescued_at is not None:
        return "completed.rescued"
    return "completed.retried" if task.tries_used else "completed"


def _failed_key(task: TaskRecord) -> str:
    error_type = task.error_type or ""
    if error_type.startswith(_AUDIO):
        return "failed.audio"
    key = f"failed.{error_type}"
    return key if key in EN else "failed"


def _explanation(
    language: Language, key: str, task: TaskRecord, around: Surroundings
) -> Explanation:
    fields = _fields(language, task, around)
    headline, detail, advice = (sentence.format_map(fields) for sentence in _WORDS[language][key])
    if task.segment_count is None and "{total}" in _WORDS[language][key][1]:
        detail = _without_segments(_WORDS[language][key][1], language).format_map(fields)
    return Explanation(headline=headline, detail=detail, advice=advice, language=language)


def _without_segments(template: str, language: Language) -> str:
    """A detail without its sentence about segments: the text was not split yet."""
    mark = "。" if language == "zh" else ". "
    sentences = [part.strip() for part in template.split(mark)]
    kept = [part.rstrip(".") for part in sentences if part and "{total}" not in part]
    end = "。" if language == "zh" else "."
    joint = "" if language == "zh" else " "
    return joint.join(f"{part}{end}" for part in kept)


def _fields(language: Language, task: TaskRecord, around: Surroundings) -> dict[str, str]:
    now = around.now
    ended = task.finished_at if task.finished_at is not None else now
    running = task.status == "processing" and task.claimed_at is not None
    ran_us = (now - (task.claimed_at or now)) if running else task.run_us
    took_us = ended - task.submitted_at
    waited_us = (now - task.queued_at) if task.status == "pending" else took_us - task.run_us
    attempt_ran_us = ended - task.claimed_at if task.claimed_at is not None else 0
    lost = task.lost_count
    times = {"en": f"{count(lost)} time{'' if lost == 1 else 's'}", "zh": f"{count(lost)} 次"}
    rescues = {"en": f"{count(lost)} rescue{'' if lost == 1 else 's'}", "zh": f"{count(lost)} 次"}
    return {
        "position": count(around.position),
        "waited": duration(waited_us, language),
        "ran": duration(ran_us, language),
        "attempt_ran": duration(attempt_ran_us, language),
        "took": duration(took_us, language),
        "limit": duration(task.timeout_us, language),
        "delay": duration(task.not_before - now, language),
        "tries_used": count(task.tries_used),
        "tries": count(max(1, task.tries_used + (task.status == "completed"))),
        "max_attempts": count(task.max_attempts),
        "engine": task.engine,
        "worker": task.worker_name or "–",
        "done": count(task.segments_done),
        "total": count(task.segment_count),
        "lost": (times if task.status == "failed" else rescues)[language],
        "error": error_words(task.error_type, language),
    }

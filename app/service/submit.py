"""Submit: a text becomes new work, follows work that runs, or is answered by audio that exists."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from app.domain import text as text_rules
from app.domain.errors import ConflictError
from app.domain.records import AudioRecord, SubmissionRecord, TaskRecord, TextRecord
from app.service import choice, idempotency
from app.service.task_logs import submit_log
from app.store import audios, events, submissions, tasks, texts
from telemetry import tracing

if TYPE_CHECKING:
    from app.service.core import Core
    from app.store.database import Connection
    from telemetry.tracing import SpanContext

#: A canary takes the next slot that is free: behind a long queue it would prove nothing for hours.
CANARY_PRIORITY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRequest:
    """What a caller asks for; None takes the default.

    Attributes:
        source: `page`, `api`, `legacy`, `cli` or `canary`.
        timeout_s: Limit of one attempt, in seconds.
        idempotency_key: The same key with the same request answers as the first time, for
            VOXTRACE_IDEMPOTENCY_H.
    """

    content: str
    source: str
    title: str | None = None
    filename: str | None = None
    encoding: str | None = None
    engine: str | None = None
    voice: str | None = None
    format: str | None = None
    params: Mapping[str, float] = field(default_factory=dict)
    timeout_s: float | None = None
    max_attempts: int | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What became of a request: `disposition` is `new`, `followed` or `skipped`."""

    text: TextRecord
    task: TaskRecord
    audio: AudioRecord | None
    disposition: str


class _KeyTakenError(Exception):
    """Another request committed this idempotency key first."""


def submit(
    core: "Core",
    request: SubmitRequest,
    context: "SpanContext | None" = None,
    *,
    continues: bool = True,
) -> Submitted:
    """Accepts a request in one transaction, and rings the workers' bell for new work.

    Args:
        core: Who accepts it.
        request: What is asked for.
        context: The span of the request; the task's span becomes its child.
        continues: False for one of several texts of a request: each task has a trace of its own,
            linked to the request's span.

    Raises:
        RequestError: Something in the request is wrong (400), too large (413), or its idempotency
            key was used for another request (409).
    """
    plan = _plan(core, request)
    if context is not None and not continues:
        plan, context = replace(plan, link=context), None
    for _ in range(3):
        try:
            result = core.database.run(lambda conn: _accept(core, conn, plan, context))
        except _KeyTakenError:
            continue
        if result.disposition == "new":
            core.ring()
        return result
    message = "the idempotency key is being used by another request at this moment; try again"
    raise ConflictError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    request: SubmitRequest
    title: str
    recipe: text_rules.Recipe
    language: str | None
    content_key: str
    content_hash: str
    request_hash: str
    timeout_us: int
    max_attempts: int
    link: "SpanContext | None" = None


def _plan(core: "Core", request: SubmitRequest) -> _Plan:
    """Checks a request and fills its defaults; touches no database."""
    settings = core.settings
    idempotency.check_key(request.idempotency_key)
    text_rules.check_content(request.content, max_chars=settings.max_text_chars)
    title = text_rules.clean_title(
        request.title, content=request.content, filename=request.filename
    )
    recipe, language = choice.recipe_of(
        core,
        engine=request.engine,
        voice=request.voice,
        fmt=request.format,
        params=request.params,
    )
    timeout_s = choice.timeout_of(request.timeout_s, settings.task_timeout_s)
    return _Plan(
        request=request,
        title=title,
        recipe=recipe,
        language=language,
        content_key=text_rules.content_key(request.content, recipe),
        content_hash=text_rules.content_hash(request.content),
        request_hash=_request_hash(request),
        timeout_us=round(timeout_s * 1_000_000),
        max_attempts=choice.attempts_of(request.max_attempts, settings.max_attempts),
    )


def _request_hash(request: SubmitRequest) -> str:
    fields = {
        name: getattr(request, name)
        for name in ("content", "title", "engine", "voice", "format", "timeout_s", "max_attempts")
    } | {"params": dict(sorted(request.params.items()))}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def _accept(
    core: "Core", conn: "Connection", plan: _Plan, context: "SpanContext | None"
) -> Submitted:
    key = plan.request.idempotency_key
    now = core.database.now_us(conn)
    if key is not None:
        earlier = idempotency.first_use(core, conn, key, now)
        if earlier is not None:
            return _again(conn, plan, earlier)
    text_id = texts.insert_text(conn, _text_values(plan, now))
    task, disposition = place_task(core, conn, text_id, _task_values(core, plan, now, context), now)
    of_request = context or plan.link
    taken = submissions.insert_submission(
        conn,
        {
            "text_id": text_id,
            "task_id": task.id,
            "disposition": disposition,
            "source": plan.request.source,
            "idempotency_key": key,
            "request_hash": plan.request_hash if key else None,
            "trace_id": of_request.trace_id_hex if of_request else None,
            "span_id": of_request.span_id_hex if of_request else None,
            "created_at": now,
            **counted_by(task, disposition, char_count=len(plan.request.content)),
        },
    )
    if taken is None:
        raise _KeyTakenError
    return _submitted(conn, text_id, task.id, disposition)


def counted_by(task: TaskRecord, disposition: str, *, char_count: int) -> dict[str, Any]:
    """Columns of a submission that the statistics of requests are made of.

    Args:
        task: What answers it.
        disposition: What became of it.
        char_count: Of its text.
    """
    audio_ms = task.audio_duration_ms if disposition == "skipped" else None
    return {"engine": task.engine, "char_count": char_count, "audio_ms": audio_ms or 0}


def place_task(
    core: "Core", conn: "Connection", text_id: int, values: Mapping[str, Any], now: int
) -> tuple[TaskRecord, str]:
    """Finds or makes the task that answers for a text, and lets it answer.

    Returns:
        The task and the disposition. Decided by the content key in SQL, so it holds across
        processes: finished valid audio, else a live task, else a new one.
    """
    key = values["content_key"]
    while True:
        done = _usable(core, conn, key)
        if done is not None:
            texts.answer_with(conn, text_id, task_id=done.id, audio_id=done.audio_id)
            submit_log.skipped(core, conn, done, text_id)
            return done, "skipped"
        task = tasks.insert_unless_live(conn, {**values, "text_id": text_id})
        if task is not None:
            texts.answer_with(conn, text_id, task_id=task.id)
            _event(conn, core, task, now, "submitted", to_status="pending")
            submit_log.submitted(core, conn, task, now)
            return task, "new"
        running = tasks.live_of_key(conn, key)
        if running is not None:
            texts.answer_with(conn, text_id, task_id=running.id)
            _event(conn, core, running, now, "followed", detail=f"text {text_id} follows")
            submit_log.followed(core, conn, running, text_id, now)
            return running, "followed"


def _usable(core: "Core", conn: "Connection", content_key: str) -> TaskRecord | None:
    """The finished task of a key whose file is really there; a lost file is noted."""
    while True:
        done = tasks.finished_of_key(conn, content_key)
        if done is None or done.audio_id is None:
            return None
        audio = audios.get(conn, done.audio_id)
        if audio is not None and core.storage.exists(audio.storage_key):
            core.storage.touch(audio.storage_key)
            return done
        audios.mark_invalid(conn, done.audio_id)
        texts.take_audio(conn, done.audio_id)


def _text_values(plan: _Plan, now: int) -> dict[str, Any]:
    return {
        "title": plan.title,
        "content": plan.request.content,
        "char_count": len(plan.request.content),
        "content_hash": plan.content_hash,
        "filename": plan.request.filename,
        "encoding": plan.request.encoding,
        "source": plan.request.source,
        "created_at": now,
    }


def _task_values(
    core: "Core", plan: _Plan, now: int, context: "SpanContext | None"
) -> dict[str, Any]:
    """The columns of a new task."""
    links = [[plan.link.trace_id_hex, plan.link.span_id_hex]] if plan.link else []
    return fresh_columns(core, now, context) | {
        "content_key": plan.content_key,
        "engine": plan.recipe.engine,
        "engine_version": plan.recipe.engine_version,
        "voice": plan.recipe.voice,
        "language": plan.language,
        "format": plan.recipe.format,
        "params": json.dumps(dict(sorted(plan.recipe.params.items()))),
        "source": plan.request.source,
        "priority": CANARY_PRIORITY if plan.request.source == "canary" else 0,
        "char_count": len(plan.request.content),
        "timeout_us": plan.timeout_us,
        "max_attempts": plan.max_attempts,
        "links": json.dumps(links),
    }


def fresh_columns(core: "Core", now: int, context: "SpanContext | None") -> dict[str, Any]:
    """What every new task begins with; its trace is chosen here and never changes."""
    trace_id = context.trace_id_hex if context else f"{tracing.new_trace_id():032x}"
    return {
        "status": "pending",
        "give_up_at": now + round(core.settings.give_up_h * 3_600_000_000),
        "submitted_at": now,
        "queued_at": now,
        "not_before": now,
        "trace_id": trace_id,
        "span_id": f"{tracing.new_span_id():016x}",
        "parent_span_id": context.span_id_hex if context else None,
        "trace_state": (context.trace_state or None) if context else None,
    }


def _again(conn: "Connection", plan: _Plan, earlier: SubmissionRecord) -> Submitted:
    if earlier.request_hash != plan.request_hash:
        message = (
            f"Idempotency-Key was used for another request (text {earlier.text_id}); "
            "use a new key for a new request"
        )
        raise ConflictError(message)
    return _submitted(conn, earlier.text_id, earlier.task_id, earlier.disposition)


def _submitted(conn: "Connection", text_id: int, task_id: int, disposition: str) -> Submitted:
    text = texts.get(conn, text_id)
    task = tasks.get(conn, task_id)
    if text is None or task is None:
        message = f"the text of this Idempotency-Key (text {text_id}) was deleted; use a new key"
        raise ConflictError(message)
    audio = audios.get(conn, text.audio_id) if text.audio_id is not None else None
    return Submitted(text=text, task=task, audio=audio, disposition=disposition)


def _event(
    conn: "Connection",
    core: "Core",
    task: TaskRecord,
    now: int,
    kind: str,
    *,
    to_status: str | None = None,
    detail: str | None = None,
) -> None:
    values = {"task_id": task.id, "at": now, "kind": kind, "by": core.actor}
    events.add(conn, {**values, "to_status": to_status, "detail": detail})

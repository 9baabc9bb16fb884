"""Every span, event, attribute and resource key: its name, type and meaning, in one place.

Names of the OpenTelemetry semantic conventions come first; `voxtrace.*` is what they have no word
for. `docs/telemetry.md` holds the same tables, and a test compares them. The `gen_ai.*` names are
experimental and written out here, because the constants of the Python package are deprecated.
"""

# ruff: noqa: E501 - the tables at the end read as tables: one fact, one line

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal


class SpanKind(IntEnum):
    """What a span is to the one that caused it; the values are OTLP's."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


# Spans -------------------------------------------------------------------------------------------

SPAN_TASK: Final = "tts task"
SPAN_QUEUE_WAIT: Final = "queue wait"
SPAN_ATTEMPT: Final = "process tts"
SPAN_ATTEMPT_STARTED: Final = "attempt started"
SPAN_DEADLINE_EXCEEDED: Final = "deadline exceeded"
SPAN_SPLIT: Final = "split text"
SPAN_SEGMENT: Final = "segment"
SPAN_ENCODE: Final = "encode"
SPAN_STORE: Final = "store audio"
SPAN_SUBMIT: Final = "voxtrace submit"
SPAN_WATCH: Final = "correlate watch"
SPAN_CORRELATE: Final = "correlate"
#: First word of the span of an engine call; the engine's name follows.
ENGINE_OPERATION: Final = "text_to_speech"


def engine_span(engine: str) -> str:
    """Name of the span of one call of a speech engine."""
    return f"{ENGINE_OPERATION} {engine}"


# Events ------------------------------------------------------------------------------------------

EVENT_DEADLINE_EXCEEDED: Final = "deadline exceeded"
EVENT_EXCEPTION: Final = "exception"
EVENT_HOST_STARTED: Final = "engine host started"
EVENT_HOST_ENDED: Final = "engine host ended"
EVENT_WORDS_MISSING: Final = "words missing"
EVENT_SEGMENT_REFUSED: Final = "segment refused"

# Attributes of the semantic conventions ----------------------------------------------------------

ERROR_TYPE: Final = "error.type"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
MESSAGING_SYSTEM: Final = "messaging.system"
MESSAGING_DESTINATION: Final = "messaging.destination.name"
MESSAGING_OPERATION_NAME: Final = "messaging.operation.name"
MESSAGING_OPERATION_TYPE: Final = "messaging.operation.type"
MESSAGING_MESSAGE_ID: Final = "messaging.message.id"
MESSAGING_CLIENT_ID: Final = "messaging.client.id"
GEN_AI_OPERATION: Final = "gen_ai.operation.name"
GEN_AI_PROVIDER: Final = "gen_ai.provider.name"
GEN_AI_MODEL: Final = "gen_ai.request.model"
GEN_AI_OUTPUT_TYPE: Final = "gen_ai.output.type"
GEN_AI_VOICE: Final = "gen_ai.speech.voice"
GEN_AI_RESPONSE_ID: Final = "gen_ai.response.id"
URL_QUERY: Final = "url.query"
HTTP_ROUTE: Final = "http.route"
HTTP_METHOD: Final = "http.request.method"

# Attributes of our own ---------------------------------------------------------------------------

TASK_ID: Final = "voxtrace.task.id"
TEXT_ID: Final = "voxtrace.text.id"
TASK_STATUS: Final = "voxtrace.task.status"
TASK_ATTEMPTS: Final = "voxtrace.task.attempts"
TASK_TRIES_USED: Final = "voxtrace.task.tries_used"
TASK_LOST_COUNT: Final = "voxtrace.task.lost_count"
TASK_TIMED_OUT: Final = "voxtrace.task.timed_out"
TASK_RESCUED: Final = "voxtrace.task.rescued"
TASK_COUNT: Final = "voxtrace.task.count"
ENGINE: Final = "voxtrace.engine"
ENGINE_CODE: Final = "voxtrace.engine.code"
VOICE: Final = "voxtrace.voice"
LANGUAGE: Final = "voxtrace.language"
RELEASE: Final = "voxtrace.release"
SOURCE: Final = "voxtrace.source"
WORKER_NAME: Final = "voxtrace.worker.name"
TEXT_CHARACTERS: Final = "voxtrace.text.characters"
TEXT_SEGMENTS: Final = "voxtrace.text.segments"
AUDIO_DURATION_MS: Final = "voxtrace.audio.duration_ms"
AUDIO_BYTES: Final = "voxtrace.audio.bytes"
AUDIO_FORMAT: Final = "voxtrace.audio.format"
RTF: Final = "voxtrace.rtf"
FINGERPRINT: Final = "voxtrace.fingerprint"
WAIT_REASON: Final = "voxtrace.wait.reason"
ATTEMPT: Final = "voxtrace.attempt"
ATTEMPT_OUTCOME: Final = "voxtrace.attempt.outcome"
DEADLINE_US: Final = "voxtrace.deadline_us"
DEADLINE_EXCEEDED: Final = "voxtrace.deadline.exceeded"
SEGMENT_INDEX: Final = "voxtrace.segment.index"
SEGMENT_CHARACTERS: Final = "voxtrace.segment.characters"
SEGMENT_REUSED: Final = "voxtrace.segment.reused"
SPAN_RECOVERED: Final = "voxtrace.span.recovered"
RECOVERED_BY: Final = "voxtrace.recovered.by"
RECOVERED_REASON: Final = "voxtrace.recovered.reason"
LAST_HEARTBEAT_US: Final = "voxtrace.last_heartbeat_us"
EXIT_SIGNAL: Final = "voxtrace.exit.signal"
EXIT_CODE: Final = "voxtrace.exit.code"
CORRELATE_ATTEMPTS: Final = "voxtrace.correlate.attempts"
CORRELATE_SELECTED: Final = "voxtrace.correlate.selected"
CORRELATE_BASELINE: Final = "voxtrace.correlate.baseline_attempts"
CORRELATE_TESTS: Final = "voxtrace.correlate.tests"
CORRELATE_FINDINGS: Final = "voxtrace.correlate.findings"
CORRELATE_CELLS: Final = "voxtrace.correlate.cells"
CORRELATE_GRAIN: Final = "voxtrace.correlate.grain"
FINDINGS_OPENED: Final = "voxtrace.findings.opened"
FINDINGS_CLOSED: Final = "voxtrace.findings.closed"

# Resource ----------------------------------------------------------------------------------------

SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
HOST_NAME: Final = "host.name"

#: Service of the spans that are made from rows; names no process, so that any writer agrees.
SERVICE_ROWS: Final = "voxtrace"
SERVICE_WEB: Final = "voxtrace-web"
SERVICE_WORKER: Final = "voxtrace-worker"
SERVICE_CLI: Final = "voxtrace-cli"
SERVICE_DUTIES: Final = "voxtrace-duties"
#: Instrumentation scope of all spans but those of the Flask instrumentation.
SCOPE: Final = "voxtrace"

#: What every attempt span says of the queue it came from; the conventions ask for it.
MESSAGING_ATTRIBUTES: Final[tuple[tuple[str, str], ...]] = (
    (MESSAGING_SYSTEM, "voxtrace"),
    (MESSAGING_DESTINATION, "tts"),
    (MESSAGING_OPERATION_NAME, "process"),
    (MESSAGING_OPERATION_TYPE, "process"),
)


def engine_call_attributes(*, provider: str, model: str, voice: str) -> dict[str, str]:
    """What the span of an engine call says, in the words of the GenAI conventions."""
    return {
        GEN_AI_OPERATION: ENGINE_OPERATION,
        GEN_AI_PROVIDER: provider,
        GEN_AI_MODEL: model,
        GEN_AI_OUTPUT_TYPE: "speech",
        GEN_AI_VOICE: voice,
    }


# Tables ------------------------------------------------------------------------------------------

AttributeType = Literal["string", "int", "double", "bool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A kind of span: who makes it, from what, under which parent."""

    name: str
    kind: SpanKind
    parent: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at one moment of a span."""

    name: str
    where: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A fact on a span, an event or a resource; `where` names the ones that carry it."""

    key: str
    type: AttributeType
    meaning: str
    where: str


def _span(name: str, kind: SpanKind, parent: str, meaning: str) -> Span:
    return Span(name=name, kind=kind, parent=parent, meaning=meaning)


def _string(key: str, where: str, meaning: str) -> Attribute:
    return Attribute(key=key, type="string", meaning=meaning, where=where)


def _int(key: str, where: str, meaning: str) -> Attribute:
    return Attribute(key=key, type="int", meaning=meaning, where=where)


def _bool(key: str, where: str, meaning: str) -> Attribute:
    return Attribute(key=key, type="bool", meaning=meaning, where=where)


SPANS: Final[tuple[Span, ...]] = (
    _span("{method} {route}", SpanKind.SERVER, "the caller's span, if any", "A request, by the Flask instrumentation."),
    _span(SPAN_SUBMIT, SpanKind.INTERNAL, "none", "A submission from the command line."),
    _span(SPAN_TASK, SpanKind.INTERNAL, "the request or the command", "A task from its submission to its final status, made from its row."),
    _span(SPAN_QUEUE_WAIT, SpanKind.INTERNAL, SPAN_TASK, "The time before an attempt's claim, made from its row."),
    _span(SPAN_ATTEMPT, SpanKind.CONSUMER, SPAN_TASK, "One execution of the task; made from its row where its process died."),
    _span(SPAN_ATTEMPT_STARTED, SpanKind.INTERNAL, SPAN_ATTEMPT, "Marker of no length that leaves at the claim, so that a running task can be seen."),
    _span(SPAN_DEADLINE_EXCEEDED, SpanKind.INTERNAL, SPAN_ATTEMPT, "Marker of no length that leaves at the deadline, while the task still runs."),
    _span(SPAN_SPLIT, SpanKind.INTERNAL, SPAN_ATTEMPT, "Splitting the text into segments."),
    _span(SPAN_SEGMENT, SpanKind.INTERNAL, SPAN_ATTEMPT, "One segment, from its text to its checkpoint."),
    _span(engine_span("{engine}"), SpanKind.CLIENT, SPAN_SEGMENT, "One call of a speech engine, which is another program or another host."),
    _span(SPAN_ENCODE, SpanKind.INTERNAL, SPAN_ATTEMPT, "Joining the segments and encoding the audio."),
    _span(SPAN_STORE, SpanKind.INTERNAL, SPAN_ATTEMPT, "Putting the audio file into storage."),
    _span(SPAN_CORRELATE, SpanKind.INTERNAL, "the request, or none", "An answer to what attempts have in common; linked to the attempts that it shows."),
    _span(SPAN_WATCH, SpanKind.INTERNAL, "none", "A scan of the watch; linked to the attempts that it shows."),
)  # fmt: skip

EVENTS: Final[tuple[Event, ...]] = (
    Event(name=EVENT_DEADLINE_EXCEEDED, where=SPAN_ATTEMPT, meaning="The deadline passed while the span was open; its time is the deadline."),
    Event(name=EVENT_EXCEPTION, where="any span", meaning="An exception left the span; type and frames, its message only where it is known to hold no text."),
    Event(name=EVENT_HOST_STARTED, where=SPAN_ATTEMPT, meaning="A speech engine's program was started (reason, pid)."),
    Event(name=EVENT_HOST_ENDED, where=SPAN_ATTEMPT, meaning="A speech engine's program died (error_type, exit_signal)."),
    Event(name=EVENT_WORDS_MISSING, where=SPAN_ATTEMPT, meaning="An engine spoke a segment without some of its words (count)."),
    Event(name=EVENT_SEGMENT_REFUSED, where=SPAN_ATTEMPT, meaning="A segment's sound failed a check and is made again (reason, segment)."),
)  # fmt: skip

_DETAILS = f"{SPAN_TASK}, {SPAN_ATTEMPT}"
_MARKED = f"{SPAN_ATTEMPT}, {SPAN_ATTEMPT_STARTED}, {SPAN_DEADLINE_EXCEEDED}"
_CALL = engine_span("{engine}")
_SCANS = f"{SPAN_CORRELATE}, {SPAN_WATCH}"

ATTRIBUTES: Final[tuple[Attribute, ...]] = (
    _string(ERROR_TYPE, "any span that failed", "Why it failed, of few values; absent on success."),
    _string(EXCEPTION_TYPE, EVENT_EXCEPTION, "Class of the exception."),
    _string(EXCEPTION_MESSAGE, EVENT_EXCEPTION, "Message of an exception of our own; never of a foreign one."),
    _string(EXCEPTION_STACKTRACE, EVENT_EXCEPTION, "Files, lines and functions, innermost last; no values."),
    _string(MESSAGING_SYSTEM, SPAN_ATTEMPT, "`voxtrace`: the queue is the task table."),
    _string(MESSAGING_DESTINATION, SPAN_ATTEMPT, "`tts`."),
    _string(MESSAGING_OPERATION_NAME, SPAN_ATTEMPT, "`process`."),
    _string(MESSAGING_OPERATION_TYPE, SPAN_ATTEMPT, "`process`."),
    _string(MESSAGING_MESSAGE_ID, SPAN_ATTEMPT, "Id of the task."),
    _string(MESSAGING_CLIENT_ID, SPAN_ATTEMPT, "Name of the worker."),
    _string(GEN_AI_OPERATION, _CALL, "`text_to_speech`."),
    _string(GEN_AI_PROVIDER, _CALL, "Who offers the engine."),
    _string(GEN_AI_MODEL, _CALL, "Engine or model asked for."),
    _string(GEN_AI_OUTPUT_TYPE, _CALL, "`speech`."),
    _string(GEN_AI_VOICE, _CALL, "Voice asked for."),
    _string(GEN_AI_RESPONSE_ID, _CALL, "The provider's id of the call, where it has one."),
    _string(HTTP_ROUTE, "{method} {route}", "Pattern of the route."),
    _string(HTTP_METHOD, "{method} {route}", "Method of the request."),
    _string(TASK_ID, f"{_MARKED}, {SPAN_TASK}, {SPAN_QUEUE_WAIT}, {{method}} {{route}}", "Id of the task (of the first, where a request made several)."),
    _int(TASK_COUNT, "{method} {route}", "Tasks that the request made or followed."),
    _string(TEXT_ID, _DETAILS, "Id of the text."),
    _string(TASK_STATUS, SPAN_TASK, "Final status."),
    _int(TASK_ATTEMPTS, SPAN_TASK, "Executions."),
    _int(TASK_TRIES_USED, SPAN_TASK, "Retryable errors."),
    _int(TASK_LOST_COUNT, SPAN_TASK, "Lost workers and killed children."),
    _bool(TASK_TIMED_OUT, SPAN_TASK, "Whether a deadline passed, whatever the status."),
    _bool(TASK_RESCUED, SPAN_TASK, "Whether it was taken from a lost worker."),
    _string(ENGINE, _DETAILS, "Speech engine."),
    _string(ENGINE_CODE, f"{SPAN_ATTEMPT}, {_CALL}", "The engine's own error code, on failures."),
    _string(VOICE, _DETAILS, "Voice."),
    _string(LANGUAGE, f"{SPAN_TASK}, {SPAN_SEGMENT}, {_CALL}", "Language (BCP 47), where it is known."),
    _string(RELEASE, _DETAILS, "Release of voxtrace that ran it."),
    _string(SOURCE, _DETAILS, "Where the submission came from: page, api, legacy, cli, canary."),
    _string(WORKER_NAME, f"{SPAN_TASK}, {_MARKED}", "Worker of the (last) attempt."),
    _int(TEXT_CHARACTERS, _DETAILS, "Characters of the text."),
    _int(TEXT_SEGMENTS, f"{SPAN_TASK}, {SPAN_SPLIT}", "Segments of the text."),
    _int(AUDIO_DURATION_MS, f"{SPAN_TASK}, {SPAN_SEGMENT}, {SPAN_ENCODE}", "Length of the audio in ms."),
    _int(AUDIO_BYTES, f"{SPAN_TASK}, {SPAN_ENCODE}, {SPAN_STORE}", "Size of the audio file."),
    _string(AUDIO_FORMAT, SPAN_ENCODE, "mp3, opus, flac or wav."),
    Attribute(key=RTF, type="double", where=SPAN_TASK, meaning="Seconds of work for a second of audio."),
    _string(FINGERPRINT, _DETAILS, "Group of failures that it belongs to, on failures."),
    _string(WAIT_REASON, SPAN_QUEUE_WAIT, "Why it waited: queue, retry, capacity, rescued, handed back."),
    _int(ATTEMPT, f"{_MARKED}, {SPAN_QUEUE_WAIT}", "Number of the attempt, from 1."),
    _string(ATTEMPT_OUTCOME, SPAN_ATTEMPT, "How the attempt ended."),
    _int(DEADLINE_US, f"{SPAN_ATTEMPT}, {SPAN_DEADLINE_EXCEEDED}", "Deadline, in microseconds since the epoch."),
    _bool(DEADLINE_EXCEEDED, f"{SPAN_ATTEMPT}, {SPAN_DEADLINE_EXCEEDED}", "True once the deadline passed while the span was open."),
    _int(SEGMENT_INDEX, f"{SPAN_SEGMENT}, {_CALL}", "Number of the segment, from 0."),
    _int(SEGMENT_CHARACTERS, SPAN_SEGMENT, "Characters of the segment."),
    _bool(SEGMENT_REUSED, SPAN_SEGMENT, "Whether an earlier attempt had made its sound."),
    _bool(SPAN_RECOVERED, SPAN_ATTEMPT, "True where the span was rebuilt from its row."),
    _string(RECOVERED_BY, SPAN_ATTEMPT, "Who rebuilt it."),
    _string(RECOVERED_REASON, SPAN_ATTEMPT, "Why it had to be rebuilt."),
    _int(LAST_HEARTBEAT_US, SPAN_ATTEMPT, "Last sign of life, in microseconds since the epoch."),
    _int(EXIT_SIGNAL, SPAN_ATTEMPT, "Signal that ended the process, where known."),
    _int(EXIT_CODE, SPAN_ATTEMPT, "Exit code of the process, where known."),
    _int(CORRELATE_ATTEMPTS, _SCANS, "Attempts of the window."),
    _int(CORRELATE_SELECTED, _SCANS, "Those of them that are compared with the rest: the failures."),
    _int(CORRELATE_BASELINE, _SCANS, "Attempts of the time before it."),
    _int(CORRELATE_TESTS, _SCANS, "Predicates that were tried."),
    _int(CORRELATE_FINDINGS, _SCANS, "Findings that it saw."),
    _int(CORRELATE_CELLS, SPAN_CORRELATE, "Cells that were scanned: attempts with the same values."),
    _string(CORRELATE_GRAIN, SPAN_CORRELATE, "What was read: hours or days of the cube, or rows."),
    _int(FINDINGS_OPENED, SPAN_WATCH, "Findings that it opened."),
    _int(FINDINGS_CLOSED, SPAN_WATCH, "Findings that it closed."),
)  # fmt: skip

RESOURCE: Final[tuple[Attribute, ...]] = (
    _string(SERVICE_NAME, "all", "`voxtrace-web`, `voxtrace-worker`, `voxtrace-cli`, `voxtrace-duties` (log lines, scans); `voxtrace` for spans made from rows."),
    _string(SERVICE_VERSION, "all", "Release of voxtrace."),
    _string(SERVICE_INSTANCE_ID, "web, worker, command line", "One process (a new one after each fork)."),
    _string(HOST_NAME, "web, worker, command line", "Host of the process."),
)  # fmt: skip

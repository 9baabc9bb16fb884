"""What a route is in the document: method, parameters, bodies, answers, errors."""

from dataclasses import dataclass, field

from app.service.figures import LANGUAGES
from app.web.openapi.types import ID, STRING, Schema, one_of, ref

JSON = "application/json"
PROBLEM = "application/problem+json"
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter in the path, the query or a header."""

    name: str
    place: str
    schema: Schema
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A route and a method.

    Attributes:
        answers: Schema by media type, by status.
        errors: Statuses of errors that it may answer with, beside those of every route.
    """

    method: str
    path: str
    id: str
    tag: str
    words: str
    answers: dict[int, dict[str, Schema]]
    parameters: tuple[Parameter, ...] = ()
    bodies: dict[str, Schema] = field(default_factory=dict)
    is_body_required: bool = False
    errors: tuple[int, ...] = ()


def path_id(name: str, words: str) -> Parameter:
    """An id in the path."""
    return Parameter(name=name, place="path", schema=ID, words=words)


def query(name: str, schema: Schema, words: str) -> Parameter:
    """A query parameter; never required."""
    return Parameter(name=name, place="query", schema=schema, words=words)


def header(name: str, words: str) -> Parameter:
    """A request header; never required."""
    return Parameter(name=name, place="header", schema=STRING, words=words)


def json(status: int, schema: Schema) -> dict[int, dict[str, Schema]]:
    """An answer in JSON."""
    return {status: {JSON: schema}}


def named(name: str) -> dict[int, dict[str, Schema]]:
    """The usual answer, 200 with a named schema."""
    return json(200, ref(name))


TEXT_ID = path_id("text_id", "Id of a text.")
TASK_ID = path_id("task_id", "Id of a task.")
AUDIO_ID = path_id("audio_id", "Id of an audio.")
RESUME = header("Last-Event-ID", "The last event that was seen; what came after it is told first.")
KEY = header("Idempotency-Key", "For a day, the same key and request answer as the first time.")
LANG = query("lang", one_of(*LANGUAGES), "Of the sentences; else as Accept-Language says.")
RANGE = header("Range", "One range of bytes.")

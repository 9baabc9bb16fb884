"""The route of the list of attempts, and what it answers."""

from app.domain import lengths
from app.domain.query.attempt_qualifiers import OUTCOMES
from app.web.openapi.operation import Operation, named, query
from app.web.openapi.types import (
    FLAG,
    ID,
    JAEGER_URL,
    MOMENT,
    SPAN_ID,
    STRING,
    TRACE_ID,
    WHOLE,
    Schema,
    fields,
    listed,
    maybe,
    one_of,
    ref,
    said,
)

SCHEMAS: dict[str, Schema] = {
    "ListedAttempt": fields(
        {
            "task_id": ID,
            "attempt": said(WHOLE, "Which attempt of its task it was, from 1."),
            "title": said(STRING, "Of its text."),
            "outcome": one_of(*OUTCOMES),
            "at": said(MOMENT, "When it ended."),
            "claimed_at": MOMENT,
            "dur_ms": said(WHOLE, "From its claim to its end."),
            "worker": STRING,
            "host": STRING,
            "engine": STRING,
            "voice": STRING,
            "language": said(STRING, "Empty: none was found."),
            "release": STRING,
            "length": one_of(*lengths.LABELS),
            "chars": WHOLE,
            "source": STRING,
            "error_type": maybe(STRING),
            "error_message": maybe(STRING),
            "fingerprint": said(maybe(STRING), "The group of failures; null: it completed."),
            "template": said(
                maybe(STRING), "Why that group: the message with what varies replaced."
            ),
            "is_repeat": said(FLAG, "An earlier attempt of the same text had failed so."),
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "url": said(STRING, "The page that shows it."),
            "jaeger_url": JAEGER_URL,
        }
    ),
    "AttemptPage": fields(
        {
            "attempts": listed(ref("ListedAttempt")),
            "query": said(STRING, "The filter, the window too, written in the one way."),
            "next": said(maybe(STRING), "The cursor of the next page; null: this is the last."),
            "previous": said(
                STRING, "The cursor of the page before; of the first, of what will end later."
            ),
            "searched_to": said(
                maybe(MOMENT),
                "Down to which end attempts were looked at, where the looking ended before the "
                "page was full; null: it is full, or there is no more. `next` goes on.",
            ),
            "count": said(
                maybe(fields({"n": WHOLE, "is_exact": FLAG})),
                "How many there are, or at least; null without `count=1`.",
            ),
        }
    ),
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/api/v1/attempts",
        id="listAttempts",
        tag="tasks",
        words="A page of attempts that completed or failed, last ended first.",
        parameters=(
            query("q", STRING, "A filter, such as `outcome:failure worker:w3 -is:repeat`."),
            query("from", STRING, "Only such as ended at or after: `2h` ago, or a moment."),
            query("to", STRING, "Only such as ended before."),
            query("cursor", STRING, "`next` or `previous` of another page of the list."),
            query("limit", WHOLE, "1 to 200."),
            query("count", one_of("0", "1"), "1: say how many there are."),
        ),
        answers=named("AttemptPage"),
        errors=(400,),
    ),
)

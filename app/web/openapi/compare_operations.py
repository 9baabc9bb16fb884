"""The route that compares two attempts, and what it answers."""

from app.domain import lengths
from app.web.openapi.operation import LANG, Operation, named, query
from app.web.openapi.types import (
    ID,
    JAEGER_URL,
    MOMENT,
    NUMBER,
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

_DIFFERENCES = listed(
    fields({"name": STRING, "left": maybe(STRING), "right": maybe(STRING)}),
)
_KEY = "A task's number, a dot and the number of its attempt: `12.1`."

SCHEMAS: dict[str, Schema] = {
    "ComparedAttempt": fields(
        {
            "task_id": ID,
            "attempt": said(WHOLE, "Which attempt of its task it was, from 1."),
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "outcome": said(maybe(STRING), "null: it runs."),
            "at": said(maybe(MOMENT), "When it ended."),
            "took_ms": said(maybe(NUMBER), "From its claim to its end."),
            **dict.fromkeys(("worker", "host", "engine", "voice", "language", "release"), STRING),
            "length": one_of(*lengths.LABELS),
            "source": STRING,
            **dict.fromkeys(("error_type", "fingerprint", "template"), maybe(STRING)),
            "url": said(STRING, "The page that shows it."),
            "jaeger_url": JAEGER_URL,
        }
    ),
    "ComparedSpan": fields(
        {
            "span_id": STRING,
            "name": STRING,
            "start_ms": said(NUMBER, "From when its attempt was queued."),
            "took_ms": said(maybe(NUMBER), "null: it runs."),
            "status": one_of("ok", "error", "open"),
        }
    ),
    "ComparedLine": fields(
        {
            "level": said(WHOLE, "Depth: 0 for the wait and the attempt itself."),
            "name": said(STRING, "Of engine calls without the engine."),
            "segment": said(maybe(WHOLE), "Index of the segment in its text, from 0."),
            "left": said(maybe(ref("ComparedSpan")), "null: only the right one has it."),
            "right": said(maybe(ref("ComparedSpan")), "null: only the left one has it."),
            "difference_ms": said(maybe(NUMBER), "How much longer the right one took."),
            "ratio": said(maybe(NUMBER), "How many times as long the right one took."),
            "differs": said(_DIFFERENCES, "What is noted of the two spans, where it differs."),
        }
    ),
    "Comparison": fields(
        {
            "left": ref("ComparedAttempt"),
            "right": ref("ComparedAttempt"),
            "attributes": said(_DIFFERENCES, "In what the two attempts differ."),
            "spans": listed(ref("ComparedLine")),
            "parting": said(
                maybe(
                    fields(
                        {
                            "place": said(WHOLE, "Index of the line in `spans`."),
                            "side": one_of("left", "right"),
                            "reason": one_of("failed", "not_reached", "only", "slower"),
                        }
                    )
                ),
                "Where they part, and of which side it is told; null: they went the same way.",
            ),
            "words": said(STRING, "Where they part, in a sentence."),
            "source": said(
                one_of("outbox", "rows"),
                "`rows`: the spans of one of them are not kept any more, and rows stand for both: "
                "they know of no engine calls, splitting, encoding and storing.",
            ),
            "left_off": said(WHOLE, "Lines that are left off at the end."),
        }
    ),
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/api/v1/correlate/compare",
        id="compareAttempts",
        tag="tasks",
        words="Two attempts side by side, span by span.",
        parameters=(
            query("left", STRING, _KEY),
            query("right", STRING, _KEY),
            LANG,
        ),
        answers=named("Comparison"),
        errors=(400, 404),
    ),
)

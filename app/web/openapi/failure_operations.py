"""The routes of failure groups, and what they answer."""

from typing import Final

from app.domain.correlation.dimensions import DIMENSIONS
from app.service.failures.actions import Action
from app.service.failures.asked import FILTERS, Sort
from app.service.failures.listing import NAMES
from app.service.failures.views import Shown
from app.web.openapi.operation import JSON, Operation, Parameter, named, query
from app.web.openapi.types import (
    FLAG,
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

_OUTCOME: Final = one_of("failed", "timeout", "lost")
_GROUP: Final[dict[str, Schema]] = {
    "fingerprint": said(STRING, "v2: and 16 hex digits; v0: and a type, of older failures."),
    "error_type": STRING,
    "error_kind": maybe(STRING),
    "error_code": said(maybe(STRING), "The engine's own code."),
    "template": said(STRING, "The message with what varies replaced by marks such as <n>."),
    "frames": said(listed(STRING), "Own frames as module:function, the innermost first."),
    "state": said(
        one_of(*Shown),
        "new: first seen within a day, assigned to nobody, without a note; regressed: it failed"
        " again after it was resolved.",
    ),
    "outcome": said(_OUTCOME, "How such attempts look in lists."),
    "first_at": MOMENT,
    "last_at": maybe(MOMENT),
    "state_at": said(maybe(MOMENT), "When it was resolved or muted; of a regressed one, resolved."),
    "state_by": said(maybe(STRING), "Who did."),
    "resolved_release": said(maybe(STRING), "The releases that ran when it was resolved."),
    "regressed_at": maybe(MOMENT),
    "regressed_release": maybe(STRING),
    "assignee": maybe(STRING),
    "note": maybe(STRING),
    "url": said(STRING, "The page that shows it."),
}
_PART: Final = fields(
    {
        "value": said(STRING, "Empty: it has none."),
        "count": WHOLE,
    }
)


def _parts(*names: str) -> Schema:
    return said(fields(dict.fromkeys(names, listed(_PART))), "By values, the most first.")


def _counts(*names: str) -> dict[str, Schema]:
    return {
        "count": said(WHOLE, "Attempts that failed so, repeats included."),
        "repeats": said(WHOLE, "Of count: of texts that had failed so before."),
        "texts": said(WHOLE, "Of count: of texts that had not failed so before; so many texts."),
        "bins": said(listed(WHOLE), "Failures in each part of the window, the oldest first."),
        "trend": said(NUMBER, "The last quarter against the three before it; 1: as often."),
        "parts": _parts(*names),
        "attempts_url": said(STRING, "The page that lists these attempts."),
    }


_WINDOW: Final = fields(
    {
        "from": MOMENT,
        "to": MOMENT,
        "is_whole_hours": said(FLAG, "It was widened to whole hours: rows of its ends are gone."),
        "bins_from": said(MOMENT, "Where the first part begins."),
        "bin_s": said(NUMBER, "How long a part is."),
    }
)

SCHEMAS: dict[str, Schema] = {
    "FailureGroup": fields(_GROUP),
    "ListedFailure": fields({**_GROUP, **_counts(*NAMES)}),
    "FailurePage": fields(
        {
            "as_of": MOMENT,
            "window": _WINDOW,
            "failures": listed(ref("ListedFailure")),
            "total": said(WHOLE, "Groups that fit, on all pages."),
            "states": said(
                fields(dict.fromkeys(Shown, WHOLE)), "Groups of each state, whatever `state` asks."
            ),
            "failed": said(WHOLE, "Failures of the window in all groups that fit."),
            "failed_groups": said(WHOLE, "Groups that fit and failed in the window."),
            "is_capped": said(FLAG, "There are more than 5000 groups; the oldest are left out."),
            "next": maybe(STRING),
            "previous": maybe(STRING),
        }
    ),
    "FailureExemplar": fields(
        {
            "which": one_of("newest", "first", "slowest"),
            "task_id": ID,
            "attempt": WHOLE,
            "text_id": ID,
            "title": maybe(STRING),
            "at": MOMENT,
            "dur_ms": NUMBER,
            "outcome": STRING,
            "worker": STRING,
            "engine": STRING,
            "voice": STRING,
            "release": STRING,
            "chars": WHOLE,
            "error_message": maybe(STRING),
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "url": STRING,
            "jaeger_url": JAEGER_URL,
        }
    ),
    "FailureDetail": fields(
        {
            "as_of": MOMENT,
            "window": _WINDOW,
            **_GROUP,
            "in_window": fields(_counts(*DIMENSIONS)),
            "all_time": fields(
                {
                    "count": WHOLE,
                    "repeats": WHOLE,
                    "texts": said(WHOLE, "Texts that ever failed so."),
                    "kept": said(WHOLE, "Attempts of count whose rows are kept."),
                    "tasks": said(WHOLE, "Tasks of kept; some may have completed later."),
                    "tasks_ended": said(WHOLE, "Tasks that are kept and failed for good so."),
                    "is_kept_capped": said(FLAG, "Counting stopped at 10000."),
                    "parts": _parts(*DIMENSIONS),
                }
            ),
            "exemplars": listed(ref("FailureExemplar")),
            "events": said(
                listed(
                    fields({"at": MOMENT, "kind": STRING, "by": STRING, "detail": maybe(STRING)})
                ),
                "What people and failures did to it, the newest first: new, resolved, reopened,"
                " muted, unmuted, assigned, noted, regressed.",
            ),
        }
    ),
}

_FINGERPRINT: Final = Parameter(
    name="fingerprint", place="path", schema=STRING, words="Fingerprint of a failure group."
)
_MOMENTS: Final = (
    query(
        "from",
        STRING,
        "24h (ago), a date, a moment with a zone, or seconds since 1970; left out: the beginning of"
        " the hour 23 hours before `to`.",
    ),
    query("to", STRING, "The same; left out: now."),
)
_WHERE: Final = tuple(query(name, STRING, "Only failures there count.") for name in FILTERS)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/api/v1/failures",
        id="listFailures",
        tag="tasks",
        words="Failure groups, and how often each failed in a window.",
        parameters=(
            *_MOMENTS,
            query("state", STRING, f"With commas between: {', '.join(Shown)}."),
            query("error_type", STRING, "Only of this type."),
            query("text", STRING, "In type, code, template, frames, assignee, note, fingerprint."),
            query("seen", {"enum": ["any", "window"]}, "window: only what failed in the window."),
            query("sort", one_of(*Sort), "Latest or most first; last: by when it failed last."),
            query("cursor", STRING, "As another page's `next` or `previous` says."),
            query("limit", WHOLE, "1 to 200."),
            *_WHERE,
        ),
        answers=named("FailurePage"),
        errors=(400,),
    ),
    Operation(
        method="get",
        path="/api/v1/failures/{fingerprint}",
        id="getFailure",
        tag="tasks",
        words="A failure group: counts, where it failed, attempts to look at, what happened to it.",
        parameters=(_FINGERPRINT, *_MOMENTS, *_WHERE),
        answers=named("FailureDetail"),
        errors=(400, 404),
    ),
    Operation(
        method="post",
        path="/api/v1/failures/{fingerprint}",
        id="changeFailure",
        tag="tasks",
        words="Decide about a failure group. What is so already changes nothing.",
        parameters=(_FINGERPRINT,),
        bodies={
            JSON: fields(
                {
                    "action": one_of(*Action),
                    "assignee": said(STRING, "Of assign; empty takes it away."),
                    "note": said(STRING, "Of note; empty takes it away."),
                    "by": said(STRING, "Who does it, as its event tells it."),
                },
                optional=("assignee", "note", "by"),
            )
        },
        is_body_required=True,
        answers=named("FailureGroup"),
        errors=(400, 404, 415),
    ),
)

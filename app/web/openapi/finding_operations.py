"""The routes of findings, and what they answer."""

from app.web.openapi import correlate_operations
from app.web.openapi.operation import LANG, Operation, named, path_id, query
from app.web.openapi.types import (
    FLAG,
    ID,
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

_SEEN = correlate_operations.SCHEMAS["CorrelateFinding"]["properties"]

SCHEMAS: dict[str, Schema] = {
    "Finding": fields(
        {
            "id": ID,
            "state": one_of("open", "closed"),
            "opened_at": MOMENT,
            "updated_at": MOMENT,
            "seen_at": said(MOMENT, "When a scan saw it last."),
            "closed_at": maybe(MOMENT),
            "closed_why": said(
                maybe(one_of("stopped", "unseen", "off")),
                "stopped: attempts fare well again; unseen: two scans did not see it; off: nobody"
                " watches any more.",
            ),
            "is_muted": said(
                FLAG, "All its failures are of groups that are muted: nobody is told of it."
            ),
            "trace_id": said(maybe(TRACE_ID), "Of the scan that opened it."),
            "span_id": maybe(SPAN_ID),
            "url": STRING,
            "correlate_url": said(STRING, "The page that asks what the last scan asked."),
            "window": said(fields({"from": MOMENT, "to": MOMENT}), "Of the last scan that saw it."),
            **_SEEN,
        }
    ),
    "FindingPage": fields(
        {
            "findings": said(listed(ref("Finding")), "The newest first."),
            "next": said(maybe(STRING), "The cursor of the next page; null: this is the last."),
        }
    ),
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/api/v1/findings",
        id="listFindings",
        tag="tasks",
        words="What the watch found: what failures have in common, while it lasts and after.",
        parameters=(
            query("state", one_of("all", "open", "closed"), "Left out: all."),
            query("from", STRING, "Those that lasted at or after this moment, or so long ago."),
            query("to", STRING, "Those that opened before this moment."),
            query("cursor", STRING, "`next` of another page of the list."),
            query("limit", WHOLE, "1 to 200."),
            LANG,
        ),
        answers=named("FindingPage"),
        errors=(400,),
    ),
    Operation(
        method="get",
        path="/api/v1/findings/{finding_id}",
        id="getFinding",
        tag="tasks",
        words="One finding.",
        parameters=(path_id("finding_id", "Id of a finding."), LANG),
        answers=named("Finding"),
        errors=(400, 404),
    ),
)

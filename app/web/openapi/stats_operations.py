"""The routes of statistics, and what they answer."""

from app.domain.sums import DIMENSIONS
from app.domain.task import Status
from app.web.openapi.operation import Operation, Parameter, named, query
from app.web.openapi.types import (
    FLAG,
    MOMENT,
    NUMBER,
    RATIO,
    STRING,
    WHOLE,
    Schema,
    fields,
    listed,
    maybe,
    one_of,
    ref,
    said,
)

_BY_STATUS = fields(dict.fromkeys(Status, WHOLE))
_REQUESTS = fields({"count": WHOLE, "characters": WHOLE, "audio_ms": WHOLE})
_FIGURES: dict[str, Schema] = {
    "total": said(WHOLE, "The sum of by_status."),
    "by_status": _BY_STATUS,
    "finished_ratio": said(
        maybe(RATIO), "Completed among completed, failed and timed out. No capacity waits in it."
    ),
    "per_hour": said(maybe(NUMBER), "Tasks that ended in an hour of the window."),
    "characters_per_hour": said(maybe(NUMBER), "Characters of completed tasks."),
    "real_time_factor": said(maybe(NUMBER), "Seconds of work for a second of audio."),
    "audio_ms": WHOLE,
    "characters": _BY_STATUS,
    "run_ms": _BY_STATUS,
    "wait_ms": said(_BY_STATUS, "From submission to end, less what they ran."),
    "total_ms": said(_BY_STATUS, "From submission to end."),
    "retries": said(WHOLE, "Attempts after the first, but for those that waited for capacity."),
    "lost_attempts": WHOLE,
    "late": said(WHOLE, "Tasks with an attempt past its deadline."),
    "capacity_waits": said(fields({"count": WHOLE, "ms": WHOLE}), "They are no failures."),
    "latency": said(
        fields(dict.fromkeys(("wait", "run", "total"), maybe(ref("Latency")))),
        "Of completed tasks; null where there are none.",
    ),
}
_SAVINGS = said(
    maybe(fields(dict.fromkeys(("new", "followed", "skipped"), _REQUESTS))),
    "What became of the requests of the whole hours that the window touches; null where the filter "
    "is by more than the engine.",
)
_WINDOW: dict[str, Schema] = {"from": maybe(MOMENT), "to": maybe(MOMENT)}
_QUERY = said(STRING, "A filter that opens the same tasks in the task list.")
_NOTES = said(listed(STRING), "What the numbers do not say, in words.")

SCHEMAS: dict[str, Schema] = {
    "Latency": fields(
        {
            "count": WHOLE,
            "mean_ms": NUMBER,
            **dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"), maybe(NUMBER)),
            "is_exact": said(FLAG, "False: percentiles are within 1 %."),
        }
    ),
    "StatsReport": fields(
        {
            "as_of": MOMENT,
            "window": fields({**_WINDOW, "is_whole_hours": FLAG}),
            "query": _QUERY,
            **_FIGURES,
            "archived": said(WHOLE, "Of total: removed by retention, so that no list has them."),
            "savings": _SAVINGS,
            "by": maybe(one_of(*DIMENSIONS)),
            "groups": listed(fields({"value": STRING, "query": _QUERY, **_FIGURES})),
            "notes": _NOTES,
            "check": ref("StatsCheck"),
        }
    ),
    "StatsCheck": said(
        fields(
            {
                "state": said(
                    one_of("ok", "drift", "pending", "stale"),
                    "ok: counters equal a recount of the rows wherever one was made; pending:"
                    " equal, and hours wait for their first; drift: numbers differ; stale: nobody"
                    " looks.",
                ),
                "checked_at": maybe(MOMENT),
                "age_s": maybe(NUMBER),
                "checked_hours": WHOLE,
                "waiting_hours": WHOLE,
                "drift_count": WHOLE,
                "drifts": listed(
                    fields(
                        {
                            "hour": maybe(MOMENT),
                            "table": STRING,
                            "name": STRING,
                            "expected": WHOLE,
                            "got": WHOLE,
                        }
                    )
                ),
            }
        ),
        "Whether counters and rows agree, and how old that is.",
    ),
    "StatsSeries": fields(
        {
            "as_of": MOMENT,
            "window": fields(_WINDOW),
            "step": one_of("hour", "day"),
            "step_s": said(NUMBER, "Seconds of a point: of several days in a very long window."),
            "by": maybe(one_of(*DIMENSIONS)),
            "points": listed(
                fields(
                    {
                        "start": MOMENT,
                        "query": _QUERY,
                        **_FIGURES,
                        "savings": _SAVINGS,
                        "groups": listed(fields({"value": STRING, **_FIGURES})),
                    }
                )
            ),
            "notes": _NOTES,
        }
    ),
}

_PARAMETERS: tuple[Parameter, ...] = (
    query("from", STRING, "24h (ago), a date, a moment with a zone, or seconds since 1970."),
    query("to", STRING, "The same; left out: now, with what waits or runs."),
    query(
        "query",
        STRING,
        "A filter of the task list's grammar, of status, engine, voice, language, worker, host and"
        " release.",
    ),
    query("by", one_of(*DIMENSIONS), "Tells the tasks apart by this."),
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/api/v1/stats",
        id="getStats",
        tag="tasks",
        words="Tasks counted and timed: of all time, or those that ended in a window.",
        parameters=(
            *_PARAMETERS,
            query("exact", {"enum": ["0", "1"]}, "1: percentiles are values of rows."),
        ),
        answers=named("StatsReport"),
        errors=(400,),
    ),
    Operation(
        method="get",
        path="/api/v1/stats/series",
        id="getStatsSeries",
        tag="tasks",
        words="The same for each hour or day that the window touches, oldest first.",
        parameters=(
            *_PARAMETERS,
            query(
                "step",
                {"enum": ["auto", "hour", "day"]},
                "auto: hours up to four days; several days to a point above 2500.",
            ),
        ),
        answers=named("StatsSeries"),
        errors=(400,),
    ),
)

"""The routes of the search for causes, and what they answer."""

from app.domain.correlation.dimensions import ROW_DIMENSIONS
from app.service.correlate.question import LEAST_QUANTILE, MOST_QUANTILE
from app.service.figures import LANGUAGES
from app.web.openapi.operation import (
    JSON,
    LANG,
    Operation,
    Parameter,
    named,
    path_id,
    query,
)
from app.web.openapi.types import (
    FLAG,
    ID,
    JAEGER_URL,
    MOMENT,
    NUMBER,
    RATIO,
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

_WHERE = said(
    {"type": "object", "additionalProperties": STRING},
    'Values by dimension; "" is none. Without any: all that runs.',
)
_PROBABILITY = {"type": "number", "minimum": 0}
_CHANGE: dict[str, Schema] = {
    "at": MOMENT,
    **dict.fromkeys(("worker", "release", "before", "name", "value"), maybe(STRING)),
}
_ONSET = said(
    maybe(
        fields(
            {
                **dict.fromkeys(("at", "low", "high"), MOMENT),
                "n": said(maybe(WHOLE), "Attempts from `at` on; null: an earlier scan told it."),
                "observed": said(maybe(WHOLE), "Those of them that are in `observed`."),
            }
        )
    ),
    "Since when, and between which moments that lies with 95 %; null: all window long, or rows are"
    " gone.",
)
_BOUNDARY = said(maybe(ref("Boundary")), "What changed nearest to the onset.")
_LIST = said(maybe(STRING), "The page that lists just these attempts; null where none can.")

_EXAMPLE: dict[str, Schema] = {
    "task_id": ID,
    "attempt": said(WHOLE, "Which attempt of its task it was, from 1."),
    "trace_id": TRACE_ID,
    "span_id": SPAN_ID,
    "at": said(MOMENT, "When it ended."),
    "url": said(STRING, "The page that shows it."),
    "jaeger_url": JAEGER_URL,
}

SCHEMAS: dict[str, Schema] = {
    "Boundary": fields(
        {
            "kind": one_of("release", "restart", "start", "limit"),
            **_CHANGE,
            "workers": said(WHOLE, "How many workers it reached; 0 for a limit."),
            "distance_s": said(NUMBER, "Onset less `at`: positive where the onset came after."),
        }
    ),
    "Exemplar": fields(
        {
            **_EXAMPLE,
            "success": said(
                maybe(
                    fields({**_EXAMPLE, "differs": said(listed(STRING), "Dimensions that differ.")})
                ),
                "The attempt that completed and is most like it; null: there was none near.",
            ),
            "compare_url": said(maybe(STRING), "The page that shows both side by side."),
        }
    ),
    "CorrelateFinding": fields(
        {
            "where": _WHERE,
            "fingerprint": said(maybe(STRING), "null: of any kind of failure."),
            "error_type": maybe(STRING),
            "template": maybe(STRING),
            "n": said(WHOLE, "Attempts of the window that fit."),
            "observed": said(WHOLE, "The selected ones of them."),
            "expected": said(NUMBER, "How many would be, by the rest and their own past."),
            "lift": said(NUMBER, "observed / expected."),
            "p": _PROBABILITY,
            "q": said(_PROBABILITY, "p, corrected for all that was tried."),
            "share": said(RATIO, "Part of all selected attempts of the window."),
            "baseline": fields({"n": WHOLE, "failed": WHOLE}),
            "indistinguishable": said(
                listed(_WHERE), "Other predicates with nearly the same attempts."
            ),
            "onset": _ONSET,
            "first_at": said(
                maybe(MOMENT),
                "Without an onset: the first attempt, where the past had none and the window began"
                " well before it.",
            ),
            "boundary": _BOUNDARY,
            "words": said(STRING, "The finding in one sentence."),
            **{f"words_{lang}": STRING for lang in LANGUAGES},
            "exemplars": said(listed(ref("Exemplar")), "Five at most."),
            "attempts_url": said(STRING, "The page that lists the observed attempts."),
            "all_attempts_url": said(STRING, "The page that lists all that fit."),
        }
    ),
    "CorrelateAnswer": fields(
        {
            "question": fields(
                {
                    **dict.fromkeys(("from", "to", "baseline_from", "baseline_to"), MOMENT),
                    "query": said(STRING, "These; empty: those that failed."),
                    "within": said(STRING, "Of which attempts both sides are."),
                    "selection": one_of("failures", "slow", "selected"),
                    "slow_ms": said(maybe(WHOLE), "From which duration on an attempt is slow."),
                    "grain": one_of("hour", "day", "rows"),
                    "is_whole_hours": said(
                        FLAG, "Whether it is wider than asked for: rows of its ends are gone."
                    ),
                }
            ),
            "n": said(WHOLE, "Attempts of the window that completed or failed."),
            "selected": WHOLE,
            "repeats_left_out": said(WHOLE, "In no other number: the text had failed so before."),
            "baseline_n": WHOLE,
            "baseline_selected": WHOLE,
            "overall": fields(
                {
                    "kind": one_of("none", "global_rise", "mix_shift"),
                    "dimension": said(maybe(STRING), "Of a mix shift: by what the mix changed."),
                    "value": said(maybe(STRING), "The value that more traffic goes to."),
                    "observed": WHOLE,
                    "expected": NUMBER,
                    "words": STRING,
                    "onset": _ONSET,
                    "boundary": _BOUNDARY,
                    "exemplars": listed(ref("Exemplar")),
                }
            ),
            "findings": said(listed(ref("CorrelateFinding")), "The strongest first; five at most."),
            "dimensions": said(
                listed(
                    fields(
                        {
                            "name": one_of(*ROW_DIMENSIONS),
                            "difference": said(
                                RATIO,
                                "The most by which a share of the selected is above that of"
                                " the others.",
                            ),
                            "values": listed(
                                fields(
                                    {
                                        "value": maybe(STRING),
                                        "is_rest": said(
                                            FLAG, "All values that are not told by themselves."
                                        ),
                                        "selected": WHOLE,
                                        "others": WHOLE,
                                        "selected_share": RATIO,
                                        "others_share": RATIO,
                                        "attempts_url": _LIST,
                                        "others_url": _LIST,
                                    }
                                )
                            ),
                        }
                    )
                ),
                "The one that tells most first.",
            ),
            "strip": fields(
                {
                    "step_s": NUMBER,
                    "bins": said(
                        listed(
                            fields({"at": MOMENT, "end": MOMENT, "n": WHOLE, "selected": WHOLE})
                        ),
                        "Those that have attempts, oldest first.",
                    ),
                    "events": listed(
                        fields(
                            {
                                "kind": one_of("start", "restart", "release", "stop", "limit"),
                                **_CHANGE,
                            }
                        )
                    ),
                }
            ),
            "tests": said(WHOLE, "Predicates that were tried."),
            "notes": said(listed(STRING), "What the answer does not say, in words."),
            "took_ms": WHOLE,
        }
    ),
    "Analysis": fields(
        {
            "id": ID,
            "state": one_of("waiting", "running", "done", "failed", "cancelled"),
            "question": said(
                {"type": "object", "additionalProperties": STRING}, "The parameters, as asked."
            ),
            "asked_at": MOMENT,
            "started_at": maybe(MOMENT),
            "finished_at": maybe(MOMENT),
            "phase": said(maybe(one_of("reading", "scanning", "looking")), "While it runs."),
            "progress_ratio": RATIO,
            "error": said(maybe(STRING), "Why it failed."),
            "url": STRING,
            "answer": said(maybe(ref("CorrelateAnswer")), "Once it is done."),
        }
    ),
}

_MOMENT = "24h (ago), a date, a moment with a zone, or seconds since 1970"
_PARAMETERS: tuple[Parameter, ...] = (
    query("from", STRING, f"Where the window begins: {_MOMENT}; left out: 24 hours before `to`."),
    query("to", STRING, "Where it ends, the same; left out: now."),
    query(
        "baseline",
        STRING,
        "The past: how long it is (7d), or the moment at which it begins; it ends with `from`. Left"
        " out: 7 days.",
    ),
    query("query", STRING, "These, a filter of attempts; left out: those that failed."),
    query("within", STRING, "Of which attempts both sides are, a filter of attempts."),
    query("outcome", {"enum": ["failure", "slow"]}, "slow: these are the slowest that completed."),
    query(
        "quantile",
        {"type": "number", "minimum": LEAST_QUANTILE, "maximum": MOST_QUANTILE},
        "From which part on attempts are slow; left out: 0.95.",
    ),
    LANG,
)
_ID = path_id("analysis_id", "Id of an analysis.")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get",
        path="/api/v1/correlate",
        id="correlate",
        tag="tasks",
        words="What the failures of a window, or any selection, have in common that the rest have"
        " not; 202 with a Location where that takes long.",
        parameters=_PARAMETERS,
        answers={
            200: {JSON: ref("CorrelateAnswer")},
            202: {JSON: ref("Analysis")},
        },
        errors=(400, 409),
    ),
    Operation(
        method="get",
        path="/api/v1/correlate/analyses/{analysis_id}",
        id="getAnalysis",
        tag="tasks",
        words="How far a long answer is, and the answer once it is there.",
        parameters=(_ID, LANG),
        answers=named("Analysis"),
        errors=(400, 404),
    ),
    Operation(
        method="delete",
        path="/api/v1/correlate/analyses/{analysis_id}",
        id="cancelAnalysis",
        tag="tasks",
        words="Cancels a long answer that waits or runs.",
        parameters=(_ID, LANG),
        answers=named("Analysis"),
        errors=(400, 404, 409),
    ),
)

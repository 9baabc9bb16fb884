"""The settings of retention: for how long what is kept."""

from app.config import parsers
from app.config.spec import Spec

_idempotency = parsers.number(0, 87_600)
_keep = parsers.number(0, 36_500)

KEEP_SPECS: tuple[Spec, ...] = (
    Spec(
        name="VOXTRACE_IDEMPOTENCY_H",
        field="idempotency_h",
        parse=_idempotency[0],
        default="24",
        unit="hours",
        allowed=_idempotency[1],
        help="How long an Idempotency-Key answers as the first time. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_COMPLETED_D",
        field="keep_completed_d",
        parse=_keep[0],
        default="0",
        unit="days",
        allowed=_keep[1],
        help="How long a completed task is kept with its text and audio. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_FAILED_D",
        field="keep_failed_d",
        parse=_keep[0],
        default="0",
        unit="days",
        allowed=_keep[1],
        help="How long a failed task is kept with its text. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_TIMEOUT_D",
        field="keep_timeout_d",
        parse=_keep[0],
        default="0",
        unit="days",
        allowed=_keep[1],
        help="How long a task that ran out of time is kept with its text. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_CANCELLED_D",
        field="keep_cancelled_d",
        parse=_keep[0],
        default="0",
        unit="days",
        allowed=_keep[1],
        help="How long a cancelled task is kept with its text. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_DELETED_D",
        field="keep_deleted_d",
        parse=_keep[0],
        default="30",
        unit="days",
        allowed=_keep[1],
        help="How long a deleted text is kept with its tasks and audio. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_FINDINGS_D",
        field="keep_findings_d",
        parse=_keep[0],
        default="400",
        unit="days",
        allowed=_keep[1],
        help="How long a finding that has closed is kept. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_SYSTEM_EVENTS_D",
        field="keep_system_events_d",
        parse=_keep[0],
        default="400",
        unit="days",
        allowed=_keep[1],
        help="How long it is kept when workers started and limits changed. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_DELIVERIES_D",
        field="keep_deliveries_d",
        parse=_keep[0],
        default="30",
        unit="days",
        allowed=_keep[1],
        help="How long it is kept what the webhook was told. 0: for ever.",
    ),
    Spec(
        name="VOXTRACE_KEEP_ANALYSES_D",
        field="keep_analyses_d",
        parse=_keep[0],
        default="7",
        unit="days",
        allowed=_keep[1],
        help="How long the answer of a long analysis is kept. 0: for ever.",
    ),
)

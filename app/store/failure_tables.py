"""Tables of what failures have in common: groups, findings, what was told of them, analyses.

What is counted of failures stands in `stat_attempt`, and in the attempts themselves: a group's own
row holds what people decided about it, and when its first failure was seen.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from app.store.metadata import id_column, metadata

_OPEN: Final = text("state = 'open'")

# failures with one fingerprint; made with the first of them
failure_group_table = Table(
    "failure_group",
    metadata,
    Column("fingerprint", String(40), primary_key=True),
    Column("error_type", String(80), nullable=False),
    Column("error_kind", String(12)),
    Column("error_code", String(80)),
    # why they are together: the message with what varies replaced, the own frames, innermost first
    Column("template", String(600), nullable=False),
    Column("frames", String(400), nullable=False, server_default=""),
    Column("first_at", BigInteger, nullable=False),
    # open, resolved, muted; that an open one is new, goes on or is back follows from its moments
    Column("state", String(8), nullable=False, server_default="open"),
    # of the decision that holds, or of the resolution that did not hold
    Column("state_at", BigInteger),
    Column("state_by", String(160)),
    # the releases that were running when it was resolved; the one in which it was seen again, kept
    # while it is resolved anew: reopening takes that back
    Column("resolved_release", String(400)),
    Column("regressed_at", BigInteger),
    Column("regressed_release", String(80)),
    Column("assignee", String(160)),
    Column("note", String(2000)),
    CheckConstraint("state IN ('open', 'resolved', 'muted')", name="state"),
    Index("ix_failure_group_first", "first_at"),
)

# what people, and failures after a resolution, did to a group
failure_event_table = Table(
    "failure_event",
    metadata,
    id_column(),
    Column("fingerprint", String(40), nullable=False),
    Column("at", BigInteger, nullable=False),
    # new, resolved, reopened, muted, unmuted, assigned, noted, regressed
    Column("kind", String(10), nullable=False),
    Column("by", String(160), nullable=False),
    Column("detail", String(2000)),
    Index("ix_failure_event_group", "fingerprint", "id"),
    sqlite_autoincrement=True,
)

# what changed in the system, for the boundary of an onset
system_event_table = Table(
    "system_event",
    metadata,
    id_column(),
    Column("at", BigInteger, nullable=False),
    # start (a worker's first), restart, release (a restart with another one), stop, limit
    Column("kind", String(8), nullable=False),
    Column("worker", String(120)),
    Column("host", String(255)),
    Column("release", String(80)),
    # of a release: the one before; of a limit: what, and its values
    Column("before", String(80)),
    Column("name", String(80)),
    Column("value", String(80)),
    Column("by", String(160), nullable=False),
    CheckConstraint("kind IN ('start', 'restart', 'release', 'stop', 'limit')", name="kind"),
    Index("ix_system_event_at", "at"),
    Index("ix_system_event_worker", "worker", "id"),
    sqlite_autoincrement=True,
)

# what the watch found; one row while it lasts
finding_table = Table(
    "finding",
    metadata,
    id_column(),
    # the predicate and the fingerprint as one text: `worker=w3 voice=amy` and `v2:...` or nothing
    Column("key", String(600), nullable=False),
    Column("state", String(6), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    # stopped: its failures ended; unseen: scans see it no more; off: nobody watches any more
    Column("closed_why", String(7)),
    # the last scan that found it, and how many scans in a row did not
    Column("seen_at", BigInteger, nullable=False),
    Column("misses", SmallInteger, nullable=False, server_default="0"),
    # {dimension: value} as JSON; {} is all that runs
    Column("predicate", Text, nullable=False),
    Column("fingerprint", String(40)),
    Column("observed", BigInteger, nullable=False),
    Column("expected", Float, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("lift", Float, nullable=False),
    Column("q", Float, nullable=False),
    Column("onset_at", BigInteger),
    # all its failures are of groups that are muted: nobody is told
    Column("is_muted", Boolean, nullable=False, server_default=text("false")),
    # after what break it came back, microseconds; NULL: it was not there within the hour before
    Column("break_us", BigInteger),
    # the whole finding as the API gives it
    Column("answer", Text, nullable=False),
    # the span of the scan that opened it
    Column("trace_id", String(32)),
    Column("span_id", String(16)),
    CheckConstraint("state IN ('open', 'closed')", name="state"),
    CheckConstraint(
        "(state = 'closed') = (closed_at IS NOT NULL AND closed_why IS NOT NULL)", name="closed"
    ),
    Index("ux_finding_open", "key", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_finding_opened", "opened_at"),
    Index("ix_finding_closed", "closed_at"),
    sqlite_autoincrement=True,
)

# what a webhook is to be told, until it has taken it or is given up
webhook_delivery_table = Table(
    "webhook_delivery",
    metadata,
    id_column(),
    Column("finding_id", BigInteger, ForeignKey("finding.id"), nullable=False),
    # opened, closed
    Column("event", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("state", String(9), nullable=False),
    Column("ended_at", BigInteger),
    Column("last_status", Integer),
    Column("last_error", String(400)),
    Column("body", Text, nullable=False),
    CheckConstraint("event IN ('opened', 'closed')", name="event"),
    CheckConstraint("state IN ('waiting', 'delivered', 'given_up')", name="state"),
    Index(
        "ix_webhook_delivery_waiting",
        "next_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("ix_webhook_delivery_finding", "finding_id", "id"),
    Index("ix_webhook_delivery_created", "created_at"),
    sqlite_autoincrement=True,
)

# questions that take long, answered by a duty
analysis_table = Table(
    "analysis",
    metadata,
    id_column(),
    Column("question", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("asked_by", String(160), nullable=False),
    Column("state", String(9), nullable=False),
    # how often it was begun, who holds it, until when that is believed
    Column("starts", SmallInteger, nullable=False, server_default="0"),
    Column("holder", String(160)),
    Column("lease_until", BigInteger),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("phase", String(10)),
    Column("permille", SmallInteger, nullable=False, server_default="0"),
    Column("error", String(400)),
    Column("answer", Text),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"),
    CheckConstraint("permille BETWEEN 0 AND 1000", name="permille"),
    Index("ix_analysis_asked", "asked_at"),
    Index(
        "ix_analysis_open",
        "id",
        sqlite_where=text("state IN ('waiting', 'running')"),
        postgresql_where=text("state IN ('waiting', 'running')"),
    ),
    sqlite_autoincrement=True,
)

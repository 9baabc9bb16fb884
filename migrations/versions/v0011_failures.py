"""Failures: groups of them, attempts by what they have in common, findings, analyses."""

import sqlalchemy as sa
from alembic import op

from migrations import attempts

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

#: What attempts had of their tasks; of one that failed before this revision only its type is known.
_FILL = """
UPDATE task_attempt SET voice = t.voice, language = coalesce(t.language, ''), source = t.source,
  char_count = t.char_count,
  fingerprint = CASE WHEN task_attempt.outcome IN ('failed', 'timeout', 'retry', 'lost')
    THEN substr('v0:' || coalesce(task_attempt.error_type, 'unknown'), 1, 40) END,
  template = CASE WHEN task_attempt.outcome IN ('failed', 'timeout', 'retry', 'lost') THEN '' END
FROM task t WHERE t.id = task_attempt.task_id
"""
_GROUPS = """
INSERT INTO failure_group (fingerprint, error_type, template, first_at)
SELECT fingerprint, coalesce(min(error_type), 'unknown'), '', min(finished_at)
FROM task_attempt WHERE fingerprint IS NOT NULL AND source <> 'canary' GROUP BY fingerprint
"""
# what is known of workers' starts and ends: of the last thirty days
_EVENTS = """
INSERT INTO system_event (at, kind, worker, host, release, before, value, by)
SELECT at, kind, name, host, release, before, value, 'migration 0011' FROM (
  SELECT started_at AS at, id, name, host, release, NULL AS value,
    CASE WHEN lag(release) OVER starts IS NULL THEN 'start'
      WHEN lag(release) OVER starts = release THEN 'restart' ELSE 'release' END AS kind,
    CASE WHEN lag(release) OVER starts <> release THEN lag(release) OVER starts END AS before
  FROM worker WINDOW starts AS (PARTITION BY name ORDER BY started_at, id)
  UNION ALL
  SELECT ended_at, id, name, host, release, state, 'stop', NULL FROM worker
  WHERE ended_at IS NOT NULL
) AS told ORDER BY at, id
"""


def upgrade() -> None:
    """Makes columns, tables and indexes; old failures are grouped by their type alone."""
    _add_columns()
    _make_cube()
    _make_groups()
    _make_findings()
    op.execute(_FILL)
    op.execute(_GROUPS)
    op.execute(_EVENTS)
    for statement in attempts.BACKFILL:
        op.execute(sa.text(statement))
    _make_indexes()
    for statement in attempts.statements(op.get_bind().dialect.name):
        op.execute(sa.text(statement))


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=True, nullable=False)


def _add_columns() -> None:
    op.add_column(
        "task_attempt", sa.Column("voice", sa.String(length=80), server_default="", nullable=False)
    )
    op.add_column(
        "task_attempt",
        sa.Column("language", sa.String(length=20), server_default="", nullable=False),
    )
    op.add_column(
        "task_attempt", sa.Column("source", sa.String(length=10), server_default="", nullable=False)
    )
    op.add_column(
        "task_attempt", sa.Column("char_count", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("task_attempt", sa.Column("fingerprint", sa.String(length=40), nullable=True))
    op.add_column("task_attempt", sa.Column("template", sa.String(length=600), nullable=True))
    op.add_column("task_attempt", sa.Column("frames", sa.String(length=400), nullable=True))
    op.add_column(
        "task_attempt",
        sa.Column("is_repeat", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def _make_indexes() -> None:
    op.create_index(
        "ix_task_attempt_ended",
        "task_attempt",
        ["finished_at", "task_id", "attempt"],
        unique=False,
        sqlite_where=sa.text(
            "outcome IN ('completed', 'failed', 'timeout', 'retry', 'lost') AND source <> 'canary'"
        ),
        postgresql_where=sa.text(
            "outcome IN ('completed', 'failed', 'timeout', 'retry', 'lost') AND source <> 'canary'"
        ),
    )
    op.create_index(
        "ix_task_attempt_failed",
        "task_attempt",
        ["finished_at", "task_id", "attempt"],
        unique=False,
        sqlite_where=sa.text(
            "outcome IN ('failed', 'timeout', 'retry', 'lost') AND source <> 'canary'"
        ),
        postgresql_where=sa.text(
            "outcome IN ('failed', 'timeout', 'retry', 'lost') AND source <> 'canary'"
        ),
    )
    op.create_index(
        "ix_task_attempt_fingerprint",
        "task_attempt",
        ["fingerprint", "finished_at", "task_id", "attempt"],
        unique=False,
        sqlite_where=sa.text("fingerprint IS NOT NULL AND source <> 'canary'"),
        postgresql_where=sa.text("fingerprint IS NOT NULL AND source <> 'canary'"),
    )


def _make_cube() -> None:
    op.create_table(
        "stat_profile",
        _id(),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("voice", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("release", sa.String(length=80), nullable=False),
        sa.Column("length", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("failure", sa.String(length=40), nullable=False),
        sa.Column("is_repeat", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stat_profile")),
        sa.UniqueConstraint(
            "worker",
            "voice",
            "release",
            "length",
            "failure",
            "language",
            "engine",
            "source",
            "host",
            "is_repeat",
            name="uq_stat_profile_values",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_stat_profile_failure",
        "stat_profile",
        ["failure"],
        unique=False,
        sqlite_where=sa.text("failure <> ''"),
        postgresql_where=sa.text("failure <> ''"),
    )
    op.create_table(
        "stat_attempt",
        sa.Column("grain", sa.String(length=4), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("archived", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "grain", "start", "profile_id", "archived", name=op.f("pk_stat_attempt")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_stat_attempt_profile", "stat_attempt", ["profile_id", "grain", "start"], unique=False
    )


def _make_groups() -> None:
    op.create_table(
        "failure_group",
        sa.Column("fingerprint", sa.String(length=40), nullable=False),
        sa.Column("error_type", sa.String(length=80), nullable=False),
        sa.Column("error_kind", sa.String(length=12), nullable=True),
        sa.Column("error_code", sa.String(length=80), nullable=True),
        sa.Column("template", sa.String(length=600), nullable=False),
        sa.Column("frames", sa.String(length=400), server_default="", nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), server_default="open", nullable=False),
        sa.Column("state_at", sa.BigInteger(), nullable=True),
        sa.Column("state_by", sa.String(length=160), nullable=True),
        sa.Column("resolved_release", sa.String(length=400), nullable=True),
        sa.Column("regressed_at", sa.BigInteger(), nullable=True),
        sa.Column("regressed_release", sa.String(length=80), nullable=True),
        sa.Column("assignee", sa.String(length=160), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'resolved', 'muted')", name=op.f("ck_failure_group_state")
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_failure_group")),
    )
    op.create_index("ix_failure_group_first", "failure_group", ["first_at"], unique=False)
    op.create_table(
        "failure_event",
        _id(),
        sa.Column("fingerprint", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("by", sa.String(length=160), nullable=False),
        sa.Column("detail", sa.String(length=2000), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure_event")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_failure_event_group", "failure_event", ["fingerprint", "id"], unique=False)
    op.create_table(
        "system_event",
        _id(),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("host", sa.String(length=255), nullable=True),
        sa.Column("release", sa.String(length=80), nullable=True),
        sa.Column("before", sa.String(length=80), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=True),
        sa.Column("value", sa.String(length=80), nullable=True),
        sa.Column("by", sa.String(length=160), nullable=False),
        sa.CheckConstraint(
            "kind IN ('start', 'restart', 'release', 'stop', 'limit')",
            name=op.f("ck_system_event_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_event")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_system_event_at", "system_event", ["at"], unique=False)
    op.create_index("ix_system_event_worker", "system_event", ["worker", "id"], unique=False)


def _make_findings() -> None:
    op.create_table(
        "finding",
        _id(),
        sa.Column("key", sa.String(length=600), nullable=False),
        sa.Column("state", sa.String(length=6), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_why", sa.String(length=7), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("misses", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("predicate", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=40), nullable=True),
        sa.Column("observed", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("lift", sa.Float(), nullable=False),
        sa.Column("q", sa.Float(), nullable=False),
        sa.Column("onset_at", sa.BigInteger(), nullable=True),
        sa.Column("is_muted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("break_us", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=True),
        sa.Column("span_id", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL AND closed_why IS NOT NULL)",
            name=op.f("ck_finding_closed"),
        ),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_finding_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_finding_opened", "finding", ["opened_at"], unique=False)
    op.create_index("ix_finding_closed", "finding", ["closed_at"], unique=False)
    op.create_index(
        "ux_finding_open",
        "finding",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "webhook_delivery",
        _id(),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(length=400), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint("event IN ('opened', 'closed')", name=op.f("ck_webhook_delivery_event")),
        sa.CheckConstraint(
            "state IN ('waiting', 'delivered', 'given_up')", name=op.f("ck_webhook_delivery_state")
        ),
        sa.ForeignKeyConstraint(
            ["finding_id"], ["finding.id"], name=op.f("fk_webhook_delivery_finding_id_finding")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_webhook_delivery_finding", "webhook_delivery", ["finding_id", "id"], unique=False
    )
    op.create_index("ix_webhook_delivery_created", "webhook_delivery", ["created_at"], unique=False)
    op.create_index(
        "ix_webhook_delivery_waiting",
        "webhook_delivery",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "analysis",
        _id(),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.String(length=160), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("starts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("holder", sa.String(length=160), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("phase", sa.String(length=10), nullable=True),
        sa.Column("permille", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.String(length=400), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_analysis_state"),
        ),
        sa.CheckConstraint("permille BETWEEN 0 AND 1000", name=op.f("ck_analysis_permille")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analysis")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_analysis_asked", "analysis", ["asked_at"], unique=False)
    op.create_index(
        "ix_analysis_open",
        "analysis",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'running')"),
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )


_TABLES = (
    "analysis",
    "webhook_delivery",
    "finding",
    "system_event",
    "failure_event",
    "failure_group",
    "stat_attempt",
    "stat_profile",
)
_COLUMNS = (
    "is_repeat",
    "frames",
    "template",
    "fingerprint",
    "char_count",
    "source",
    "language",
    "voice",
)


def downgrade() -> None:
    """Removes them, with what people noted about groups and what was archived of attempts."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table in attempts.TABLES.items():
        op.execute(f"DROP TRIGGER {name}" + ("" if is_sqlite else f" ON {table}"))
        if not is_sqlite:
            op.execute(f"DROP FUNCTION voxtrace_{name.removeprefix('tr_')}()")
    for name in (
        "ix_task_attempt_fingerprint",
        "ix_task_attempt_failed",
        "ix_task_attempt_ended",
    ):
        op.drop_index(name, table_name="task_attempt")
    for name in _TABLES:
        op.drop_table(name)
    for name in _COLUMNS:
        op.drop_column("task_attempt", name)

"""Plans of an answer: whatever is asked, nothing walks through the attempts or the tasks."""

from app.service.correlate import answering
from app.service.correlate.question import asked
from app.store import analyses
from tests.support import caused_failures
from tests.support.caused_failures import NOW_US, Numbers
from tests.support.home import Home
from tests.support.statements import plan, recorded, walks

_QUESTIONS: tuple[dict[str, str], ...] = (
    {},
    {"from": "1h"},
    {"from": "4d", "baseline": "3d"},
    {"outcome": "slow", "from": "2h"},
    {"query": f"fingerprint:{caused_failures.CAUSE}", "within": "engine:volc"},
    {"query": "error:quota"},
)

_TABLES = (
    *("task", "task_attempt", "stat_attempt", "stat_profile"),
    *("failure_group", "system_event"),
)


def test_answer_walks_through_nothing(any_home: Home) -> None:
    """Every statement of every kind of question seeks in an index."""
    core = any_home.core
    with core.database.write() as conn:
        caused_failures.fill(conn, Numbers(before=300, day=500, last=100))
    with core.database.write() as conn:
        for given in _QUESTIONS:
            with recorded(conn.engine) as statements:
                answering.look(core, conn, asked(given).at(NOW_US), NOW_US)
            assert len(statements) > 5
            for sql, values in statements:
                is_read = sql.startswith(("SELECT", "WITH"))
                assert not (is_read and walks(conn, sql, values, tables=_TABLES)), sql


def test_analyses_are_found_by_their_indexes(any_home: Home) -> None:
    """What waits, what was asked lately: neither grows with what was answered."""
    with any_home.core.database.write() as conn:
        with recorded(conn.engine) as statements:
            analyses.open_count(conn)
            analyses.next_open(conn, "here", 5)
            analyses.asked_since(conn, 1)
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plans = [" ".join(plan(conn, sql, values)) for sql, values in statements]
    expected = ("ix_analysis_open", "ix_analysis_open", "ix_analysis_asked")
    for told, index in zip(plans, expected, strict=True):
        assert index in told

"""What the rows say: plain SQL over the tables of work, without counters, rollups or cursors."""

from typing import Final

#: Durations, in the order in which quantiles are compared.
MEASURES: Final = ("run", "wait", "total")
#: Columns of what is called otherwise elsewhere.
_COLUMNS: Final = {"worker": "worker_name"}
_COUNTS: Final = "source <> 'canary'"

SUMS: Final = (
    "SELECT status, count(*), coalesce(sum(run_ms), 0), coalesce(sum(wait_ms), 0),"  # noqa: S608 - ours
    " coalesce(sum(total_ms), 0), sum(char_count), coalesce(sum(audio_duration_ms), 0),"
    " sum(CASE WHEN timed_out_at IS NULL OR finished_at IS NULL THEN 0 ELSE 1 END)"
    f" FROM task WHERE {_COUNTS} GROUP BY status"
)
STATES: Final = (
    "SELECT state, count(*) FROM text WHERE source <> 'canary' AND deleted_at IS NULL"
    " GROUP BY state"
)


def counts(*, since: int | None = None, by: str | None = None) -> str:
    """Tasks by status that ended since then, or live; by a column, too."""
    keys = "status" if by is None else f"coalesce({_COLUMNS.get(by, by)}, ''), status"
    places = "1" if by is None else "1, 2"
    window = "" if since is None else f" AND (finished_at IS NULL OR finished_at >= {since})"
    return f"SELECT {keys}, count(*) FROM task WHERE {_COUNTS}{window} GROUP BY {places}"  # noqa: S608 - ours


def by_start(step: int, *, since: int) -> str:
    """Ended tasks by the hour or the day."""
    start = f"finished_at - finished_at % {step}"
    return (
        f"SELECT {start}, count(*) FROM task"  # noqa: S608 - ours
        f" WHERE {_COUNTS} AND finished_at >= {since} GROUP BY 1"
    )


def ended_in(start: int, length: int) -> str:
    """Tasks that ended in a stretch of time; no drift."""
    return (
        f"SELECT count(*), 0 FROM task WHERE {_COUNTS}"  # noqa: S608 - ours
        f" AND finished_at >= {start} AND finished_at < {start + length}"
    )


def quantiles(dialect: str) -> str:
    """p50, p95 and p99 of each duration of completed tasks: one row each."""
    rows = " UNION ALL ".join(_quantiles(dialect, one) for one in MEASURES)
    return f"SELECT a, b, c FROM ({rows}) q ORDER BY place"  # noqa: S608 - ours


def _quantiles(dialect: str, measure: str) -> str:
    place = MEASURES.index(measure)
    # said so that SQLite may walk the index on the duration: its sort of ten million takes minutes
    done = f"FROM task WHERE finished_at IS NOT NULL AND {_COUNTS} AND status = 'completed'"
    if dialect == "postgresql":
        parts = ", ".join(
            f"percentile_disc({q}) WITHIN GROUP (ORDER BY {measure}_ms) AS {name}"
            for q, name in ((0.5, "a"), (0.95, "b"), (0.99, "c"))
        )
        return f"SELECT {place} AS place, {parts} {done}"
    parts = ", ".join(
        f"(SELECT {measure}_ms {done} ORDER BY {measure}_ms"
        f" LIMIT 1 OFFSET (SELECT (count(*) * {percent} + 99) / 100 - 1 {done})) AS {name}"
        for percent, name in ((50, "a"), (95, "b"), (99, "c"))
    )
    return f"SELECT {place} AS place, {parts}"


def listed(
    condition: str,
    *,
    after: tuple[int, int] | None = None,
    is_ascending: bool = False,
    limit: int = 50,
) -> str:
    """Ids of a page; the order is of no index, so that all rows are looked at."""
    way, sign = ("ASC", ">") if is_ascending else ("DESC", "<")
    beyond = ""
    if after is not None:
        beyond = f" AND (submitted_at + 0, id + 0) {sign} ({after[0]}, {after[1]})"
    return (
        f"SELECT id FROM task WHERE {_COUNTS} AND {condition}{beyond}"  # noqa: S608 - ours
        f" ORDER BY submitted_at + 0 {way}, id + 0 {way} LIMIT {limit}"
    )

"""Measures what is read, and compares each answer with what the rows say to the same question."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, text

from app.service.core import Core
from app.store.database import Database
from tests.bench.report import Row
from tests.bench.stats import attempt_reads, failure_reads, plans, reads
from tests.bench.stats.place import Filled, Place
from tests.bench.stats.reads import Read, Rows, Scene
from tests.bench.stats.timing import Effort, once, timed

_DIALECTS: Final = {"sqlite": "sqlite", "postgres": "postgresql"}
#: SQL of the rows goes over all of them: it is run once, however long it takes.
_PATIENT_ROLE: Final = "migrate"


class WrongError(Exception):
    """An answer is not what the rows say."""


def measure(
    where: Place,
    filled: Filled,
    effort: Effort,
    *,
    is_chosen: Callable[[str], bool] = lambda _: True,
) -> dict[str, Row]:
    """A row for each read whose name is chosen.

    Raises:
        WrongError: Some answers are wrong; all of them are named.
    """
    core, truth = where.core("web"), where.core(_PATIENT_ROLE)
    try:
        scene = _scene(where, filled, truth.database)
        rows: dict[str, Row] = {}
        wrong: list[str] = []
        for read in _reads(scene):
            if is_chosen(read.name):
                rows[read.name] = _measured(read, core, truth, effort, wrong)
    finally:
        core.database.close()
        truth.database.close()
    if wrong:
        raise WrongError("\n".join(wrong))
    return rows


def planned(where: Place, filled: Filled) -> dict[str, Row]:
    """How each read comes to its rows."""
    core = where.core("web")
    try:
        scene = _scene(where, filled, core.database)
        return {read.name: plans.row(read, core) for read in _reads(scene)}
    finally:
        core.database.close()


def _reads(scene: Scene) -> list[Read]:
    return [*reads.every(scene), *attempt_reads.every(scene), *failure_reads.every(scene)]


def _measured(read: Read, core: Core, truth: Core, effort: Effort, wrong: list[str]) -> Row:
    found, times = timed(lambda: read.call(core), effort)
    row = {
        **times.row(),
        "goal ms": "" if read.goal_ms is None else read.goal_ms,
        "from rows ms": "",
        "equal": "",
    }
    if read.truth is None:
        return row
    expected, took_ms = once(lambda: _from_rows(truth.database, read.truth or ""))
    told = read.told(found)
    if told != expected:
        wrong.append(f"{read.name}: {_first_difference(expected, told)}")
    equal = "yes" if told == expected else "NO"
    return row | {"from rows ms": round(took_ms, 1), "equal": equal}


def _from_rows(database: Database, statement: str) -> Rows:
    with database.read() as conn:
        found = [tuple(_plain(value) for value in row) for row in conn.execute(text(statement))]
    return found if "ORDER BY" in statement else sorted(found)


def _plain(value: Any) -> Any:
    """A sum of PostgreSQL is a Decimal."""
    return value if isinstance(value, str | None) else int(value)


def _first_difference(expected: Rows, told: Rows) -> str:
    if len(expected) != len(told):
        return f"{len(expected)} rows expected, got {len(told)}"
    first = next(pair for pair in zip(expected, told, strict=True) if pair[0] != pair[1])
    return f"expected {first[0]}, got {first[1]}"


def _scene(where: Place, filled: Filled, database: Database) -> Scene:
    failure_reads.make_groups(database)
    with database.read() as conn:
        return Scene(
            count=where.count,
            end=filled.end,
            dialect=_DIALECTS[where.kind],
            middle=_middle(conn, where.count // 2),
        )


def _middle(conn: Connection, task_id: int) -> tuple[int, int]:
    found = conn.execute(text("SELECT submitted_at FROM task WHERE id = :id"), {"id": task_id})
    return int(found.scalar_one()), task_id

"""How each read comes to its rows: the indexes of `task` that the planner takes at this size."""

import re
from typing import Final

from app.service.core import Core
from tests.bench.report import Row
from tests.bench.stats.reads import Read
from tests.support.statements import plan, recorded

#: Ways in a plan of SQLite, and of PostgreSQL.
_WAYS: Final = (
    re.compile(r"(?:SEARCH|SCAN) task USING (?:COVERING )?(?:INDEX )?(\w+|INTEGER PRIMARY KEY)"),
    re.compile(r"(SCAN task)$"),
    re.compile(r"using (\w+) on task\b"),
    re.compile(r"Bitmap Index Scan on (\w+)"),
    re.compile(r"(Seq Scan on task)\b"),
)
#: What is left out of an index's name.
_PREFIX: Final = re.compile(r"^(ix|pk|ux)_")


def row(read: Read, core: Core) -> Row:
    """How many statements a read sends, how many of them read `task`, and by what."""
    with core.database.read() as conn:
        engine = conn.engine
    with recorded(engine) as statements:
        read.call(core)
    sent = [(sql, values) for sql, values in statements if sql.startswith(("SELECT", "WITH"))]
    ways: dict[str, None] = {}
    of_task = 0
    with core.database.read() as conn:
        for sql, values in sent:
            found = _ways(plan(conn, sql, values))
            of_task += bool(found)
            ways |= dict.fromkeys(found)
    return {"statements": len(sent), "of task": of_task, "by": ", ".join(ways)}


def _ways(lines: list[str]) -> list[str]:
    """The indexes of `task` in the lines of a plan, and scans of the whole table."""
    found = [match[1] for line in lines for way in _WAYS if (match := way.search(line.strip()))]
    return [_PREFIX.sub("", one) for one in found if "task" in one or "INTEGER" in one]

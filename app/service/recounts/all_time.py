"""All time of the cube: the sum of its days, one status at a time."""

from app.domain.drift import Scope
from app.domain.task import FINAL
from app.service.core import Core
from app.service.recounts import cells, words
from app.service.recounts.found import Found, snapshot
from app.store import recount_counters

#: (archived, status), each looked at for itself.
PARTS = tuple((archived, str(status)) for archived in (0, 1) for status in sorted(FINAL))


def look(core: Core, archived: int, status: str) -> Found:
    """Compares cells of all time with the days of one status, in one snapshot.

    Reads every cell of the days: 100 000 take some 50 ms.
    """
    with snapshot(core) as now:
        days = recount_counters.cube_part(now.conn, "day", archived, status)
        whole = recount_counters.cube_part(now.conn, "all", archived, status)
    prefix = words.tasks(words.ALL_TIME, (archived, status))
    return Found(
        scope=Scope(parts=(("stat_cube", f"{prefix} "),)),
        moment=now.moment,
        differences=tuple(cells.in_all_time("stat_cube", days, whole)),
        empty=("stat_cube",) if cells.has_empty(whole) else (),
        fixed={"grain": "all"},
    )

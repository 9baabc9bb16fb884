"""What the duties do in time: closed hours are counted anew, and their histograms kept."""

import time

from app.service.recounts import rounds, work
from tests.bench.report import Result
from tests.bench.stats.place import Place, say


def tend(where: Place) -> Result:
    """Counts the hours that were never counted; how long that took."""
    core = where.core("duties")
    begun_s = time.monotonic()
    try:
        if core.database.is_sqlite:
            core.database.pragma("synchronous=OFF")
        waiting = rounds.waiting(core)
        if waiting:
            say(f"{where.kind} {where.count}: counts {len(waiting)} hours anew")
        for start in waiting:
            work.check_hour(core, start)
    finally:
        core.database.close()
    took_s = time.monotonic() - begun_s
    return {"hours counted anew": {"hours": len(waiting), "s": round(took_s, 1)}}

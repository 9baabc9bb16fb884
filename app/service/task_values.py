"""Values that a filter may ask for, as far as they are known at little cost: for suggestions."""

from collections.abc import Mapping, Sequence

from app.service.choice import AUTO_VOICE
from app.service.core import Core
from app.store import workers

#: Workers whose names, hosts and releases are suggested: those that started last.
_WORKERS = 100


def known(core: Core) -> Mapping[str, Sequence[str]]:
    """Values by qualifier: engines and voices of this service, workers of late (ix_worker_started).

    What only rows tell is not looked for.
    """
    engines = core.engines.values()
    voices = {voice.id for engine in engines for voice in engine.voices()}
    with core.database.read() as conn:
        latest = workers.latest(conn, limit=_WORKERS)
    return {
        "engine": sorted(engine.name for engine in engines),
        "voice": sorted(voices | {AUTO_VOICE}),
        "worker": sorted({worker.name for worker in latest}),
        "host": sorted({worker.host for worker in latest}),
        "release": sorted({worker.release for worker in latest}, reverse=True),
    }

"""Sweep: files go when no row refers to them any more. DELETE and retention remove rows only."""

from app import clock
from app.service.core import Core
from app.store import audios
from app.store.database import Connection

#: Prefixes of stored objects: finished audio by its content, segment sound by its input.
AUDIO_PREFIX = "audio"
SEGMENT_PREFIX = "segment"
#: Age in microseconds below which a file is never removed: its row may be on its way.
MIN_AGE_US = 3_600_000_000


def segment_key(input_hash: str) -> str:
    """Where a segment's sound lies: by the hash of everything that it is made from."""
    return f"{SEGMENT_PREFIX}/{input_hash[:2]}/{input_hash}.pcm"


def sweep(core: Core, *, min_age_us: int = MIN_AGE_US) -> int:
    """Removes what nothing refers to; returns how many files.

    Reads tell what is unused; each of those files is looked up again under the writer's lock right
    before it is removed, so a text that is being answered with it at this moment keeps it.
    """
    before = clock.now_us() - min_age_us
    removed = core.storage.sweep_temp(min_age_us / 1_000_000)
    for prefix in (AUDIO_PREFIX, SEGMENT_PREFIX):
        for entry in core.storage.iterate(prefix):
            if entry.mtime_us < before and not _is_used_now(core, entry.key):
                removed += remove_unused(core, entry.key)
    return removed


def remove_unused(core: Core, key: str) -> bool:
    """Removes a file unless a row refers to it, seen under the writer's lock; whether it did.

    A file of nobody else's content may go at once: one that others may make, too, must be old.
    """
    return core.database.run(lambda conn: not _is_used(conn, key) and core.storage.delete(key))


def _is_used_now(core: Core, key: str) -> bool:
    with core.database.read() as conn:
        return _is_used(conn, key)


def _is_used(conn: Connection, key: str) -> bool:
    if key.startswith(f"{AUDIO_PREFIX}/"):
        return audios.refers_to(conn, key)
    return audios.segment_refers_to(conn, key.rpartition("/")[2].removesuffix(".pcm"))

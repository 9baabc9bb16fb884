"""The sweep: files go when no row refers to them any more, and no other file does."""

from sqlalchemy import select

from app.domain.records import TaskRecord
from app.service import sweep
from app.service.canaries import canary
from app.service.canaries.canary import Watch
from app.service.core import Core
from app.store import segments
from app.store.tables import audio_table
from tests.support.home import Home
from tests.support.service import claimed, run, spoken, start_worker

_HERE = Watch(exports=False, jaeger=None)


def _files(core: Core) -> set[str]:
    return {
        entry.key
        for prefix in (sweep.AUDIO_PREFIX, sweep.SEGMENT_PREFIX)
        for entry in core.storage.iterate(prefix)
    }


def _audio_key(core: Core, task: TaskRecord) -> str:
    with core.database.read() as conn:
        mine = audio_table.c.id == task.audio_id
        return str(conn.scalars(select(audio_table.c.storage_key).where(mine)).one())


def _canary_ended(core: Core) -> str:
    """A canary that came through; the key of its audio."""
    canary.begin(core)
    task = run(core, claimed(core, start_worker(core)))
    while (row := canary.newest(core)[0]) is not None and row.finished_at is None:
        canary.look(core, row, _HERE)
    return _audio_key(core, task)


def _segment_keys(core: Core, task: TaskRecord) -> set[str]:
    with core.database.read() as conn:
        return {row.storage_key for row in segments.of_task(conn, task.id) if row.storage_key}


def test_sweep_removes_what_no_row_refers_to(any_home: Home) -> None:
    """A canary's audio, strays and joined segments go; audio and what a retry needs stay.

    A canary's file goes with its verdict: this one is of a process that died right before.
    """
    core = any_home.core
    made = spoken(core, "A text of a user.")
    failed = spoken(core, "Spoken.\n\n@fail permanent no\nNot spoken.", engine="scripted")
    kept = {_audio_key(core, made), *_segment_keys(core, failed)}
    assert (len(kept), failed.status) == (2, "failed")
    left = _canary_ended(core)
    for key in (left, "audio/ab/ab.mp3", sweep.segment_key("cd" * 32)):
        core.storage.put_bytes(b"sound", key=key)
    before = _files(core)
    assert {left, *_segment_keys(core, made), *kept} < before
    assert sweep.sweep(core) == 0, "the row of a young file may be on its way"
    assert sweep.sweep(core, min_age_us=0) == len(before - kept)
    assert _files(core) == kept

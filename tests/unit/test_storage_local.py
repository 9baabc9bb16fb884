"""Local storage: whole or absent, never outside its folder, words for what fails."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import now_us
from app.domain.errors import ErrorKind, StorageError
from app.storage.local import LocalStorage
from app.storage.storage import Storage, check_key

ROOT = Path(__file__).parents[2]

#: Writes an object of a given size under one key for ever, saying so after each.
_WRITER = """
import sys
from pathlib import Path
from app.storage.local import LocalStorage
store = LocalStorage(Path(sys.argv[1]))
data = bytes([int(sys.argv[2])]) * 4_000_000
while True:
    store.put_bytes(data, key="segments/1/a.pcm")
    print("written", flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    """An empty store."""
    return LocalStorage(tmp_path / "store")


def test_local_storage_keeps_the_protocol(store: LocalStorage) -> None:
    """LocalStorage can stand wherever a Storage is asked for."""
    assert isinstance(store, Storage)


def test_put_bytes_gives_the_bytes_back(store: LocalStorage) -> None:
    """What was put under a key is what open, path and iterate show."""
    stored = store.put_bytes(b"pcm", key="segments/7/0.pcm")
    assert (stored.bytes, stored.sha256) == (3, hashlib.sha256(b"pcm").hexdigest())
    with store.open("segments/7/0.pcm") as file:
        assert file.read() == b"pcm"
    assert store.path("segments/7/0.pcm").read_bytes() == b"pcm"
    assert [(e.key, e.bytes) for e in store.iterate("segments")] == [("segments/7/0.pcm", 3)]


def test_put_file_moves_the_file_to_its_hash(store: LocalStorage) -> None:
    """A temporary file becomes the object of its content; no copy stays behind."""
    path = store.make_temp(".mp3")
    path.write_bytes(b"x" * 3_000_000)
    inode = path.stat().st_ino
    stored = store.put_file(path, prefix="audio", suffix=".mp3")
    digest = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert stored.key == f"audio/{digest[:2]}/{digest[2:4]}/{digest}.mp3"
    assert not path.exists()
    assert store.path(stored.key).stat().st_ino == inode


def test_put_file_copies_from_another_file_system(store: LocalStorage) -> None:
    """A file on another device is stored all the same, and removed there."""
    elsewhere = Path("/dev/shm")  # noqa: S108 - the one folder that is another device nearly everywhere
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == store.path("a").parent.stat().st_dev:
        pytest.skip("no second file system here")
    path = elsewhere / f"voxtrace-test-{os.getpid()}"
    path.write_bytes(b"from afar")
    stored = store.put_file(path, prefix="audio", suffix=".wav")
    assert store.path(stored.key).read_bytes() == b"from afar"
    assert not path.exists()
    assert list(store.path("audio").parent.joinpath(".tmp").iterdir()) == []


def test_put_twice_keeps_one_object(store: LocalStorage) -> None:
    """The same content twice is one object, made new for the sweeper."""
    first = store.put_bytes(b"same", key="audio/same")
    os.utime(store.path(first.key), (1, 1))
    store.put_bytes(b"same", key="audio/same")
    entries = list(store.iterate())
    assert len(entries) == 1
    assert entries[0].mtime_us > 1_000_000_000_000


def test_touch_and_delete_say_whether_the_object_was_there(store: LocalStorage) -> None:
    """Both are harmless where it is gone."""
    store.put_bytes(b"1", key="a/b")
    os.utime(store.path("a/b"), (1, 1))
    before_us = now_us()
    assert store.touch("a/b")
    assert next(store.iterate("a")).mtime_us >= before_us - 1_000_000
    assert store.delete("a/b")
    assert not store.exists("a/b")
    assert not store.touch("a/b")
    assert not store.delete("a/b")


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "..", "a/../b", "a/..", ".tmp/x", "a//b", "a/", "a\0b", "a\\b", "a b", "é"],
)
def test_key_that_could_leave_is_refused(store: LocalStorage, key: str) -> None:
    """No method takes such a key, and the error is permanent."""
    for call in (store.path, store.exists, store.touch, store.delete, store.open):
        with pytest.raises(StorageError) as caught:
            call(key)
        assert caught.value.kind is ErrorKind.PERMANENT
    with pytest.raises(StorageError):
        store.put_bytes(b"", key=key)


@given(st.text(max_size=60))
def test_accepted_key_stays_inside_the_root(key: str) -> None:
    """For every key: refused, or its path is below the root."""
    root = Path("/srv/voxtrace")
    try:
        accepted = check_key(key)
    except StorageError:
        return
    assert root in Path(os.path.normpath(root / accepted)).parents


def test_missing_object_is_a_storage_error(store: LocalStorage) -> None:
    """Reading what is not there says so, without a path of the host."""
    with pytest.raises(StorageError, match="cannot read a/b: it does not exist") as caught:
        store.open("a/b")
    assert str(store.path("a/b")) not in caught.value.message


def test_full_disk_is_a_storage_error(store: LocalStorage, tmp_path: Path) -> None:
    """ENOSPC becomes words, and nothing half-written stays."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(StorageError, match="no space is left") as caught:
        _write_to_full(store, full)
    assert caught.value.kind is ErrorKind.RETRYABLE
    assert list((tmp_path / "store" / ".tmp").iterdir()) == []


def _write_to_full(store: LocalStorage, full: Path) -> None:
    """Puts an object while every temporary file is a link to a device without space."""
    real = store.make_temp

    def temp(suffix: str = "") -> Path:
        path = real(suffix)
        path.unlink()
        path.symlink_to(full)
        return path

    store.make_temp = temp  # type: ignore[method-assign] # the disk is the border, not our code
    store.put_bytes(b"x" * 100_000, key="a/b")


def test_missing_right_is_a_storage_error(tmp_path: Path) -> None:
    """A root that cannot be made says why."""
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(StorageError, match="cannot make the storage folder"):
        LocalStorage(blocker / "store")


def test_sweep_temp_removes_only_old_files(store: LocalStorage) -> None:
    """A file that someone is writing now stays."""
    old, new = store.make_temp(), store.make_temp()
    os.utime(old, (1, 1))
    assert store.sweep_temp(3600) == 1
    assert (old.exists(), new.exists()) == (False, True)


def test_iterate_leaves_temporary_files_out(store: LocalStorage) -> None:
    """The sweeper of objects never sees a file that is being written."""
    store.make_temp()
    assert list(store.iterate()) == []


def test_probe_says_whether_it_can_write(store: LocalStorage, tmp_path: Path) -> None:
    """A good store has free bytes; one whose folder is gone says what failed."""
    probe = store.probe()
    assert probe["ok"] is True
    assert int(probe["free_bytes"]) > 0
    (tmp_path / "store" / ".tmp").rmdir()
    (tmp_path / "store").rmdir()
    assert store.probe()["ok"] is False


def test_concurrent_identical_puts_all_succeed(store: LocalStorage) -> None:
    """Sixteen writers of one content: each gets the same key, the object is whole."""
    data = b"z" * 200_000
    barrier = threading.Barrier(16)
    keys: list[str] = []

    def put() -> None:
        path = store.make_temp()
        path.write_bytes(data)
        barrier.wait()
        keys.append(store.put_file(path, prefix="audio", suffix=".mp3").key)

    threads = [threading.Thread(target=put) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 16
    assert len(set(keys)) == 1
    assert store.path(keys[0]).read_bytes() == data
    assert len(list(store.iterate())) == 1


def test_killed_writer_leaves_a_whole_object(store: LocalStorage, tmp_path: Path) -> None:
    """SIGKILL at any moment: the key has the old or the new content; the rest is swept."""
    for value in range(1, 6):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path / "store"), str(value)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        data = store.path("segments/1/a.pcm").read_bytes()
        assert len(data) == 4_000_000
        assert set(data) == {value}
    assert store.sweep_temp(0) <= 5
    assert len(list(store.iterate())) == 1
    assert list((tmp_path / "store" / ".tmp").iterdir()) == []

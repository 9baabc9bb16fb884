"""Audio over HTTP: whole, by ranges, by ETag, as a download; waveform and captions."""

import hashlib
from collections.abc import Iterator

import pytest

from app.domain.records import TaskRecord
from app.web import state
from app.web.v1.audio import SHORT_BYTES, disposition
from tests.support.documented import DocumentedClient, web_client
from tests.support.home import Home
from tests.support.service import spoken


@pytest.fixture
def task(home: Home) -> TaskRecord:
    """A finished task with about 20 s of audio."""
    return spoken(home.core, "A sentence of some length. " * 10, title="第一回 “x”/y")


@pytest.fixture
def client(home: Home) -> Iterator[DocumentedClient]:
    """A client of the application on the test's home."""
    with web_client(home.settings) as made:
        yield made


def test_ranges_put_together_are_the_file(client: DocumentedClient, task: TaskRecord) -> None:
    """Parts asked for one after another are the bytes of the whole, whose hash is the ETag."""
    url = f"/api/v1/audio/{task.audio_id}/file"
    whole = client.get(url, buffered=True)
    size = len(whole.data)
    assert whole.content_length == size == task.audio_bytes
    assert whole.headers["ETag"] == f'"{hashlib.sha256(whole.data).hexdigest()}"'
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "immutable" in whole.headers["Cache-Control"]
    assert whole.mimetype == "audio/mpeg"
    parts = b""
    while len(parts) < size:
        wanted = {"Range": f"bytes={len(parts)}-{len(parts) + 9999}"}
        part = client.get(url, headers=wanted, buffered=True)
        assert part.status_code == 206
        last = min(size, len(parts) + 10_000) - 1
        assert part.headers["Content-Range"] == f"bytes {len(parts)}-{last}/{size}"
        parts += part.data
    assert parts == whole.data


def test_etag_decides_over_ranges_and_caches(client: DocumentedClient, task: TaskRecord) -> None:
    """304 for our ETag; a range only under an If-Range that is ours; 416 beyond the end."""
    url = f"/api/v1/audio/{task.audio_id}/file"
    etag = client.get(url, buffered=True).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": etag}, buffered=True).status_code == 304
    part = {"Range": "bytes=0-0"}
    mine = client.get(url, headers=part | {"If-Range": etag}, buffered=True)
    other = client.get(url, headers=part | {"If-Range": '"x"'}, buffered=True)
    assert (mine.status_code, other.status_code) == (206, 200)
    beyond = client.get(url, headers={"Range": "bytes=99999999-"}, buffered=True)
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == f"bytes */{task.audio_bytes}"
    head = client.head(url, buffered=True)
    assert (head.status_code, head.content_length, head.data) == (200, task.audio_bytes, b"")


def test_download_has_the_texts_name(client: DocumentedClient, task: TaskRecord) -> None:
    """The file's name is the title, in UTF-8 for who reads it and in ASCII for who does not."""
    url = f"/api/v1/audio/{task.audio_id}/file?download=1"
    named = client.get(url, buffered=True).headers["Content-Disposition"]
    assert named.startswith('attachment; filename="')
    assert "filename*=UTF-8''%E7%AC%AC%E4%B8%80%E5%9B%9E" in named
    assert named.isascii()
    assert '"' not in disposition('a"b\\c\r\nd', is_download=False).split('"')[1]


def test_waveform_and_captions(client: DocumentedClient, task: TaskRecord) -> None:
    """Peaks to draw, and captions in both formats whose words are the text's."""
    told = client.get(f"/api/v1/audio/{task.audio_id}/peaks").json or {}
    assert len(told["peaks"]) > 100
    assert told["duration_ms"] == task.audio_duration_ms
    srt = client.get(f"/api/v1/audio/{task.audio_id}/captions.srt")
    vtt = client.get(f"/api/v1/audio/{task.audio_id}/captions.vtt")
    assert srt.mimetype == "application/x-subrip"
    assert vtt.text.startswith("WEBVTT")
    assert "sentence of some length" in srt.text
    assert client.get(f"/api/v1/audio/{task.audio_id}/captions.doc").status_code == 404
    assert client.get("/api/v1/audio/99/peaks").status_code == 404


def test_downloads_leave_threads_for_others(client: DocumentedClient, task: TaskRecord) -> None:
    """With half of the threads held a range is short; with three quarters a download must wait."""
    url = f"/api/v1/audio/{task.audio_id}/file"
    holds = state.of(client.application).holds
    threads = state.of(client.application).core.settings.web_threads
    for _ in range(threads // 2):
        assert holds.take_stream()
    short = client.get(url, headers={"Range": "bytes=0-"}, buffered=True)
    assert short.status_code == 206
    assert len(short.data) == min(SHORT_BYTES, task.audio_bytes or 0)
    while holds.take_download() != "none":
        pass
    busy = client.get(url, buffered=True)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")


def test_held_thread_is_given_back(client: DocumentedClient, task: TaskRecord) -> None:
    """Whether it was read, half read, or answered with an error: nothing stays held or open."""
    url = f"/api/v1/audio/{task.audio_id}/file"
    holds = state.of(client.application).holds
    client.get(url, buffered=True)
    client.get(url).close()
    client.get(url, headers={"Range": "bytes=99999999-"}, buffered=True)
    client.head(url, buffered=True)
    assert holds.held == 0


def test_lost_file_is_a_storage_error(
    home: Home, client: DocumentedClient, task: TaskRecord
) -> None:
    """A row whose file is gone answers with an error that says so, without the path."""
    for path in (home.path / "audio" / "audio").rglob("*.mp3"):
        path.unlink()
    answer = client.get(f"/api/v1/audio/{task.audio_id}/file")
    assert answer.status_code == 500
    assert (answer.json or {})["error_type"] == "storage_error"
    assert str(home.path) not in answer.text

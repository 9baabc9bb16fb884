"""Audio for listeners: rows, files, waveforms, captions; and the end of a corrupt one."""

import json
from dataclasses import dataclass
from typing import Any, BinaryIO

from app.domain.audio import audio_format
from app.domain.errors import NotFoundError, RequestError
from app.domain.records import AudioRecord
from app.service.core import Core
from app.store import audios, texts
from app.store.database import Connection

#: Formats of captions and their media types (RFC 8081 has none for SRT).
CAPTIONS = {"srt": "application/x-subrip", "vtt": "text/vtt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFile:
    """An audio and its opened bytes; whoever got it closes `stream`."""

    audio: AudioRecord
    content_type: str
    stream: BinaryIO
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """A waveform: `values` are the peaks of equal parts of the audio, first to last."""

    audio_id: int
    duration_ms: int | None
    values: list[Any]


def get(core: Core, audio_id: int) -> AudioRecord:
    """An audio that is not deleted.

    Raises:
        NotFoundError: There is none.
    """
    with core.database.read() as conn:
        audio = audios.get(conn, audio_id)
    if audio is None:
        message = f"audio {audio_id} does not exist"
        raise NotFoundError(message)
    return audio


def open_file(core: Core, audio_id: int) -> AudioFile:
    """An audio's bytes.

    Raises:
        NotFoundError: There is none.
        StorageError: Its file cannot be read.
    """
    audio = get(core, audio_id)
    return AudioFile(
        audio=audio,
        content_type=audio_format(audio.format).content_type,
        stream=core.storage.open(audio.storage_key),
        size_bytes=audio.size_bytes,
    )


def peaks(core: Core, audio_id: int) -> Peaks:
    """An audio's waveform.

    Raises:
        NotFoundError: No such audio, or it has none (an imported one).
    """
    audio = get(core, audio_id)
    if audio.peaks is None:
        message = f"audio {audio_id} has no waveform"
        raise NotFoundError(message)
    return Peaks(audio_id=audio.id, duration_ms=audio.duration_ms, values=json.loads(audio.peaks))


def captions(core: Core, audio_id: int, fmt: str) -> str:
    """An audio's captions in one of `CAPTIONS`.

    Raises:
        NotFoundError: No such audio, or it has no captions.
    """
    get(core, audio_id)
    with core.database.read() as conn:
        body = audios.captions(conn, audio_id, fmt)
    if body is None:
        message = f"audio {audio_id} has no captions"
        raise NotFoundError(message)
    return body


def delete_corrupt(core: Core, audio_id: int) -> AudioRecord:
    """Deletes an audio that is not valid; its file goes by the sweeper.

    Raises:
        NotFoundError: There is none.
        RequestError: It is valid.
    """

    def work(conn: Connection) -> AudioRecord:
        audio = audios.get(conn, audio_id)
        if audio is None:
            message = f"audio {audio_id} does not exist"
            raise NotFoundError(message)
        if audio.is_valid:
            message = f"audio {audio_id} is valid ({audio.size_bytes} bytes); only a corrupt one can be deleted"  # noqa: E501
            raise RequestError(message)
        audios.mark_deleted(conn, audio_id, core.database.now_us(conn))
        texts.take_audio(conn, audio_id)
        return audio

    return core.database.run(work)

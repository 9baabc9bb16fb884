"""/api/v1/audio: rows, bytes by ranges, waveforms, captions."""

from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable, ServiceUnavailable

from app.service import audio as audio_service
from app.service.audio import AudioFile
from app.web import parse, shapes
from app.web.errors import RETRY_AFTER_S
from app.web.ranges import Span, applies, parse_range
from app.web.state import core, state

blueprint = Blueprint("v1_audio", __name__, url_prefix="/api/v1/audio")

#: Bytes read and sent at a time; bytes of a range where threads are short.
_BLOCK_BYTES = 1 << 16
SHORT_BYTES = 1 << 18
#: The bytes of an audio never change under its address: a remade audio has another id.
_CACHE = "private, max-age=31536000, immutable"


@blueprint.get("/<int:audio_id>")
def show(audio_id: int) -> Response:
    """An audio and where its parts are."""
    return jsonify({"audio": shapes.audio(audio_service.get(core(), audio_id))})


@blueprint.get("/<int:audio_id>/peaks")
def peaks(audio_id: int) -> Response:
    """An audio's waveform."""
    found = audio_service.peaks(core(), audio_id)
    response = jsonify(
        {"audio_id": found.audio_id, "duration_ms": found.duration_ms, "peaks": found.values}
    )
    response.headers["Cache-Control"] = _CACHE
    return response


@blueprint.get("/<int:audio_id>/captions.<any(srt, vtt):fmt>")
def captions(audio_id: int, fmt: str) -> Response:
    """An audio's captions."""
    body = audio_service.captions(core(), audio_id, fmt)
    response = Response(body, content_type=f"{audio_service.CAPTIONS[fmt]}; charset=utf-8")
    response.headers["Cache-Control"] = _CACHE
    return response


@blueprint.get("/<int:audio_id>/file")
def file(audio_id: int) -> Response:
    """An audio's bytes: whole, or the one range that was asked for; `download=1` names a file."""
    is_download = parse.choice_arg("download", {"0": False, "1": True}, "0")
    opened = audio_service.open_file(core(), audio_id)
    try:
        return _file(opened, is_download=is_download)
    except BaseException:
        opened.stream.close()
        raise


def _file(opened: AudioFile, *, is_download: bool) -> Response:
    etag = opened.audio.sha256
    headers = {
        "ETag": f'"{etag}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": _CACHE,
        "Content-Disposition": disposition(opened.audio.filename, is_download=is_download),
    }
    if etag in request.if_none_match:
        opened.stream.close()
        return Response(status=304, headers=headers)
    wanted = None
    if applies(request.headers.get("If-Range"), etag):
        wanted = parse_range(request.headers.get("Range"), opened.size_bytes)
    if wanted == "unsatisfiable":
        raise RequestedRangeNotSatisfiable(opened.size_bytes)
    return _send(opened, wanted, headers)


def _send(opened: AudioFile, wanted: Span | None, headers: dict[str, str]) -> Response:
    """The bytes; where threads are short, a range gets its first part (the player asks on)."""
    holds = state().holds
    if request.method == "HEAD":
        return _answer(opened, wanted, headers)
    allowance = holds.take_download()
    if allowance == "none":
        message = "too many downloads at this moment; ask again"
        raise ServiceUnavailable(message, retry_after=RETRY_AFTER_S)
    if allowance == "short" and wanted is not None:
        wanted = replace(wanted, last=min(wanted.last, wanted.first + SHORT_BYTES - 1))
    response = _answer(opened, wanted, headers)
    response.call_on_close(holds.give_back)
    return response


def _answer(opened: AudioFile, wanted: Span | None, headers: dict[str, str]) -> Response:
    sent = wanted or Span(first=0, last=opened.size_bytes - 1)
    response = Response(
        _blocks(opened.stream, sent),
        status=200 if wanted is None else 206,
        content_type=opened.content_type,
        headers=headers,
    )
    response.content_length = sent.size_bytes
    if wanted is not None:
        response.headers["Content-Range"] = f"bytes {sent.first}-{sent.last}/{opened.size_bytes}"
    response.call_on_close(opened.stream.close)
    return response


def _blocks(stream: BinaryIO, sent: Span) -> Iterator[bytes]:
    stream.seek(sent.first)
    left = sent.size_bytes
    while left > 0:
        block = stream.read(min(_BLOCK_BYTES, left))
        if not block:
            return
        left -= len(block)
        yield block


def disposition(filename: str, *, is_download: bool) -> str:
    """Content-Disposition with the name in ASCII and in UTF-8 (RFC 6266, RFC 8187)."""
    kind = "attachment" if is_download else "inline"
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in filename)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"

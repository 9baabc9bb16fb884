"""The library's reads: texts with the task and the audio that answer for them, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from app.domain.records import AudioRecord, TaskRecord, TextRecord
from app.store import audios, tasks
from app.store.rows import records
from app.store.tables import audio_table, text_table

_X = text_table.c
#: Counts above this are told as "10 000+": counting further would read the whole table.
COUNT_CAP = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFilter:
    """What to list: `q` in title or content, audio there or not, states, oldest first or newest."""

    q: str = ""
    has_audio: bool | None = None
    states: tuple[str, ...] = ()
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRow:
    """A text (its content cut to `excerpt`), its task and its audio."""

    text: TextRecord
    task: TaskRecord | None
    audio: AudioRecord | None


def count(conn: Connection, wanted: LibraryFilter) -> int:
    """How many texts match, at most `COUNT_CAP` + 1."""
    inner = select(_X.id).where(_condition(wanted)).limit(COUNT_CAP + 1).subquery()
    return conn.execute(select(func.count()).select_from(inner)).scalar_one()


def page(conn: Connection, wanted: LibraryFilter, *, offset: int, limit: int) -> list[LibraryRow]:
    """Texts by age (primary key, walked from the filter's end); contents are cut to 200 characters.

    Cost: rows are walked until `offset + limit` match; a search (`q`) reads contents.
    """
    columns = [column for column in text_table.c if column.name != "content"]
    order = _X.id.asc() if wanted.oldest_first else _X.id.desc()
    statement: Select[Any] = (
        select(*columns, func.substr(_X.content, 1, 200).label("content"))
        .where(_condition(wanted))
        .order_by(order)
        .offset(offset)
        .limit(limit)
    )
    return joined(conn, records(TextRecord, conn.execute(statement)))


def joined(conn: Connection, texts: Sequence[TextRecord]) -> list[LibraryRow]:
    """Texts with their tasks and audios: two more statements, by primary keys."""
    task_ids = [text.task_id for text in texts if text.task_id is not None]
    audio_ids = [text.audio_id for text in texts if text.audio_id is not None]
    by_task = {task.id: task for task in tasks.many(conn, task_ids)}
    by_audio = {audio.id: audio for audio in audios.many(conn, audio_ids)}
    return [
        LibraryRow(
            text=text,
            task=by_task.get(text.task_id or 0),
            audio=by_audio.get(text.audio_id or 0),
        )
        for text in texts
    ]


def audio_count(conn: Connection, q: str) -> int:
    """How many audios match, at most `COUNT_CAP` + 1."""
    inner = _audio_select(q).with_only_columns(audio_table.c.id).limit(COUNT_CAP + 1).subquery()
    return conn.execute(select(func.count()).select_from(inner)).scalar_one()


def audio_page(
    conn: Connection, q: str, *, oldest_first: bool, offset: int, limit: int
) -> list[tuple[AudioRecord, str]]:
    """Audios by age with the titles of their texts."""
    order = audio_table.c.id.asc() if oldest_first else audio_table.c.id.desc()
    statement = _audio_select(q).order_by(order).offset(offset).limit(limit)
    rows = conn.execute(statement).all()
    return [
        (audio, str(row._mapping["title"]))
        for audio, row in zip(records(AudioRecord, rows), rows, strict=True)
    ]


def _audio_select(q: str) -> Select[Any]:
    statement = (
        select(audio_table, _X.title)
        .join(text_table, _X.id == audio_table.c.text_id)
        .where(audio_table.c.deleted_at.is_(None), _X.deleted_at.is_(None), _X.source != "canary")
    )
    if q:
        statement = statement.where(_X.title.icontains(q, autoescape=True))
    return statement


def _condition(wanted: LibraryFilter) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [_X.deleted_at.is_(None), _X.source != "canary"]
    if wanted.q:
        parts.append(
            or_(
                _X.title.icontains(wanted.q, autoescape=True),
                _X.content.icontains(wanted.q, autoescape=True),
            )
        )
    if wanted.has_audio is not None:
        has = _X.audio_id.is_not(None)
        parts.append(has if wanted.has_audio else ~has)
    if wanted.states:
        parts.append(_X.state.in_(wanted.states))
    return and_(*parts)

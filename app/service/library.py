"""The library: texts with what answers for them; hide, bring back, look up."""

from dataclasses import dataclass

from app.domain.errors import NotFoundError, RequestError
from app.domain.records import AudioRecord, TaskRecord, TextRecord
from app.domain.task import Status
from app.domain.text import check_text
from app.service.core import Core
from app.service.progress import progress_ratio
from app.service.reason import Reason, Surroundings, explain_text
from app.service.task_view import is_alive
from app.store import library, reports, tasks, texts, workers
from app.store.database import Connection
from app.store.library import COUNT_CAP, LibraryRow
from app.store.library import LibraryFilter as LibraryFilter  # noqa: PLC0414 - web has no store

#: Rows of one page at most.
MAX_PAGE_SIZE = 100
#: Characters of a search at most.
MAX_SEARCH_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryItem:
    """A text as a list shows it.

    Attributes:
        text: Its content is cut to 200 characters where it comes from a page.
        progress: 0 to 1; None without a task.
        reason: Why its task stands where it stands; None without a task.
        queue_position: From 1; None where it does not wait.
        now: The database's time.
    """

    text: TextRecord
    task: TaskRecord | None
    audio: AudioRecord | None
    progress: float | None
    reason: Reason | None
    queue_position: int | None
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of texts; `is_capped`: there are more than `total`, counting stopped there."""

    items: tuple[LibraryItem, ...]
    total: int
    is_capped: bool
    page: int
    page_size: int

    @property
    def pages(self) -> int:
        """Pages in all, one at least."""
        return max(1, -(-self.total // self.page_size))


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioItem:
    """An audio and the title of its text."""

    audio: AudioRecord
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPage:
    """A page of audios."""

    items: tuple[AudioItem, ...]
    total: int
    is_capped: bool
    page: int
    page_size: int

    @property
    def pages(self) -> int:
        """Pages in all, one at least."""
        return max(1, -(-self.total // self.page_size))


def page(core: Core, wanted: LibraryFilter, *, page: int = 1, page_size: int = 20) -> Page:
    """A page of texts.

    Raises:
        RequestError: A state that is none, a search or a page that is too long.
    """
    _check(wanted.q, page, page_size)
    unknown = [state for state in wanted.states if state not in set(Status)]
    if unknown:
        message = f"state {unknown[0][:20]!r} is none; allowed: {', '.join(Status)}"
        raise RequestError(message)
    with core.database.read() as conn:
        total = library.count(conn, wanted)
        rows = library.page(conn, wanted, offset=(page - 1) * page_size, limit=page_size)
        items = _items(core, conn, rows)
    return Page(
        items=items,
        total=min(total, COUNT_CAP),
        is_capped=total > COUNT_CAP,
        page=page,
        page_size=page_size,
    )


def audio_page(
    core: Core, q: str, *, oldest_first: bool = False, page: int = 1, page_size: int = 20
) -> AudioPage:
    """A page of audios, by age."""
    _check(q, page, page_size)
    with core.database.read() as conn:
        total = library.audio_count(conn, q)
        rows = library.audio_page(
            conn,
            q,
            oldest_first=oldest_first,
            offset=(page - 1) * page_size,
            limit=page_size,
        )
    return AudioPage(
        items=tuple(AudioItem(audio=audio, title=title) for audio, title in rows),
        total=min(total, COUNT_CAP),
        is_capped=total > COUNT_CAP,
        page=page,
        page_size=page_size,
    )


def get(core: Core, text_id: int) -> LibraryItem:
    """A text with its whole content.

    Raises:
        NotFoundError: No such text, or it is deleted.
    """
    with core.database.read() as conn:
        text = texts.get(conn, text_id)
        if text is None:
            raise NotFoundError(_no_text(text_id))
        return _items(core, conn, library.joined(conn, [text]))[0]


def head(core: Core, text_id: int) -> LibraryItem:
    """A text without its content.

    Raises:
        NotFoundError: No such text, or it is deleted.
    """
    with core.database.read() as conn:
        text = reports.text_head(conn, text_id)
        if text is None or text.deleted_at is not None:
            raise NotFoundError(_no_text(text_id))
        return _items(core, conn, library.joined(conn, [text]))[0]


def hide(core: Core, text_id: int) -> None:
    """Deletes a text, softly: it is in no list and no count; what runs for it goes on.

    Raises:
        NotFoundError: No such text, or it is deleted.
    """

    def work(conn: Connection) -> bool:
        return texts.mark_deleted(conn, text_id, core.database.now_us(conn))

    if not core.database.run(work):
        raise NotFoundError(_no_text(text_id))


def bring_back(core: Core, text_id: int) -> LibraryItem:
    """Undoes `hide`; a text that is there is left as it is.

    Raises:
        NotFoundError: No such text.
    """
    core.database.run(lambda conn: texts.mark_deleted(conn, text_id, None))
    return get(core, text_id)


def title_exists(core: Core, title: str) -> bool:
    """Whether a text that is not deleted has this very title."""
    check_text(title, field="title")
    with core.database.read() as conn:
        return texts.title_exists(conn, title)


def _items(core: Core, conn: Connection, rows: list[LibraryRow]) -> tuple[LibraryItem, ...]:
    now = core.database.now_us(conn)
    living = {worker.id for worker in workers.live(conn) if is_alive(worker, now)}
    return tuple(_item(conn, row, living, now) for row in rows)


def _item(conn: Connection, row: LibraryRow, living: set[str], now: int) -> LibraryItem:
    task = row.task
    if task is None:
        return LibraryItem(
            text=row.text,
            task=None,
            audio=row.audio,
            progress=None,
            reason=None,
            queue_position=None,
            now=now,
        )
    position = tasks.position(conn, task) if task.status == "pending" else None
    around = Surroundings(
        now=now,
        position=position,
        has_workers=bool(living),
        is_worker_lost=task.status == "processing" and task.worker_id not in living,
    )
    return LibraryItem(
        text=row.text,
        task=task,
        audio=row.audio,
        progress=progress_ratio(task),
        reason=explain_text(row.text.state, task, around),
        queue_position=position,
        now=now,
    )


def _check(q: str, page: int, page_size: int) -> None:
    check_text(q, field="q")
    if len(q) > MAX_SEARCH_CHARS:
        message = f"q must have at most {MAX_SEARCH_CHARS} characters, got {len(q)}"
        raise RequestError(message)
    if not 1 <= page <= 1_000_000:
        message = f"page must be a whole number from 1 to 1000000, got {page}"
        raise RequestError(message)
    if not 1 <= page_size <= MAX_PAGE_SIZE:
        message = f"page_size must be a whole number from 1 to {MAX_PAGE_SIZE}, got {page_size}"
        raise RequestError(message)


def _no_text(text_id: int) -> str:
    return f"text {text_id} does not exist"

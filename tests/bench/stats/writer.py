"""A process that submits, claims and finishes tasks, and times each of the three.

Three ways: the bare statements of `app/store`, each in the product's own transaction; the same of
an attempt's row alone; and the whole functions of `app/service`, with event, attempt, spans and log
lines.
"""

import time
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import text

from app.domain.task import Decision, Move
from app.service import claim as claim_service
from app.service import submit as submit_service
from app.service.core import Core
from app.service.finish import Verdict, settle
from app.store import attempts, tasks, texts
from app.store.database import Connection
from tests.bench.stats import draw, shape
from tests.bench.stats.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable

Way = Literal["statements", "services", "attempts"]
STEPS: Final = ("submit", "claim", "finish")
#: About the median of the texts that were filled in.
_CHARS: Final = 900
#: What the live spans of an attempt weigh.
_SPANS: Final = bytes(2000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a writer is to do: so many tasks, in this way."""

    way: Way
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds of each step of each task, and of all together."""

    steps_s: dict[str, list[float]]
    all_s: float


def serve(where: Place, number: int, worker_id: str, *, is_safe: bool, pipe: Pipe) -> None:
    """Takes orders until the pipe is closed.

    Args:
        where: The database.
        number: Which writer this is.
        worker_id: A worker that is up.
        is_safe: Whether a commit waits for the disk, as the product has it.
        pipe: Orders come in, what they took goes out.
    """
    core = where.core("cli")
    if not is_safe:
        _do_not_wait(core)
    writer = Writer(core, number, worker_id)
    pipe.send("ready")
    while True:
        try:
            order: Order = pipe.recv()
        except EOFError:
            return
        pipe.send(writer.run(order))


def _do_not_wait(core: Core) -> None:
    """The one connection of this process commits without waiting for the disk."""
    if core.database.is_sqlite:
        core.database.pragma("synchronous=OFF")
        return
    with core.database.write() as conn:
        conn.execute(text("SET synchronous_commit = off"))


class Writer:
    """Does what it is told, each text a new one."""

    def __init__(self, core: Core, number: int, worker_id: str) -> None:
        self._core = core
        self._number = number
        self._worker_id = worker_id
        self._count = 0
        self._sentences = shape.sentences()

    def run(self, order: Order) -> Took:
        """Takes so many tasks from submit to finish."""
        steps: dict[str, list[float]] = {name: [] for name in STEPS}
        doing: tuple[Callable[[Any], Any], ...] = {
            "statements": (self._insert, self._move, self._finish),
            "services": (self._submit, self._claim, self._settle),
            "attempts": (self._insert, self._open, self._end),
        }[order.way]
        begun_s = time.perf_counter()
        for _ in range(order.tasks):
            self._count += 1
            given: Any = self._content()
            for name, do in zip(STEPS, doing, strict=True):
                start_s = time.perf_counter()
                given = do(given)
                steps[name].append(time.perf_counter() - start_s)
        return Took(steps_s=steps, all_s=time.perf_counter() - begun_s)

    def _content(self) -> str:
        first = self._count * 31
        some = (self._sentences[(first + n) % len(self._sentences)] for n in range(20))
        return f"{self._number}.{self._count}.{time.time_ns()}: {'. '.join(some)}"[:_CHARS]

    def _insert(self, content: str) -> None:
        """A text, its task, and the task answers for the text."""
        row = self._row(content)
        title = content[:40]

        def work(conn: Connection) -> None:
            now = self._core.database.now_us(conn)
            text_id = texts.insert_text(conn, _text_of(row, title, content, now))
            task = tasks.insert_unless_live(
                conn,
                row | submit_service.fresh_columns(self._core, now, None) | {"text_id": text_id},
            )
            assert task is not None
            texts.answer_with(conn, text_id, task_id=task.id)

        self._core.database.run(work)

    def _row(self, content: str) -> dict[str, Any]:
        voice = self._count % len(shape.VOICES)
        return {
            "content_key": f"{self._number}.{time.time_ns()}".ljust(64, "0"),
            "engine": shape.ENGINES[voice % 4],
            "engine_version": shape.ENGINE_VERSIONS[voice % 4],
            "voice": shape.VOICES[voice],
            "language": shape.VOICE_LANGUAGES[voice],
            "format": "mp3",
            "source": "api",
            "char_count": len(content),
            "timeout_us": draw.TIMEOUT_US,
            "max_attempts": 3,
        }

    def _move(self, _: None) -> Any:
        """The claim's statement."""

        def work(conn: Connection) -> Any:
            tasks.lock_slots(conn)
            return tasks.claim_next(
                conn,
                worker_id=self._worker_id,
                worker_name="bench",
                host=self._core.host,
                release=shape.RELEASES[-1],
                now=self._core.database.now_us(conn),
            )

        found = self._core.database.run(work)
        assert found is not None, "nothing to claim"
        return found

    def _finish(self, task: Any) -> None:
        """The statement that ends it."""

        def work(conn: Connection) -> None:
            now = self._core.database.now_us(conn)
            values = {"status": "completed", "wait_reason": "claimed", "phase_permille": 1000}
            leave = tasks.Exit(values=values | self._audio())
            assert tasks.finish(conn, task.id, task.attempt, now, leave) is not None

        self._core.database.run(work)

    def _open(self, _: None) -> tuple[Any, ...]:
        """A task that is claimed and done, and its attempt, which runs."""
        task = self._move(None)
        self._finish(task)

        def work(conn: Connection) -> None:
            now = self._core.database.now_us(conn)
            row = {
                "task_id": task.id, "attempt": task.attempt, "span_id": "s" * 16,
                "worker_id": self._worker_id, "worker_name": f"w{task.id % 8}", "host": "h",
                "release": shape.RELEASES[-1], "engine": task.engine, "queued_at": now,
                "wait_reason": "queued", "claimed_at": now, "deadline_at": now,
                "voice": task.voice, "language": task.language, "source": "api",
                "char_count": task.char_count,
            }  # fmt: skip
            attempts.insert_claimed(conn, row)

        self._core.database.run(work)
        return task.id, task.attempt

    def _end(self, key: tuple[int, int]) -> None:
        """The statement that ends an attempt."""

        def work(conn: Connection) -> None:
            now = self._core.database.now_us(conn)
            values = {"finished_at": now, "outcome": "completed"}
            assert attempts.end(conn, *key, values) is not None

        self._core.database.run(work)

    def _audio(self) -> dict[str, int]:
        return {"audio_duration_ms": _CHARS * 65, "audio_bytes": _CHARS * 520}

    def _submit(self, content: str) -> None:
        request = submit_service.SubmitRequest(content=content, source="api", engine="tone")
        submit_service.submit(self._core, request)

    def _claim(self, _: None) -> Any:
        found = claim_service.claim_next(self._core, worker_id=self._worker_id)
        assert found is not None, "nothing to claim"
        return found

    def _settle(self, claim: Any) -> None:
        verdict = Verdict(decision=Decision(move=Move.COMPLETE), audio=self._audio())

        def work(conn: Connection) -> None:
            now = self._core.database.now_us(conn)
            task = settle(
                self._core, conn, claim.task_id, claim.attempt, verdict,
                now=now, live=lambda _: (_SPANS, 5),
            )  # fmt: skip
            assert task is not None

        self._core.database.run(work)


def _text_of(row: dict[str, Any], title: str, content: str, now: int) -> dict[str, Any]:
    return {
        "title": title,
        "content": content,
        "char_count": row["char_count"],
        "content_hash": row["content_key"],
        "filename": None,
        "encoding": None,
        "source": row["source"],
        "created_at": now,
    }

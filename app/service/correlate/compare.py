"""Two attempts side by side: what they were told, and span by span what they did."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from app.domain import lengths
from app.domain.errors import NotFoundError
from app.domain.records import AttemptRecord, TaskRecord
from app.service import waterfall
from app.service.core import Core
from app.service.correlate import links
from app.service.correlate.faults import fault
from app.service.correlate.spans_aligned import Line, Tree, aligned, tree_of
from app.service.waterfall import Told
from app.store import attempts, segments, tasks
from app.store.database import Connection
from telemetry import names, outbox

#: Lines at most; of longer texts the last spans are left off.
MAX_LINES: Final = 2000
_KEY: Final = re.compile(r"(\d{1,18})\.(\d{1,9})", re.ASCII)
#: What is told of each attempt beside its spans, in this order.
_ATTRIBUTES: Final = (
    *("outcome", "error_type", "error_code", "exit_signal", "exit_code", "fingerprint"),
    *("worker_name", "host", "engine", "voice", "language", "release", "length", "char_count"),
    *("source", "wait_reason", "attempt"),
)
_NAMES: Final = {"worker_name": "worker", "char_count": "chars"}
#: A span is a difference that is told where it takes so many times as long, and so much longer.
_SLOWER: Final = 2.0
_SLOWER_US: Final = 100_000

Which = Literal["left", "right"]
#: Why they part at a line: one failed there, one did not reach it, one alone has it, or it took
#: much longer.
Reason = Literal["failed", "not_reached", "only", "slower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """An attempt that is compared.

    Attributes:
        at: When it ended; None while it runs.
        took_us: From its claim to its end.
    """

    task: TaskRecord
    record: AttemptRecord
    at: int | None
    took_us: int | None
    url: str
    jaeger_url: str | None

    @property
    def has_failed(self) -> bool:
        """Whether it ended, and did not complete."""
        return self.record.outcome not in {None, "completed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """Something that the two do not have in common; None: it has no such value."""

    name: str
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where the two part.

    Attributes:
        place: Of its line.
        side: Of which one this is told: the one that failed, or that has not reached it, or that
            alone has it, or that is slower.
    """

    place: int
    side: Which
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two attempts side by side.

    Attributes:
        attributes: In what they differ.
        lines: Their spans, those of both side by side.
        parting: None: they went the same way.
        source: `outbox` where spans themselves were read, `rows` where rows stand for them, which
            know of no engine calls, splitting, encoding and storing.
        left_off: Lines that are left off.
    """

    left: Compared
    right: Compared
    attributes: tuple[Attribute, ...]
    lines: tuple[Line, ...]
    parting: Parting | None
    source: Literal["outbox", "rows"]
    left_off: int


def compare(core: Core, left: str, right: str) -> Comparison:
    """Compares two attempts, each named as `12.1`: task 12, attempt 1.

    Raises:
        AskedError: One of them is no such name, or both are the same.
        NotFoundError: There is no such attempt.
    """
    one, other = _key("left", left), _key("right", right)
    if one == other:
        raise fault(reason="same", got=f"{one[0]}.{one[1]}")
    with core.database.read() as conn:
        now = core.database.now_us(conn)
        told = [_told(conn, key, now) for key in (one, other)]
    sources = [waterfall.pieces_of(each) for each in told]
    if {found.source for found in sources} != {"outbox"}:
        # what rows do not know would look as if the other one alone had done it
        told = [replace(each, payloads=()) for each in told]
        sources = [waterfall.pieces_of(each) for each in told]
    trees = [tree_of(found.found, key[1]) for found, key in zip(sources, (one, other), strict=True)]
    sides = [_compared(core, each, key[1]) for each, key in zip(told, (one, other), strict=True)]
    return _comparison(sides, trees, sources[0].source)


def _comparison(
    sides: Sequence[Compared], trees: Sequence[Tree], source: Literal["outbox", "rows"]
) -> Comparison:
    left, right = sides
    lines = aligned(*trees)
    return Comparison(
        left=left,
        right=right,
        attributes=_attributes(left, right),
        lines=tuple(lines[:MAX_LINES]),
        parting=parting(lines[:MAX_LINES], left, right),
        source=source,
        left_off=max(0, len(lines) - MAX_LINES),
    )


def parting(lines: Sequence[Line], left: Compared, right: Compared) -> Parting | None:
    """Where two attempts part: where one fails, or ends, or alone has a span, or takes longer."""
    return (
        _failing(lines, least_level=1)
        or _missing(lines, left, right)
        or _failing(lines, least_level=0)  # the attempt itself: no span below it tells where
        or _slower(lines)
    )


def _failing(lines: Sequence[Line], *, least_level: int) -> Parting | None:
    """The first span, no less deep than this, that failed in one of them alone."""
    for place, line in enumerate(lines):
        failed = [side is not None and side.has_failed for side in (line.left, line.right)]
        if line.level >= least_level and failed[0] != failed[1]:
            return Parting(place=place, side="left" if failed[0] else "right", reason="failed")
    return None


def _missing(lines: Sequence[Line], left: Compared, right: Compared) -> Parting | None:
    """The first span that one of them lacks; calls of engines aside: a kept segment needs none."""
    lacking = (
        place
        for place, line in enumerate(lines)
        if (line.left is None or line.right is None) and line.name != names.ENGINE_OPERATION
    )
    place = next(lacking, None)
    if place is None:
        return None
    is_left = lines[place].left is None
    if (left if is_left else right).has_failed:
        return Parting(place=place, side="left" if is_left else "right", reason="not_reached")
    return Parting(place=place, side="right" if is_left else "left", reason="only")


def _slower(lines: Sequence[Line]) -> Parting | None:
    """The innermost span with the largest difference, if it is a large one."""
    places = [place for place, line in enumerate(lines) if line.difference_us is not None]
    far = [place for place in places if _is_slower(lines[place])]
    inner = [
        place
        for place in far
        if place + 1 == len(lines) or lines[place + 1].level <= lines[place].level
    ]
    if not inner:
        return None
    place = max(inner, key=lambda at: abs(lines[at].difference_us or 0))
    side: Which = "right" if (lines[place].difference_us or 0) > 0 else "left"
    return Parting(place=place, side=side, reason="slower")


def _is_slower(line: Line) -> bool:
    ratio = line.ratio
    if ratio is None or abs(line.difference_us or 0) < _SLOWER_US:
        return False
    return ratio >= _SLOWER or ratio <= 1 / _SLOWER


def _key(name: str, text: str) -> tuple[int, int]:
    found = _KEY.fullmatch(text)
    if found is None:
        raise fault(reason="attempt", name=name, got=text[:40])
    return int(found[1]), int(found[2])


def _told(conn: Connection, key: tuple[int, int], now: int) -> Told:
    """Everything rows and outbox tell of the task of an attempt."""
    task = tasks.get(conn, key[0])
    tried = [] if task is None else attempts.of_task(conn, task.id)
    if task is None or all(each.attempt != key[1] for each in tried):
        message = (
            f"task {key[0]} has no attempt {key[1]}" if task else f"task {key[0]} does not exist"
        )
        raise NotFoundError(message)
    return Told(
        task=task,
        attempts=tried,
        segments=segments.outline(conn, task.id),
        payloads=outbox.spans_of_task(conn, task.id),
        now=now,
    )


def _compared(core: Core, told: Told, attempt: int) -> Compared:
    task = told.task
    record = next(each for each in told.attempts if each.attempt == attempt)
    ended = record.finished_at
    return Compared(
        task=task,
        record=record,
        at=ended,
        took_us=None if ended is None else ended - record.claimed_at,
        url=links.attempt_url(task.id, attempt),
        jaeger_url=links.jaeger_url(
            core,
            trace_id=task.trace_id,
            seen_at=task.trace_seen_at,
            ended_at=task.finished_at or told.now,
            now=told.now,
        ),
    )


def _attributes(left: Compared, right: Compared) -> tuple[Attribute, ...]:
    pairs = ((name, _value(left, name), _value(right, name)) for name in _ATTRIBUTES)
    return tuple(
        Attribute(name=_NAMES.get(name, name), left=one, right=other)
        for name, one, other in pairs
        if one != other
    )


def _value(side: Compared, name: str) -> str | None:
    if name == "length":
        return lengths.label(side.record.char_count)
    value = getattr(side.record, name)
    return None if value is None else str(value)

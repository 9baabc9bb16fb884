"""Rows of the waterfall as they are drawn: labels, bars in percent, notes, what is folded."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.service.figures import Language, milliseconds
from app.service.reason import error_words
from app.service.waterfall import Row, Waterfall
from app.web import drawing
from app.web.critical import Stretch, critical_path
from app.web.format import duration
from app.web.task_history import signal_name
from app.web.words import Words
from telemetry import names

#: Rows above which the inside of groups is left to `?spans=all`.
MANY_ROWS: Final = 120
#: Bars of one group's row; above it neighbours are drawn as one.
MAX_GROUP_BARS: Final = 160
#: Narrowest bar in percent: a span of no length is seen too.
MIN_WIDTH: Final = 0.18

_CLASSES: Final[Mapping[str, str]] = {
    "request": "sp-own",
    "task": "sp-root",
    "wait": "sp-wait",
    "quota": "sp-quota",
    "attempt": "sp-attempt",
    "group": "sp-engine",
    "own": "sp-own",
    "engine": "sp-engine",
    "store": "sp-store",
    "late": "sp-late",
}
_NAMES: Final[Mapping[str, str]] = {
    names.SPAN_TASK: "task",
    names.SPAN_QUEUE_WAIT: "wait",
    names.SPAN_SPLIT: "split",
    names.SPAN_ENCODE: "encode",
    names.SPAN_STORE: "store",
    names.SPAN_DEADLINE_EXCEEDED: "late",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A diamond on a row; `level` is note, warn or bad."""

    x: float
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnRow:
    """A row of the table.

    Attributes:
        sub: Quiet words after the label.
        took: The duration; with ≥ where only a bound is known.
        segment: Number of the segment in the text, from 1, where it is one.
        note_x: Where the note stands, in percent; `is_note_left`: it ends there.
        has_children: Whether it can be folded.
        is_folded: Whether its children are hidden at first; `is_hidden`: whether it is one of them.
    """

    label: str
    sub: str
    level: int
    bars: Sequence[drawing.Block]
    critical: Sequence[drawing.Block]
    marks: Sequence[Mark]
    note: str
    note_level: str
    note_x: float
    is_note_left: bool
    took: str
    is_rebuilt: bool
    is_open: bool
    segment: int | None
    has_children: bool
    is_folded: bool
    is_hidden: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnWaterfall:
    """The table: ticks are (percent, words); `deadline_x` is None where none passed."""

    rows: Sequence[DrawnRow]
    ticks: Sequence[tuple[float, str]]
    deadline_x: float | None
    left_off: int
    kinds: frozenset[str]


def drawn(waterfall: Waterfall, t: Words, *, shows_all: bool, is_running: bool) -> DrawnWaterfall:
    """The waterfall in a language.

    Args:
        waterfall: As the service tells it.
        t: Words of the page.
        shows_all: Whether long tables are drawn with the inside of groups.
        is_running: Whether the right edge is now.
    """
    rows = list(waterfall.rows)
    shown = rows if shows_all or len(rows) <= MANY_ROWS else _without_insides(rows)
    # A little room at the right, so that the last diamond and its words are seen.
    width_us = max(1, round(waterfall.total_us * (1.0 if is_running else 1.005)))
    path = critical_path(rows, waterfall.total_us)
    folds = _folds(shown)
    made = [
        _drawn_row(row, rows, fold, path.get(row.span_id, []), _Scale(width_us=width_us, t=t))
        for row, fold in zip(shown, folds, strict=True)
    ]
    return DrawnWaterfall(
        rows=made,
        ticks=_ticks(width_us, t.lang),
        deadline_x=_deadline_x(rows, width_us),
        left_off=len(rows) - len(shown) + waterfall.left_off,
        kinds=frozenset(_kinds(shown)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    width_us: int
    t: Words

    def x(self, at_us: int) -> float:
        return drawing.place(at_us, self.width_us)

    def block(self, start_us: int, end_us: int, kind: str) -> drawing.Block:
        x = min(self.x(start_us), 100 - MIN_WIDTH)
        return drawing.Block(x=x, width=round(max(MIN_WIDTH, self.x(end_us) - x), 2), kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    has_children: bool
    is_folded: bool
    is_hidden: bool


def _without_insides(rows: Sequence[Row]) -> list[Row]:
    kept: list[Row] = []
    below: int | None = None
    for row in rows:
        if below is not None and row.level > below:
            continue
        below = row.level if row.kind == "group" else None
        kept.append(row)
    return kept


def _folds(rows: Sequence[Row]) -> list[_Fold]:
    """Groups are folded at first; what is below a folded row is hidden."""
    folds = []
    hidden_below: int | None = None
    for row, following in itertools.zip_longest(rows, rows[1:]):
        if hidden_below is not None and row.level <= hidden_below:
            hidden_below = None
        is_hidden = hidden_below is not None
        has_children = following is not None and following.level > row.level
        is_folded = has_children and (row.kind == "group" or _is_segment(row))
        if is_folded and not is_hidden:
            hidden_below = row.level
        folds.append(_Fold(has_children=has_children, is_folded=is_folded, is_hidden=is_hidden))
    return folds


def _is_segment(row: Row) -> bool:
    return row.name == names.SPAN_SEGMENT


def _is_late(row: Row) -> bool:
    """Whether the deadline ended it: a limit is no fault."""
    return ("error_type", "deadline_exceeded") in row.notes


def _kinds(rows: Sequence[Row]) -> set[str]:
    kinds = {"engine" if _is_segment(row) or row.kind == "group" else row.kind for row in rows}
    return kinds | ({"rebuilt"} if any(row.is_rebuilt for row in rows) else set())


def _drawn_row(
    row: Row, rows: Sequence[Row], fold: _Fold, path: Sequence[Stretch], scale: _Scale
) -> DrawnRow:
    end_us = scale.width_us if row.end_us is None else row.end_us
    note, note_level = _note(row, scale.t)
    end_x = scale.x(end_us)
    is_left = end_x > 74
    note_x = scale.x(row.start_us) if is_left else end_x
    label, sub = _label(row, scale.t)
    is_open = row.end_us is None
    took = duration(end_us - row.start_us, scale.t.lang, is_fine=True)
    return DrawnRow(
        label=label,
        sub=sub,
        level=row.level,
        bars=_bars(row, rows, end_us, scale),
        critical=_critical(row, path, scale),
        marks=_marks(row, end_x, scale),
        note=note,
        note_level=note_level,
        note_x=note_x,
        is_note_left=is_left,
        took=f"≥ {took}" if is_open else took,
        is_rebuilt=row.is_rebuilt,
        is_open=is_open,
        segment=row.segment + 1 if row.segment is not None and row.kind != "group" else None,
        has_children=fold.has_children,
        is_folded=fold.is_folded,
        is_hidden=fold.is_hidden,
    )


def _critical(row: Row, path: Sequence[Stretch], scale: _Scale) -> list[drawing.Block]:
    """The row's stretches of the critical path; of a span with children only the long ones."""
    least_us = scale.width_us // 100 if row.kind in {"task", "attempt"} else 0
    return [
        scale.block(part.start_us, part.end_us, "critical")
        for part in path
        if part.end_us - part.start_us >= least_us
    ]


def _bars(row: Row, rows: Sequence[Row], end_us: int, scale: _Scale) -> list[drawing.Block]:
    if row.kind == "group":
        return _group_bars(row, rows, scale)
    kind = "sp-engine" if _is_segment(row) else _CLASSES[row.kind]
    if row.status == "error" and kind in {"sp-engine", "sp-own"}:
        kind = "sp-late" if _is_late(row) else "sp-bad"
    return [scale.block(row.start_us, end_us, kind)]


def _group_bars(group: Row, rows: Sequence[Row], scale: _Scale) -> list[drawing.Block]:
    """A bar for each member, or for each run of members where they are many."""
    members = [
        row
        for row in rows
        if row.parent_span_id == group.parent_span_id and _is_segment(row) and row.end_us
    ]
    if not members:
        return [scale.block(group.start_us, group.end_us or scale.width_us, "sp-engine")]
    share = -(-len(members) // MAX_GROUP_BARS)
    blocks = []
    for first in range(0, len(members), share):
        run = members[first : first + share]
        block = scale.block(run[0].start_us, run[-1].end_us or 0, "sp-engine")
        gap = min(0.12, block.width / 5)
        blocks.append(drawing.Block(x=block.x, width=round(block.width - gap, 2), kind=block.kind))
    return blocks


def _marks(row: Row, end_x: float, scale: _Scale) -> list[Mark]:
    marks = [
        Mark(x=scale.x(at), level="warn")
        for name, at in row.events
        if name == names.EVENT_DEADLINE_EXCEEDED
    ]
    outcome = dict(row.notes).get("outcome")
    if row.kind == "attempt" and row.end_us is not None and outcome not in {"completed", None}:
        marks.append(Mark(x=end_x, level="warn" if outcome in _CALM else "bad"))
    if row.kind == "task" and row.end_us is not None:
        marks.append(Mark(x=end_x, level="bad" if row.status == "error" else "note"))
    return marks


#: Outcomes that are no failure of the attempt.
_CALM: Final = frozenset({"capacity", "handed_back", "cancelled", "timeout"})


def _label(row: Row, t: Words) -> tuple[str, str]:
    """What the row is called, and quiet words after it."""
    notes = dict(row.notes)
    if row.kind == "group":
        first, last = (row.segment or 0) + 1, (row.last_segment or 0) + 1
        return str(t("span.segments", first=first, last=last)), ""
    if row.kind == "attempt":
        return str(t("span.attempt", n=row.attempt or 1)), str(notes.get("worker", ""))
    if _is_segment(row):
        reused = str(t("span.kept")) if notes.get("reused") else ""
        return str(t("span.segment", n=(row.segment or 0) + 1)), reused
    if row.kind == "engine":
        engine = row.name.removeprefix(names.ENGINE_OPERATION).strip()
        return str(t("span.engine", engine=engine)), ""
    key = _NAMES.get(row.name)
    return (str(t(f"span.{key}")) if key else row.name), ""


def _note(row: Row, t: Words) -> tuple[str, str]:
    """Words beside the bar, and how loud they are (text, warn, bad)."""
    notes = dict(row.notes)
    error_type = str(notes.get("error_type") or "")
    signal = notes.get("exit_signal")
    if row.kind == "attempt":
        outcome = str(notes.get("outcome") or "")
        if signal:
            return str(t("span.killed", signal=signal_name(int(signal)))), "bad"
        if outcome in {"", "completed"}:
            return "", ""
        words = str(t(f"outcome.{outcome}"))
        told = error_words(error_type, t.lang) if error_type and outcome != "timeout" else ""
        return (f"{words}{t('colon')}{told}" if told else words), (
            "warn" if outcome in _CALM else "bad"
        )
    if error_type and row.kind not in {"task", "late"}:
        return error_words(error_type, t.lang), "warn" if _is_late(row) else "bad"
    reason = str(notes.get("wait_reason") or "")
    if row.kind in {"wait", "quota"} and reason not in {"", "queued"}:
        return str(t(f"wait.{reason}")), "text"
    return "", ""


def _deadline_x(rows: Sequence[Row], width_us: int) -> float | None:
    passed = [
        at for row in rows for name, at in row.events if name == names.EVENT_DEADLINE_EXCEEDED
    ]
    return drawing.place(passed[-1], width_us) if passed and passed[-1] <= width_us else None


def _ticks(width_us: int, lang: Language) -> list[tuple[float, str]]:
    """(percent, words) along the axis; milliseconds where a tenth of a second is too coarse."""
    marks_us = drawing.axis(width_us)
    is_fine = len(marks_us) > 1 and marks_us[1] % 100_000 != 0 and width_us < 10_000_000
    return [(drawing.place(at, width_us), _tick(at, lang, is_fine=is_fine)) for at in marks_us]


def _tick(at_us: int, lang: Language, *, is_fine: bool) -> str:
    if at_us == 0:
        return "0"
    return milliseconds(at_us, lang) if is_fine else duration(at_us, lang).replace(".0 ", " ")

"""Workers against time as a drawing: the darker a cell, the larger the selected share in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.query.query import both
from app.service.correlate import links
from app.service.correlate.grid import Cell, Line
from app.service.correlate.question import Question
from app.web import moments
from app.web.failure_drawing import Mark
from app.web.stats_chart import Label
from app.web.time_axis import ticks
from app.web.visitor import Visitor

#: Height of a line in pixels, and of the room between two.
LINE_PX: Final = 22
GAP_PX: Final = 2
#: Shares from which on a cell is one step darker.
SHARES: Final = (0.0001, 0.05, 0.15, 0.3, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """A cell: place and width in percent, how dark (0 to 5), what it says, where its rows are."""

    x: float
    width: float
    heat: int
    says: str
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatLine:
    """The cells of a worker, and how far from above they are, in pixels."""

    name: str
    y: int
    cells: Sequence[HeatCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """The drawing; `height_px` is that of the lines alone."""

    lines: Sequence[HeatLine]
    times: Sequence[Label]
    marks: Sequence[Mark]
    height_px: int


def heat(
    lines: Sequence[Line], question: Question, marks: Sequence[Mark], reader: Visitor
) -> Heat | None:
    """Workers against time; None where there are no two of them."""
    if len(lines) < 2:
        return None
    columns = _columns(lines, question, reader)
    return Heat(
        lines=[_line(line, place, question, columns, reader) for place, line in enumerate(lines)],
        times=ticks(reader.place, question.start, question.end),
        marks=marks,
        height_px=len(lines) * LINE_PX - GAP_PX,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """The cells of a step: when it began in words, and lists of its selected attempts."""

    when: str
    lists: links.Lists


def _columns(
    lines: Sequence[Line], question: Question, reader: Visitor
) -> dict[tuple[int, int], _Column]:
    """The steps by their two moments: their cells share what is slow to write."""
    terms = both(question.within, question.selection)
    steps = dict.fromkeys((cell.at, cell.end) for line in lines for cell in line.cells)
    return {
        (at, end): _Column(
            when=moments.short(reader.place, at),
            lists=links.Lists(start=at, end=end, terms=terms),
        )
        for at, end in steps
    }


def _line(
    line: Line,
    place: int,
    question: Question,
    columns: Mapping[tuple[int, int], _Column],
    reader: Visitor,
) -> HeatLine:
    return HeatLine(
        name=_name(line, reader),
        y=place * LINE_PX,
        cells=[
            _cell(cell, line, question, columns[cell.at, cell.end], reader) for cell in line.cells
        ],
    )


def _name(line: Line, reader: Visitor) -> str:
    return line.worker or str(reader.t("dimension.none"))


def _cell(cell: Cell, line: Line, question: Question, column: _Column, reader: Visitor) -> HeatCell:
    length = max(1, question.end - question.start)
    left = 100 * (cell.at - question.start) / length
    width = 100 * (cell.end - cell.at) / length
    gap = min(0.15, width / 4)
    says = reader.t(
        "correlate.grid_cell",
        worker=_name(line, reader),
        when=column.when,
        selected=cell.selected,
        n=cell.n,
    )
    return HeatCell(
        x=round(left, 3),
        width=round(width - gap, 3),
        heat=sum(cell.selected / cell.n >= least for least in SHARES),
        says=says.unescape(),
        path=column.lists.url({"worker": line.worker}) if cell.selected else None,
    )

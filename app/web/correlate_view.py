"""The correlate page as a whole: the question as it is asked, and its answer or how far it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app import clock
from app.domain.errors import AskedError, NotFoundError
from app.domain.query.grammar import ATTEMPTS
from app.service import task_values
from app.service.core import Core
from app.service.correlate import analyses, grid, links, shape
from app.service.correlate.analyses import Analysis
from app.service.correlate.answer import Answer
from app.service.correlate.reading import Hourly
from app.service.correlate.since import Reader
from app.web import correlate_form, correlate_page, filters, query_words, worker_grid
from app.web.correlate_form import Kept
from app.web.format import percent
from app.web.visitor import Visitor

#: States of an analysis that is not over.
OPEN: Final = frozenset({"waiting", "running"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an analysis is; `again_path` asks the same anew."""

    id: int
    is_open: bool
    state: str
    percent: float
    done: str
    says: str
    error: str
    again_path: str


def kept(args: Mapping[str, str]) -> Kept:
    """The question of an address, every moment absolute.

    Raises:
        AskedError: It cannot be asked.
    """
    return correlate_form.kept(correlate_form.given_of(args), clock.now_us())


def is_kept(args: Mapping[str, str], found: Kept) -> bool:
    """Whether the address says it so that it asks the same whenever it is opened."""
    given = correlate_form.given_of(args)
    return {name: text for name, text in given.items() if text} == {
        name: text for name, text in found.given.items() if text
    }


def form(core: Core, args: Mapping[str, str], reader: Visitor) -> dict[str, Any]:
    """The form of the question, with nothing answered."""
    given = correlate_form.given_of(args)
    return {
        "asked": given,
        "windows": correlate_form.windows(given),
        "suggestions": query_words.suggestions(task_values.known(core), reader.t, ATTEMPTS),
        "fault": None,
        "answer": None,
        "analysis": None,
        "frozen_at": None,
    }


def with_fault(
    core: Core, args: Mapping[str, str], error: AskedError, reader: Visitor
) -> dict[str, Any]:
    """The form, with what is wrong beside its field."""
    fault = correlate_form.fault_of(error, correlate_form.given_of(args), reader.t)
    return form(core, args, reader) | {"fault": fault}


def values(
    core: Core, args: Mapping[str, str], found: Kept, answered: Answer | Analysis, reader: Visitor
) -> dict[str, Any]:
    """The question and its answer, or how far it is."""
    shown = form(core, args, reader) | {"frozen_at": found.question.end}
    if isinstance(answered, Answer):
        now = answered.now
        told = shape.answer(
            answered, Reader(lang=reader.t.lang, now_us=now, zone=reader.place.zone)
        )
        return shown | _answered(core, told, reader, answered.hourly)
    if answered.state == "done" and answered.answer is not None:
        kept_answer = json.loads(answered.answer)[reader.t.lang]
        return shown | _answered(core, kept_answer, reader)
    return shown | {"analysis": _analysis(answered, found, reader)}


def _answered(
    core: Core, told: dict[str, Any], reader: Visitor, hourly: Hourly | None = None
) -> dict[str, Any]:
    """What the page shows of an answer, workers against time beside it."""
    page = correlate_page.shown(told, reader)
    question = correlate_page.question_of(told)
    workers = correlate_page.workers(told)
    lines = grid.of_window(core, question, workers, hourly) if told["selected"] else ()
    marks = page["strip"].marks if page["strip"] else ()
    return page | {"grid": worker_grid.heat(lines, question, marks, reader)}


def _analysis(found: Analysis, asked_for: Kept, reader: Visitor) -> Progress:
    ratio = found.permille / 1000
    phase = found.phase if found.state == "running" and found.phase else "waiting"
    is_open = found.state in OPEN
    key = f"correlate.phase_{phase}" if is_open else f"correlate.ended_{found.state}"
    return Progress(
        id=found.id,
        is_open=is_open,
        state=found.state,
        percent=found.permille / 10,
        done=percent(ratio),
        says=str(reader.t(key, percent=percent(ratio))),
        error=found.error or "",
        again_path=asked_for.path,
    )


def analysis_of(core: Core, args: Mapping[str, str], found: Kept) -> Analysis | None:
    """The analysis that an address names; None where it names none, or one of another question."""
    number = filters.id_of(args.get("analysis"))
    if number is None:
        return None
    try:
        known = analyses.get(core, number)
    except NotFoundError:
        return None
    said = {name: text for name, text in found.given.items() if text}
    return known if analyses.said_of(known) == said else None


def analysis_path(found: Analysis) -> str:
    """The page of an analysis: its question, and its number."""
    return links.correlate_url({**analyses.said_of(found), "analysis": str(found.id)})

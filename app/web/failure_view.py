"""The page of a failure group as a whole: the group, what sets it apart, what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.query.query import Query, named
from app.service.core import Core
from app.service.correlate import links, shape
from app.service.correlate.answer import Answer
from app.service.correlate.question import LIVE_US, asked
from app.service.correlate.since import Reader
from app.service.failures import group, surroundings
from app.service.failures.asked import Asked as Wanted
from app.service.failures.asked import asked as wanted_of
from app.service.failures.notice import EXPIRED
from app.service.failures.views import GroupView
from app.web import correlate_asking, correlate_page, dimension_bars, failure_page, finding_cards
from app.web.correlate_form import written_span
from app.web.dimension_bars import Dimension
from app.web.failure_words import (
    FIRST,
    LEVELS,
    REPEATS,
    group_path,
    rows_path,
    state_says,
    tasks_path,
    title_of,
)
from app.web.failures_page import WINDOWS
from app.web.finding_cards import Card
from app.web.visitor import Visitor

#: Findings, and dimensions, that the page of a group shows; the window that it begins with.
_CARDS: Final = 2
_DIMENSIONS: Final = 3
_DEFAULT: Final = "24h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """What sets the failures of a group apart: sentences, or that nothing stands out; bars."""

    selected: int
    others: int
    says: str
    cards: Sequence[Card]
    dimensions: Sequence[Dimension]


def asked_of(args: Mapping[str, str]) -> Wanted:
    """The window of the page: a day, where no other is asked for.

    Raises:
        AskedError: A moment is none.
    """
    given = {name: args.get(name, "") for name in ("from", "to")}
    return wanted_of(given | {"from": given["from"].strip() or _DEFAULT})


def values(
    core: Core, fingerprint: str, args: Mapping[str, str], reader: Visitor
) -> dict[str, Any]:
    """What the page shows.

    Raises:
        NotFoundError: Nothing has failed so.
        AskedError: The window cannot be.
    """
    view = group.group(core, fingerprint, asked_of(args))
    t, one, span = reader.t, view.group, view.window
    question = question_of(view)
    apart = _apart(view, question, reader)
    twin = surroundings.twin(core, fingerprint, span.start, span.end) if view.exemplars else None
    return {
        "view": view,
        "group": one,
        "title": title_of(one, t),
        "level": LEVELS[one.shown],
        "state_says": state_says(one, t),
        "is_live": not args.get("to"),
        "action_path": group_path(one.fingerprint, **window_of(args)),
        "windows": _windows(one.fingerprint, args),
        "course": failure_page.course(
            view, surroundings.releases(core, span.start, span.end), reader
        ),
        "window_path": rows_path(one, span),
        "texts_path": rows_path(one, span, which=FIRST),
        "repeats_path": rows_path(one, span, which=REPEATS),
        "all_path": rows_path(one, None),
        "all_texts_path": rows_path(one, None, which=FIRST),
        "tasks_path": tasks_path(one.fingerprint, None),
        "is_all_kept": view.kept_count >= min(view.all_time.count, group.TASKS),
        "is_of_tasks": one.error_type == EXPIRED,
        "correlate_path": links.correlate_url(question),
        "apart": apart,
        "apart_says": "" if apart else _no_answer(view, reader),
        "examples": failure_page.examples(view, twin, reader),
        "why": failure_page.why(one, t),
        "reason": failure_page.reason(one),
        "version": one.fingerprint.partition(":")[0],
        "events": failure_page.events(view, reader),
        "facts": failure_page.facts(view, reader),
        "spreads": failure_page.spreads(view, t),
    }


def window_of(args: Mapping[str, str]) -> dict[str, str]:
    """What an address says of the window: a decision leaves it."""
    return {name: args[name] for name in ("from", "to") if args.get(name)}


def question_of(view: GroupView) -> dict[str, str]:
    """What the failures of the window have in common, as a question of an address."""
    query = Query(terms=(named("fingerprint", view.group.fingerprint),))
    return written_span(view.window.start, view.window.end) | {"query": str(query)}


def _apart(view: GroupView, question: Mapping[str, str], reader: Visitor) -> Apart | None:
    """The answer in short; None where nothing failed here, or it would take too long."""
    is_of_tasks = view.group.error_type == EXPIRED
    if is_of_tasks or not view.in_window.count or _is_long(view):
        return None
    found = correlate_asking.ask(asked(question))
    if not isinstance(found, Answer) or not found.selected:
        return None
    told = shape.answer(found, Reader(lang=reader.t.lang, now_us=found.now, zone=reader.place.zone))
    looked_at = correlate_page.question_of(told)
    bars = dimension_bars.dimensions(told["dimensions"], reader.t)
    return Apart(
        selected=told["selected"],
        others=told["n"] - told["selected"],
        says=finding_cards.sentence(told["overall"]["words"], reader.t),
        cards=[finding_cards.card(one, looked_at, reader) for one in told["findings"][:_CARDS]],
        dimensions=[one for one in bars if one.level != "nothing"][:_DIMENSIONS],
    )


def _is_long(view: GroupView) -> bool:
    return view.window.end - view.window.start > LIVE_US


def _no_answer(view: GroupView, reader: Visitor) -> str:
    if view.group.error_type == EXPIRED:
        return str(reader.t("failure.apart_tasks"))
    key = "failure.apart_long" if view.in_window.count else "failure.apart_none"
    return str(reader.t(key))


def _windows(fingerprint: str, args: Mapping[str, str]) -> list[tuple[str, str, bool]]:
    here = args.get("from", "").strip() or _DEFAULT
    return [
        (
            key,
            group_path(fingerprint, **({} if key == _DEFAULT else {"from": key})),
            key == here and not args.get("to"),
        )
        for key in WINDOWS
    ]

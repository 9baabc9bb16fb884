"""The page of attempts: a filter, those that completed or failed, last ended first."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from app.domain.errors import AskedError
from app.domain.query.amounts import written_moment
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.order import Cursor
from app.domain.query.query import Query, Term
from app.domain.query.value import Ago, At, Window
from app.service import attempt_list, task_values
from app.service.attempt_list import AttemptPage, ListedAttempt
from app.service.core import Core
from app.service.correlate import links
from app.service.task_count import Count
from app.web import moments, query_words
from app.web.failure_words import error_title, group_path
from app.web.task_history import SIGNS
from app.web.visitor import Visitor
from app.web.words import voice_name

#: Attempts of a page.
SIZE: Final = 50
#: Characters of a template that a row shows.
_SHOWN: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptItem:
    """An attempt as the list draws it.

    Attributes:
        sign: Attribute and value of its glyph.
        outcome: How it ended, in words.
        error: What went wrong, in words; empty where it completed.
        template: The message that groups it, cut.
        group_path: Its group of failures; None where it completed.
    """

    one: ListedAttempt
    sign: tuple[str, str]
    outcome: str
    voice: str
    error: str
    template: str
    group_path: str | None


def values(core: Core, args: Mapping[str, str], reader: Visitor) -> dict[str, Any]:
    """What the page shows; of a wrong filter, window or place what is wrong, and no attempts."""
    text, page, fault = _read(core, args, reader)
    return {
        "text": text,
        "fault": fault,
        "terms": _chips(page),
        "suggestions": query_words.suggestions(task_values.known(core), reader.t, ATTEMPTS),
        "items": [_item(one, reader) for one in page.attempts] if page else [],
        "total": _total(page.count, reader) if page else "",
        "searched": _searched(page, reader) if page else "",
        "is_filtered": bool(page and page.query),
        "newest_path": _path(text) if page and args.get("cursor") else None,
        "newer_path": _path(text, page.previous) if page and not page.is_first else None,
        "older_path": _path(text, page.next) if page and page.next else None,
        "correlate_path": _correlate_path(page.query) if page and page.attempts else None,
        "curl_arguments": _curl(page),
    }


def _read(
    core: Core, args: Mapping[str, str], reader: Visitor
) -> tuple[str, AttemptPage | None, query_words.Fault | None]:
    """The filter as it stands in the field, and its page or what is wrong with what is asked."""
    text, start, end = (args.get(name, "") for name in ("q", "from", "to"))
    try:
        query = attempt_list.wanted(text, start, end)
        page = attempt_list.page(
            core, query, cursor=args.get("cursor") or None, limit=SIZE, with_count=True
        )
    except AskedError as error:
        return text, None, query_words.fault_of(error, text, reader.t, "attempts")
    # a window of the address becomes a part of the filter, which can be seen and taken away
    return (str(query) if start or end else text.strip()), page, None


def _path(text: str, cursor: Cursor | None = None) -> str:
    """The address of a list; what is usual is left out."""
    given = {name: value for name, value in (("q", text), ("cursor", str(cursor or ""))) if value}
    return f"/attempts?{urlencode(given)}" if given else "/attempts"


def _chips(page: AttemptPage | None) -> list[tuple[query_words.Chip, str]]:
    if page is None:
        return []
    return [(chip, _path(chip.rest)) for chip in query_words.chips_of(page.query)]


def _correlate_path(query: Query) -> str | None:
    """What these attempts have in common that others have not; None where they are all there are.

    The window of the filter becomes that of the question; repeats are left out of it anyway.
    """
    window: dict[str, str] = {}
    rest = []
    for term in query.terms:
        bounds = _bounds(term)
        window |= {name: written_moment(at) for name, at in bounds.items()}
        if not bounds and term.name != "is":
            rest.append(term)
    if not rest:
        return None
    return links.correlate_url({"query": str(Query(terms=tuple(rest))), **window})


def _bounds(term: Term) -> dict[str, At | Ago]:
    """What a term says of the window; empty: it is no part of one."""
    if term.is_negated or len(term.values) != 1:
        return {}
    match term.name, term.values[0]:
        case "since", (At() | Ago()) as at:
            return {"from": at}
        case "until", (At() | Ago()) as at:
            return {"to": at}
        case "ended", Window(low=low, high=high):
            return {name: at for name, at in (("from", low), ("to", high)) if at is not None}
        case _:
            return {}


def _item(one: ListedAttempt, reader: Visitor) -> AttemptItem:
    t, row = reader.t, one.row.attempt
    group = row.fingerprint
    return AttemptItem(
        one=one,
        sign=SIGNS.get(row.outcome or "", ("level", "unknown")),
        outcome=str(t(f"outcome.{row.outcome}")),
        voice=" · ".join(part for part in (row.engine, voice_name(row.voice, t)) if part),
        error=error_title(row.error_type, t) if row.error_type else "",
        template=_cut(row.template or ""),
        group_path=None if group is None else group_path(group),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _total(count: Count | None, reader: Visitor) -> str:
    if count is None:
        return ""
    key = "attempts.total" if count.is_exact else "attempts.total_more"
    return str(reader.t(key, n=count.n))


def _searched(page: AttemptPage, reader: Visitor) -> Markup:
    """Down to where attempts were looked at, where the looking ended before the page was full."""
    if page.searched_to is None:
        return Markup()
    return reader.t("tasks.searched", to=moments.tag(reader.place, page.searched_to[0]))


def _curl(page: AttemptPage | None) -> str:
    """What curl asks for the same list."""
    if page is None or not page.query:
        return ""
    return f"--data-urlencode {shlex.quote(f'q={page.query}')}"

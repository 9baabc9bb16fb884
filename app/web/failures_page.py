"""The page of failure groups: findings that are open, states with counts, groups in an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup

from app.domain.errors import AskedError
from app.domain.finding import FindingRecord
from app.service.core import Core
from app.service.failures import listing
from app.service.failures.asked import FILTERS, Asked, Sort, asked
from app.service.failures.views import GroupPage, ListedGroup, Shown
from app.web import failure_drawing, finding_lines, moments, query_words
from app.web.failure_drawing import Upright
from app.web.failure_words import (
    FIRST,
    GLYPHS,
    LEVELS,
    culprit,
    group_path,
    parts_words,
    rows_path,
    spread,
    state_says,
    title_of,
)
from app.web.visitor import Visitor
from app.web.words import Words

#: Windows at hand.
WINDOWS: Final = ("1h", "24h", "7d", "30d", "90d")
#: Groups of a page.
SIZE: Final = 50
#: States that are listed where none is asked for: muted groups are hidden.
_USUAL: Final = (Shown.NEW, Shown.REGRESSED, Shown.ONGOING, Shown.RESOLVED)
#: Filters that a link brings, and that a chip takes away.
_CHIPS: Final = ("error_type", *FILTERS)
_DEFAULT: Final = {"from": "24h", "sort": "last"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTab:
    """A state, how many groups have it, and where they are listed."""

    name: str
    n: int
    path: str
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A group as the list draws it; its paths list attempts of the window."""

    id: str
    path: str
    glyph: str
    title: str
    template: str
    culprit: str
    has_frames: bool
    state: str
    state_says: str
    level: str
    count: int
    count_path: str
    texts: int
    texts_path: str
    last: Markup
    spark: Upright
    spread: Upright
    engines: str
    assignee: str
    rise: str


def rows(page: GroupPage, reader: Visitor, kept: Mapping[str, str]) -> list[GroupRow]:
    """The groups of a page; `kept` is the window, which their pages keep."""
    return [_row(one, page, reader, kept) for one in page.groups]


def _row(one: ListedGroup, page: GroupPage, reader: Visitor, kept: Mapping[str, str]) -> GroupRow:
    group, counts, t = one.group, one.counts, reader.t
    return GroupRow(
        id=group.fingerprint,
        path=group_path(group.fingerprint, **kept),
        glyph=GLYPHS.get(group.outcome, "failed"),
        title=title_of(group, t),
        template=group.template,
        culprit=culprit(group, t),
        has_frames=bool(group.frames),
        state=group.shown,
        state_says=state_says(group, t),
        level=LEVELS[group.shown],
        count=counts.count,
        count_path=rows_path(group, page.window, page.where),
        texts=counts.texts,
        texts_path=rows_path(group, page.window, page.where, FIRST),
        last=moments.tag(reader.place, group.last_at, "ago") if group.last_at else Markup("–"),
        spark=failure_drawing.upright(
            counts.bins, str(t("failures.spark", n=counts.count, bins=len(counts.bins)))
        ),
        spread=spread(counts.parts.get("worker", ()), t),
        engines=parts_words(counts.parts.get("engine", ()), t),
        assignee=group.assignee or "",
        rise=f"×{counts.trend:.1f}" if counts.trend >= 1.5 and counts.count > 3 else "",
    )


def given_of(args: Mapping[str, str]) -> dict[str, str]:
    """What an address asks for; what is usual stands for what it does not say."""
    names = ("state", "text", "to", "cursor", "seen", *_CHIPS)
    given = {name: args[name].strip() for name in names if args.get(name, "").strip()}
    return {**given, **{name: args.get(name, "").strip() or _DEFAULT[name] for name in _DEFAULT}}


def asked_of(given: Mapping[str, str]) -> Asked:
    """What the list is asked for: without a state every group but the muted ones.

    Raises:
        AskedError: Something is wrong.
    """
    return asked({"state": ",".join(_USUAL)} | dict(given), limit=SIZE)


def list_path(given: Mapping[str, str], **changes: str) -> str:
    """The address of the list with other wishes; its first page, and without what is usual."""
    wanted = {**given, "cursor": "", **changes}
    said = {name: text for name, text in wanted.items() if text and text != _DEFAULT.get(name)}
    return f"/failures?{urlencode(said)}" if said else "/failures"


def tabs(page: GroupPage, given: Mapping[str, str]) -> list[StateTab]:
    """All, and each state with how many groups have it."""
    whole = StateTab(
        name="all",
        n=sum(n for state, n in page.states.items() if state is not Shown.MUTED),
        path=list_path(given, state=""),
        is_here="state" not in given,
    )
    return [
        whole,
        *(
            StateTab(
                name=state,
                n=page.states.get(state, 0),
                path=list_path(given, state=state),
                is_here=given.get("state") == state,
            )
            for state in Shown
        ),
    ]


def shown(page: GroupPage, given: Mapping[str, str], reader: Visitor) -> dict[str, Any]:
    """What the page shows of the groups that were found."""
    t, kept = reader.t, {name: given[name] for name in ("from", "to") if name in given}
    kept = {name: text for name, text in kept.items() if text != _DEFAULT.get(name)}
    muted = 0 if "state" in given else page.states.get(Shown.MUTED, 0)
    return {
        "page": page,
        "lede": t(
            "failures.lede",
            n=page.failed,
            groups=page.failed_groups,
            start=moments.tag(reader.place, page.window.start),
            end=moments.tag(reader.place, page.window.end),
        ),
        "tabs": tabs(page, given),
        "rows": rows(page, reader, kept),
        "sorts": [(sort, list_path(given, sort=sort), given["sort"] == sort) for sort in Sort],
        "hidden": [
            (name, text)
            for name, text in given.items()
            if name not in {"text", "cursor"} and text != _DEFAULT.get(name)
        ],
        "narrowed": _narrowed(given, t),
        "is_filtered": any(name in given for name in ("state", "text", *_CHIPS)),
        "clear_path": list_path({name: given[name] for name in given if name in {*_DEFAULT, "to"}}),
        "muted": muted,
        "muted_path": list_path(given, state=Shown.MUTED),
        "newer_path": _page_path(given, page.previous),
        "older_path": _page_path(given, page.next),
    }


def _narrowed(given: Mapping[str, str], t: Words) -> list[tuple[str, str, str]]:
    """What narrows the list beside state and text, each with the way to do without it."""
    return [
        (
            str(t("failures.filter_error_type" if name == "error_type" else f"dimension.{name}")),
            given[name],
            list_path(given, **{name: ""}),
        )
        for name in _CHIPS
        if name in given
    ]


def _page_path(given: Mapping[str, str], cursor: str | None) -> str | None:
    return None if cursor is None else list_path(given, cursor=cursor)


def values(
    core: Core, args: Mapping[str, str], found: Sequence[FindingRecord], reader: Visitor
) -> dict[str, Any]:
    """What the page shows; of something wrong what is wrong, and no groups.

    Args:
        core: Where the groups are.
        args: The address's parameters.
        found: Findings that are open.
        reader: Who reads it.
    """
    given = given_of(args)
    form: dict[str, Any] = {
        "given": given,
        "windows": [
            (key, list_path(given, to="", **{"from": key}), _is_here(given, key)) for key in WINDOWS
        ],
        "is_live": "to" not in given and "cursor" not in given,
        "page": None,
        "fault": None,
    }
    try:
        page = listing.groups(core, asked_of(given))
    except AskedError as error:
        return form | {"fault": query_words.fault_of(error, "", reader.t, "failures")}
    return form | shown(page, given, reader) | {"findings": finding_lines.lines(found, reader)}


def _is_here(given: Mapping[str, str], key: str) -> bool:
    return given["from"] == key and "to" not in given

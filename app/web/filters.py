"""The filters of the lists, from an address; what makes no sense counts as not given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.task import Status
from app.service.library import LibraryFilter

#: Longest page number that is looked up.
MAX_PAGE: Final = 100_000
_AUDIO: Final[Mapping[str, bool | None]] = {"all": None, "generated": True, "not_generated": False}
_ACTIVE: Final = ("pending", "processing")
#: What the API calls `problem`.
_PROBLEM: Final = "failed,timeout"
_ORDERS: Final = ("desc", "asc")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """What a list page shows.

    Attributes:
        status: `any`, `active`, or states separated by commas.
        order: `desc` (newest first) or `asc`.
        kept: Parameters that a search keeps, as hidden fields.
    """

    q: str
    audio: str
    status: str
    order: str
    page: int

    @property
    def is_set(self) -> bool:
        """Whether anything is left out."""
        return bool(self.q) or self.audio != "all" or self.status != "any"

    @property
    def kept(self) -> Sequence[tuple[str, str]]:
        """What a new search does not change."""
        given = (("audio_filter", self.audio), ("status", self.status), ("order", self.order))
        return [(name, value) for name, value in given if value not in {"all", "any", "desc"}]

    @property
    def states(self) -> tuple[str, ...]:
        """The states of texts that are wanted; empty: all."""
        if self.status == "any":
            return ()
        return _ACTIVE if self.status == "active" else tuple(self.status.split(","))


def filter_of(args: Mapping[str, str]) -> ListFilter:
    """The filter of an address."""
    return ListFilter(
        q="".join(char for char in args.get("q", "").strip()[:200] if char.isprintable()),
        audio=_one_of(args.get("audio_filter"), tuple(_AUDIO)),
        status=_status(args.get("status", "")),
        order=_one_of(args.get("order"), _ORDERS),
        page=page_of(args.get("page")),
    )


def library_filter(wanted: ListFilter) -> LibraryFilter:
    """The filter as the library service takes it."""
    return LibraryFilter(
        q=wanted.q,
        has_audio=_AUDIO[wanted.audio],
        states=wanted.states,
        oldest_first=wanted.order == "asc",
    )


def page_of(value: str | None) -> int:
    """A page number from 1."""
    if value is None or not value.isascii() or not value.isdigit():
        return 1
    return min(max(1, int(value[:9])), MAX_PAGE)


def id_of(value: str | None) -> int | None:
    """A row's id; None for what is none."""
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return int(value[:18])


def _status(value: str) -> str:
    if value in {"active", "any"}:
        return value
    value = _PROBLEM if value == "problem" else value
    states = [state for state in dict.fromkeys(value.split(",")) if state in set(Status)]
    return ",".join(states) or "any"


def _one_of(value: str | None, allowed: Sequence[str]) -> str:
    return value if value is not None and value in allowed else allowed[0]

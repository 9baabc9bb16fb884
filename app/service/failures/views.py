"""Failure groups as they are shown: dataclasses that the API, the pages and the command line share.

Counts are of attempts (`app/domain/correlation/cube.py` says which), repeats included; `repeats`
says how many of them were of a text that had failed so before. Moments are microseconds, UTC.
`listing.groups(core, asked)` gives a page of them, `group.group(core, fingerprint, asked)` one with
its exemplars and events, `actions.act(core, fingerprint, action)` changes what people decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.records import FailureEventRecord


class Shown(StrEnum):
    """The state of a group as it is shown.

    `new`: first seen within a day, assigned to nobody, without a note. `regressed`: it failed again
    after it was resolved. `ongoing`: any other that is open.
    """

    NEW = "new"
    ONGOING = "ongoing"
    REGRESSED = "regressed"
    RESOLVED = "resolved"
    MUTED = "muted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How many failures of a group had one value of a dimension; the value "" is "it has none"."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A failure group: why it is one, what it is now, and what people decided.

    Attributes:
        fingerprint: `v2:` and 16 hex digits; `v0:TYPE` for failures from before fingerprints.
        template: The message with what varies replaced; "" of `v0:`.
        frames: Own frames as `module:function`, the innermost first; none for what was ended from
            outside.
        shown: Its state.
        outcome: How such attempts look in lists: `failed`, `timeout` or `lost`.
        first_at, last_at: First and last seen; `last_at` is None where nothing is left that tells.
        state_at, state_by: When and by whom it was resolved or muted; where it is regressed, when
            it was resolved before that; None: it is open otherwise.
        resolved_release: The releases that ran when it was resolved, with commas between.
        regressed_at, regressed_release: When and in which release it was seen again after that.
    """

    fingerprint: str
    error_type: str
    error_kind: str | None
    error_code: str | None
    template: str
    frames: tuple[str, ...]
    shown: Shown
    outcome: str
    first_at: int
    last_at: int | None
    state_at: int | None
    state_by: str | None
    resolved_release: str | None
    regressed_at: int | None
    regressed_release: str | None
    assignee: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Failures of a group in a window.

    Attributes:
        count: All of them; `repeats` of these were of texts that had failed so before.
        bins: Failures in each part of the window, the oldest first: 24, or 13 to 25 of whole hours.
        trend: How often it failed in the last quarter of the window against the three before it:
            1 is as often, 2 is twice as often.
        parts: dimension -> its values, the most frequent first.
    """

    count: int
    repeats: int
    bins: tuple[int, ...]
    trend: float
    parts: Mapping[str, tuple[Part, ...]]

    @property
    def texts(self) -> int:
        """Texts that had not failed so before: each counts once, at its first failure."""
        return self.count - self.repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The window that was counted.

    Attributes:
        start, end: From and to before which moment.
        is_whole_hours: Whether it was widened to whole hours (of a very long one: days), since rows
            of its ends are gone.
        bins_at: Where its first part begins: at a whole hour or day where parts last so long, so
            that the window may cut the first and the last one.
        bin_us: How long a part is.
    """

    start: int
    end: int
    is_whole_hours: bool
    bins_at: int
    bin_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedGroup:
    """A group of the list, and its failures in the window (`parts`: worker, engine, release)."""

    group: Group
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """A page of the list.

    Attributes:
        groups: In the order asked for.
        total: Groups that fit, on all pages; `states`: how many of each state there are where
            every state is asked for.
        where: dimension -> value: only failures there count.
        failed: Failures in the window of the groups that fit.
        failed_groups: How many of these groups have some.
        next, previous: Cursors of the neighbouring pages; None: there is none.
        is_capped: Whether there are more groups than are looked at; the oldest are left out.
    """

    groups: tuple[ListedGroup, ...]
    window: Span
    where: Mapping[str, str]
    total: int
    states: Mapping[Shown, int]
    failed: int
    failed_groups: int
    next: str | None
    previous: str | None
    now: int
    is_capped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One attempt of a group to look at.

    Attributes:
        which: `newest`, `first` or `slowest`.
        title: Its text's; None where the text is gone.
        dur_us: From claim to end.
        url: Its task's page, at the attempt.
        jaeger_url: Its trace in Jaeger; None unless it was seen there.
    """

    which: str
    task_id: int
    attempt: int
    text_id: int
    title: str | None
    at: int
    dur_us: int
    outcome: str
    worker: str
    engine: str
    voice: str
    release: str
    char_count: int
    error_message: str | None
    trace_id: str
    span_id: str
    url: str
    jaeger_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """Everything about one group.

    Attributes:
        where: dimension -> value: only failures there count in the window.
        all_time: Failures ever, removed ones included (`bins` empty, `parts` of all dimensions).
        in_window: Those of the window, with `parts` of all dimensions.
        text_count: Texts that ever failed so.
        kept_count: Attempts whose rows are kept: retention removes rows, no numbers.
        task_count: Tasks of these; some of them may have completed at a later attempt.
        ended_count: Tasks that are kept and failed for good so.
        is_kept_count_capped: Whether there are more than were counted (`TASKS`).
        exemplars: At most one of each kind; none where no attempt is kept.
        events: What people, and failures after a resolution, did to it; the newest first.
    """

    group: Group
    window: Span
    where: Mapping[str, str]
    all_time: Counts
    in_window: Counts
    text_count: int
    kept_count: int
    task_count: int
    ended_count: int
    is_kept_count_capped: bool
    exemplars: tuple[Exemplar, ...]
    events: tuple[FailureEventRecord, ...]
    now: int

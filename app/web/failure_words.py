"""Words, signs and addresses of failure groups, as every page shows them."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from app.domain.query.query import Query, both, named, within
from app.service.correlate import links
from app.service.failures.notice import EXPIRED
from app.service.failures.views import Group, Part, Shown, Span
from app.service.reason import error_words
from app.web import failure_drawing
from app.web.failure_drawing import LEAST_SPREAD, MAX_SPREAD, SPREAD_PX, Upright
from app.web.format import number
from app.web.words import Words

#: How the sign of a state looks; ongoing has no colour of its own.
LEVELS: Final[Mapping[Shown, str]] = {
    Shown.NEW: "warn",
    Shown.ONGOING: "",
    Shown.REGRESSED: "bad",
    Shown.RESOLVED: "ok",
    Shown.MUTED: "unknown",
}
#: Signs of how attempts of a group end; a lost one has that of a failure.
GLYPHS: Final[Mapping[str, str]] = {"timeout": "timeout"}
#: What a fingerprint from before templates begins with.
OLD: Final = "v0:"
#: All failures, those of texts that had not failed so before, and those of texts that had.
EVERY: Final = Query()
FIRST: Final = Query(terms=(named("is", "repeat", is_negated=True),))
REPEATS: Final = Query(terms=(named("is", "repeat"),))
NOWHERE: Final[Mapping[str, str]] = {}


def group_path(fingerprint: str, **args: str) -> str:
    """The page of a group."""
    given = {name: value for name, value in args.items() if value}
    path = f"/failures/{quote(fingerprint, safe=':')}"
    return f"{path}?{urlencode(given)}" if given else path


def title_of(group: Group, t: Words) -> str:
    """What a group is called: why it failed, in words."""
    return error_title(group.error_type, t)


def error_title(error_type: str, t: Words) -> str:
    """Why something failed, in words, as a title."""
    words = error_words(error_type, t.lang)
    return f"{words[:1].upper()}{words[1:]}"


def state_says(group: Group, t: Words) -> str:
    """The state of a group, with the release where one is known."""
    release = {
        Shown.REGRESSED: group.regressed_release,
        Shown.RESOLVED: group.resolved_release,
    }.get(group.shown)
    key = f"failures.state_{group.shown}"
    return (t(f"{key}_in", release=release) if release else t(key)).unescape()


def rows_path(
    group: Group, span: Span | None, where: Mapping[str, str] = NOWHERE, which: Query = EVERY
) -> str:
    """Where failures of a group are listed: attempts, or tasks that never had one.

    Args:
        group: Whose failures.
        span: In which window; None: all that are kept.
        where: Only those with these values.
        which: `EVERY`, `FIRST` or `REPEATS`.
    """
    if group.error_type == EXPIRED:
        return tasks_path(group.fingerprint, span)
    if span is None:
        query = both(links.predicate({**where, "fingerprint": group.fingerprint}), which)
        return f"/attempts?{urlencode({'q': str(query)})}"
    return links.attempts_url(
        start=span.start,
        end=span.end,
        terms=which,
        where=where,
        fingerprint=group.fingerprint,
        with_repeats=True,
    )


def tasks_path(fingerprint: str, span: Span | None) -> str:
    """Where tasks that failed for good are listed; of all time where there is no window."""
    terms = [named("fingerprint", fingerprint)]
    if span is not None:
        terms.append(within("ended", span.start, span.end))
    return f"/tasks?{urlencode({'query': str(Query(terms=tuple(terms)))})}"


def culprit(group: Group, t: Words) -> str:
    """The innermost frames of our own, or that there were none."""
    if group.frames:
        return " ← ".join(group.frames[:2])
    is_old = group.fingerprint.startswith(OLD)
    return str(t("failures.no_template" if is_old else "failures.no_frames"))


def spread(parts: Sequence[Part], t: Words) -> Upright:
    """How the failures spread over workers, as small bars."""
    shown = [part.count for part in parts[:MAX_SPREAD]]
    # few bars are as wide as those of some
    shown += [0] * (LEAST_SPREAD - len(shown))
    says = t("failures.spread", n=len(parts), parts=parts_words(parts, t))
    return failure_drawing.upright(shown, says.unescape(), SPREAD_PX)


def parts_words(parts: Sequence[Part], t: Words, most: int = 3) -> str:
    """Values with their counts: `w3 34, w5 2 and 4 others`."""
    told = [f"{part.value or t('dimension.none')} {number(part.count)}" for part in parts[:most]]
    words = str(t("comma")).join(told)
    left = len(parts) - most
    return t("failures.and_others", parts=words, n=left).unescape() if left > 0 else words

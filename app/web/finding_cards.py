"""Findings as cards: what was found in a sentence, its numbers with their rows, its examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from app import clock
from app.domain.query.query import both
from app.service.correlate import links, since
from app.service.correlate.question import Question
from app.service.findings import telling
from app.web import moments
from app.web.failure_words import group_path
from app.web.format import duration, percent
from app.web.visitor import Visitor
from app.web.words import Words

#: Below these q, with at least so many failures, evidence is called so.
_EVIDENCE: Final = ((1e-6, 10, "strong"), (1e-3, 5, "good"), (1.0, 0, "some"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An attempt that a finding or a group shows: which, when, its trace."""

    name: str
    path: str
    at: Markup
    jaeger_url: str | None
    attempt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A failure, the success most like it, in what they differ, and where both are compared."""

    failure: Example
    success: Example | None
    differs: str
    path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Attempts of a finding that ended since its onset, and those that failed; their lists."""

    observed: int
    n: int
    failed_path: str
    all_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A finding as it is drawn.

    Attributes:
        evidence: strong, good or some.
        chance, chance_exact: q in short and whole.
        instead: Other predicates that could be meant just as well.
        onset, onset_range: Since when, and between which moments; None: all window long, or since
            its first attempt.
        later: How many of its attempts ended since, where some did before; None: all of them.
        first_attempt: When that was, where it is what is told.
        boundary: What changed nearest to the onset; empty: nothing near.
    """

    says: str
    evidence: str
    observed: int
    n: int
    expected: str
    lift: str
    chance: str
    chance_exact: str
    share: str
    baseline_failed: int
    baseline_n: int
    failed_path: str
    all_path: str
    baseline_failed_path: str
    baseline_path: str
    group_path: str | None
    template: str
    instead: Sequence[str]
    onset: Markup | None
    onset_range: Markup | None
    later: Later | None
    first_attempt: Markup | None
    boundary: Markup | str
    pairs: Sequence[Pair]


def card(found: Mapping[str, Any], question: Question, reader: Visitor) -> Card:
    """A finding in the shape of the API as a card; `question` is what was looked at."""
    t, onset = reader.t, found["onset"]
    past = {"start": question.baseline_start, "end": question.start, "where": found["where"]}
    return Card(
        says=sentence(found["words"], t),
        evidence=evidence(found["q"], found["observed"]),
        observed=found["observed"],
        n=found["n"],
        expected=amount(found["expected"]),
        lift=f"×{amount(found['lift'])}",
        chance=chance(found["q"]),
        chance_exact=f"q = {found['q']:.2g}, p = {found['p']:.2g}",
        share=percent(found["share"]),
        baseline_failed=found["baseline"]["failed"],
        baseline_n=found["baseline"]["n"],
        failed_path=found["attempts_url"],
        all_path=found["all_attempts_url"],
        baseline_failed_path=links.attempts_url(
            **past,
            terms=both(question.within, question.selection),
            fingerprint=found["fingerprint"],
        ),
        baseline_path=links.attempts_url(**past, terms=question.within),
        group_path=group_path(found["fingerprint"]) if found["fingerprint"] else None,
        template=found["template"] or found["error_type"] or "",
        instead=[where_words(where, t) for where in found["indistinguishable"]],
        onset=moments.tag(reader.place, clock.from_iso(onset["at"])) if onset else None,
        onset_range=_range(onset, reader) if onset else None,
        later=_later(found, question),
        first_attempt=_first_attempt(found["first_at"], reader),
        boundary=boundary_words(found, reader),
        pairs=[pair(one, reader) for one in found["exemplars"]],
    )


def sentence(words: str, t: Words) -> str:
    """Words of a finding as a sentence of their own."""
    return f"{words[:1].upper()}{words[1:]}{t('full_stop')}"


def amount(value: float) -> str:
    """A number that need not be whole, in as many digits as tell something: 0.31, 1.3, 52."""
    if value >= 99.5:
        return f"{value:.0f}"
    return f"{value:.2g}"


def chance(q: float) -> str:
    """How likely so much is by chance: `q 0.004`, `q < 0.001`."""
    return "q < 0.001" if q < 0.001 else f"q {q:.2g}"


def evidence(q: float, observed: int) -> str:
    """How sure a finding is, in one of three words."""
    return next(word for most, least, word in _EVIDENCE if q <= most and observed >= least)


def where_words(where: Mapping[str, str], t: Words) -> str:
    """A predicate in words: `worker w3, voice amy`; what has no value is told as none."""
    if not where:
        return str(t("finding.everything"))
    return str(t("comma")).join(
        f"{t(f'dimension.{name}')} {value or t('dimension.none')}" for name, value in where.items()
    )


def _range(onset: Mapping[str, str], reader: Visitor) -> Markup:
    low, high = (moments.tag(reader.place, clock.from_iso(onset[end])) for end in ("low", "high"))
    return reader.t("finding.between", low=low, high=high)


def _later(found: Mapping[str, Any], question: Question) -> Later | None:
    onset = telling.onset_of(found["onset"])
    after = since.later(onset, found["n"]) if onset is not None else None
    if onset is None or after is None:
        return None
    span = {"start": round(onset.at), "end": question.end, "where": found["where"]}
    return Later(
        n=after[0],
        observed=after[1],
        all_path=links.attempts_url(**span, terms=question.within),
        failed_path=links.attempts_url(
            **span,
            terms=both(question.within, question.selection),
            fingerprint=found["fingerprint"],
        ),
    )


def _first_attempt(at: str | None, reader: Visitor) -> Markup | None:
    if at is None:
        return None
    return reader.t("finding.first_attempt", when=moments.tag(reader.place, clock.from_iso(at)))


def boundary_words(found: Mapping[str, Any], reader: Visitor) -> Markup | str:
    """What changed nearest to a finding's onset, when, and how far off that was; empty: nothing."""
    onset, nearest = telling.onset_of(found["onset"]), telling.boundary_of(found["boundary"])
    if onset is None or nearest is None:
        return ""
    return reader.t(
        f"finding.{since.side(nearest, onset)}",
        what=change_words(found["boundary"], reader.t),
        when=moments.tag(reader.place, nearest.at),
        distance=duration(abs(nearest.distance_us), reader.t.lang),
    )


def change_words(found: Mapping[str, Any], t: Words) -> str:
    """A change of the system in words: `release 1.4.2 on w3`."""
    kind = found["kind"]
    if kind == "limit":
        return _limit_words(found, t)
    names = ("worker", "release", "before")
    values = {name: found.get(name) or str(t("dimension.none")) for name in names}
    is_wide = not found.get("worker") and t.has(f"change.{kind}_wide")
    return t(
        f"change.{kind}_wide" if is_wide else f"change.{kind}",
        n=found.get("workers") or 1,
        **values,
    ).unescape()


def _limit_words(found: Mapping[str, Any], t: Words) -> str:
    engine = str(found.get("name") or "").removeprefix("engine:")
    is_all = engine == found.get("name")
    what = t("change.limit_all" if is_all else "change.limit_engine", engine=engine)
    before, value = found.get("before"), found.get("value")
    key = "limit_gone" if value is None else "limit_set" if before is None else "limit"
    return t(f"change.{key}", what=what, before=before or "", value=value or "").unescape()


def pair(found: Mapping[str, Any], reader: Visitor) -> Pair:
    """A failure and its nearest success."""
    t, success = reader.t, found["success"]
    names = [str(t(f"dimension.{name}")) for name in success["differs"]] if success else []
    return Pair(
        failure=example(found, reader),
        success=example(success, reader) if success else None,
        differs=str(t("comma")).join(names),
        path=found["compare_url"],
    )


def example(found: Mapping[str, Any], reader: Visitor) -> Example:
    """An attempt as a link."""
    return Example(
        name=str(reader.t("task.number", id=str(found["task_id"]))),
        path=found["url"],
        at=moments.tag(reader.place, clock.from_iso(found["at"])),
        jaeger_url=found["jaeger_url"],
        attempt=str(reader.t("attempt.card", n=found["attempt"])),
    )

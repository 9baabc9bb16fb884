"""What the correlate page shows of an answer: both sides, the whole in words, cards, bars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from app import clock
from app.domain.query.grammar import ATTEMPTS
from app.domain.query.parse import parse
from app.domain.query.query import Query, both, named
from app.service.correlate import links
from app.service.correlate.question import Question
from app.service.correlate.shape import rest_of
from app.web import dimension_bars, failure_drawing, finding_cards, moments
from app.web.failure_drawing import Bin, Timeline
from app.web.finding_cards import change_words
from app.web.format import number
from app.web.visitor import Visitor
from app.web.words import mono

Json = Mapping[str, Any]
#: How the answer as a whole looks.
_LEVELS: Final[Mapping[str, str]] = {"none": "ok", "mix_shift": "warn", "global_rise": "bad"}
#: Changes that are drawn into the strip; the others are listed below it.
_MARKED: Final = frozenset({"release", "limit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """The answer as a whole: how it looks, in a word, in a sentence."""

    level: str
    word: str
    says: str


def shown(answer: Json, reader: Visitor) -> dict[str, Any]:
    """What the page shows of an answer."""
    question = question_of(answer)
    return {
        "answer": answer,
        "these": _these(answer, question, reader),
        "those": _those(answer, question, reader),
        "overall": overall(answer, reader),
        "past": _past(answer, question, reader),
        "left_out": _left_out(answer, question, reader),
        "notes": answer["notes"],
        "cards": [finding_cards.card(one, question, reader) for one in answer["findings"]],
        "strip": strip(answer, question, reader),
        "changes": changes(answer["strip"]["events"], reader),
        "dimensions": dimension_bars.dimensions(answer["dimensions"], reader.t),
    }


def question_of(answer: Json) -> Question:
    """What was looked at: of the slowest they are a filter by now."""
    told = answer["question"]
    return Question(
        start=clock.from_iso(told["from"]),
        end=clock.from_iso(told["to"]),
        baseline_start=clock.from_iso(told["baseline_from"]),
        query=parse(told["query"], ATTEMPTS),
        within=parse(told["within"], ATTEMPTS),
    )


def workers(answer: Json) -> list[tuple[str, int, int]]:
    """Each worker, how many of its attempts are selected, and how many there are."""
    return [
        (one["value"], one["selected"], one["selected"] + one["others"])
        for dimension in answer["dimensions"]
        if dimension["name"] == "worker"
        for one in dimension["values"]
        if one["value"] is not None
    ]


def overall(answer: Json, reader: Visitor) -> Overall:
    """The answer as a whole: findings before what became of all failures."""
    t, whole, n = reader.t, answer["overall"], len(answer["findings"])
    said = finding_cards.sentence(whole["words"], t)
    if n and whole["kind"] != "global_rise":
        is_all = whole["kind"] == "none"
        return Overall(
            level="bad",
            word=str(t("correlate.findings", n=n)),
            says=str(t("correlate.found", n=n)) if is_all else said,
        )
    return Overall(
        level=_LEVELS[whole["kind"]] if answer["selected"] else "unknown",
        word=str(t(f"correlate.kind_{whole['kind']}")),
        says=said,
    )


def _these(answer: Json, question: Question, reader: Visitor) -> Markup:
    kind = answer["question"]["selection"]
    if kind == "failures" and question.query:
        kind = "selected"
    return reader.t(
        f"correlate.these_{kind}",
        n=answer["selected"],
        link=_counted(answer["selected"], _listed(question, question.selection)),
        what=mono(str(question.query)),
        start=moments.tag(reader.place, question.start),
        end=moments.tag(reader.place, question.end),
    )


def _those(answer: Json, question: Question, reader: Visitor) -> Markup:
    others, rest = answer["n"] - answer["selected"], rest_of(question)
    return reader.t(
        "correlate.those_within" if question.within else "correlate.those",
        n=others,
        link=_counted(others, None if rest is None else _listed(question, rest)),
        what=mono(str(question.within)),
    )


def _past(answer: Json, question: Question, reader: Visitor) -> Markup:
    """How many there were in the time before, and how many of these."""
    span = (question.baseline_start, question.start)
    selected, n = answer["baseline_selected"], answer["baseline_n"]
    return reader.t(
        "correlate.past",
        failed=_counted(selected, _listed(question, question.selection, span)),
        n=_counted(n, _listed(question, Query(), span)),
    )


def _left_out(answer: Json, question: Question, reader: Visitor) -> Markup | None:
    """The attempts that count on no side, since the same text had failed so before."""
    n = answer["repeats_left_out"]
    if not n:
        return None
    path = links.attempts_url(
        start=question.start,
        end=question.end,
        terms=both(question.within, Query(terms=(named("is", "repeat"),))),
        with_repeats=True,
    )
    return reader.t("correlate.left_out", n=n, link=_counted(n, path))


def _listed(question: Question, side: Query, span: tuple[int, int] | None = None) -> str:
    start, end = span or (question.start, question.end)
    return links.attempts_url(start=start, end=end, terms=both(question.within, side))


def _counted(n: int, path: str | None) -> Markup:
    """A number that opens its rows, where they can be listed."""
    if not n or path is None:
        return Markup("<b>{}</b>").format(number(n))
    return Markup('<b><a class="link" href="{}">{}</a></b>').format(path, number(n))


def strip(answer: Json, question: Question, reader: Visitor) -> Timeline | None:
    """The selected attempts over the window, what changed, the onset of the first finding."""
    found = answer["strip"]
    if not found["bins"]:
        return None
    onsets = [one["onset"] for one in (*answer["findings"], answer["overall"]) if one["onset"]]
    is_failed = answer["question"]["selection"] == "failures"
    return failure_drawing.timeline(
        [_bin(one, "failed" if is_failed else "accent", question, reader) for one in found["bins"]],
        (question.start, question.end),
        reader.place,
        label=str(reader.t("correlate.strip_says", n=answer["selected"], all=number(answer["n"]))),
        marks=_marks(found["events"], reader),
        band=(clock.from_iso(onsets[0]["low"]), clock.from_iso(onsets[0]["high"]))
        if onsets
        else None,
    )


def _bin(one: Json, kind: str, question: Question, reader: Visitor) -> Bin:
    at, end = clock.from_iso(one["at"]), clock.from_iso(one["end"])
    when = moments.short(reader.place, at)
    says = reader.t("correlate.bin", when=when, selected=one["selected"], n=one["n"])
    return Bin(
        at=at,
        end=end,
        parts={kind: one["selected"]},
        says=str(says),
        path=_listed(question, question.selection, (at, end)),
    )


def _marks(events: Sequence[Json], reader: Visitor) -> list[tuple[int, str, str]]:
    """Releases once each, where they first started; limits."""
    marks: list[tuple[int, str, str]] = []
    releases: set[str | None] = set()
    for one in events:
        if one["kind"] not in _MARKED or (one["kind"] == "release" and one["release"] in releases):
            continue
        releases.add(one["release"])
        at = clock.from_iso(one["at"])
        says = f"{moments.short(reader.place, at)}{reader.t('colon')}{change_words(one, reader.t)}"
        text = one["release"] if one["kind"] == "release" else reader.t("correlate.limit")
        marks.append((at, str(text), says))
    return marks


def changes(events: Sequence[Json], reader: Visitor) -> list[tuple[Markup, str]]:
    """What changed in the window, in words."""
    return [
        (moments.tag(reader.place, clock.from_iso(one["at"])), change_words(one, reader.t))
        for one in events
    ]

"""An answer as JSON: the same for the API, the pages, findings that are kept, and the webhook."""

from dataclasses import replace
from typing import Any

from app import clock
from app.domain.correlation.found import Onset
from app.domain.query.query import Query, both
from app.service.correlate import boundary, exemplars, links, notes, words
from app.service.correlate.answer import Answer, Finding
from app.service.correlate.bars import Bar, Bars
from app.service.correlate.question import COMPLETED, FAILED, Question
from app.service.correlate.words import About, Reader, Whole
from app.service.figures import LANGUAGES, Language
from app.store.system_events import SystemEvent

Json = dict[str, Any]


def answer(found: Answer, reader: Reader) -> Json:
    """The whole answer, in a language."""
    return {
        "question": _question(found),
        "n": found.n,
        "selected": found.selected,
        "repeats_left_out": found.repeats,
        "baseline_n": found.baseline_n,
        "baseline_selected": found.baseline_selected,
        "overall": _overall(found, reader),
        "findings": [finding(found, one, reader) for one in found.findings],
        "dimensions": _dimensions(found),
        "strip": _strip(found),
        "tests": found.tests,
        "notes": [notes.words(note, reader.lang) for note in found.notes],
        "took_ms": round(found.took_us / 1000),
    }


def finding(found: Answer, one: Finding, reader: Reader) -> Json:
    """A finding of an answer; its sentence is in the reader's language, and in each."""
    it, question = one.found, found.question
    terms = both(question.within, question.selection)
    said = {lang: sentence(found, one, replace(reader, lang=lang)) for lang in LANGUAGES}
    return {
        "where": dict(it.where),
        "fingerprint": it.fingerprint,
        "error_type": one.template.error_type if one.template is not None else None,
        "template": one.template.template if one.template is not None else None,
        "n": it.n,
        "observed": it.observed,
        "expected": it.expected,
        "lift": it.lift,
        "p": it.p,
        "q": it.q,
        "share": it.share,
        "baseline": {"n": it.baseline_n, "failed": it.baseline_failed},
        "indistinguishable": [dict(other) for other in it.indistinguishable],
        "onset": _onset(one.onset),
        "first_at": None if one.first_at is None else clock.iso(one.first_at),
        "boundary": None if one.boundary is None else boundary.shape(one.boundary),
        "words": said[reader.lang],
        **{f"words_{lang}": said[lang] for lang in LANGUAGES},
        "exemplars": [exemplars.shape(example) for example in one.exemplars],
        "attempts_url": links.attempts_url(
            start=question.start,
            end=question.end,
            terms=terms,
            where=it.where,
            fingerprint=it.fingerprint,
        ),
        "all_attempts_url": links.attempts_url(
            start=question.start, end=question.end, terms=question.within, where=it.where
        ),
    }


def sentence(found: Answer, one: Finding, reader: Reader) -> str:
    """A finding in one sentence; a rise of everything in that of the whole."""
    if not one.found.where and one.found.fingerprint is None:
        return words.overall(
            found.overall, _whole(found), _about(one), reader, selection=found.kind
        )
    return words.sentence(one.found, _about(one), reader, selection=found.kind)


def _about(one: Finding | None) -> About:
    if one is None:
        return About()
    return About(
        onset=one.onset,
        first_at=one.first_at,
        boundary=one.boundary,
        template=one.template.template if one.template is not None else None,
        error_type=one.template.error_type if one.template is not None else None,
    )


def _whole(found: Answer) -> Whole:
    return Whole(
        n=found.n,
        baseline_n=found.baseline_n,
        baseline_selected=found.baseline_selected,
        findings=len(found.findings),
        value=found.mix_value,
    )


def _question(found: Answer) -> Json:
    it = found.question
    return {
        "from": clock.iso(it.start),
        "to": clock.iso(it.end),
        "baseline_from": clock.iso(it.baseline_start),
        "baseline_to": clock.iso(it.start),
        "query": str(it.query),
        "within": str(it.within),
        "selection": found.kind,
        "slow_ms": found.slow_ms,
        "grain": found.grain,
        "is_whole_hours": found.is_whole_hours,
    }


def _overall(found: Answer, reader: Reader) -> Json:
    it = found.overall
    said = words.overall(it, _whole(found), _about(found.rise), reader, selection=found.kind)
    rise = found.rise
    return {
        "kind": it.kind,
        "dimension": it.dimension,
        "value": found.mix_value,
        "observed": it.observed,
        "expected": it.expected,
        "words": said,
        "onset": _onset(rise.onset) if rise is not None else None,
        "boundary": boundary.shape(rise.boundary)
        if rise is not None and rise.boundary is not None
        else None,
        "exemplars": [exemplars.shape(one) for one in rise.exemplars] if rise is not None else [],
    }


def _onset(found: Onset | None) -> Json | None:
    if found is None:
        return None
    moments = (("at", found.at), ("low", found.low), ("high", found.high))
    return {
        **{name: clock.iso(round(at)) for name, at in moments},
        "n": found.n,
        "observed": found.observed,
    }


def _dimensions(found: Answer) -> list[Json]:
    question = found.question
    rest = rest_of(question)
    sides = [
        links.Lists(start=question.start, end=question.end, terms=both(question.within, side))
        if side is not None
        else None
        for side in (question.selection, rest)
    ]
    return [
        {
            "name": one.name,
            "difference": one.difference,
            "values": [_bar(one, bar, *sides) for bar in one.bars],
        }
        for one in found.dimensions
    ]


def _bar(of: Bars, bar: Bar, selection: links.Lists | None, rest: links.Lists | None) -> Json:
    selected, others = of.shares(bar)
    return {
        "value": bar.value,
        "is_rest": bar.value is None,
        "selected": bar.selected,
        "others": bar.others,
        "selected_share": selected,
        "others_share": others,
        "attempts_url": _listed(of.name, bar, selection),
        "others_url": _listed(of.name, bar, rest),
    }


def _listed(name: str, bar: Bar, side: links.Lists | None) -> str | None:
    return None if bar.value is None or side is None else side.url({name: bar.value})


def rest_of(question: Question) -> Query | None:
    """The attempts that are not selected, as a filter; None where no filter says it."""
    terms = question.selection.terms
    if question.selection == FAILED:
        return COMPLETED
    if len(terms) != 1:
        return None
    return Query(terms=(replace(terms[0], is_negated=not terms[0].is_negated),))


def _strip(found: Answer) -> Json:
    step = found.strip.step_us
    ends = (min(one.at - one.at % step + step, found.question.end) for one in found.strip.bins)
    return {
        "step_s": step / 1_000_000,
        "bins": [
            {
                "at": clock.iso(one.at),
                "end": clock.iso(end),
                "n": one.n,
                "selected": one.selected,
            }
            for one, end in zip(found.strip.bins, ends, strict=True)
        ],
        "events": [_event(one) for one in found.events],
    }


def _event(one: SystemEvent) -> Json:
    names = ("kind", "worker", "release", "before", "name", "value")
    return {"at": clock.iso(one.at), **{name: getattr(one, name) for name in names}}


def in_languages(found: Answer) -> dict[Language, Json]:
    """The answer in each language, for one that is kept; moments in UTC."""
    return {lang: answer(found, Reader(lang=lang, now_us=found.now)) for lang in LANGUAGES}

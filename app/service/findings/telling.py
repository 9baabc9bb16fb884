"""A kept finding in one sentence, as it reads now: what was today may be yesterday by then."""

from collections.abc import Mapping
from typing import Any

from app import clock
from app.domain.correlation.found import Found, Onset, Overall
from app.service.correlate import words
from app.service.correlate.boundary import Boundary
from app.service.correlate.words import About, Reader, Whole

Json = Mapping[str, Any]


def sentence(answer: Json, reader: Reader) -> str:
    """What was found, without a full stop; a finding about everything is a rise of failures."""
    about = About(
        onset=onset_of(answer["onset"]),
        first_at=_at(answer["first_at"]),
        boundary=boundary_of(answer["boundary"]),
        template=answer["template"],
        error_type=answer["error_type"],
    )
    if answer["where"]:
        return words.sentence(_found(answer), about, reader)
    rise = Overall(
        kind="global_rise",
        dimension=None,
        observed=answer["observed"],
        expected=answer["expected"],
    )
    past = answer["baseline"]
    whole = Whole(n=answer["n"], baseline_n=past["n"], baseline_selected=past["failed"])
    return words.overall(rise, whole, about, reader)


def _found(answer: Json) -> Found:
    return Found(
        where=answer["where"],
        fingerprint=answer["fingerprint"],
        baseline_n=answer["baseline"]["n"],
        baseline_failed=answer["baseline"]["failed"],
        indistinguishable=tuple(answer["indistinguishable"]),
        **{name: answer[name] for name in ("n", "observed", "expected", "lift", "p", "q", "share")},
    )


def onset_of(told: Json | None) -> Onset | None:
    """An onset as JSON carries it."""
    if told is None:
        return None
    moments = {name: clock.from_iso(told[name]) for name in ("at", "low", "high")}
    return Onset(**moments, n=told["n"], observed=told["observed"])


def _at(told: str | None) -> int | None:
    return None if told is None else clock.from_iso(told)


def boundary_of(told: Json | None) -> Boundary | None:
    """A boundary as JSON carries it."""
    if told is None:
        return None
    rest = {name: told[name] for name in ("kind", "worker", "release", "before", "name", "value")}
    return Boundary(
        **rest,
        at=clock.from_iso(told["at"]),
        workers=told["workers"],
        distance_us=round(told["distance_s"] * 1_000_000),
    )

"""Two attempts side by side: what each is, in what they differ, how long each span took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from app.domain.errors import AskedError
from app.service.core import Core
from app.service.correlate import compare_words, links
from app.service.correlate.compare import Compared, Comparison, compare
from app.service.correlate.spans_aligned import Line, Side
from app.service.reason import error_words
from app.web import moments
from app.web.finding_cards import amount, sentence
from app.web.format import duration
from app.web.query_words import Fault
from app.web.visitor import Visitor
from app.web.words import Words, voice_name

#: Depth from which on spans are drawn no further in.
_DEEPEST: Final = 4
#: Ratios between these are alike.
_ALIKE: Final = (0.8, 1.25)
_SIGNS: Final[Mapping[str, str]] = {"completed": "completed", "timeout": "timeout"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One of the two attempts."""

    name: str
    path: str
    task: str
    jaeger_url: str | None
    glyph: str
    outcome: str
    error: str
    facts: Sequence[tuple[str, str | Markup]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRow:
    """A span of both: bars in percent of the longest, what it took in each, how they differ.

    `side` is left or right where only one has it, `is_parting` where the two part.
    """

    level: int
    name: str
    left: str
    right: str
    left_x: float
    right_x: float
    left_failed: bool
    right_failed: bool
    difference: str
    ratio: str
    side: str
    is_parting: bool
    notes: Sequence[str]


def values(core: Core, args: Mapping[str, str], reader: Visitor) -> dict[str, Any]:
    """What the page shows; of attempts that cannot be compared what is wrong.

    Raises:
        NotFoundError: There is no such attempt.
    """
    left, right = args.get("left", "").strip(), args.get("right", "").strip()
    try:
        found = compare(core, left, right)
    except AskedError as error:
        says = reader.t(f"compare.fault.{error.reason}", **error.values)
        return {"fault": Fault(says=says), "found": None}
    return {
        "fault": None,
        "found": found,
        "says": _says(found, reader.t),
        "halves": [half(found.left, reader), half(found.right, reader)],
        "differs": [
            _attribute(one.name, (one.left, one.right), reader) for one in found.attributes
        ],
        "rows": rows(found, reader),
        "swap_path": links.compare_url(
            (found.right.task.id, found.right.record.attempt),
            (found.left.task.id, found.left.record.attempt),
        ),
    }


def _says(found: Comparison, t: Words) -> str:
    """Where they part, as a sentence in which types of errors are set as names."""
    says = compare_words.says(found, t.lang)
    for error_type in {found.left.record.error_type, found.right.record.error_type} - {None}:
        says = says.replace(f"{error_type}", f"`{error_type}`")
    return sentence(says, t)


def half(one: Compared, reader: Visitor) -> Half:
    """One of the two, with what is always told of it."""
    t, record = reader.t, one.record
    outcome = record.outcome or ""
    none = str(t("dimension.none"))
    voice = voice_name(record.voice, t) or none
    return Half(
        name=str(t("attempt.card", n=record.attempt)),
        path=one.url,
        task=str(t("task.number", id=str(one.task.id))),
        jaeger_url=one.jaeger_url,
        glyph=_SIGNS.get(outcome, "failed") if outcome else "processing",
        outcome=str(t(f"outcome.{outcome}") if outcome else t("status.processing")),
        error=error_words(record.error_type, t.lang) if record.error_type else "",
        facts=[
            (str(t("dimension.title_worker")), record.worker_name or none),
            (str(t("dimension.title_engine")), f"{record.engine} · {voice}"),
            (str(t("tasks.characters")), str(record.char_count)),
            (str(t("failure.ended")), moments.tag(reader.place, one.at) if one.at else "–"),
            (str(t("tasks.ran")), duration(one.took_us, t.lang)),
        ],
    )


def _attribute(
    name: str, values_of: tuple[str | None, str | None], reader: Visitor
) -> tuple[str, str, str]:
    t = reader.t
    key = f"compare.fact_{name}"
    title = t(key) if t.has(key) else t(f"dimension.title_{name}")
    left, right = (_value(name, value, t) for value in values_of)
    return str(title), left, right


def _value(name: str, value: str | None, t: Words) -> str:
    """A value of an attribute, in words where there are some."""
    if not value:
        return str(t("dimension.none"))
    if name == "error_type":
        return error_words(value, t.lang)
    prefix = {"outcome": "outcome", "wait_reason": "wait", "source": "source"}.get(name)
    return str(t(f"{prefix}.{value}")) if prefix and t.has(f"{prefix}.{value}") else value


def rows(found: Comparison, reader: Visitor) -> list[SpanRow]:
    """The spans of both, one below the other."""
    longest = max(
        (side.took_us or 0 for line in found.lines for side in (line.left, line.right) if side),
        default=0,
    )
    place = found.parting.place if found.parting else None
    return [
        _row(line, max(1, longest), reader, is_parting=at == place)
        for at, line in enumerate(found.lines)
    ]


def _row(line: Line, longest: int, reader: Visitor, *, is_parting: bool) -> SpanRow:
    t = reader.t
    name = compare_words.span_name(line, t.lang)
    return SpanRow(
        level=min(line.level, _DEEPEST),
        name=f"{name[:1].upper()}{name[1:]}",
        left=_took(line.left, reader),
        right=_took(line.right, reader),
        left_x=_x(line.left, longest),
        right_x=_x(line.right, longest),
        left_failed=line.left is not None and line.left.has_failed,
        right_failed=line.right is not None and line.right.has_failed,
        difference=_difference(line, reader),
        ratio=_ratio(line, reader),
        side="" if line.left and line.right else "right" if line.right else "left",
        is_parting=is_parting,
        notes=[
            f"{name}: {left if left is not None else '–'} | {right if right is not None else '–'}"
            for name, left, right in line.differs
        ],
    )


def _took(side: Side | None, reader: Visitor) -> str:
    if side is None:
        return ""
    return duration(side.took_us, reader.t.lang) if side.took_us is not None else "…"


def _x(side: Side | None, longest: int) -> float:
    return 0.0 if side is None else round(100 * (side.took_us or 0) / longest, 2)


def _difference(line: Line, reader: Visitor) -> str:
    us = line.difference_us
    if us is None:
        only = "left" if line.right is None else "right" if line.left is None else ""
        return str(reader.t(f"compare.only_{only}")) if only else "–"
    sign = "−" if us < 0 else "+"
    return f"{sign}{duration(abs(us), reader.t.lang)}"


def _ratio(line: Line, reader: Visitor) -> str:
    ratio = line.ratio
    if ratio is None:
        return ""
    if _ALIKE[0] <= ratio <= _ALIKE[1]:
        return str(reader.t("compare.alike"))
    return f"×{amount(ratio)}"

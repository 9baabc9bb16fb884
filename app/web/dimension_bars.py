"""Dimensions as bars: the share of each value among the selection, and among all others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.web.finding_cards import amount
from app.web.format import percent
from app.web.words import Words

#: Values of a dimension that are shown at once; the others unfold.
SHOWN: Final = 5
#: Below this difference of shares a dimension says little, or nothing.
_WEAK: Final = 0.2
_NOTHING: Final = 0.05
#: Selected attempts below which a difference could be chance.
_FEW: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value: how many of the selection and of the others have it, and what parts that is.

    `selected_x` and `others_x` are percents for the bars; `path` and `others_path` list the rows.
    """

    name: str
    selected: int
    others: int
    selected_x: float
    others_x: float
    selected_share: str
    others_share: str
    path: str | None
    others_path: str | None
    is_hot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A dimension; `lift` is of its hottest value, `level` how much it says."""

    name: str
    title: str
    lift: str
    level: str
    values: Sequence[Value]
    more: Sequence[Value]


def dimensions(found: Sequence[Mapping[str, Any]], t: Words) -> list[Dimension]:
    """The dimensions of an answer, as it orders them."""
    return [_dimension(one, t) for one in found if one["values"]]


def _dimension(found: Mapping[str, Any], t: Words) -> Dimension:
    rows = found["values"]
    hot = max(rows, key=_excess)
    # most of the selection first; what stands for the rest of the values comes last
    ordered = sorted(rows, key=lambda one: (bool(one.get("is_rest")), -one["selected"]))
    values = [_value(one, is_hot=one is hot and _excess(hot) > 0, t=t) for one in ordered]
    return Dimension(
        name=found["name"],
        title=str(t(f"dimension.title_{found['name']}")),
        lift=_lift(hot, t),
        level=_level(found, sum(one["selected"] for one in rows)),
        values=values[:SHOWN],
        more=values[SHOWN:],
    )


def _excess(row: Mapping[str, Any]) -> float:
    excess: float = row["selected_share"] - row["others_share"]
    return excess


def _lift(row: Mapping[str, Any], t: Words) -> str:
    if not row["selected"] or _excess(row) <= 0:
        return ""
    if not row["others"]:
        return str(t("dimension.only"))
    return f"×{amount(row['selected_share'] / row['others_share'])}"


def _level(found: Mapping[str, Any], selected: int) -> str:
    """clear, weak or nothing."""
    if found["difference"] < _NOTHING or len(found["values"]) < 2:
        return "nothing"
    return "weak" if found["difference"] < _WEAK or selected < _FEW else "clear"


def _value(row: Mapping[str, Any], *, is_hot: bool, t: Words) -> Value:
    is_rest = bool(row.get("is_rest"))
    name = str(t("dimension.rest")) if is_rest else row["value"] or str(t("dimension.none"))
    return Value(
        name=name,
        selected=row["selected"],
        others=row["others"],
        selected_x=round(row["selected_share"] * 100, 2),
        others_x=round(row["others_share"] * 100, 2),
        selected_share=percent(row["selected_share"]),
        others_share=percent(row["others_share"]),
        path=row["attempts_url"],
        others_path=row.get("others_url"),
        is_hot=is_hot,
    )

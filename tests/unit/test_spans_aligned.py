"""Spans of two attempts on lines: each on one, in order, beside the one that it belongs to."""

from collections import Counter
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from app.service.correlate.spans_aligned import Line, Tree, aligned, tree_of
from app.service.pieces import Piece

_NAMES: Final = ("split text", "segment", "encode", "store audio", "text_to_speech tone")


def _piece(span_id: str, parent: str | None, name: str, start: int, **more: object) -> Piece:
    segment = more.get("segment")
    return Piece(
        span_id=span_id,
        parent_id=parent,
        name=name,
        service="s",
        kind="engine" if name.startswith("text_to_speech") else str(more.get("kind", "own")),
        start=start,
        end=start + 10,
        status=str(more.get("status", "ok")),
        attempt=1,
        segment=segment if isinstance(segment, int) else None,
    )


def _tree(*spans: tuple[str, int | None], side: str = "l") -> Tree:
    """An attempt that did these, one after the other."""
    found = [
        _piece(f"{side}-wait", "task", "queue wait", 0, kind="wait"),
        _piece(f"{side}-top", "task", "process tts", 10, kind="attempt"),
    ]
    for place, (name, segment) in enumerate(spans):
        found.append(
            _piece(f"{side}{place}", f"{side}-top", name, 20 + 10 * place, segment=segment)
        )
    return tree_of(found, 1)


def _told(lines: list[Line]) -> list[tuple[str, int | None, str]]:
    sides = [("b" if line.left and line.right else "l" if line.left else "r") for line in lines]
    return [(line.name, line.segment, side) for line, side in zip(lines, sides, strict=True)]


def test_what_only_one_has_stands_where_it_came() -> None:
    """Between the spans of both that came before and after it."""
    left = _tree(("split text", None), ("segment", 0), ("segment", 2), ("encode", None))
    right = _tree(("segment", 0), ("segment", 1), ("segment", 2), ("store audio", None), side="r")
    assert _told(aligned(left, right))[2:] == [
        ("split text", None, "l"),
        ("segment", 0, "b"),
        ("segment", 1, "r"),
        ("segment", 2, "b"),
        ("encode", None, "l"),
        ("store audio", None, "r"),
    ]


def test_calls_of_two_engines_are_the_same_step() -> None:
    """They stand side by side; that the engines differ is told."""
    left = _tree(("text_to_speech tone", None))
    right = _tree(("text_to_speech volc", None), side="r")
    [line] = aligned(left, right)[2:]
    assert line.name == "text_to_speech"
    assert line.differs == (("name", "text_to_speech tone", "text_to_speech volc"),)
    assert (line.difference_us, line.ratio) == (0, 1.0)


_SPANS: Final = st.lists(
    st.tuples(st.sampled_from(_NAMES), st.one_of(st.none(), st.integers(0, 3))), max_size=12
)


@given(left=_SPANS, right=_SPANS)
def test_every_span_is_on_one_line(
    left: list[tuple[str, int | None]], right: list[tuple[str, int | None]]
) -> None:
    """None is lost and none is drawn twice, whatever happened twice or in another order."""
    trees = _tree(*left), _tree(*right, side="r")
    lines = aligned(*trees)
    for side, spans, mark in (("left", left, "l"), ("right", right, "r")):
        shown = Counter(one.span_id for line in lines if (one := getattr(line, side)))
        wanted = {f"{mark}-wait", f"{mark}-top", *(f"{mark}{at}" for at in range(len(spans)))}
        assert shown == Counter(wanted)
    ours = [line.left.start_us for line in lines if line.left]
    assert ours == sorted(ours)


@given(spans=_SPANS)
def test_same_attempt_twice_has_no_difference(spans: list[tuple[str, int | None]]) -> None:
    """What is the same is told as the same."""
    lines = aligned(_tree(*spans), _tree(*spans, side="r"))
    assert all(line.left and line.right and not line.differs for line in lines)
    assert all(line.difference_us == 0 for line in lines)

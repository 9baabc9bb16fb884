"""Cursors of task lists: each reads itself, and what no page gave is told from one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import RequestError
from app.domain.query.order import NEVER_US, Begun, Cursor, Order, Sort, cursor_of, length_of

_NUMBERS = st.integers(0, NEVER_US)
_BEGUN = st.builds(Begun, at=_NUMBERS, oldest=_NUMBERS)


@st.composite
def _cursors(draw: st.DrawFn) -> Cursor:
    order = Order(sort=draw(st.sampled_from(Sort)), is_ascending=draw(st.booleans()))
    key = tuple(draw(_NUMBERS) for _ in range(length_of(order)))
    begun = draw(_BEGUN) if order.sort is Sort.ENDED else None
    return Cursor(order=order, key=key, is_backwards=draw(st.booleans()), begun=begun)


@given(_cursors())
def test_cursor_reads_itself(cursor: Cursor) -> None:
    """The text of every cursor is that cursor."""
    assert cursor_of(str(cursor)) == cursor


def test_cursor_of_a_walk_that_kept_no_moment_is_one() -> None:
    """A cursor by ends from before walks kept their moment still leads on."""
    assert cursor_of(_told("ended.f.3.2.1")) == Cursor(order=Order(sort=Sort.ENDED), key=(3, 2, 1))


@pytest.mark.parametrize(
    "told",
    [
        *("submitted.f.1", "submitted.f.1.2.3", "submitted.f.1.2.3.4", "ended.f.1.2"),
        *("ended.f.1.2.3.4", "ended.f.1.2.3.4.5.6", "size.f.1.2", "dur.x.1.2", "dur.f.1.-2"),
        *(f"dur.f.1.{NEVER_US + 1}", f"ended.f.1.2.3.4.{NEVER_US + 1}", "", "dur.f.1.2\n"),
    ],
)
def test_what_no_page_gave_is_no_cursor(told: str) -> None:
    """Numbers that are too many, too few or too large are refused."""
    with pytest.raises(RequestError, match="cursor must be one that an earlier page"):
        cursor_of(_told(told))


def _told(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

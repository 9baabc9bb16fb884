"""Filters from addresses: what makes no sense counts as not given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.task import Status
from app.domain.text import check_text
from app.web import filters
from app.web.text_rows import ordinal

NAMES = ("q", "audio_filter", "status", "order", "page")


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=300), max_size=5))
def test_every_address_has_a_filter(args: dict[str, str]) -> None:
    """For every query there is a filter that the services accept; no address is an error."""
    wanted = filters.filter_of(args)
    check_text(wanted.q, field="q")
    assert len(wanted.q) <= 200
    assert set(wanted.states) <= set(Status)
    assert 1 <= wanted.page <= filters.MAX_PAGE
    assert wanted.order in {"asc", "desc"}
    filters.library_filter(wanted)


@pytest.mark.parametrize(
    ("value", "states"),
    [
        ("", ()),
        ("any", ()),
        ("active", ("pending", "processing")),
        ("failed,timeout", ("failed", "timeout")),
        ("problem", ("failed", "timeout")),
        ("failed,nonsense,failed", ("failed",)),
        ("nonsense", ()),
    ],
)
def test_status_filter_means_states(value: str, states: tuple[str, ...]) -> None:
    """The words of the status filter stand for states of texts."""
    assert filters.filter_of({"status": value}).states == states


def test_legacy_parameters_are_kept() -> None:
    """The old page's parameters mean what they meant; a new search keeps the others."""
    wanted = filters.filter_of(
        {"q": " 西游 ", "audio_filter": "not_generated", "order": "asc", "page": "3"}
    )
    assert wanted.q == "西游"
    assert filters.library_filter(wanted).has_audio is False
    assert filters.library_filter(wanted).oldest_first
    assert wanted.page == 3
    assert wanted.kept == [("audio_filter", "not_generated"), ("order", "asc")]


def test_ordinals_are_english() -> None:
    """1st, 2nd, 3rd, but 11th, 12th, 13th."""
    told = " ".join(ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 112))
    assert told == "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th 112th"

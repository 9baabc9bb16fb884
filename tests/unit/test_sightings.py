"""What a scan tells of a finding that an earlier one saw: since when it is so is not forgotten."""

import json
from typing import Any

import pytest

from app.domain.finding import Sighting
from app.service.findings import sightings
from tests.support.facts import finding
from tests.support.found import sighting

ONSET = {
    **dict.fromkeys(("at", "low", "high"), "2026-03-12T14:02:00.000000Z"),
    "n": 42,
    "observed": 41,
}
FIRST = "2026-03-12T14:01:00.000000Z"
AT = 1_773_324_120_000_000


def _seen(onset_at: int | None = None, **told: Any) -> Sighting:
    one = sighting({"worker": "w3"}, onset_at=onset_at)
    return sighting({"worker": "w3"}, onset_at=onset_at, answer={**one.answer, **told})


def _told(before: Sighting, now: Sighting) -> tuple[int | None, Any, Any]:
    row = finding(onset_at=before.onset_at, answer=json.dumps(before.answer))
    columns = sightings.again(row, now, AT)
    answer = json.loads(columns["answer"])
    return columns["onset_at"], answer["onset"], answer["first_at"]


def test_an_onset_stays_but_not_the_numbers_of_an_earlier_window() -> None:
    """How many attempts ended since it is of that window: nobody knows it of this one."""
    onset_at, onset, _ = _told(_seen(AT, onset=ONSET), _seen())
    assert onset_at == AT
    assert onset == ONSET | {"n": None, "observed": None}


@pytest.mark.parametrize("before", [_seen(AT, onset=ONSET), _seen(first_at=FIRST), _seen()])
def test_what_this_scan_knows_of_the_onset_counts(before: Sighting) -> None:
    """Its moment, and the numbers of its window."""
    assert _told(before, _seen(AT, onset=ONSET)) == (AT, ONSET, None)


def test_a_first_attempt_stays_until_an_onset_is_known() -> None:
    """When it is in the past of the window, nothing else says since when it is so."""
    assert _told(_seen(first_at=FIRST), _seen()) == (None, None, FIRST)
    assert _told(_seen(), _seen(first_at=FIRST)) == (None, None, FIRST)
    assert _told(_seen(AT, onset=ONSET), _seen(first_at=FIRST))[2] is None

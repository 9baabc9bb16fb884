"""Findings that name a release are told with the worker that ran it: their numbers."""

from app.domain.correlation.found import Found
from app.service.correlate import released
from tests.support.cells import encode

_NAMES = ("worker", "voice", "release")


def test_numbers_of_the_past_are_the_worker_s() -> None:
    """In the window only w3 ran the release, before it w1 did, too."""
    window, baseline = encode(
        _NAMES,
        [
            (("w3", "amy", "2"), "f1", 8),
            (("w3", "amy", "2"), None, 2),
            (("w1", "amy", "1"), None, 9),
        ],
        [
            (("w3", "amy", "2"), "f1", 1),
            (("w3", "amy", "2"), "f2", 2),
            (("w3", "amy", "2"), None, 40),
            (("w1", "amy", "2"), "f1", 3),
            (("w1", "amy", "2"), None, 100),
        ],
    )
    one = Found(
        where={"voice": "amy", "release": "2"},
        fingerprint="f1",
        n=10,
        observed=8,
        expected=0.5,
        lift=16.0,
        p=0.0,
        q=0.0,
        share=1.0,
        baseline_n=146,
        baseline_failed=4,
    )
    [told] = released.with_worker(window, baseline, [one])
    assert told.where == {"worker": "w3", "voice": "amy", "release": "2"}
    assert (told.n, told.observed, told.expected, told.lift) == (10, 8, 0.5, 16.0)
    assert (told.baseline_n, told.baseline_failed) == (43, 1)
    assert told.indistinguishable == (one.where,)

"""The order of test files: nothing is lost, slow ones have others between them."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.file_order import spread

_COUNTS = st.integers(min_value=0, max_value=40)


@given(slow=_COUNTS, others=_COUNTS)
def test_slow_files_are_spread_evenly(slow: int, others: int) -> None:
    """Each file once, in its order among its kind; the parts between slow ones differ by one."""
    found = spread([("slow", n) for n in range(slow)], [("other", n) for n in range(others)])
    assert sorted(found) == sorted(
        [("slow", n) for n in range(slow)] + [("other", n) for n in range(others)]
    )
    places = [place for place, (kind, _) in enumerate(found) if kind == "slow"]
    assert [found[place] for place in places] == [("slow", n) for n in range(slow)]
    ends = [*places[1:], len(found)] if places else []
    parts = [end - place for place, end in zip(places, ends, strict=True)]
    assert not parts or max(parts) - min(parts) <= 1

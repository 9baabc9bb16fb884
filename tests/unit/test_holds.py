"""Held threads."""

from app.web.holds import Holds


def test_streams_take_at_most_half_of_the_threads() -> None:
    """Half of the threads stay free for requests that end at once."""
    holds = Holds(8)
    assert [holds.take_stream() for _ in range(6)] == [True] * 4 + [False] * 2
    holds.give_back()
    assert holds.take_stream()


def test_downloads_go_on_shortly_and_then_wait() -> None:
    """Above the half a download is short; with three quarters held it must ask again."""
    holds = Holds(8)
    taken = [holds.take_download() for _ in range(8)]
    assert taken == ["whole"] * 4 + ["short"] * 2 + ["none"] * 2
    assert not holds.take_stream()
    holds.give_back()
    assert holds.take_download() == "short"

"""Changes of the system as pages tell them."""

import pytest

from app.web.finding_cards import change_words
from app.web.words import words_of


@pytest.mark.parametrize(
    ("name", "before", "value", "english", "chinese"),
    [
        ("max_concurrent", "3", "2", "limit of tasks at once changed from 3 to 2",
         "同时运行任务的上限由 3 改为 2"),
        ("engine:volc", None, "5", "limit of engine volc was set to 5", "引擎 volc 的上限设为 5"),
        ("engine:a<b", "5", None, "limit of engine a<b was removed", "引擎 a<b 的上限取消"),
    ],
)  # fmt: skip
def test_change_of_a_limit_is_told(
    name: str, before: str | None, value: str | None, english: str, chinese: str
) -> None:
    """A limit has a name in words, and says whether it was set, changed or removed."""
    change = {"kind": "limit", "name": name, "before": before, "value": value}
    assert change_words(change, words_of("en")) == english
    assert change_words(change, words_of("zh")) == chinese

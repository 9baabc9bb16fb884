"""What pages say of a filter: every fault, every qualifier, in both languages."""

import json

import pytest

from app.domain.errors import QueryError
from app.domain.query.faults import WORDS
from app.domain.query.grammar import ATTEMPTS, TASKS
from app.domain.query.parse import parse
from app.service.figures import LANGUAGES, Language
from app.web.query_words import WORDS_OF, chips_of, fault_of, suggestions
from app.web.words import words_of


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_that_a_filter_can_say_has_words(lang: Language) -> None:
    """Each fault, each qualifier and each flag is told in both languages."""
    t = words_of(lang)
    assert [reason for reason in WORDS if not t.has(f"filter.fault.{reason}")] == []
    for grammar in (TASKS, ATTEMPTS):
        for key, names in (("says", grammar.qualifiers), ("flag", grammar.flags)):
            words = f"{WORDS_OF[grammar.rows]}.{key}"
            assert [name for name in names if not t.has(f"{words}.{name}")] == []
    for reason in ("cursor", "empty", "moment", "outside"):
        assert t.has(f"attempts.fault.{reason}")


def test_fault_names_what_the_error_names() -> None:
    """The words of a fault take all that its sentence takes, and nothing else."""
    for reason, sentence in WORDS.items():
        phrase = words_of("en").phrases[f"filter.fault.{reason}"]
        assert isinstance(phrase, str)
        for value in ("name", "value", "guess", "allowed", "n", "most", "code"):
            is_named = f"{{{value}}}" in sentence or f"{{{value}!r}}" in sentence
            assert (f"{{{value}}}" in phrase) == is_named, f"{reason}: {value}"


def test_wrong_place_stands_between_what_is_right() -> None:
    """The filter is cut at the wrong place, and nothing of it is lost."""
    text = "engine:tone status:nope 第一回"
    with pytest.raises(QueryError) as caught:
        parse(text)
    fault = fault_of(caught.value, text, words_of("zh"), "tasks")
    assert (fault.before, fault.wrong) == ("engine:tone status:", "nope")
    assert fault.before + fault.wrong + fault.after == text
    assert "status 不能是“nope”" in fault.says


def test_chip_takes_its_term_away() -> None:
    """Each term is a chip, with the filter that is left without it."""
    chips = chips_of(parse('status:failed -worker:w4 "two words"'))
    assert [(chip.name, chip.value, chip.is_negated) for chip in chips] == [
        ("status", "failed", False),
        ("worker", "w4", True),
        ("text", '"two words"', False),
    ]
    assert chips[1].rest == 'status:failed text:"two words"'


def test_suggestions_hold_what_is_known() -> None:
    """Closed sets come whole, names come with what is known now."""
    found = json.loads(suggestions({"worker": ["w1"]}, words_of("en")))
    by_name = {one["name"]: one for one in found["filters"]}
    assert by_name["status"]["values"] == ["pending", "processing", *list(_ENDS)]
    assert by_name["worker"]["values"] == ["w1", '""']
    assert by_name["engine"]["values"] == []
    assert found["flags"]["late"] == "passed its deadline, whatever became of it"


def test_suggestions_are_of_the_grammar_that_is_asked_for() -> None:
    """Filters of attempts are suggested with their own words, values and flags."""
    found = json.loads(suggestions({"worker": ["w1"]}, words_of("en"), ATTEMPTS))
    by_name = {one["name"]: one for one in found["filters"]}
    assert list(by_name) == list(ATTEMPTS.qualifiers)
    assert by_name["outcome"]["values"] == [*_OUTCOMES, "failure"]
    assert by_name["worker"] == {
        "name": "worker",
        "says": "the worker that ran it",
        "values": ["w1", '""'],
    }
    assert by_name["length"]["values"][:2] == ["<100", "100-499"]
    assert found["flags"]["repeat"] == "failed as an earlier attempt of the same text had"


_OUTCOMES = ("completed", "failed", "timeout", "retry", "lost")
_ENDS = ("completed", "failed", "timeout", "cancelled")

"""The words of the pages: complete in both languages, and used."""

import re
from pathlib import Path

import pytest
from markupsafe import Markup

from app.config.specs import SPECS
from app.domain.task import Move, Status
from app.service.finish import OUTCOMES
from app.web import words
from app.web.format import number
from app.web.words import words_of

WEB = Path(words.__file__).parent
#: Keys made at run time, by their beginnings; what follows them is checked below.
MADE = (
    "status.", "outcome.", "wait.", "event.", "actor.", "duty.", "jaeger.", "error.", "keys.",
    "engine.", "source.", "spent.", "path.why_", "fact.", "attempt.", "check.", "span.", "slots.",
    "verdict.", "waits.", "area.", "level.", "nav.", "theme.", "trace.from_", "phase.", "library.",
    "setting", "js.", "system.", "part.", "canary.", "log.", "format.", "stats.",
    "dimension.", "change.", "finding.", "correlate.", "compare.", "failures.", "failure.",
    "filter.", "tasks.view_", "tasks.group_", "tasks.by_", "tasks.fault.",
    "attempts.fault.",
)  # fmt: skip


def test_both_languages_have_the_same_keys() -> None:
    """Every text exists in English and Chinese; only the settings' help is told by the table."""
    english, chinese = set(words_of("en").phrases), set(words_of("zh").phrases)
    assert english - chinese == set()
    assert {key for key in chinese - english if not key.startswith("setting")} == set()


def test_both_languages_have_the_same_placeholders() -> None:
    """A text names the same placeholders in both languages, whichever form is chosen."""
    for key, phrase in words_of("en").phrases.items():
        assert _fields(phrase) == _fields(words_of("zh").phrases[key]), key


def _fields(phrase: words.Phrase) -> set[str]:
    text = phrase if isinstance(phrase, str) else phrase["other"]
    return set(re.findall(r"\{(\w+)\}", text))


def test_every_phrase_is_filled_as_markup_formats_it() -> None:
    """What is not markup is escaped, wherever it stands; markup stays, and numbers are apart."""
    for lang in ("en", "zh"):
        known = words_of(lang)
        for key, phrase in known.phrases.items():
            values = dict.fromkeys(_fields(phrase), "<i> & {x}") | {"n": 12_345}
            text = phrase if isinstance(phrase, str) else phrase["other"]
            told = Markup(text).format(  # noqa: S704 - our own file
                **values | {"n": number(12_345)}
            )
            assert known(key, **values) == told, key
            assert isinstance(known(key, **values), Markup), key


#: Phrases whose numbers are never one.
MANY = {
    *("filter.fault.too_long", "filter.fault.too_many", "filter.fault.too_long_quoted"),
    *("upload.limit_chars", "tasks.total_more", "attempts.total_more", "log.earlier"),
}


def test_number_that_may_be_one_is_told_of_one() -> None:
    """No page says "1 hours": English that counts something has words for one of it."""
    for key, phrase in words_of("en").phrases.items():
        if isinstance(phrase, str) and key not in MANY:
            assert not re.search(r"\{(n|total)\} [a-z]+s\b", phrase), key


def test_every_setting_has_chinese_help() -> None:
    """The settings page is Chinese for each setting, and for each default that is made."""
    chinese = words_of("zh")
    for spec in SPECS:
        assert chinese.has(f"setting.{spec.name}"), spec.name
        if spec.default_words is not None:
            assert chinese.has(f"setting_default.{spec.name}"), spec.name


def test_every_status_move_and_outcome_has_words() -> None:
    """Nothing a row can hold is shown as its raw name."""
    english = words_of("en")
    for status in Status:
        assert english.has(f"status.{status}")
    for move in Move:
        assert english.has(f"event.{move}")
        assert english.has(f"path.why_{move}")
    for outcome in OUTCOMES.values():
        assert english.has(f"outcome.{outcome}")
    for reason in ("backoff", "capacity", "rescued", "handed_back", "claimed"):
        assert english.has(f"wait.{reason}")


def test_every_key_that_is_named_exists() -> None:
    """Each key that a template, module or script names in a call is in the files."""
    known = words_of("en").phrases
    for path, key in _called():
        is_beginning = any(one.startswith(key) for one in known)
        assert key in known or (key.endswith((".", "_")) and is_beginning), f"{path}: {key}"


def test_every_key_is_used() -> None:
    """No text lies in the files that no page says: each is named somewhere, or made from parts."""
    sources = [path.read_text(encoding="utf-8") for path in _sources()]
    quoted = {found for text in sources for found in re.findall(r"""["']([\w.]+)["']""", text)}
    for key in words_of("en").phrases:
        assert key.removeprefix("js.") in quoted or key in quoted or key.startswith(MADE), key


def _sources() -> list[Path]:
    return [*WEB.rglob("*.html"), *WEB.glob("*.py"), *(WEB / "static" / "js").glob("*.js")]


def _called() -> list[tuple[str, str]]:
    """(file, key) of each call of `t` with a key, or with the beginning of one."""
    return [
        (path.name, f"js.{key}" if path.suffix == ".js" else key)
        for path in _sources()
        for key in re.findall(
            r"""(?<![\w.])t\(\s*f?["'`]([\w.]+)""", path.read_text(encoding="utf-8")
        )
    ]


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "chosen"),
    [
        ("zh", "en", "en", "zh"),
        (None, "zh", "en", "zh"),
        (None, None, "zh", "zh"),
        ("fr", "de", None, "en"),
        (None, None, None, "en"),
    ],
)
def test_language_is_asked_then_remembered_then_accepted(
    asked: str | None, remembered: str | None, accepted: str | None, chosen: str
) -> None:
    """The address decides before the cookie, the cookie before the browser; else English."""
    assert words.choose(asked, remembered, accepted) == chosen


def test_words_escape_what_they_are_given() -> None:
    """A title can never become markup."""
    told = words_of("en")("js.deleted", title="<script>alert(1)</script>")
    assert "<script>" not in told
    assert "&lt;script&gt;" in told
    kept = words_of("en")("drop.or_choose", link=Markup("<b>x</b>"))
    assert "<b>x</b>" in kept


def test_words_choose_the_form_by_number() -> None:
    """One has its own form in English; Chinese has one form."""
    assert str(words_of("en")("tasks_n", n=1)) == "1 task"
    assert str(words_of("en")("tasks_n", n=0)) == "0 tasks"
    assert str(words_of("zh")("tasks_n", n=1)) == "1 个任务"


def test_code_sets_commands_apart_and_escapes() -> None:
    """Backticks become markup, one without its pair stays, and nothing in them is markup."""
    assert str(words.code("run `a <b>` now")) == 'run <span class="mono">a &lt;b&gt;</span> now'
    assert str(words.code("one ` only")) == "one ` only"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Alice", "en"),
        ("西游记", "zh-CN"),
        ("Chapter 1 西游记", "zh-CN"),
        ("ひらがな漢字", "ja"),
        ("한국어", "ko"),
    ],
)
def test_tag_follows_the_script(text: str, tag: str) -> None:
    """The lang attribute of a title is that of its script."""
    assert words.tag_of(text) == tag

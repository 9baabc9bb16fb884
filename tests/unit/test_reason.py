"""Reasons in words."""

import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import errors
from app.domain.task import Status
from app.service.figures import Language
from app.service.reason import Surroundings, explain
from app.service.reason_words import EN, ERRORS_EN, ERRORS_ZH, ZH
from tests.support.rows import SECOND, T0, task

NOW = T0 + 90 * SECOND
WAITS = ("queued", "backoff", "capacity", "rescued", "handed_back", "claimed")
TYPES = [*sorted(ERRORS_EN), "queue_expired", "engine_missing", "text_missing", "brand_new"]


def test_both_languages_have_the_same_reasons() -> None:
    """Whatever can be said in English can be said in Chinese, with the same facts in it."""
    assert set(EN) == set(ZH)
    assert set(ERRORS_EN) == set(ERRORS_ZH)
    for key, sentences in EN.items():
        wanted = {field for part in sentences for field in re.findall(r"{(\w+)}", part)}
        told = {field for part in ZH[key] for field in re.findall(r"{(\w+)}", part)}
        assert told == wanted, key


def test_every_error_type_of_the_tree_has_words() -> None:
    """An error that a task can end with is never told by its bare code."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    of_tasks = {
        kind.error_type
        for kind in kinds
        if issubclass(kind, errors.EngineError | errors.StorageError | errors.AudioInvalidError)
    }
    assert of_tasks <= set(ERRORS_EN)


@given(
    status=st.sampled_from([str(status) for status in Status]),
    wait=st.sampled_from(WAITS),
    error_type=st.sampled_from([None, *TYPES]),
    phase=st.sampled_from([None, "start", "split", "speak", "encode", "store"]),
    segments=st.one_of(st.none(), st.integers(0, 5000)),
    late=st.booleans(),
    rescued=st.booleans(),
    tries=st.integers(0, 5),
    has_workers=st.booleans(),
    lost=st.booleans(),
)
def test_every_task_has_a_whole_reason(
    *,
    status: str,
    wait: str,
    error_type: str | None,
    phase: str | None,
    segments: int | None,
    late: bool,
    rescued: bool,
    tries: int,
    has_workers: bool,
    lost: bool,
) -> None:
    """For every state of a row: a headline in both languages, without a hole or a placeholder."""
    ended = Status(status).is_final
    row = task(
        status=status,
        wait_reason=wait,
        error_type=error_type if status in {"failed", "timeout", "pending"} else None,
        phase=phase,
        segment_count=segments,
        segments_done=(segments or 0) // 2,
        timed_out_at=NOW if late else None,
        rescued_at=NOW if rescued else None,
        lost_count=int(rescued),
        tries_used=tries,
        claimed_at=T0 + SECOND if status != "pending" else None,
        finished_at=NOW if ended else None,
        not_before=NOW + 5 * SECOND if wait in {"backoff", "capacity"} else T0,
        worker_name="w1",
    )
    around = Surroundings(now=NOW, position=3, has_workers=has_workers, is_worker_lost=lost)
    reason = explain(row, around)
    for language in get_args(Language):
        told = reason.of(language)
        assert told.headline
        assert not re.search(r"[{}]|None|  ", told.text), told.text
        if segments is None:
            assert "–" not in told.detail.replace("w1", ""), told.detail
        if language == "zh":
            assert not re.search(r"[.,;:!?](\s|$)", told.text), told.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "completed", "finished_at": NOW}, "Completed in 1 min 30 s."),
        (
            {"status": "completed", "finished_at": NOW, "rescued_at": T0, "lost_count": 1},
            "Completed in 1 min 30 s, after 1 rescue.",
        ),
        ({"status": "timeout", "finished_at": NOW}, "Stopped at its limit of 1 min."),
        ({"status": "cancelled", "finished_at": NOW}, "Cancelled after 1 min 30 s."),
        (
            {"status": "failed", "finished_at": NOW, "error_type": "worker_lost", "lost_count": 5},
            "Failed: its workers died, 5 times in a row.",
        ),
        (
            {"status": "failed", "finished_at": NOW, "error_type": "brand_new"},
            "Failed: brand_new.",
        ),
    ],
)  # fmt: skip
def test_reason_says_what_happened(fields: dict[str, object], words: str) -> None:
    """The sentences that people meet most."""
    assert explain(task(**fields), Surroundings(now=NOW)).en.headline == words


def test_waiting_task_says_that_no_worker_lives() -> None:
    """A queue that cannot move says so, instead of a place in it."""
    row = task()
    alone = explain(row, Surroundings(now=NOW, position=1, has_workers=False))
    assert "No worker is running" in alone.en.detail
    held = replace(row, wait_reason="backoff", not_before=NOW + 12 * SECOND, tries_used=1)
    told = explain(held, Surroundings(now=NOW, position=1, has_workers=False))
    assert "12 s" in told.en.detail

"""The problems of the report, each with its patch, its test, and where that test must fail."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
TESTS: Final = "tests/acceptance/test_problem_report.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem of the report.

    Attributes:
        name: Its number; `<name>.patch` puts it back.
        words: What it was.
        test: The function that holds it off.
        line: Part of the line of that function which must fail, so that another mishap in the
            patched product is not taken for the problem.
    """

    name: str
    words: str
    test: str
    line: str

    @property
    def patch(self) -> Path:
        """The patch that puts the problem back."""
        return HERE / f"{self.name}.patch"


PROBLEMS: Final = (
    Problem(
        name="p1",
        words="in-memory storage, everything lost at restart",
        test="test_p1_nothing_is_lost_when_everything_is_killed_and_started_again",
        line='assert stats(home)["total_tasks"] == total + 1',
    ),
    Problem(
        name="p2",
        words="workers do not share state, monitoring data split",
        test="test_p2_four_web_processes_answer_the_same",
        line="assert figures == told[among[0]]",
    ),
    Problem(
        name="p3",
        words="finished tasks never cleaned up, memory grows for ever",
        test="test_p3_finished_tasks_are_not_kept_in_memory",
        line="assert max(grown.values()) < GROWTH_RATIO",
    ),
    Problem(
        name="p4",
        words="statistics disagree with the database, zero after a restart",
        test="test_p4_statistics_equal_a_recount_of_the_rows_after_a_restart",
        line="assert told_figures(home) == before",
    ),
    Problem(
        name="p5",
        words="timeout check not in use",
        test="test_p5_stuck_task_becomes_timeout_in_time_and_its_slot_is_free",
        line='assert names == ["started", "timeout"]',
    ),
    Problem(
        name="p6",
        words="front-end filter depends on memory, wrong after restart",
        test="test_p6_failed_and_timed_out_filter_is_right_after_a_restart",
        line='assert _titles(page.text) == {"P6 failed", "P6 late"}',
    ),
    Problem(
        name="p7",
        words="max_concurrent read wrongly",
        test="test_p7_max_concurrent_is_the_configured_limit",
        line="assert _limits(system) == [LIMIT] * 4",
    ),
    Problem(
        name="row8",
        words="a task over its time keeps its concurrency slot",
        test="test_row8_real_concurrency_returns_after_stuck_tasks_and_killed_workers",
        line="ends = until_all(home, [text",
    ),
)

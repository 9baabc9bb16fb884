"""Patches that put the report's problems back: they apply, and the right failure is looked for."""

import ast
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.regressions.__main__ import judge
from tests.acceptance.regressions.problems import HERE, PROBLEMS, TESTS, Problem

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_patch_applies_and_its_test_is_there(problem: Problem) -> None:
    """Each problem has a patch of the product that applies, and a test with the line it names."""
    done = subprocess.run(
        ["git", "apply", "--check", str(problem.patch)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    changed = [line for line in problem.patch.read_text().splitlines() if line.startswith("+++ ")]
    assert changed
    assert all(line.startswith(("+++ b/app/", "+++ b/telemetry/")) for line in changed)
    source = (ROOT / TESTS).read_text()
    functions = {
        node.name: ast.get_source_segment(source, node) or ""
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }
    assert problem.line in functions[problem.test]


def test_every_patch_has_its_problem() -> None:
    """No patch lies there that is never tried; the eight are complete."""
    assert {path.stem for path in HERE.glob("*.patch")} == {problem.name for problem in PROBLEMS}
    assert len(PROBLEMS) == 8


_SEEN = "    assert stats(home)['x'] == 1\nE   assert 0 == 1\nFAILED t.py::test - assert 0 == 1\n"


@pytest.mark.parametrize(
    ("code", "said", "is_seen"),
    [
        (1, _SEEN, True),
        (0, "1 passed\n", False),
        (1, _SEEN.replace("['x']", "['y']"), False),
        (1, _SEEN.replace("FAILED", "ERROR"), False),
        (1, _SEEN.replace(" - assert 0 == 1", " - KeyError: 'x'"), False),
        (4, "ERROR: not found\n", False),
        (2, "", False),
    ],
    ids=["seen", "passes", "elsewhere", "error in set-up", "no assertion", "no test", "nothing"],
)
def test_only_the_failed_assertion_of_the_problem_counts(
    code: int,
    said: str,
    is_seen: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """A problem counts as seen only where its test fails, by an assertion, at its own line."""
    problem = Problem(name="x", words="x", test="test", line="assert stats(home)['x']")
    done = subprocess.CompletedProcess([], code, said, "")
    assert judge(problem, done).is_seen is is_seen

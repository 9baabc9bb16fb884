"""Tables and percentiles of benchmark results."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench import __main__ as bench
from tests.bench import report


def test_table_shares_columns_of_neighbours() -> None:
    """Rows with the same columns are one table; others begin another."""
    result: report.Result = {
        "a": {"x": 1.0, "y": 2.5},
        "bb": {"x": 10.0, "y": 3.0},
        "c": {"z": "word"},
    }
    assert report.table(result) == "     x    y\na    1  2.5\nbb  10    3\n\n      z\nc  word"


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(1, 100))
def test_percentile_is_a_value_with_that_many_below(values: list[float], percent: float) -> None:
    """For every list: nearest rank, so at least that share of values is not above it."""
    found = report.percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100 - 1e-6


def test_percentiles_of_known_values() -> None:
    """p50 and p95 of 1 to 100."""
    values = [float(number) for number in range(1, 101)]
    assert [report.percentile(values, percent) for percent in (50, 95, 100)] == [50, 95, 100]


def test_runner_finds_the_benchmarks_and_refuses_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every bench_*.py is offered; a name that is none ends with usage, not with a run."""
    assert {"latency", "book", "task_tracing", "deadline", "tracing"} <= set(bench.names())
    monkeypatch.setattr("sys.argv", ["bench", "--only", "nothing"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == 2
    assert "nothing" in capsys.readouterr().err

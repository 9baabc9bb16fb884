"""The order of test files in a run of several workers: slow ones apart, light ones at the end."""

from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")


def by_file(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests, file by file in the order of `spread`; within a file they stay as they are."""
    files: dict[object, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow, light, others = [], [], []
    for path, tests in files.items():
        if any(test.get_closest_marker("slow") for test in tests):
            slow.append(path)
        elif "unit" in tests[0].path.parts:
            light.append(path)
        else:
            others.append(path)
    return [test for path in [*spread(slow, others), *light] for test in files[path]]


def spread(slow: Sequence[T], others: Sequence[T]) -> list[T]:
    """Each of `slow`, and after it an equal part of `others`."""
    if not slow:
        return list(others)
    bounds = [round(number * len(others) / len(slow)) for number in range(len(slow) + 1)]
    return [
        one
        for number, first in enumerate(slow)
        for one in (first, *others[bounds[number] : bounds[number + 1]])
    ]

"""Collector and Jaeger of a run: built before its first test, or a skip that is loud."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backends.build import GO_AT_LEAST, can_build, find_or_build
from tests.backends.programs import JAEGER, OTELCOL, PROGRAMS, BackendError, locate
from tests.support.backends import Backends

#: Why the programs could not be had in this run; "" before anybody asked.
_TROUBLE: list[str] = []


def build_missing(say: Callable[[str], None]) -> None:
    """Builds what is missing where Go is there; else, or where that fails, tests are skipped.

    Called before the tests, since a build takes longer than a test may.
    """
    for program in PROGRAMS:
        try:
            if locate(program, os.environ) is None and can_build(os.environ):
                find_or_build(program, os.environ, say)
        except BackendError as error:
            say(str(error))
            _TROUBLE.append(str(error))


def locate_programs() -> Backends | str:
    """Where the programs are; in words why not, where one is missing.

    Raises:
        BackendError: A variable names a program that cannot be used: that is no reason to skip.
    """
    otelcol, jaeger = locate(OTELCOL, os.environ), locate(JAEGER, os.environ)
    if otelcol is None or jaeger is None:
        least = ".".join(map(str, GO_AT_LEAST))
        return (
            "NO COLLECTOR OR JAEGER: traces are not compared with the real ones"
            f" (install Go {least} or newer, or set {OTELCOL.variable} and {JAEGER.variable};"
            f" `make backends` says more{': ' if _TROUBLE else ''}{'; '.join(_TROUBLE)[:300]})"
        )
    prometheus = shutil.which("prometheus")
    return Backends(
        otelcol=otelcol.path,
        jaeger=jaeger.path,
        prometheus=Path(prometheus) if prometheus else None,
    )


def found_programs() -> Backends:
    """Where the programs are; skips the test where one is missing. Raises as `locate_programs`."""
    found = locate_programs()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def require_prometheus(backends: Backends) -> Path:
    """Where Prometheus is; skips the test where it is missing."""
    if backends.prometheus is None:
        pytest.skip(
            "NO PROMETHEUS: metrics are not read by a real one (apt-get install prometheus)"
        )
    return backends.prometheus

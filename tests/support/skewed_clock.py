"""A wrong wall clock for programs: by libfaketime, which leaves the monotonic one alone."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest


def environ_of(hours: int) -> dict[str, str]:
    """Environment of a program whose wall clock is so many hours ahead; or skips the test."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("NO LIBFAKETIME: no host has a wrong clock here (apt-get install libfaketime)")
    environ = {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": f"{hours:+}h",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    asked = [sys.executable, "-c", "import time; print(time.time())"]
    told_s = float(subprocess.check_output(asked, env={**os.environ, **environ}))
    assert abs(told_s - time.time() - hours * 3600) < 600, "libfaketime does nothing here"
    return environ

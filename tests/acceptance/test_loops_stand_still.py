"""The loop of one duty alone stands still, and its process lives: that duty is named all the same.

Two services side by side, so that the waits overlap.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.support.home import Home
from tests.support.otlp_receiver import OtlpReceiver
from tests.support.wait import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

#: Seconds within which the duty must be named.
NAMED_S: Final = 30.0
#: Seconds that a start may take on a busy machine.
PATIENCE_S: Final = 60.0


def _checks(home: Home) -> dict[str, Any]:
    """The parts that /healthz?full=1 tells; none where nothing answers."""
    try:
        answer = requests.get(f"{home.url}/healthz?full=1", timeout=15)
    except requests.RequestException:
        return {}
    found: dict[str, Any] = answer.json()["checks"]
    return found


def _bad(checks: dict[str, Any]) -> set[str]:
    return {name for name, one in checks.items() if not one["ok"]}


def _stand_still(made: Home, duty: str) -> tuple[set[str], float]:
    """What became bad when the loop of a duty stood still, and after how many seconds."""
    with made as home:
        once = home.path / "stands"
        home.start("web")
        home.start(
            "duties", module="tests.support.standing_duties", STANDS=duty, STANDS_ONCE=str(once)
        )
        wait_until(
            lambda: _checks(home).get(duty, {}).get("level") == "ok",
            PATIENCE_S,
            what=f"the {duty} does its rounds",
        )
        before = _bad(_checks(home))
        once.touch()
        begun_s = time.monotonic()
        wait_until(lambda: duty in _bad(_checks(home)), NAMED_S, what=f"the {duty} is named")
        took_s = time.monotonic() - begun_s
        checks = _checks(home)
        assert re.match(rf"the {duty} is silent for \d+", checks[duty]["detail"])
        assert checks[duty]["fix"]
        assert checks[duty]["since"]
        page = requests.get(f"{home.url}/system?lang=en", timeout=15).text
        assert f'id="part-{duty}" data-live data-level="bad"' in page
        assert f"the {duty} is silent for" in page
        return _bad(checks) - before, took_s


def test_loop_that_stands_still_is_named_within_half_a_minute(tmp_path: Path) -> None:
    """By /healthz?full=1 and the page /system: the reaper (and that nobody leads), the forwarder.

    The other loops of the process go on; nothing else is called bad.
    """
    environ = {"VOXTRACE_WEB_PROCESSES": "1"}
    homes = [Home.make(tmp_path / duty, **environ) for duty in ("reaper", "forwarder")]
    with OtlpReceiver() as receiver, ThreadPoolExecutor(2) as threads:
        homes[1].environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
        reaper = threads.submit(_stand_still, homes[0], "reaper")
        forwarder = threads.submit(_stand_still, homes[1], "forwarder")
        assert reaper.result()[0] == {"reaper", "duties"}
        assert forwarder.result()[0] == {"forwarder"}
    print("named after (s):", reaper.result()[1], forwarder.result()[1])

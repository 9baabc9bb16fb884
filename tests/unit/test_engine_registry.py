"""Engines by name, through entry points."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.errors import ConfigError
from app.speech.registry import installed_engines, load_engines

ROOT = Path(__file__).parents[2]


def test_built_in_engines_are_installed() -> None:
    """The three that come with the product are declared."""
    assert {"espeak", "scripted", "tone"} <= set(installed_engines())


def test_engines_are_loaded_in_order() -> None:
    """The first named is the default."""
    assert list(load_engines(["tone", "espeak", "tone"])) == ["tone", "espeak"]


def test_unknown_engine_names_what_is_installed() -> None:
    """The message has what was got and what is there; every problem at once."""
    with pytest.raises(ConfigError) as caught:
        load_engines(["tone", "alexa"], {"siri.x": "1", "tone.volume": "11"})
    problems = "\n".join(caught.value.problems)
    assert "VOXTRACE_ENGINES must name installed engines (espeak" in problems
    assert "'siri.x' must start with one of: tone., alexa." in problems
    assert "tone has no options, got 'volume'" in problems


def test_options_reach_their_engine() -> None:
    """Without the engine's prefix."""
    with pytest.raises(ConfigError, match=r"espeak\.jobs_per_host must be a number above zero"):
        load_engines(["espeak"], {"espeak.jobs_per_host": "none"})


def test_loading_is_cheap() -> None:
    """A web process gets engines and voices without numpy, the library, or a child."""
    code = (
        "import sys\n"
        "from app.speech.registry import load_engines\n"
        "engines = load_engines(['espeak', 'tone', 'scripted'])\n"
        "assert all(engine.voices() and engine.version for engine in engines.values())\n"
        "assert 'numpy' not in sys.modules\n"
        "assert 'libespeak-ng' not in open('/proc/self/maps').read()\n"
        "assert engines['espeak'].host_pid is None\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

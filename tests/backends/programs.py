"""The collector and the Jaeger of tests: which are wanted, and where a usable one lies.

A program that VOXTRACE_OTELCOL or VOXTRACE_JAEGER names is taken, or is an error. Else the first
on PATH that reads our configuration is; else the one that `make backends` has built.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Seconds that a program may take to check a configuration.
_CHECK_S = 60


class BackendError(RuntimeError):
    """A program that was asked for cannot be had; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program.

    Attributes:
        version: Of the release that we build.
        variable: Names a program of the user's.
        on_path: Names under which it is looked for on PATH, the best first.
        configuration: The file that users run it on.
        recipe: Files that it is built from; another content is another build.
    """

    name: str
    title: str
    version: str
    variable: str
    on_path: tuple[str, ...]
    configuration: Path
    recipe: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A program that runs and reads our configuration; `source` says in words where it is from."""

    path: Path
    source: str


_HERE = Path(__file__).parent
OTELCOL = Program(
    name="otelcol",
    title="OpenTelemetry Collector",
    version="0.155.0",
    variable="VOXTRACE_OTELCOL",
    on_path=("otelcol-contrib", "otelcol"),
    configuration=ROOT / "otel-collector.yaml",
    recipe=(_HERE / "collector" / "manifest.yaml",),
)
#: Jaeger's Go module has version 1.62.0 where its program calls itself 2.0.0-rc2.
JAEGER = Program(
    name="jaeger",
    title="Jaeger",
    version="1.62.0",
    variable="VOXTRACE_JAEGER",
    on_path=("jaeger",),
    configuration=ROOT / "deploy" / "jaeger.yaml",
    recipe=(_HERE / "jaeger" / "go.mod", _HERE / "jaeger" / "go.sum"),
)
PROGRAMS = (OTELCOL, JAEGER)


def locate(program: Program, environ: Mapping[str, str]) -> Found | None:
    """The program to use; None where it has to be built first.

    Raises:
        BackendError: Its variable names something that cannot be used.
    """
    named = environ.get(program.variable)
    if named:
        return _named(program, named)
    for name in program.on_path:
        path = shutil.which(name, path=environ.get("PATH"))
        if path and complaint(program, Path(path)) is None:
            return Found(path=Path(path), source="PATH")
    built = built_path(program, environ)
    return (
        Found(path=built, source="built by `make backends`") if is_built(program, built) else None
    )


def _named(program: Program, named: str) -> Found:
    path = Path(shutil.which(named) or named)
    said = complaint(program, path)
    if said is not None:
        message = f"{program.variable} must be a {program.title} that runs, got {named!r}: {said}"
        raise BackendError(message)
    return Found(path=path, source=program.variable)


def complaint(program: Program, path: Path) -> str | None:
    """Why this file cannot be used; None where it runs and takes our configuration."""
    with tempfile.TemporaryDirectory(prefix="vtbackend") as folder:
        try:
            done = subprocess.run(
                [path, "validate", "--config", program.configuration],
                cwd=folder,  # the configuration's folders are relative
                capture_output=True,
                text=True,
                timeout=_CHECK_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"it refuses {program.configuration.relative_to(ROOT)}: {said[-1] if said else ''}"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where built programs are kept: outside of the repository, for every clone of it."""
    base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.path.abspath(base)) / "voxtrace" / "backends"  # noqa: PTH100 - keeps links


def built_path(program: Program, environ: Mapping[str, str]) -> Path:
    """Where the built program is, or would be."""
    return cache_folder(environ) / f"{program.name}-{program.version}" / program.name


def is_built(program: Program, path: Path) -> bool:
    """Whether the built program is there, from today's recipe."""
    mark = mark_of(path)
    return path.is_file() and mark.is_file() and mark.read_text() == fingerprint(program)


def mark_of(path: Path) -> Path:
    """The file beside a built program that holds the fingerprint of its recipe."""
    return path.with_name("recipe")


def fingerprint(program: Program) -> str:
    """The content of its recipe, in short."""
    content = b"\0".join(path.read_bytes() for path in program.recipe)
    return hashlib.sha256(content).hexdigest()

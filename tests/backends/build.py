"""Builds a backend with Go: once, beside its place, put there by a rename.

Sources come through Go's module proxy at fixed versions and stay in Go's own caches (5 GB); of the
two programs 105 MB are kept.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.backends.programs import (
    JAEGER,
    OTELCOL,
    BackendError,
    Found,
    Program,
    built_path,
    cache_folder,
    fingerprint,
    is_built,
    locate,
    mark_of,
)

#: The oldest Go that the sources take.
GO_AT_LEAST: Final = (1, 25)
#: Seconds between two words of progress.
_EVERY_S: Final = 15.0
_BUILDER: Final = f"go.opentelemetry.io/collector/cmd/builder@v{OTELCOL.version}"
_JAEGER: Final = "github.com/jaegertracing/jaeger/cmd/jaeger"

Say = Callable[[str], None]


def find_or_build(program: Program, environ: Mapping[str, str], say: Say) -> Found:
    """The program to use, built where there is none: minutes, the first time.

    Raises:
        BackendError: There is none and it cannot be built.
    """
    found = locate(program, environ)
    if found is None:
        with _alone(cache_folder(environ)):
            if not is_built(program, built_path(program, environ)):
                require_go(program, environ)
                _build(program, environ, say)
        found = locate(program, environ)
    if found is None:
        message = f"{program.title} was built, and is not at {built_path(program, environ)}"
        raise BackendError(message)
    return found


def go_version(environ: Mapping[str, str]) -> tuple[int, int] | None:
    """Version of Go as it would build here; None where there is no Go."""
    go = shutil.which("go", path=environ.get("PATH"))
    if go is None:
        return None
    told = subprocess.run(
        [go, "env", "GOVERSION"],
        env=_go_environ(environ),
        cwd=JAEGER.recipe[0].parent,  # a Go that may fetch a newer one answers for that one
        capture_output=True,
        text=True,
        check=False,
    )
    version = re.search(r"go(\d+)\.(\d+)", told.stdout + told.stderr)
    return (int(version[1]), int(version[2])) if version else (0, 0)


def can_build(environ: Mapping[str, str]) -> bool:
    """Whether this machine's Go takes the sources."""
    version = go_version(environ)
    return version is not None and version >= GO_AT_LEAST


def require_go(program: Program, environ: Mapping[str, str]) -> None:
    """Ends with words where this machine's Go cannot build the program."""
    if can_build(environ):
        return
    version = go_version(environ)
    least = ".".join(map(str, GO_AT_LEAST))
    got = "there is none on PATH" if version is None else f"got {version[0]}.{version[1]}"
    message = (
        f"building {program.title} needs Go {least} or newer, {got}: install it from"
        f" https://go.dev/dl/, or set {program.variable} to a program that you have"
    )
    raise BackendError(message)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One build at a time, whoever asks; the second finds what the first has made."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(program: Program, environ: Mapping[str, str], say: Say) -> None:
    place = built_path(program, environ).parent
    say(f"{program.title} {program.version}: building, minutes the first time")
    began_s = time.monotonic()
    for left in place.parent.glob(f".building-{program.name}-*"):
        shutil.rmtree(left)  # of a build that was killed: we hold the lock
    beside = Path(tempfile.mkdtemp(prefix=f".building-{program.name}-", dir=place.parent))
    try:
        work, done = beside / "work", beside / "done"
        work.mkdir()
        done.mkdir()
        for path in program.recipe:
            shutil.copy(path, work)
        made = _with_builder if program is OTELCOL else _with_go
        shutil.move(made(program, work, environ, say), done / program.name)
        mark_of(done / program.name).write_text(fingerprint(program))
        if place.exists():
            place.rename(beside / "old")
        done.rename(place)
    finally:
        shutil.rmtree(beside)
    say(f"{program.title} {program.version}: built in {time.monotonic() - began_s:.0f} s")


def _with_builder(program: Program, work: Path, environ: Mapping[str, str], say: Say) -> Path:
    manifest = program.recipe[0].name
    _run(program, ["go", "run", _BUILDER, "--config", manifest], work, environ, say)
    return work / "dist" / program.name


def _with_go(program: Program, work: Path, environ: Mapping[str, str], say: Say) -> Path:
    """Jaeger: `go install …@version` is refused because of its replace directives."""
    _run(program, ["go", "build", "-ldflags=-s -w", "-o", "made", _JAEGER], work, environ, say)
    return work / "made"


def _run(
    program: Program, command: list[str], work: Path, environ: Mapping[str, str], say: Say
) -> None:
    """Runs Go, with a word of progress now and then; its output is quoted where it fails."""
    log = work / "log"
    began_s = time.monotonic()
    with log.open("wb") as output:
        go = subprocess.Popen(
            command, cwd=work, env=_go_environ(environ), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while go.poll() is None:
                try:
                    go.wait(_EVERY_S)
                except subprocess.TimeoutExpired:
                    say(f"  {time.monotonic() - began_s:4.0f} s  {_last_line(log)}")
        finally:
            go.kill()
            go.wait()
    if go.returncode != 0:
        told = log.read_text(errors="replace").strip()[-3000:]
        message = f"{program.title} was not built; `{' '.join(command)}` said:\n{told}"
        raise BackendError(message)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][-100:] if lines else "compiling"


def _go_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """No workspace and no flags of the user's take part."""
    return {**os.environ, **environ, "GOWORK": "off", "GOFLAGS": "", "CGO_ENABLED": "0"}

"""The real collector and Jaeger as tests run them: what they took they keep, whoever is killed."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from telemetry.codec import SpanRecord, encode
from tests.backends.build import GO_AT_LEAST, find_or_build, go_version, require_go
from tests.backends.programs import (
    JAEGER,
    OTELCOL,
    PROGRAMS,
    BackendError,
    Program,
    built_path,
    fingerprint,
    is_built,
    locate,
    mark_of,
)
from tests.support import deploy
from tests.support.backend_programs import require_prometheus
from tests.support.backends import Backends, Collector, Jaeger, Pair, Prometheus
from tests.support.jaeger_trace import spans_of, wait_for
from tests.support.wait import wait_until

_T0_US = 1_795_000_000_000_000


def _send(collector: Collector, number: int) -> str:
    """Sends a trace of one span; its trace id, and its span id the last half of it."""
    record = SpanRecord(
        trace_id=number, span_id=number, name="tts task", start_us=_T0_US, end_us=_T0_US + 5
    )
    answer = requests.post(
        f"{collector.http_endpoint}/v1/traces",
        data=encode([record], {"service.name": "voxtrace"}, "1.0"),
        headers={"content-type": "application/x-protobuf"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return f"{number:032x}"


def _arrives(jaeger: Jaeger, trace_id: str) -> None:
    [span] = wait_for(jaeger, trace_id, [trace_id[16:]])
    assert (span.start_ns, span.end_ns) == (_T0_US * 1000, (_T0_US + 5) * 1000)
    assert (span.name, span.service) == ("tts task", "voxtrace")


def test_span_arrives_whole(pair: Pair) -> None:
    """A span that the collector takes is in Jaeger with its ids and its times."""
    _arrives(pair.jaeger, _send(pair.collector, 1))
    assert pair.collector.count("otelcol_receiver_accepted_spans") >= 1
    assert pair.collector.count("otelcol_receiver_refused_spans") == 0
    assert spans_of(pair.jaeger, "f" * 32) == []


def test_span_sent_twice_is_one(pair: Pair) -> None:
    """The outbox delivers at least once; the storage of deploy/jaeger.yaml makes that once."""
    trace_id = _send(pair.collector, 2)
    _arrives(pair.jaeger, trace_id)
    _send(pair.collector, 2)
    wait_until(
        lambda: (
            pair.collector.count("otelcol_exporter_sent_spans")
            >= pair.collector.count("otelcol_receiver_accepted_spans")
        ),
        30,
        what="both are handed to Jaeger",
    )
    _arrives(pair.jaeger, trace_id)


def test_collector_keeps_spans_while_jaeger_is_dead(collector: Collector, jaeger: Jaeger) -> None:
    """Spans taken while Jaeger is killed outlive a kill of the collector, too."""
    before = _send(collector, 3)
    _arrives(jaeger, before)
    jaeger.kill()
    trace_id = _send(collector, 4)
    collector.kill()
    collector.start()
    jaeger.start()
    _arrives(jaeger, trace_id)
    _arrives(jaeger, before)


def test_prometheus_reads_the_collector(backends: Backends, tmp_path: Path, pair: Pair) -> None:
    """Prometheus on the shipped file sees collector and Jaeger up."""
    with Prometheus(require_prometheus(backends), tmp_path, pair.targets) as prometheus:
        wait_until(lambda: len(prometheus.query("up == 1")) == 4, 30, what="all four are up")


def _script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_named_program_is_used_or_is_an_error(tmp_path: Path, program: Program) -> None:
    """What a variable names is taken as it is; a wrong path ends with words, never with another."""
    good = _script(tmp_path / "good", "exit 0")
    found = locate(program, {program.variable: str(good)})
    assert found is not None
    assert (found.path, found.source) == (good, program.variable)
    bad = _script(tmp_path / "bad", "echo 'unknown exporter' >&2", "exit 1")
    for named, said in ((bad, "unknown exporter"), (tmp_path / "absent", "No such file")):
        with pytest.raises(BackendError, match=said) as raised:
            locate(program, {program.variable: str(named)})
        assert program.variable in str(raised.value)
        assert str(named) in str(raised.value)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_program_on_path_is_used_where_it_takes_our_configuration(
    tmp_path: Path, program: Program
) -> None:
    """One on PATH that lacks a part that we use is passed over."""
    name = program.on_path[0]
    environ = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert locate(program, environ) is None
    path = _script(tmp_path / name, "exit 1")
    assert locate(program, environ) is None
    _script(path, 'test "$1 $2" = "validate --config" && test -f "$3"')
    found = locate(program, environ)
    assert found is not None
    assert (found.path, found.source) == (path, "PATH")


def test_built_program_is_of_todays_recipe(tmp_path: Path) -> None:
    """A build of another recipe is not used, nor one that was cut off."""
    environ = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    path = built_path(OTELCOL, environ)
    assert path.is_relative_to(tmp_path / "cache" / "voxtrace" / "backends")
    path.parent.mkdir(parents=True)
    _script(path, "exit 0")
    assert not is_built(OTELCOL, path)
    mark_of(path).write_text("of another recipe")
    assert locate(OTELCOL, environ) is None
    mark_of(path).write_text(fingerprint(OTELCOL))
    found = locate(OTELCOL, environ)
    assert found is not None
    assert found.path == path


@pytest.mark.parametrize(
    ("told", "said"), [(None, "none on PATH"), ("go1.19.8", "got 1.19"), ("what", "got 0.0")]
)
def test_go_that_cannot_build_is_told(tmp_path: Path, told: str | None, said: str) -> None:
    """Without Go, or with one that is too old, the words say what to install or to set."""
    if told is not None:
        _script(tmp_path / "go", f"echo {told}")
    environ = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    with pytest.raises(BackendError, match=said) as raised:
        find_or_build(JAEGER, environ, print)
    assert "VOXTRACE_JAEGER" in str(raised.value)
    assert "Go 1.25 or newer" in str(raised.value)


def test_failed_build_leaves_nothing_and_quotes_go(tmp_path: Path) -> None:
    """A build that fails says what Go said, and the next one begins anew."""
    _script(
        tmp_path / "go",
        f'test "$1" = env && echo go{GO_AT_LEAST[0]}.{GO_AT_LEAST[1]} && exit 0',
        "echo no such host >&2",
        "exit 1",
    )
    environ = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    require_go(JAEGER, environ)
    assert go_version(environ) == GO_AT_LEAST
    with pytest.raises(BackendError, match="no such host"):
        find_or_build(JAEGER, environ, print)
    folder = built_path(JAEGER, environ).parent.parent
    assert [path.name for path in folder.iterdir()] == ["lock"]


def test_build_appears_at_once_and_once(tmp_path: Path) -> None:
    """The program is renamed into its place with its mark; a second call builds nothing."""
    _script(
        tmp_path / "go",
        'test "$1" = env && echo go1.99 && exit 0',
        f"echo run >> {tmp_path}/runs",
        'printf "#!/bin/sh\\n" > made && /bin/chmod +x made',
    )
    environ = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    words: list[str] = []
    first = find_or_build(JAEGER, environ, words.append)
    assert find_or_build(JAEGER, environ, words.append) == first
    assert (tmp_path / "runs").read_text() == "run\n"
    assert len(words) == 2
    mark_of(first.path).write_text("of another recipe")
    assert find_or_build(JAEGER, environ, words.append) == first
    assert is_built(JAEGER, first.path)
    assert sorted(path.name for path in first.path.parent.parent.iterdir()) == [
        "jaeger-1.62.0",
        "lock",
    ]


def test_versions_are_those_of_the_documents() -> None:
    """The collector is compose's; versions in the recipes are those of the folders."""
    image = deploy.services()["collector"]["image"]
    assert image.endswith(f":{OTELCOL.version}")
    manifest = OTELCOL.recipe[0].read_text()
    assert f"  version: {OTELCOL.version}\n" in manifest
    module = JAEGER.recipe[0].read_text()
    assert f"github.com/jaegertracing/jaeger v{JAEGER.version} " in module
    assert f"\ngo {GO_AT_LEAST[0]}.{GO_AT_LEAST[1]}\n" in module


def _run_without(empty: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`python WORDS` where nothing is built, and PATH has no collector, no Jaeger and no Go."""
    environ = {**os.environ, "PATH": str(empty), "XDG_CACHE_HOME": str(empty)}
    for program in PROGRAMS:
        environ.pop(program.variable, None)
    return subprocess.run(
        [sys.executable, *words],
        env=environ,
        cwd=deploy.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_bench_says_which_programs_are_missing(tmp_path: Path) -> None:
    """`bench_verify` where nothing is built and nothing on PATH: words, no traceback."""
    done = _run_without(tmp_path, "-m", "tests.bench.bench_verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("SKIPPED: NO COLLECTOR OR JAEGER: ")


def test_tests_without_programs_are_skipped_with_words(tmp_path: Path) -> None:
    """A run says in its summary what was not compared, and what to install or set for it."""
    test = "tests/integration/test_backends.py::test_span_arrives_whole"
    done = _run_without(tmp_path, "-m", "pytest", test)
    assert (done.returncode, "1 skipped" in done.stdout) == (0, True), done.stdout
    [line] = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED [1] ")]
    least = ".".join(map(str, GO_AT_LEAST))
    assert line.endswith(
        "NO COLLECTOR OR JAEGER: traces are not compared with the real ones"
        f" (install Go {least} or newer, or set VOXTRACE_OTELCOL and VOXTRACE_JAEGER;"
        " `make backends` says more)"
    )


def test_command_names_a_wrong_program(tmp_path: Path) -> None:
    """`make backends` with a wrong variable ends with 1, names it, and still tells of the rest."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.backends"],
        env={**os.environ, "VOXTRACE_JAEGER": str(tmp_path), "VOXTRACE_OTELCOL": str(tmp_path)},
        cwd=deploy.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "VOXTRACE_JAEGER must be a Jaeger that runs" in done.stderr
    assert "promtool" in done.stdout

"""A real collector, Jaeger and Prometheus: run on the files that users get, killed on command.

    with Jaeger(backends.jaeger, folder / "jaeger") as jaeger:
        with Collector(backends.otelcol, folder / "collector", jaeger=jaeger) as collector:
            collector.kill()   # SIGKILL
            collector.start()  # the same ports, the same data

Only `${env:…}` of otel-collector.yaml and deploy/jaeger.yaml differ from a user's start. A program
dies with the *thread* that started it (PDEATHSIG): start it from one that lives to the end.
"""

import os
import random
import re
import signal
import socket
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import requests
import yaml
from typing_extensions import override

from app.process import set_parent_death_signal
from tests.support import deploy
from tests.support.wait import wait_until

#: Seconds within which a program must answer after its start.
START_S: Final = 60.0
_DICE = random.SystemRandom()
#: Log lines that tell of nothing wrong.
_CALM = re.compile(r"\tinfo\t|level=info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """Where the programs are; `prometheus` is None where it is not installed."""

    otelcol: Path
    jaeger: Path
    prometheus: Path | None


def quiet_port() -> int:
    """A port of 127.0.0.1 that no outgoing connection can take while its program is dead.

    A free port as the kernel gives it is one of those that it gives to clients, too: a connection
    to a killed program's port may then be answered by its own caller (TCP's simultaneous open).
    """
    while True:
        port = _DICE.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Backend:
    """A native program with a health address; use it as a context, or `start` and `stop` it.

    Args:
        program: The file.
        folder: Its data and its output; made if it is not there, and kept.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {}
        self._program = program
        self._popen: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def health_url(self) -> str:
        """Answers 200 once the program is ready."""
        raise NotImplementedError

    def arguments(self) -> list[str]:
        """The words after the program's name."""
        raise NotImplementedError

    @property
    def pid(self) -> int | None:
        """Its process; None where it does not run."""
        return self._popen.pid if self._popen is not None and self._popen.poll() is None else None

    @property
    def log(self) -> Path:
        """What all its starts have printed."""
        return self.folder / "log"

    def output(self) -> str:
        """What all its starts have printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def start(self) -> Self:
        """Starts it (again) and waits until it is ready; nothing where it runs."""
        self.launch()
        wait_until(self.is_ready, START_S, what=f"{self._program.name} is ready")
        return self

    def launch(self) -> None:
        """Starts it (again) and does not wait; nothing where it runs."""
        if self.pid is not None:
            return
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [self._program, *self.arguments()],
                env={**os.environ, **self.environ},
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=partial(set_parent_death_signal, signal.SIGKILL),  # noqa: PLW1509 - one prctl, no lock
            )

    def is_ready(self) -> bool:
        """Whether its health address says yes; fails with its output where it has ended."""
        assert self.pid is not None, f"{self._program} ended:\n{self.output()[-4000:]}"
        try:
            return requests.get(self.health_url, timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def kill(self) -> None:
        """SIGKILL, as a crash or a lack of memory does it; waits for the end."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and waits for the end: what it holds is written."""
        self._end(signal.SIGTERM)

    def _end(self, signum: int) -> None:
        popen, self._popen = self._popen, None
        if popen is not None:
            popen.send_signal(signum)
            try:
                popen.wait(30)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait(10)
                raise

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            told = [line for line in self.output().splitlines() if not _CALM.search(line)]
            print(f"--- {self._program.name}", *told[-10:], sep="\n")
        self.kill()


class Prometheus(Backend):
    """Prometheus on deploy/prometheus.yaml, with other addresses and a scrape each second.

    Its rules are those of deploy/alerts.yaml.

    Args:
        program: The file.
        folder: Its data and its output.
        targets: Address in the file → address here, such as "collector:8889" → "127.0.0.1:20001".
            The others are left out.
        token: What its file `api_token` holds.
        wait: Duration that stands for every `for:` of deploy/alerts.yaml, such as "1s".
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        targets: dict[str, str] | None = None,
        *,
        token: str = "",
        wait: str | None = None,
    ) -> None:
        super().__init__(program, folder)
        self.targets = targets or {}
        self._port = quiet_port()
        self._token = token
        self._wait = wait

    @property
    def url(self) -> str:
        """Its pages and its API."""
        return f"http://127.0.0.1:{self._port}"

    @property
    @override
    def health_url(self) -> str:
        return f"{self.url}/-/ready"

    @override
    def launch(self) -> None:
        (self.folder / "prometheus.yaml").write_text(yaml.safe_dump(self._configuration()))
        rules = deploy.text("deploy/alerts.yaml")
        if self._wait is not None:
            rules = re.sub(r"^( +for:) \S+$", rf"\1 {self._wait}", rules, flags=re.MULTILINE)
        (self.folder / "alerts.yaml").write_text(rules)
        (self.folder / "api_token").write_text(self._token)
        super().launch()

    @override
    def arguments(self) -> list[str]:
        return [
            "--config.file=prometheus.yaml",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--storage.tsdb.path=data",
        ]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query: each with `metric` (labels) and `value` (time, text)."""
        found: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return found

    def firing(self) -> dict[str, dict[str, Any]]:
        """The alerts that fire, by name: each with `labels` and `annotations`."""
        return {
            alert["labels"]["alertname"]: alert
            for alert in self._ask("alerts")["alerts"]
            if alert["state"] == "firing"
        }

    def metric_names(self) -> set[str]:
        """Names of all series that it has."""
        return set(self._ask("label/__name__/values"))

    def _ask(self, what: str, **parameters: str) -> Any:
        """The data of an answer of its API, which must be a success."""
        asked = requests.get(f"{self.url}/api/v1/{what}", params=parameters, timeout=10).json()
        assert asked["status"] == "success", asked
        return asked["data"]

    def _configuration(self) -> dict[str, Any]:
        parsed: dict[str, Any] = yaml.safe_load(deploy.text("deploy/prometheus.yaml"))
        here = {**self.targets, "127.0.0.1:9090": f"127.0.0.1:{self._port}"}
        parsed["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
        for job in parsed["scrape_configs"]:
            for config in job["static_configs"]:
                config["targets"] = [here[name] for name in config["targets"] if name in here]
        return parsed


class Jaeger(Backend):
    """Jaeger on deploy/jaeger.yaml: badger on disk.

    Args:
        program: The file.
        folder: Its data and its output.
        prometheus: Where its metrics come from.
    """

    def __init__(self, program: Path, folder: Path, prometheus: Prometheus | None = None) -> None:
        super().__init__(program, folder)
        self._health = quiet_port()
        self._otlp, self._ui, self._grpc, self._own = (quiet_port() for _ in range(4))
        self.environ = {
            "JAEGER_HEALTH": f"127.0.0.1:{self._health}",
            "JAEGER_UI": f"127.0.0.1:{self._ui}",
            "JAEGER_QUERY_GRPC": f"127.0.0.1:{self._grpc}",
            "JAEGER_DIR": str(folder / "data"),
            "JAEGER_OTLP": self.otlp_endpoint,
            "JAEGER_SELF_PORT": str(self._own),
            "JAEGER_PROMETHEUS": prometheus.url if prometheus else f"http://127.0.0.1:{self._own}",
        }

    @property
    def url(self) -> str:
        """Value for VOXTRACE_JAEGER_URL: its pages and its query API."""
        return f"http://127.0.0.1:{self._ui}"

    @property
    def otlp_endpoint(self) -> str:
        """HOST:PORT that takes spans (OTLP/gRPC)."""
        return f"127.0.0.1:{self._otlp}"

    @property
    def self_metrics(self) -> str:
        """HOST:PORT of the metrics about itself."""
        return f"127.0.0.1:{self._own}"

    @property
    @override
    def health_url(self) -> str:
        return f"http://127.0.0.1:{self._health}/status"

    @override
    def arguments(self) -> list[str]:
        return ["--config", str(deploy.ROOT / "deploy" / "jaeger.yaml")]


class Collector(Backend):
    """The collector on otel-collector.yaml: its queue on disk, spans on to Jaeger.

    Args:
        program: The file.
        folder: Its queue and its output.
        jaeger: Where it hands spans to.
    """

    def __init__(self, program: Path, folder: Path, jaeger: Jaeger) -> None:
        super().__init__(program, folder)
        self._health = quiet_port()
        self._http, self._grpc, self._spans, self._own = (quiet_port() for _ in range(4))
        self.environ = {
            "OTELCOL_HEALTH": f"127.0.0.1:{self._health}",
            "OTELCOL_QUEUE_DIR": str(folder / "queue"),
            "OTELCOL_GRPC": self.grpc_endpoint,
            "OTELCOL_HTTP": f"127.0.0.1:{self._http}",
            "OTELCOL_JAEGER": jaeger.otlp_endpoint,
            "OTELCOL_SPANMETRICS": self.span_metrics,
            "OTELCOL_SELF_PORT": str(self._own),
        }

    @property
    def http_endpoint(self) -> str:
        """Value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self._http}"

    @property
    def grpc_endpoint(self) -> str:
        """HOST:PORT that takes spans by OTLP/gRPC."""
        return f"127.0.0.1:{self._grpc}"

    @property
    def span_metrics(self) -> str:
        """HOST:PORT of the metrics that it makes of spans."""
        return f"127.0.0.1:{self._spans}"

    @property
    def spanmetrics_url(self) -> str:
        """The page of the metrics that it makes of spans."""
        return f"http://{self.span_metrics}/metrics"

    @property
    def self_metrics(self) -> str:
        """HOST:PORT of the metrics about itself."""
        return f"127.0.0.1:{self._own}"

    @property
    @override
    def health_url(self) -> str:
        return f"http://127.0.0.1:{self._health}/"

    @override
    def arguments(self) -> list[str]:
        return ["--config", str(deploy.ROOT / "otel-collector.yaml")]

    def count(self, metric: str) -> float:
        """A metric about itself, summed over its series; 0 where it has none.

        Example: `otelcol_receiver_refused_spans`. They begin at 0 with each start.
        """
        page = requests.get(f"http://{self.self_metrics}/metrics", timeout=10).text
        series = re.findall(rf"^{metric}(?:_total)?(?:\{{.*\}})? (\S+)$", page, re.MULTILINE)
        return sum(map(float, series))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A collector and the Jaeger behind it."""

    collector: Collector
    jaeger: Jaeger

    @property
    def environ(self) -> dict[str, str]:
        """Settings with which voxtrace uses them."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.http_endpoint,
            "VOXTRACE_JAEGER_URL": self.jaeger.url,
        }
